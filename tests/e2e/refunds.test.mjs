// Refunds of real payments: promised, paid from another wallet, reported, and found on the chain; or taken back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const contract = new ApiContract();
const month = new Date().toISOString().slice(0, 7);
const shopper = "0x00000000000000000000000000000000000051ac";

let world;
let wallet; // of the merchant, and none of the gateway's addresses
before(async () => {
  world = await World.start({ settings: { desk: { second_operator_above: "500" } } });
  [, , wallet] = await world.chain.accounts();
  await world.token.mint(wallet, world.token.units("1000"));
});
after(async () => world?.stop());

async function settled(amount = "50") {
  const payment = await world.createPayment();
  await world.pay(payment, amount);
  await world.settle(payment);
  return payment;
}

async function post(target, body, status) {
  const answer = await world.api("POST", target, { body });
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

async function refund(body) {
  return post("/v1/refunds", { recipient: shopper, reason: "it did not fit", ...body }, 201);
}

async function read({ id }) {
  const answer = await world.api("GET", `/v1/refunds/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

async function expectRefund(of, status) {
  let last;
  await waitFor(`the refund to be ${status}`, async () => {
    last = await read(of);
    return last.status === status;
  });
  return last;
}

async function report({ id }, hash, status = 200) {
  return post(`/v1/refunds/${id}/report`, { transaction_hash: hash }, status);
}

test("a refund is promised, paid from another wallet, and found paid once it is final", async () => {
  const payment = await settled();
  const created = await refund({ payment: payment.id, amount: "20" });
  assert.equal(created.status, "frozen");
  assert.equal(created.amount, "20.000000");
  assert.equal(created.recipient.toLowerCase(), shopper.toLowerCase());
  const [shown] = (await world.payment(payment)).refunds;
  assert.equal(shown.id, created.id);
  assert.equal(shown.status, "frozen");

  const receipt = await world.token.transfer(wallet, shopper, world.token.units("20"));
  await world.caughtUp();
  const reported = await report(created, receipt.transactionHash);
  assert.equal(reported.status, "reported");
  assert.equal(reported.report.transaction_hash, receipt.transactionHash);
  assert.equal((await report(created, receipt.transactionHash)).status, "reported"); // again: nothing more

  await world.chain.mine(world.confirmations + 1);
  const paid = await expectRefund(created, "paid");
  assert.equal(paid.paid.transaction_hash, receipt.transactionHash);
  assert.equal(paid.paid.block_number, Number(receipt.blockNumber));
  assert.equal((await report(created, receipt.transactionHash)).record, paid.record);
  assert.equal(await world.count("refund_payments"), 1);
  const told = await world.receiver.expect(payment, "refund.paid");
  assert.equal(told.data.refunds[0].status, "paid");
  await world.receiver.expect(payment, "refund.created");
  await world.verifyBooks();
});

test("one transfer pays one refund", async () => {
  const payment = await settled();
  const first = await refund({ payment: payment.id, amount: "5" });
  const second = await refund({ payment: payment.id, amount: "5" });
  const { transactionHash } = await world.token.transfer(wallet, shopper, world.token.units("5"));
  await world.chain.mine(world.confirmations + 1);
  await world.caughtUp();
  await report(first, transactionHash);
  await expectRefund(first, "paid");
  const { errors } = await report(second, transactionHash, 400);
  assert.match(errors[0].detail, /another refund/);
});

test("what does not send enough to the recipient keeps no promise", async () => {
  const payment = await settled();
  const created = await refund({ payment: payment.id, amount: "10" });
  const less = await world.token.transfer(wallet, shopper, world.token.units("9.999999"));
  await world.caughtUp();
  const { errors } = await report(created, less.transactionHash, 400);
  assert.match(errors[0].detail, /not enough/);
  assert.equal((await read(created)).status, "frozen");
});

test("a refund that is canceled can be promised again, and no more than is settled", async () => {
  const payment = await settled();
  const all = await refund({ payment: payment.id });
  assert.equal(all.amount, "50.000000");
  const body = { payment: payment.id, amount: "1", recipient: shopper, reason: "too much" };
  assert.equal((await world.api("POST", "/v1/refunds", { body })).status, 409);
  const canceled = await post(`/v1/refunds/${all.id}/cancel`, { reason: "the shopper keeps it" }, 200);
  assert.equal(canceled.status, "canceled");
  assert.equal(canceled.canceled.reason, "the shopper keeps it");
  assert.equal((await refund(body)).amount, "1.000000");
  const open = (await world.api("GET", `/v1/refunds?status=open&payment=${payment.id}`)).body;
  assert.equal(open.data.length, 1);
  const pages = (await world.api("GET", `/v1/refunds?payment=${payment.id}&limit=1`)).body;
  assert.equal(pages.has_more, true);
  const rest = (await world.api("GET", `/v1/refunds?payment=${payment.id}&limit=1&after=${pages.next_cursor}`)).body;
  assert.equal(rest.data[0].id, all.id);
  assert.equal(rest.has_more, false);
  await world.receiver.expect(payment, "refund.canceled");
});

test("of refunds that race each other, no more are promised than is settled", async () => {
  const payment = await settled();
  const body = { payment: payment.id, amount: "30", recipient: shopper, reason: "a race" };
  const answers = await Promise.all([1, 2, 3, 4].map(async () => world.api("POST", "/v1/refunds", { body })));
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join(" "));
  for (const status of statuses) assert.ok([201, 400, 503].includes(status), statuses.join(" "));
  await world.verifyBooks();
});

test("the payer says where a refund goes, by a signed link, once", async () => {
  const payment = await settled();
  const created = await post("/v1/refunds", { payment: payment.id, amount: "7", reason: "it did not fit" }, 201);
  assert.equal(created.recipient, null);
  assert.ok(created.claim_url.startsWith(`${world.sycee.url}/refund/mer_`), created.claim_url);
  const send = (fields) =>
    fetch(created.claim_url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  const page = await (await fetch(created.claim_url)).text();
  assert.match(page, /7\.00 \w+ on/);
  assert.match(await (await send({ address: shopper })).text(), /Send it there/);
  assert.equal((await read(created)).recipient, null);
  const taken = await send({ address: shopper, confirm: "yes" });
  assert.equal(taken.status, 303);
  assert.equal(taken.headers.get("location"), new URL(created.claim_url).pathname);
  const named = await read(created);
  assert.equal(named.recipient.toLowerCase(), shopper);
  assert.equal(named.claim_url, null);
  assert.equal((await fetch(created.claim_url.slice(0, -1))).status, 404);

  const { transactionHash } = await world.token.transfer(wallet, shopper, world.token.units("7"));
  await world.chain.mine(world.confirmations + 1);
  await world.caughtUp();
  await report(created, transactionHash);
  await expectRefund(created, "paid");
  assert.match(await (await fetch(created.claim_url)).text(), new RegExp(transactionHash));
  await world.verifyBooks();
});

test("money of the desk goes to whom the merchant says, once", async () => {
  const payment = await settled("60");
  const [exception] = (await world.api("GET", `/v1/exceptions?payment=${payment.id}`)).body.data;
  const promised = await post("/v1/refunds", { exception: exception.id, reason: "too much" }, 201);
  assert.equal(promised.exception, exception.id);
  assert.equal(promised.recipient, null);
  assert.equal(promised.amount, "10.000000");
  const { transactionHash } = await world.token.transfer(wallet, shopper, world.token.units("10"));
  await world.chain.mine(world.confirmations + 1);
  await world.caughtUp();
  await report(promised, transactionHash, 400); // to whom?
  const named = await post(`/v1/refunds/${promised.id}/recipient`, { recipient: shopper }, 200);
  assert.equal(named.recipient.toLowerCase(), shopper.toLowerCase());
  await post(`/v1/refunds/${promised.id}/recipient`, { recipient: wallet }, 400);
  await report(promised, transactionHash);
  await expectRefund(promised, "paid");
});

test("a recipient is no address of the gateway, no token and not nobody", async () => {
  const payment = await settled();
  for (const recipient of [payment.deposit_address, world.token.address, `0x${"0".repeat(40)}`]) {
    const body = { payment: payment.id, amount: "1", recipient, reason: "no" };
    const answer = await world.api("POST", "/v1/refunds", { body });
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.body.errors[0].field, "recipient");
  }
});

test("more than one operator may give waits for a second one", async () => {
  const payment = await world.createPayment({ amount: "600.00" });
  await world.pay(payment);
  await world.settle(payment);
  const body = { payment: payment.id, amount: "501", recipient: shopper, reason: "a large one" };
  const waiting = await post("/v1/refunds", body, 202);
  assert.equal(waiting.waiting_for_approval, true);
  assert.deepEqual((await world.payment(payment)).refunds, []);
});

test("the month's statement adds up with the refunds, and the books agree with the chain", async () => {
  const { status, body, text } = await world.api("GET", `/v1/statements/${month}`);
  assert.equal(status, 200, text);
  const [account] = body.accounts;
  const base = (sum) => BigInt(account[sum].net_base_units);
  assert.ok(base("refunded") > base("refunds_canceled"));
  assert.equal(
    BigInt(account.opening_base_units) + base("settlements") + base("refunds_canceled") - base("refunded"),
    BigInt(account.closing_base_units),
  );
  const lines = (await world.api("GET", `/v1/statements/${month}/lines?limit=100`)).body.data;
  assert.ok(lines.some(({ type, net }) => type === "refund" && net === "-20.000000"));
  await world.verifyBooks();
  assert.match(await world.sycee.cli("reconcile"), /agree|Right|no difference/i);
});

test("every answer and event is as the contract says", () => {
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
  for (const { event } of world.receiver.deliveries) contract.checkEvent(event);
});
