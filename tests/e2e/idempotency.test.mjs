// One effect for each Idempotency-Key, whatever becomes of the requests, the answers and the program.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const body = { amount: "50.00", currency: "USD", expires_in: 86_400 };

let world;
before(async () => {
  world = await World.start();
});
after(() => world?.stop());

const create = (key, fields = {}) =>
  world.api("POST", "/v1/payments", { body: { ...body, ...fields }, headers: { "idempotency-key": key } });

const paymentsOf = async (reference) =>
  Number(await world.sql(`SELECT count(*) FROM payments WHERE reference = '${reference}'`));

test("the same request again: the same answer, byte for byte, though the payment has gone on", async () => {
  const first = await create('"order-1"', { reference: "order-1" });
  assert.equal(first.status, 201, first.text);
  await world.pay(first.body);
  await world.settle(first.body);
  const again = await create("order-1", { reference: "order-1" });
  assert.equal(again.status, 201);
  assert.equal(again.text, first.text);
  assert.equal(again.headers.get("location"), first.headers.get("location"));
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.equal(first.headers.get("idempotent-replayed"), null);
  assert.equal(await world.count("payments"), 1);
});

test("another request with the key is refused, and so is what is no key", async () => {
  const other = await create("order-1", { reference: "order-2" });
  assert.deepEqual([other.status, other.body.code], [422, "idempotency_key_reused"]);
  const none = await create('"open');
  assert.deepEqual([none.status, none.body.code], [400, "invalid_request"]);
  assert.match(none.body.detail, /^Idempotency-Key: /);
  assert.equal(await world.count("payments"), 1);
});

test("sent many times at once: one payment, and each answer is that of it or to come again", async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => create("at-once", { reference: "at-once" })));
  const texts = new Set();
  for (const answer of answers) {
    if (answer.status === 201) texts.add(answer.text);
    else assert.deepEqual([answer.status, answer.body.code], [409, "idempotency_key_in_use"]);
  }
  assert.equal(texts.size, 1);
  assert.equal(await paymentsOf("at-once"), 1);
});

/** As a shop does: again and again until there is an answer that says what became of it. */
async function untilAnswered(key, send, counts) {
  for (let attempt = 0; attempt < 3_000; ++attempt) {
    const answer = await send(key).catch(() => undefined);
    if (answer?.status === 201) return answer.text;
    counts.again += 1;
    // None; still at work; not now.
    assert.ok([undefined, 409, 503].includes(answer?.status), answer?.text);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no answer to ${key}`);
}

/** Kills the service each time that so many more answers have come: some work is done between two of them. */
async function killWhile(isWorking, answers, texts, counts) {
  while (isWorking()) {
    const answered = texts.size;
    const more = () => !isWorking() || texts.size >= answered + answers;
    await waitFor("answers", more, { timeout: 60_000, interval: 5 });
    if (!isWorking()) return;
    await world.sycee.kill();
    counts.kills += 1;
    await world.sycee.start();
  }
}

// `SYCEE_IDEMPOTENCY_KEYS=1000` for the long run.
test("64 clients under kill -9: exactly one payment for each key, with one answer", { timeout: 3_600_000 }, async () => {
  const keysOfEach = Number(process.env.SYCEE_IDEMPOTENCY_KEYS ?? 20);
  const counts = { again: 0, kills: 0 };
  const texts = new Map();
  let working = true;
  const client = async (number) => {
    for (let i = 0; i < keysOfEach && working; ++i) {
      const key = `client-${number}/${i}`;
      const text = await untilAnswered(key, (same) => create(same, { reference: "killed" }), counts);
      texts.set(key, text);
    }
  };
  const clients = Promise.all(Array.from({ length: 64 }, (_, number) => client(number)));
  // Where the program does not start again, the clients end as well.
  const end = () => (working = false);
  const kills = killWhile(() => working, 32, texts, counts);
  await Promise.all([clients.finally(end), kills.finally(end)]);
  assert.ok(counts.kills > 0 && counts.again > 0, JSON.stringify(counts));
  assert.equal(await paymentsOf("killed"), 64 * keysOfEach);
  assert.equal(new Set([...texts.values()].map((text) => JSON.parse(text).id)).size, 64 * keysOfEach);
  // Each key once more.
  for (const [key, text] of [...texts].slice(0, 100)) assert.equal((await create(key, { reference: "killed" })).text, text);
  assert.equal(await paymentsOf("killed"), 64 * keysOfEach);
  const gaps = await world.sql("SELECT count(*), max(derivation_index) + 1 FROM payments");
  const [count, next] = gaps.split("|");
  assert.equal(count, next, "an address was left out");
  console.log(`# ${64 * keysOfEach} keys, ${counts.kills} kills, ${counts.again} requests sent again`);
});

test("refunds under kill -9: exactly one promise for each key, with one answer", { timeout: 600_000 }, async () => {
  const payment = await world.createPayment();
  await world.pay(payment);
  await world.settle(payment);
  const refund = (key) =>
    world.api("POST", "/v1/refunds", {
      body: { payment: payment.id, amount: "1", recipient: "0x52908400098527886E0F7030069857D2E4169EE7", reason: key },
      headers: { "idempotency-key": key },
    });
  const counts = { again: 0, kills: 0 };
  const texts = new Map();
  let working = true;
  const client = async (number) => {
    for (let i = 0; i < 5 && working; ++i) {
      const key = `refund-${number}/${i}`;
      texts.set(key, await untilAnswered(key, refund, counts));
    }
  };
  const end = () => (working = false);
  const clients = Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
  await Promise.all([clients.finally(end), killWhile(() => working, 4, texts, counts).finally(end)]);
  assert.ok(counts.kills > 0 && counts.again > 0, JSON.stringify(counts));
  assert.equal(await world.count("refunds"), 40);
  assert.equal(new Set([...texts.values()].map((text) => JSON.parse(text).id)).size, 40);
  for (const [key, text] of texts) assert.equal((await refund(key)).text, text);
  assert.equal(await world.count("refunds"), 40);
  await world.verifyBooks();
});

test("the answers are those of the contract", () => {
  const contract = new ApiContract();
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
});
