// The books against the chain, address by address: `sycee reconcile`.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";

import { secretFile } from "../support/sycee.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const patient = { timeout: 60_000 };

let world;
before(async () => {
  world = await World.start({ settings: { desk: { second_operator_above: "20" } } });
});
after(async () => world?.stop());

const reconcile = (...args) => world.sycee.command("reconcile", ...args);

test("before anything is paid there is nothing to compare, and that agrees", async () => {
  const { code, stdout } = await reconcile();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^Local Anvil \(31337\): 0 balance\(s\) compared at block \d+: the books agree with the chain\.$/m);
});

test("what was paid, paid in parts, taken back by a reorg and moved out agrees with the chain", async () => {
  const { chain, token, payer } = world;
  const payments = [];
  for (let i = 0; i < 4; i += 1) payments.push(await world.createPayment({ reference: `reconciled-${i}` }));
  const [whole, parts, gone, swept] = payments;
  await world.pay(whole);
  await world.pay(parts, "20");
  await world.pay(parts, "31");
  await world.pay(swept);
  await world.settle(swept);
  await chain.client.impersonateAccount({ address: swept.deposit_address });
  await chain.client.setBalance({ address: swept.deposit_address, value: 10n ** 18n });
  await token.transfer(swept.deposit_address, payer, token.units("50"));
  await world.pay(gone);
  await world.expectStatus(gone, "authorized");
  await chain.reorg(1);
  await chain.mine(2);
  await world.caughtUp(patient);
  const { code, stdout } = await reconcile("--json");
  assert.equal(code, 0, stdout);
  const [{ chain_id: id, compared, differences, fault }] = JSON.parse(stdout);
  assert.deepEqual({ id, differences, fault }, { id: 31337, differences: [], fault: null });
  assert.equal(compared, 3); // the one that was taken back is at no address any more
});

test("funds that the issuer destroyed are named, with what the books and the chain say", async () => {
  const payment = await world.createPayment({ reference: "destroyed" });
  await world.pay(payment);
  await world.settle(payment);
  await world.token.administer("addBlackList", payment.deposit_address);
  await world.token.administer("destroyBlackFunds", payment.deposit_address);
  await world.caughtUp(patient);
  const { code, stdout } = await reconcile();
  assert.equal(code, 1, stdout);
  assert.match(stdout, /balance\(s\) compared at block \d+, 1 DIFFER:/);
  assert.ok(
    stdout.includes(
      `  ${payment.id} at ${payment.deposit_address}: the books say 50.000000 USDT, the chain says 0.000000 USDT\n`,
    ),
    stdout,
  );
  await world.verifyBooks(); // the books are right in themselves: it is the chain that lost something
});

test("the service finds it by itself, freezes the address, and a person frees it", async () => {
  const found = await waitFor("the difference", async () => {
    const [difference] = JSON.parse(await world.sycee.cli("difference", "list", "--json"));
    return difference;
  });
  assert.match(found.id, /^dif_/);
  assert.equal(found.chain_id, 31337);
  assert.equal(found.booked_base_units, "50000000");
  assert.equal(found.on_chain_base_units, "0");
  const text = await world.sycee.cli("difference", "list");
  assert.ok(text.includes("the books say 50.000000 USDT, the chain says 0.000000 USDT"), text);

  const refused = await world.sycee.command("difference", "close", "dif_nonsense", "--reason", "x");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /difference: "dif_nonsense" is not the id of a difference/);
  await world.sycee.cli("difference", "close", found.id, "--reason", "destroyed by the issuer, case 7");
  const again = await world.sycee.command("difference", "close", found.id, "--reason", "twice");
  assert.equal(again.code, 2);
  assert.equal(await world.sycee.cli("difference", "list"), "No difference is open.\n");

  // It is known from now on: the next rounds find nothing new, and other payments go on.
  const other = await world.createPayment({ reference: "after the loss" });
  await world.pay(other);
  await world.settle(other);
  assert.equal(await world.sycee.cli("difference", "list"), "No difference is open.\n");
});

test("what the issuer destroyed is booked as lost by two operators, and books and chain agree again", async () => {
  const password = (name) => secretFile(path.join(world.directory, name), () => `the password of ${name}`);
  for (const name of ["anna", "bert"]) {
    await world.sycee.cli("operator", "create", "--name", name, "--password-file", await password(name));
  }
  const before = await reconcile("--json");
  const known = JSON.parse(before.stdout)[0].differences.length; // what was only accepted
  const payment = await world.createPayment({ reference: "lost" });
  await world.pay(payment);
  await world.settle(payment);
  await world.token.administer("addBlackList", payment.deposit_address);
  await world.token.administer("destroyBlackFunds", payment.deposit_address);
  const found = await waitFor("the difference", async () => {
    const [difference] = JSON.parse(await world.sycee.cli("difference", "list", "--json"));
    return difference;
  });
  assert.equal(found.payment, payment.id);

  const bookLoss = async (...args) =>
    world.sycee.command(
      ...["difference", "book-loss", found.id, "--reason", "destroyed by the issuer, case 8"],
      ...["--operator", "anna", "--password-file", await password("anna"), ...args],
    );
  const second = ["--second-operator", "bert", "--second-password-file", await password("bert")];
  const early = await bookLoss(...second);
  assert.equal(early.code, 2, early.stdout);
  assert.match(early.stderr, /difference: was found in block \d+, which is not final yet/);
  await world.chain.mine(3);
  await world.caughtUp(patient);
  const alone = await bookLoss();
  assert.equal(alone.code, 2, alone.stdout);
  assert.match(alone.stderr, /operator: is one, but this loss is above what one may decide/);
  const stranger = await bookLoss("--second-operator", "bert", "--second-password-file", await password("anna"));
  assert.match(stranger.stderr, /operator: "bert": unknown, or another password/);
  const { code, stdout, stderr } = await bookLoss(...second);
  assert.equal(code, 0, stderr);
  assert.ok(
    stdout.startsWith(`50.000000 USDT of ${payment.id} at ${payment.deposit_address} are booked as lost: record `),
    stdout,
  );
  assert.equal((await bookLoss(...second)).code, 2);

  assert.equal(await world.sycee.cli("difference", "list"), "No difference is open.\n");
  const after = JSON.parse((await reconcile("--json")).stdout)[0].differences;
  assert.equal(after.length, known); // nothing is missing of this one any more
  const { merchant } = world;
  const lost = await world.sql(
    `SELECT account || ' ' || balance FROM account_balances WHERE merchant_id = (SELECT merchant_id FROM payments
     WHERE deposit_address = '\\x${payment.deposit_address.slice(2)}') AND account = 'token_loss'`,
  );
  assert.equal(lost, "token_loss 50000000", merchant.id);
  assert.match(await world.sycee.cli("trial-balance"), / {4}token_loss +50\.000000 USDT/);
  assert.match(await world.sycee.cli("payment", payment.id), /token_loss -> coins {2}50\.000000 USDT/);
  await world.verifyBooks();
});

test("a node that is away is told apart from a difference", async () => {
  await world.chain.stop();
  const { code, stdout } = await reconcile();
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^Local Anvil \(31337\): NOT COMPARED: /m);
});
