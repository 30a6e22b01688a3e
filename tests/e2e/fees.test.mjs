// What the operator is due: versions of a merchant's fees, from the command line to the API and the books.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

let world;
let merchant;
before(async () => {
  world = await World.start();
  [{ id: merchant }] = JSON.parse(await world.sycee.cli("merchant", "list", "--json"));
});
after(async () => world?.stop());

const set = (...args) => world.sycee.command("fee", "set", merchant, ...args);

test("a new version is in force from the next clearing on, and each payment shows what it was charged", async () => {
  const { code, stdout, stderr } = await set(
    "--basis-points", "100", "--fixed", "30", "--minimum", "50", "--maximum", "200", "--json",
  );
  assert.equal(code, 0, stderr);
  const version = JSON.parse(stdout);
  assert.deepEqual(version, {
    version: 2, basis_points: 100, rounding: "down", fixed: "30", minimum: "50", maximum: "200",
  });
  const payment = await world.createPayment({ reference: "fee-1" });
  await world.pay(payment, "20");
  await world.pay(payment, "30");
  const settled = await world.settle(payment);
  assert.deepEqual(settled.transfers.map(({ fee }) => fee).sort(), ["0.300000", "0.500000"]);
  assert.deepEqual(settled.transfers.map(({ net }) => net).sort(), ["19.500000", "29.700000"]);
  await world.verifyBooks();
});

test("all versions are listed, oldest first", async () => {
  const text = await world.sycee.cli("fee", "list", merchant);
  const [first, second] = text.trimEnd().split("\n");
  assert.match(first, /^version 1 {2}since .*Z {2}\d+ basis points$/);
  assert.match(
    second,
    /^version 2 .* 100 basis points, and 30, at least 50, at most 200 minor units a payment$/,
  );
});

test("what makes no sense is refused by name, and changes nothing", async () => {
  for (const [args, problem] of [
    [["--basis-points", "10001"], /basis-points/],
    [["--fixed", "0.3"], /fixed: "0.3" is not a whole number/],
    [["--minimum", "5", "--maximum", "4"], /maximum: 4 is below the minimum of 5/],
    [["--rounding", "sideways"], /rounding/],
  ]) {
    const { code, stderr } = await set(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, problem);
  }
  const unknown = await world.sycee.command("fee", "set", "mer_00000000000000000000000001");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /merchant: there is no merchant/);
  assert.equal(JSON.parse(await world.sycee.cli("fee", "list", merchant, "--json")).length, 2);
});

test("what is owed is invoiced, paid from any wallet as an ordinary payment, and is then owed no more", async () => {
  const none = await world.sycee.command("fee", "invoice", merchant);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /recipient: is not named: to whom are fees paid\?/);
  const { merchant: recipient, key } = await world.addMerchant({ name: "The operator" });
  assert.equal(await world.sycee.cli("fee", "recipient", recipient.id), `Fees are paid to ${recipient.id}.\n`);
  const own = await world.sycee.command("fee", "invoice", recipient.id);
  assert.match(own.stderr, /merchant: is the one that fees are paid to/);

  const invoices = await world.sycee.json("fee", "invoice", merchant);
  assert.equal(invoices.length, 1);
  const [invoice] = invoices;
  assert.deepEqual(
    [invoice.stage, invoice.amount, invoice.token, invoice.chain_id],
    ["open", "0.800000", "USDT", 31337],
  );
  assert.deepEqual(await world.sycee.json("fee", "invoice", merchant), []); // it is asked for already
  const listed = await world.api("GET", "/v1/fee-invoices");
  assert.deepEqual(listed.body, { object: "list", data: [invoice], has_more: false, next_cursor: null });
  assert.deepEqual((await world.sycee.request("GET", "/v1/fee-invoices", { key })).body.data, []);
  const bad = await world.api("GET", "/v1/fee-invoices?limit=0");
  assert.equal(bad.status, 400);

  const answer = await world.sycee.request("GET", `/v1/payments/${invoice.id}`, { key });
  assert.equal(answer.status, 200, answer.text);
  const payment = answer.body;
  assert.equal(payment.amount, "0.80");
  assert.equal(payment.checkout_url, invoice.checkout_url);
  assert.equal(payment.metadata.fee_invoice_of, merchant);
  await world.pay(payment);
  await world.chain.mine(world.confirmations + 1);
  const statement = await waitFor("the fees to be paid", async () => {
    const now = await world.sycee.json("fee", "statement", merchant);
    return now.invoices[0].stage === "paid" && now.invoices[0].paid_record !== null && now;
  });
  assert.deepEqual(statement.accounts, [
    {
      ...{ chain_id: 31337, token: "USDT", opening: "0.000000", accrued: "0.800000" },
      ...{ reversed: "0.000000", paid: "0.800000", closing: "0.000000" },
    },
  ]);
  const owed = await world.sql(
    `SELECT count(*) FROM account_balances WHERE account = 'operator_fee' AND balance <> 0`,
  );
  assert.equal(owed, "0");
  assert.match(await world.sycee.cli("fee", "statement", merchant), / {2}paid \(less\) +0\.800000/);
  await world.verifyBooks();
});

test("an invoice that nobody pays in time gives its fees free again", async () => {
  const payment = await world.createPayment({ reference: "fee-2" });
  await world.pay(payment);
  await world.settle(payment);
  const [first] = await world.sycee.json("fee", "invoice", merchant, "--token", "USDT", "--chain", "31337");
  assert.equal(first.amount, "0.800000");
  await world.chain.client.increaseTime({ seconds: 25 * 3600 });
  await world.chain.mine(2);
  await world.caughtUp({ timeout: 60_000 });
  const [second] = await world.sycee.json("fee", "invoice", merchant);
  assert.equal(second.amount, "0.800000");
  assert.notEqual(second.id, first.id);
  const text = await world.sycee.cli("fee", "statement", merchant);
  assert.ok(text.includes(`${first.id}  expired  0.800000 USDT on chain 31337\n`), text);
  const unknown = await world.sycee.command("fee", "invoice", merchant, "--token", "EURT");
  assert.match(unknown.stderr, /token: "EURT" is not configured/);
  await world.verifyBooks();
});

test("every answer was one of the contract", () => {
  const contract = new ApiContract();
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
});
