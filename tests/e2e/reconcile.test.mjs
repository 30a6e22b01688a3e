// The books against the chain, address by address: `sycee reconcile`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const patient = { timeout: 60_000 };

let world;
before(async () => {
  world = await World.start();
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

test("a node that is away is told apart from a difference", async () => {
  await world.chain.stop();
  const { code, stdout } = await reconcile();
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^Local Anvil \(31337\): NOT COMPARED: /m);
});
