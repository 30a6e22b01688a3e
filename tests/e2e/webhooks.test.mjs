// Webhook endpoints as a shop's developer uses them: several with their own events, a secret that is replaced, what
// was not delivered, and a shop that is gone. What comes is verified by the package that shops use.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";

import { ApiContract } from "../support/api_contract.mjs";
import { Receiver } from "../support/receiver.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const contract = new ApiContract();
/** Events of the campaign below; a thousand payments and more take a while to pay. */
const campaignPayments = Number(process.env.SYCEE_WEBHOOK_PAYMENTS ?? 20);
const campaignTests = Number(process.env.SYCEE_WEBHOOK_TESTS ?? 300);
const restartEvery = 2_000;

let world;
const receivers = [];

before(async () => {
  world = await World.start();
});
after(async () => {
  for (const receiver of receivers) await receiver.stop();
  await world?.stop();
});

async function api(method, target, body) {
  const answer = await world.api(method, target, { body });
  contract.checkAnswer(method, target, answer);
  return answer;
}

async function expectStatus(status, method, target, body) {
  const answer = await api(method, target, body);
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

/** A receiver with an endpoint of its own. */
async function listen(fields = {}) {
  const receiver = await Receiver.start();
  receivers.push(receiver);
  const endpoint = await expectStatus(201, "POST", "/v1/webhook-endpoints", { url: receiver.url, ...fields });
  receiver.secrets = [endpoint.secret];
  return { receiver, endpoint, path: `/v1/webhook-endpoints/${endpoint.id}` };
}

/** The ids of all events that the log has for an endpoint. */
async function eventsOf(path) {
  const ids = new Set();
  for (let after; after !== null; ) {
    const query = after ? `limit=100&after=${after}` : "limit=100";
    const { data, next_cursor: next } = await expectStatus(200, "GET", `${path}/deliveries?${query}`);
    for (const { event } of data) ids.add(event.id);
    after = next;
  }
  return ids;
}

const remove = ({ path }) => expectStatus(200, "DELETE", path);
const isDelivered = async ({ id }) => (await expectStatus(200, "GET", `/v1/webhook-deliveries/${id}`)).status === "delivered";

test("each endpoint gets the events that it asked for, signed with its own secret", async () => {
  const all = await listen();
  const some = await listen({ events: ["payment.settled", "refund.paid"], description: "the accountant" });
  const payment = await world.createPayment({ reference: "two endpoints" });
  await world.pay(payment);
  await world.settle(payment);
  await all.receiver.expect(payment, "payment.settled");
  await some.receiver.expect(payment, "payment.settled");
  assert.deepEqual(all.receiver.typesOf(payment), ["payment.authorized", "payment.cleared", "payment.settled"]);
  assert.deepEqual(some.receiver.typesOf(payment), ["payment.settled"]);
  // The one that was made with the merchant goes on as it was.
  await world.receiver.expect(payment, "payment.settled");
  for (const { event } of all.receiver.deliveries) contract.checkEvent(event);
  assert.notEqual(all.endpoint.secret, some.endpoint.secret);
  assert.deepEqual([all.receiver.refused, some.receiver.refused], [[], []]);
  const list = await expectStatus(200, "GET", "/v1/webhook-endpoints");
  assert.equal(list.data.length, 3);
  assert.ok(!JSON.stringify(list).includes("whsec_"));
  await remove(all);
  await remove(some);
});

test("a test event is delivered and logged, and the log shows what was sent and answered", async () => {
  const { receiver, endpoint, path } = await listen();
  const sent = await expectStatus(202, "POST", `${path}/test`);
  await waitFor("the test to arrive", () => receiver.deliveries.length === 1);
  const [{ id, event, body }] = receiver.deliveries;
  contract.checkEvent(event);
  assert.equal(event.type, "webhook.test");
  assert.equal(sent.event.id, id);
  await waitFor("it to be logged", () => isDelivered(sent));
  const shown = await expectStatus(200, "GET", `/v1/webhook-deliveries/${sent.id}`);
  assert.equal(shown.request_body, body);
  assert.equal(shown.endpoint, endpoint.id);
  assert.equal(shown.attempts[0].status, 200);
  assert.equal(shown.attempts[0].answer, receiver.says);
  await remove({ path });
});

test("a verifier refuses every single-bit change, an old timestamp and another secret", async () => {
  const { receiver, endpoint, path } = await listen();
  await expectStatus(202, "POST", `${path}/test`);
  await waitFor("the test to arrive", () => receiver.deliveries.length === 1);
  const [{ body, headers }] = receiver.deliveries;
  const verifier = new Webhook(endpoint.secret);
  const verify = (text, changed = {}) => verifier.verify(text, { ...headers, ...changed });
  verify(body);
  const bytes = Buffer.from(body);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => verify(changed.toString("latin1")), /signature/i, `bit ${bit}`);
  }
  const seconds = Number(headers["webhook-timestamp"]);
  assert.throws(() => verify(body, { "webhook-timestamp": String(seconds - 301) }), /too old/);
  assert.throws(() => verify(body, { "webhook-timestamp": String(seconds + 1) }), /signature/i);
  assert.throws(() => verify(body, { "webhook-id": `${headers["webhook-id"]}x` }), /signature/i);
  const other = new Webhook(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
  assert.throws(() => other.verify(body, headers), /signature/i);
  await remove({ path });
});

test("a rotated secret: both sign for as long as was said, then the new one alone", async () => {
  const { receiver, endpoint, path } = await listen();
  const rotated = await expectStatus(200, "POST", `${path}/rotate-secret`, { overlap_seconds: 3_600 });
  assert.notEqual(rotated.secret, endpoint.secret);
  await expectStatus(202, "POST", `${path}/test`);
  await waitFor("the test to arrive", () => receiver.deliveries.length === 1);
  const [both] = receiver.deliveries;
  assert.equal(both.headers["webhook-signature"].split(" ").length, 2);
  for (const secret of [endpoint.secret, rotated.secret]) new Webhook(secret).verify(both.body, both.headers);

  const last = await expectStatus(200, "POST", `${path}/rotate-secret`, { overlap_seconds: 0 });
  receiver.secrets = [last.secret];
  await expectStatus(202, "POST", `${path}/test`);
  await waitFor("the test to arrive", () => receiver.deliveries.length === 2);
  const { body, headers } = receiver.deliveries[1];
  for (const secret of [endpoint.secret, rotated.secret]) {
    assert.throws(() => new Webhook(secret).verify(body, headers), /signature/i);
  }
  assert.deepEqual(receiver.refused, []);
  await remove({ path });
});

test("a shop that answers 410 is disabled; what failed is sent again once it is enabled", async () => {
  const other = await listen();
  const gone = await listen();
  gone.receiver.answer = 410;
  const since = `${new Date().toISOString().slice(0, 19)}Z`;
  const payment = await world.createPayment({ reference: "gone" });
  await world.pay(payment);
  await other.receiver.expect(payment, "payment.authorized");
  const isDisabled = async () => !(await expectStatus(200, "GET", gone.path)).enabled;
  await waitFor("the endpoint to be disabled", isDisabled);
  await world.settle(payment);
  await other.receiver.expect(payment, "payment.settled");
  assert.equal((await expectStatus(200, "GET", gone.path)).disabled_reason, "gone");
  assert.equal(gone.receiver.deliveries.length, 1);
  assert.match(await world.sycee.cli("webhook", "list", "--merchant", world.merchant.id), /disabled: gone/);
  await expectStatus(409, "POST", `${gone.path}/test`);

  gone.receiver.answer = 200;
  await expectStatus(200, "POST", gone.path, { enabled: true });
  const allFailed = async () => (await expectStatus(200, "GET", `${gone.path}/deliveries?status=failed`)).data.length === 3;
  await waitFor("what happened meanwhile to be kept", allFailed);
  const again = await expectStatus(202, "POST", `${gone.path}/redeliver-failed`, { since });
  assert.equal(again.redelivering, 3);
  await gone.receiver.expect(payment, "payment.settled");
  assert.deepEqual(gone.receiver.typesOf(payment), ["payment.authorized", "payment.cleared", "payment.settled"]);

  const { data } = await expectStatus(200, "GET", `${gone.path}/deliveries?limit=1`);
  const before = gone.receiver.deliveries.length;
  await waitFor("it to be logged", () => isDelivered(data[0]));
  await expectStatus(202, "POST", `/v1/webhook-deliveries/${data[0].id}/redeliver`);
  await waitFor("it to come once more", () => gone.receiver.deliveries.length === before + 1);
  assert.equal(gone.receiver.deliveries.at(-1).id, data[0].event.id);
  await remove(other);
  await remove(gone);
});

test("a pause that the shop asks for is kept, and nobody else waits for it", async () => {
  const busy = await listen();
  const other = await listen();
  busy.receiver.answer = 503;
  busy.receiver.retryAfter = 3_600;
  const refused = await expectStatus(202, "POST", `${busy.path}/test`);
  const isRefused = async () => {
    const { attempts, next_attempt_at: next } = await expectStatus(200, "GET", `/v1/webhook-deliveries/${refused.id}`);
    return attempts.length === 1 && Date.parse(next) > Date.now() + 3_500_000;
  };
  await waitFor("the pause to be noted", isRefused);
  await expectStatus(202, "POST", `${other.path}/test`);
  await waitFor("the other to be told", () => other.receiver.deliveries.length === 1);
  await remove(busy);
  await remove(other);
});

test("another merchant sees nothing of it", async () => {
  const mine = await listen();
  const { key } = await world.addMerchant();
  const delivery = await expectStatus(202, "POST", `${mine.path}/test`);
  const targets = [
    ["GET", mine.path], ["DELETE", mine.path], ["POST", `${mine.path}/test`], ["POST", `${mine.path}/rotate-secret`],
    ["GET", `${mine.path}/deliveries`], ["GET", `/v1/webhook-deliveries/${delivery.id}`],
    ["POST", `/v1/webhook-deliveries/${delivery.id}/redeliver`],
  ];
  for (const [method, target] of targets) {
    const answer = await world.api(method, target, { key });
    contract.checkAnswer(method, target, answer);
    assert.equal(answer.status, 404, target);
  }
  assert.deepEqual((await world.api("GET", "/v1/webhook-endpoints", { key })).body.data, []);
  await remove(mine);
});

test("every event arrives at a shop that fails 30 %, however often the sender is killed; none is forged", async () => {
  const { receiver, path } = await listen();
  // The plan's waits are minutes from the second failure on: what fails is asked for again.
  receiver.failing = 0.3;
  const since = `${new Date().toISOString().slice(0, 19)}Z`;
  const payments = [];
  for (let i = 0; i < campaignPayments; i += 1) {
    payments.push(await world.createPayment({ reference: `campaign ${i}` }));
  }
  const sent = new Map();
  for (const payment of payments) await world.pay(payment);
  await world.chain.mine(world.confirmations + 1);
  const request = async (method, target, body) => {
    const options = { body, key: world.key };
    return world.sycee.request(method, target, options).catch(() => ({ status: 0 }));
  };
  const confirmed = () => new Set(receiver.deliveries.filter((one) => one.confirmed).map(({ id }) => id));
  const expected = 3 * payments.length;
  const allThere = async () => {
    const ids = confirmed();
    const isComplete = [...sent.keys()].every((id) => ids.has(id));
    const types = payments.flatMap((payment) => new Set(receiver.typesOf(payment)).size);
    if (isComplete && types.reduce((sum, count) => sum + count, 0) === expected) return true;
    // Their next attempt is minutes away.
    await world.sql("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()");
    // One in some hundred thousand fails ten times in a row, and is given up.
    await request("POST", `${path}/redeliver-failed`, { since });
    return false;
  };
  let stops = false;
  let kills = 0;
  const killer = (async () => {
    while (!stops) {
      await new Promise((resolve) => setTimeout(resolve, restartEvery));
      await world.sycee.kill();
      kills += 1;
      await world.sycee.start();
    }
  })();
  try {
    while (sent.size < campaignTests) {
      const answer = await request("POST", `${path}/test`);
      if (answer.status === 202) sent.set(answer.body.event.id, answer.body);
    }
    await waitFor("everything to arrive", allThere, { timeout: 3_600_000, interval: 500 });
  } finally {
    stops = true;
    await killer;
  }
  assert.ok(kills > 0);
  assert.deepEqual(receiver.refused, []);
  // However they came, their sequence tells the order.
  for (const payment of payments) {
    const events = new Map();
    for (const { event } of receiver.deliveries) if (event.data.id === payment.id) events.set(event.sequence, event.type);
    const types = [...events.keys()].sort((a, b) => a - b).map((sequence) => events.get(sequence));
    assert.deepEqual(types, ["payment.authorized", "payment.cleared", "payment.settled"]);
  }
  // Nothing was made up.
  const known = await eventsOf(path);
  assert.deepEqual([...confirmed()].filter((id) => !known.has(id)), []);
  const doubles = receiver.deliveries.filter((one) => one.confirmed).length - confirmed().size;
  console.log(`${confirmed().size} events, ${kills} kills, ${doubles} came more than once`);
  await world.verifyBooks();
});
