// "I have paid, where is it?": what a payer is told about a transaction, on the page of one payment, and what the shop
// sees of what was decided about it. With the program, PostgreSQL and a real chain.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { World } from "../support/world.mjs";

let world;

before(async () => {
  world = await World.start();
});

after(() => world?.stop());

/** The answer of a payment's page about a transaction. */
async function ask(payment, transaction) {
  const query = new URLSearchParams({ transaction });
  return world.sycee.request("GET", `/checkout/${payment.id}/find?${query}`);
}

/** What the page says of it, as its headings. */
async function findings(payment, transaction) {
  const answer = await ask(payment, transaction);
  assert.equal(answer.status, 200, answer.text);
  const headings = [...answer.text.matchAll(/<div class="finding \w+"><h2>([^<]*)<\/h2>/g)];
  return headings.map(([, heading]) => heading.replaceAll("&#39;", "'"));
}

test("a transfer that counts is found, from its block on", async () => {
  const payment = await world.createPayment();
  const { transactionHash } = await world.pay(payment);
  await world.expectStatus(payment, "authorized");
  assert.deepEqual(await findings(payment, transactionHash), ["It arrived and is being confirmed"]);
  await world.settle(payment);
  assert.deepEqual(await findings(payment, `https://etherscan.io/tx/${transactionHash}#eventlog`), [
    "It arrived and counts",
  ]);
  const { text } = await ask(payment, transactionHash);
  assert.match(text, /50\.00 USDT arrived on Local Anvil and counts for this payment\./);
});

test("a token that is not listed and the chain's own coin are found, and credit nothing", async () => {
  const payment = await world.createPayment();
  const lookalike = await world.chain.deployToken();
  await lookalike.mint(world.payer, lookalike.units("50"));
  const token = await lookalike.transfer(world.payer, payment.deposit_address, lookalike.units("50"));
  assert.deepEqual(await findings(payment, token.transactionHash), ["A token that this shop does not accept"]);
  assert.ok((await ask(payment, token.transactionHash)).text.includes(lookalike.address));

  const coins = await world.chain.send({ from: world.payer, to: payment.deposit_address, value: 10n ** 17n });
  await world.chain.success(coins);
  assert.deepEqual(await findings(payment, coins), ["It is the network's own coin"]);
  assert.match((await ask(payment, coins)).text, /0\.1 of the chain&#39;s own coin/);
  assert.equal((await world.payment(payment)).status, "open");
});

test("another payment's transaction reveals nothing, and is told apart from none", async () => {
  const theirs = await world.createPayment({ reference: "their-order" });
  const mine = await world.createPayment();
  const receipt = await world.pay(theirs, "12.34");
  await world.expectStatus(theirs, "partially_paid");
  assert.deepEqual(await findings(mine, receipt.transactionHash), ["It did not go to this payment"]);
  const { text } = await ask(mine, receipt.transactionHash);
  for (const secret of [theirs.id, theirs.deposit_address, "their-order", "12.34"]) {
    assert.ok(!text.includes(secret), `the page shows ${secret}`);
  }
  const unknown = `0x${randomBytes(32).toString("hex")}`;
  assert.deepEqual(await findings(mine, unknown), ["No network has this transaction yet"]);
});

test("a failed transaction is told as one", async () => {
  const payment = await world.createPayment();
  const tooMuch = world.token.units("999999999");
  const hash = await world.token.send({ from: world.payer, gas: 200_000n }, "transfer", payment.deposit_address, tooMuch);
  assert.equal((await world.chain.receipt(hash)).status, "reverted");
  assert.deepEqual(await findings(payment, hash), ["This transaction failed"]);
});

test("nonsense is refused plainly, and many questions are too", async () => {
  const payment = await world.createPayment();
  for (const nonsense of ["x", "<script>alert(1)</script>", payment.deposit_address, "\0\u{1f600}", "0x".padEnd(67, "1")]) {
    const answer = await ask(payment, nonsense);
    assert.equal(answer.status, 400, nonsense);
    assert.match(answer.text, /That is not the hash of one transaction/);
    assert.doesNotMatch(answer.text, /<script/);
  }
  assert.equal((await ask({ id: "pay_00000000000000000000000000" }, "x")).status, 404);

  const hash = `0x${randomBytes(32).toString("hex")}`;
  for (let i = 0; i < 6; i += 1) assert.equal((await ask(payment, hash)).status, 200);
  const refused = await ask(payment, hash);
  assert.equal(refused.status, 429);
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait > 0 && wait <= 60, String(wait));
  // It is this payment's limit, not everybody's.
  assert.equal((await ask(await world.createPayment(), hash)).status, 200);
});

test("a shop sees what was decided at the desk, why, and that it covers a payment", async () => {
  const contract = new ApiContract();
  const paid = await world.createPayment();
  const { transactionHash } = await world.pay(paid, "80");
  await world.settle(paid);
  assert.deepEqual(await findings(paid, transactionHash), ["It arrived and counts"]);
  assert.match((await ask(paid, transactionHash)).text, /30\.00 USDT of it are more than was due/);

  const other = await world.createPayment({ amount: "30.00" });
  assert.deepEqual(other.desk_credits, []);
  const [exception] = (await world.api("GET", `/v1/exceptions?payment=${paid.id}`)).body.data;
  assert.deepEqual(exception.decisions, []);
  const body = { kind: "credit", target_payment: other.id, reason: "paid <twice> in one" };
  const resolved = await world.api("POST", `/v1/exceptions/${exception.id}/resolve`, { body });
  assert.equal(resolved.status, 200, resolved.text);
  const [decision] = resolved.body.decisions;
  assert.equal(decision.reason, body.reason);
  assert.equal(decision.decided_by, world.keyId);
  assert.equal(decision.target_payment, other.id);
  assert.deepEqual((await world.api("GET", `/v1/exceptions/${exception.id}`)).body.decisions, [decision]);

  const covered = await world.payment(other);
  assert.equal(covered.status, "settled");
  assert.deepEqual(covered.transfers, []);
  const [credit] = covered.desk_credits;
  assert.equal(credit.amount, "30.000000");
  assert.equal(credit.kind, "credit");
  assert.equal(credit.exception, exception.id);
  assert.equal(credit.record, decision.record);
  const told = await world.receiver.expect(other, "payment.settled");
  assert.deepEqual(told.data.desk_credits, covered.desk_credits);
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
  contract.checkEvent(told);
  assert.doesNotMatch((await ask(paid, transactionHash)).text, /more than was due/);
  await world.verifyBooks();
});

// The last one: the chain is gone after it.
test("a network that does not answer is named, and what the nodes said is not", async () => {
  const payment = await world.createPayment();
  await world.chain.kill();
  assert.deepEqual(await findings(payment, `0x${randomBytes(32).toString("hex")}`), ["Please try again in a minute"]);
  const { text } = await ask(payment, `0x${randomBytes(32).toString("hex")}`);
  assert.match(text, /Local Anvil could not be asked just now\./);
  assert.ok(!text.includes("127.0.0.1"));
});
