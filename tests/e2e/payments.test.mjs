// What a shop does with payments that are there: it cancels them, changes their words, and finds them again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const contract = new ApiContract();
const shopper = "0x00000000000000000000000000000000000051ac";

let world;
before(async () => {
  world = await World.start();
});
after(() => world?.stop());

const cancel = ({ id }, body) => world.api("POST", `/v1/payments/${id}/cancel`, body ? { body } : {});
const update = ({ id }, body, headers = {}) => world.api("POST", `/v1/payments/${id}`, { body, headers });

async function list(parameters) {
  const answer = await world.api("GET", `/v1/payments?${new URLSearchParams(parameters)}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** All pages. @returns the ids, in their order */
async function listAll(parameters, between = async () => {}) {
  const ids = [];
  for (let cursor = {}; cursor; ) {
    const page = await list({ ...parameters, ...cursor });
    ids.push(...page.data.map(({ id }) => id));
    assert.equal(page.has_more, page.next_cursor !== null);
    cursor = page.next_cursor && { after: page.next_cursor };
    await between();
  }
  return ids;
}

test("a canceled payment stays so; what is paid then is late, and can be refunded from the desk", async () => {
  const payment = await world.createPayment({ reference: "order-canceled" });
  const canceled = await cancel(payment, { reason: "the customer went away" });
  assert.equal(canceled.status, 200, canceled.text);
  assert.equal(canceled.body.status, "canceled");
  assert.ok(canceled.body.canceled_at);
  assert.equal(canceled.headers.get("content-location"), `/v1/payments/${payment.id}`);
  const told = await world.receiver.expect(payment, "payment.canceled");
  assert.equal(told.data.status, "canceled");
  assert.equal(told.data.canceled_at, canceled.body.canceled_at);
  const again = await cancel(payment);
  assert.deepEqual([again.status, again.text], [200, canceled.text]);
  assert.equal(await world.count("cancellations"), 1);

  const page = await fetch(payment.checkout_url);
  const html = await page.text();
  assert.match(html, /The shop canceled this payment/);
  assert.ok(!html.includes(payment.deposit_address), "nobody is shown where to pay");

  await world.pay(payment);
  await world.chain.mine(world.confirmations + 1);
  const exception = await world.receiver.expect(payment, "payment.exception");
  assert.equal(exception.data.status, "canceled");
  const late = await world.expectStatus(payment, "canceled");
  assert.deepEqual([late.late, late.underpaid, late.overpaid], [true, false, false]);
  assert.equal(late.transfers[0].late, true);
  assert.equal(late.transfers[0].unapplied_reason, "late");
  const open = await world.api("GET", `/v1/exceptions?payment=${payment.id}`);
  assert.equal(open.body.data[0].id, late.transfers[0].exception);
  let refund;
  await waitFor("the transfer to be final", async () => {
    refund = await world.api("POST", "/v1/refunds", {
      body: { exception: late.transfers[0].exception, recipient: shopper, reason: "it was canceled" },
    });
    return refund.status === 201;
  });
  assert.equal(refund.body.amount, "50.000000");
  await world.verifyBooks();
});

test("of an open amount the payer decides how much, and what comes after it is on the desk", async () => {
  const asked = await world.api("POST", "/v1/payments", { body: { minimum_amount: "5.00", currency: "USD" } });
  assert.equal(asked.status, 201, asked.text);
  const payment = asked.body;
  assert.deepEqual([payment.amount, payment.minimum_amount], [null, "5.00"]);
  assert.equal(payment.options[0].amount, "5.000000");
  assert.match(payment.options[0].uri, /transfer\?address=0x[0-9a-fA-F]{40}$/);
  await world.pay(payment, "2.00");
  const partly = await world.receiver.expect(payment, "payment.partially_paid");
  assert.equal(partly.data.amount, null);
  await world.pay(payment, "1234.567891");
  await world.chain.mine(world.confirmations);
  const cleared = await world.receiver.expect(payment, "payment.cleared");
  assert.deepEqual([cleared.data.amount, cleared.data.minimum_amount], ["1236.56", "5.00"]);
  assert.deepEqual(cleared.data.transfers.map(({ gross }) => gross), ["2.000000", "1234.567891"]);
  assert.match(await (await fetch(payment.checkout_url)).text(), /<title>Paid: 1236\.56 USD<\/title>/);

  await world.pay(payment, "3.00");
  await world.chain.mine(world.confirmations);
  const second = await world.receiver.expect(payment, "payment.exception");
  assert.deepEqual([second.data.amount, second.data.overpaid], ["1236.56", true]);
  assert.equal(second.data.transfers[2].unapplied_reason, "already_paid");

  // It can be given to another payment of an open amount, all of it.
  const other = (await world.api("POST", "/v1/payments", { body: { minimum_amount: "1.00", currency: "USD" } })).body;
  const exception = second.data.transfers[2].exception;
  await waitFor("the transfer to be final", async () => {
    await world.chain.mine(1);
    const decided = await world.api("POST", `/v1/exceptions/${exception}/resolve`, {
      body: { kind: "credit", target_payment: other.id, reason: "the payer asked for it" },
    });
    return decided.status === 200 || decided.status === 201;
  });
  assert.equal((await world.expectStatus(other, "settled")).amount, "3.00");
  await world.verifyBooks();
});

test("what has come, or is over, is canceled no more", async () => {
  const paid = await world.createPayment();
  await world.pay(paid, "1");
  await world.expectStatus(paid, "partially_paid");
  const refused = await cancel(paid);
  assert.deepEqual([refused.status, refused.body.code], [409, "payment_not_open"]);
  assert.equal((await world.payment(paid)).canceled_at, null);
  const nobody = await cancel({ id: "pay_00000000000000000000000000" });
  assert.equal(nobody.status, 404);
  const wrong = await cancel(paid, { reason: 5 });
  assert.equal(wrong.status, 400);
});

test("many cancellations and a payment at the same moment: one of both, and the books are right", async () => {
  const payments = await Promise.all(Array.from({ length: 6 }, () => world.createPayment()));
  const paying = (async () => {
    for (const payment of payments) await world.pay(payment);
  })();
  const answers = await Promise.all(payments.flatMap((payment) => [1, 2, 3].map(() => cancel(payment))));
  await paying;
  for (const { status, body } of answers) {
    assert.ok(status === 200 || (status === 409 && body.code === "payment_not_open") || status === 503, `${status}`);
  }
  await world.chain.mine(world.confirmations + 1);
  await world.caughtUp();
  for (const payment of payments) {
    const { canceled_at, transfers } = await world.expectStatus(
      payment, (await world.payment(payment)).canceled_at ? "canceled" : "settled");
    assert.equal(transfers.length, 1);
    assert.equal(transfers[0].stage, canceled_at ? "unapplied" : "settled");
  }
  await world.verifyBooks();
});

test("words change key by key, where the shop has read what it changes, and events have the new ones", async () => {
  const payment = await world.createPayment({ description: "Two T-shirts", metadata: { size: "L", colour: "red" } });
  const read = await world.api("GET", `/v1/payments/${payment.id}`);
  const tag = read.headers.get("etag");
  const changed = await update(payment, { description: "Three", metadata: { size: "XL", colour: null } },
    { "if-match": tag });
  assert.equal(changed.status, 200, changed.text);
  assert.deepEqual(changed.body.metadata, { size: "XL" });
  const now = await world.api("GET", `/v1/payments/${payment.id}`);
  assert.deepEqual([now.text, now.headers.get("etag")], [changed.text, changed.headers.get("etag")]);
  const stale = await update(payment, { description: "Four" }, { "if-match": tag });
  assert.deepEqual([stale.status, stale.body.code], [412, "precondition_failed"]);
  assert.equal((await update(payment, { reference: "other" })).status, 400);

  await world.pay(payment);
  await world.expectStatus(payment, "authorized");
  await update(payment, { metadata: { size: "S" } });
  await world.settle(payment);
  const told = await world.receiver.expect(payment, "payment.settled");
  assert.deepEqual([told.data.description, told.data.metadata], ["Three", { size: "S" }]);
});

test("of two changes with the same tag one is made", async () => {
  const payment = await world.createPayment();
  const { headers } = await world.api("GET", `/v1/payments/${payment.id}`);
  const answers = await Promise.all(["a", "b", "c", "d"].map((description) =>
    update(payment, { description }, { "if-match": headers.get("etag") })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412, 412, 412]);
});

test("filters find what fits, and pages stay right while payments are created", async () => {
  const made = [];
  for (let i = 0; i < 7; ++i) {
    made.push(await world.createPayment({ reference: "order-many", metadata: { lot: i % 2 ? "odd" : "even" } }));
  }
  await cancel(made[3]);
  const newestFirst = made.map(({ id }) => id).reverse();
  const create = () => world.createPayment({ reference: "order-many" });
  assert.deepEqual(await listAll({ reference: "order-many", limit: 2 }, create), newestFirst);
  assert.deepEqual(await listAll({ "metadata[lot]": "odd", limit: 1 }, create),
    newestFirst.filter((id) => made.findIndex((one) => one.id === id) % 2));
  assert.deepEqual(await listAll({ status: "canceled", reference: "order-many" }), [made[3].id]);
  const rest = made.slice(2, 5).map(({ id }) => id).reverse();
  assert.deepEqual(
    await listAll({
      created_after: made[2].created_at, created_before: made[5].created_at, reference: "order-many", limit: 1,
    }),
    rest);
  assert.deepEqual(await listAll({ reference: "order-none" }), []);
  for (const query of ["status=paid", "created_after=now", "metadata=1", "referense=x", "reference="]) {
    assert.equal((await world.api("GET", `/v1/payments?${query}`)).status, 400, query);
  }
});

test("another merchant's payments are not there", async () => {
  const payment = await world.createPayment({ reference: "order-mine" });
  const other = await world.addMerchant({ name: "Hats" });
  const as = (method, target, body) => world.api(method, target, { key: other.key, ...(body && { body }) });
  assert.equal((await as("POST", `/v1/payments/${payment.id}/cancel`)).status, 404);
  assert.equal((await as("POST", `/v1/payments/${payment.id}`, { description: "x" })).status, 404);
  assert.deepEqual((await as("GET", "/v1/payments?reference=order-mine")).body.data, []);
  assert.equal((await world.payment(payment)).status, "open");
});

test("every answer and every webhook follows api/openapi.yaml", () => {
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
  for (const { event } of world.receiver.deliveries) contract.checkEvent(event);
});
