// Test mode: every outcome that a shop must be ready for, without a wallet; with books that are as right as
// the live ones, and apart from them.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { Receiver } from "../support/receiver.mjs";
import { secretFile } from "../support/sycee.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const testChain = 31_337_000_001;
const patience = { timeout: 120_000 };

let world;
let receiver;
let twin;
let key;
before(async () => {
  world = await World.start({ settings: { test_mode: { enabled: true } } });
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  receiver = await Receiver.start(secret);
  const file = await secretFile(path.join(world.directory, "test-secret"), () => secret);
  twin = await world.sycee.json(
    ...["merchant", "test-mode", world.merchant.id, "--webhook-url", receiver.url, "--webhook-secret-file", file],
  );
  ({ key } = await world.sycee.createKey(twin.id, "test mode"));
});
after(async () => {
  await receiver?.stop();
  await world?.stop();
});

const inTestMode = (method, target, options = {}) => world.api(method, target, { key, ...options });

async function create(fields = {}) {
  const answer = await inTestMode("POST", "/v1/payments", {
    body: { amount: "50.00", currency: "USD", expires_in: 86_400, ...fields },
  });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

async function simulate(payment, body) {
  const answer = await inTestMode("POST", `/v1/test/payments/${payment.id}/simulate`, { body });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

const read = async ({ id }) => (await inTestMode("GET", `/v1/payments/${id}`)).body;

async function expectStatus(payment, status) {
  await waitFor(`the payment to be ${status}`, async () => (await read(payment)).status === status, patience);
  return read(payment);
}

const exceptionsOf = async ({ id }) =>
  (await inTestMode("GET", `/v1/exceptions?payment=${id}`)).body.data.map(({ reason }) => reason);

test("a test payment offers the test chain, and says that it is no live one", async () => {
  const payment = await create();
  assert.match(key, /^sk_test_/);
  assert.equal(payment.livemode, false);
  assert.deepEqual(payment.options.map(({ chain_id: id, token }) => [id, token]), [
    [testChain, "TUSDT"],
    [testChain, "TUSDC"],
  ]);
  const live = await world.createPayment();
  assert.equal(live.livemode, true);
  assert.ok(live.options.every(({ chain_id: id }) => id !== testChain));
});

test("paid, over a kill -9: settled, with every webhook, and a receipt of the transfer", async () => {
  const payment = await create({ reference: "paid" });
  const simulated = await simulate(payment, { outcome: "paid" });
  await world.sycee.kill();
  await world.sycee.start();
  const settled = await expectStatus(payment, "settled");
  assert.equal(settled.transfers[0].transaction_hash, simulated.transaction_hash);
  assert.equal(settled.transfers[0].block_time, simulated.mined_at);
  for (const type of ["payment.authorized", "payment.cleared", "payment.settled"]) {
    const event = await receiver.expect(payment, type, patience);
    assert.equal(event.data.livemode, false);
  }
});

test("an open amount is what is simulated, and is never too much", async () => {
  const payment = await create({ amount: undefined, minimum_amount: "10.00" });
  const refused = await inTestMode("POST", `/v1/test/payments/${payment.id}/simulate`, { body: { outcome: "overpaid" } });
  assert.deepEqual([refused.status, refused.body.errors[0].field], [400, "outcome"]);
  await simulate(payment, { outcome: "paid", amount: "87.65" });
  const settled = await expectStatus(payment, "settled");
  assert.deepEqual([settled.amount, settled.overpaid], ["87.65", false]);
});

test("every other outcome comes to its end", async () => {
  const under = await create();
  const over = await create();
  const late = await create({ expires_in: 60 });
  const reversed = await create();
  const clearedReversed = await create();
  await simulate(under, { outcome: "underpaid", amount: "20.00" });
  await simulate(over, { outcome: "overpaid", token: "TUSDC" });
  const { mined_at: minedAt } = await simulate(late, { outcome: "late" });
  assert.ok(Date.parse(minedAt) > Date.parse(late.expires_at), minedAt);
  await simulate(reversed, { outcome: "reversed" });
  await simulate(clearedReversed, { outcome: "cleared_reversed" });

  await expectStatus(under, "partially_paid");
  await simulate(under, { outcome: "paid" });
  await expectStatus(under, "settled");
  const overpaid = await expectStatus(over, "settled");
  assert.equal(overpaid.transfers[0].token, "TUSDC");
  assert.equal(overpaid.transfers[0].unapplied, "10.000000");
  const harmless = await receiver.expect(reversed, "payment.reversed", patience);
  assert.equal(harmless.data.goods_may_be_released, false);
  const warning = await receiver.expect(clearedReversed, "payment.reversed", patience);
  assert.equal(warning.data.goods_may_be_released, true);
  await receiver.expect(reversed, "payment.authorized", patience);
  await receiver.expect(clearedReversed, "payment.cleared", patience);
  assert.ok(!receiver.typesOf(reversed).includes("payment.cleared"));
  for (const payment of [reversed, clearedReversed]) {
    assert.deepEqual((await read(payment)).transfers, []);
    // It can be paid again.
    await simulate(payment, { outcome: "paid" });
    await expectStatus(payment, "settled");
  }
  await expectStatus(late, "expired");
  const expired = await receiver.expect(late, "payment.expired", patience);
  assert.equal(expired.data.record, null);
  assert.equal(expired.data.status, "expired");
  await waitFor("the exception", async () => (await exceptionsOf(late)).includes("late"), patience);
});

test("a shop's client pays its order without a wallet, once for a key of its own", async () => {
  const { Sycee } = await import("../../clients/typescript/dist/index.js");
  const sycee = new Sycee({ url: world.sycee.url, apiKey: key });
  const payment = await sycee.payments.create({ amount: "50.00", currency: "USD", reference: "by the client" });
  const options = { idempotencyKey: "pays-by-the-client" };
  const simulated = await sycee.testPayments.simulate(payment.id, { outcome: "paid" }, options);
  assert.deepEqual(await sycee.testPayments.simulate(payment.id, { outcome: "paid" }, options), simulated);
  const settled = await expectStatus(payment, "settled");
  assert.deepEqual(settled.transfers.map((transfer) => transfer.transaction_hash), [simulated.transaction_hash]);
});

test("live and test mode have nothing of each other", async () => {
  const test = await create();
  const live = await world.createPayment();
  const body = { outcome: "paid" };
  for (const [method, target, options] of [
    ["GET", `/v1/payments/${live.id}`, { key }],
    ["GET", `/v1/payments/${test.id}`, {}],
    ["POST", `/v1/test/payments/${live.id}/simulate`, { key, body }],
    ["POST", `/v1/test/payments/${live.id}/simulate`, { body }],
    ["POST", `/v1/test/payments/${test.id}/simulate`, { body }],
  ]) {
    assert.equal((await world.api(method, target, options)).status, 404, target);
  }
  assert.equal((await world.api("GET", "/v1/payments", { key: key.replace("_test_", "_live_") })).status, 401);
  const listed = (await inTestMode("GET", "/v1/payments?limit=100")).body.data;
  assert.ok(listed.every(({ livemode }) => livemode === false));
  const other = (await world.api("GET", "/v1/payments?limit=100")).body.data;
  assert.ok(other.every(({ livemode }) => livemode === true));
  assert.ok(receiver.deliveries.length > 0);
  assert.ok(receiver.deliveries.every(({ event }) => event.data.livemode === false));
  assert.deepEqual(world.receiver.deliveries, []);
  assert.deepEqual(receiver.refused, []);
});

test("the addresses of test mode are told as the wallet finds them: below the live merchant's key", async () => {
  const text = await world.sycee.cli("addresses", "export", "--merchant", twin.id, "--format", "json", "--all");
  const rows = JSON.parse(text);
  assert.ok(rows.length > 0);
  for (const { derivation_path: path } of rows) assert.match(path, /^2147483647\/\d+$/);
  await assert.rejects(world.sycee.cli("fee", "recipient", twin.id), /test merchant/);
});

test("the books of test mode are right, and are what its chain says", async () => {
  await world.verifyBooks();
  const chains = await world.sycee.json("reconcile");
  const chain = chains.find(({ chain_id: id }) => id === testChain);
  assert.ok(chain, JSON.stringify(chains));
  assert.deepEqual(chain.differences, []);
  await world.postgres.query("CREATE DATABASE rebuilt", "postgres");
  const { code, stdout } = await world.sycee.command("rebuild", "--into", world.postgres.connection("rebuilt"));
  assert.equal(code, 0, stdout);
});

test("every answer and every event was one of the contract's", () => {
  const judge = new ApiContract();
  for (const { method, target, answer } of world.answers) judge.checkAnswer(method, target, answer);
  for (const { event } of receiver.deliveries) judge.checkEvent(event);
});
