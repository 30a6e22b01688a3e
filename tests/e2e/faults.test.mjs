// What must survive: crashes, nodes and databases that go away, and blocks that are taken back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const books = ["authorizations", "clearings", "settlements", "live_credits"];
const patient = { timeout: 60_000 };

/** A test with a world of its own. */
function worldTest(name, options, body) {
  test(name, async () => {
    const world = await World.start(options);
    try {
      await body(world);
    } finally {
      await world.stop();
    }
  });
}

/** Rows of each table of the books. */
async function countsOf(world) {
  const counts = await Promise.all(books.map((table) => world.count(table)));
  return Object.fromEntries(books.map((table, index) => [table, counts[index]]));
}

const each = (number) => Object.fromEntries(books.map((table) => [table, number]));

async function cursorBlock(world) {
  return Number((await world.cursor()).split(" ")[0]);
}

/** The kept headers link to each other, and the newest one is the cursor's. */
async function checkHeaders(world) {
  const broken = await world.sql(
    `SELECT count(*) FROM chain_blocks child JOIN chain_blocks parent
       ON parent.chain_id = child.chain_id AND parent.number = child.number - 1
     WHERE child.parent_hash <> parent.hash`,
  );
  assert.equal(broken, "0");
  const span = await world.sql("SELECT min(number), max(number), count(*) FROM chain_blocks");
  const [least, most, count] = span.split("|").map(Number);
  assert.equal(most - least + 1, count);
  assert.equal(most, await cursorBlock(world));
}

/** Pays, and waits until the service has booked it. */
async function payAndSee(world, payment) {
  const receipt = await world.pay(payment);
  await world.expectStatus(payment, "authorized");
  return receipt;
}

async function isReady(world) {
  const { status } = await world.sycee.request("GET", "/readyz");
  assert.ok([200, 503].includes(status));
  return status === 200;
}

/** How many other sessions are running a statement with this text in it. */
async function busySessions(world, text) {
  const others = `state = 'active' AND pid <> pg_backend_pid()`;
  return Number(await world.sql(`SELECT count(*) FROM pg_stat_activity WHERE ${others} AND query LIKE '%${text}%'`));
}

const statusCode = (world) => world.api("GET", "/v1/payments").then((answer) => answer.status, () => 0);

worldTest("kill -9 between payment and webhook: settled, each stage once, the webhook delivered", {}, async (world) => {
  world.receiver.answer = undefined;
  const payment = await world.createPayment({ reference: "killed" });
  await world.pay(payment);
  await waitFor("the webhook to arrive", () => world.receiver.deliveries.length > 0);
  await world.sycee.kill();
  const [{ event: first, id }] = world.receiver.deliveries;
  assert.equal(first.type, "payment.authorized");
  assert.equal(await world.sql("SELECT count(*) FROM webhook_deliveries WHERE delivered_at IS NULL"), "1");

  world.receiver.answer = 200;
  await world.sycee.start();
  await world.receiver.expect(payment, "payment.authorized");
  await world.chain.mine();
  await world.receiver.expect(payment, "payment.cleared");
  await world.chain.mine();
  await world.expectStatus(payment, "settled");
  await world.receiver.expect(payment, "payment.settled");
  assert.deepEqual(world.receiver.typesOf(payment), ["payment.authorized", "payment.cleared", "payment.settled"]);
  const again = world.receiver.deliveries.find(({ event, confirmed }) => confirmed && event.type === first.type);
  assert.equal(again.id, id);
  assert.deepEqual(again.event, first);
  assert.deepEqual(await countsOf(world), each(1));
  await world.verifyBooks();
});

worldTest("a webhook that the shop does not take is sent again, byte for byte", {}, async (world) => {
  world.receiver.answer = 500;
  const payment = await world.createPayment({ reference: "refused" });
  await world.pay(payment);
  await waitFor("the refusal to be noted", async () => (await world.count("webhook_attempts")) === 1);
  world.receiver.answer = 200;
  await world.receiver.expect(payment, "payment.authorized");
  const [first, second] = world.receiver.deliveries;
  assert.deepEqual(second, { ...first, confirmed: true });
  await waitFor("the success to be noted", async () => (await world.count("webhook_attempts")) === 2);
  assert.equal(await world.sql("SELECT status FROM webhook_attempts ORDER BY attempt"), "500\n200");
});

worldTest("a task that the service can't do without fails: exit code 1, for a supervisor to see", {}, async (world) => {
  // Nothing does this to a database; it stands for any fault that nobody thought of.
  await world.sql("ALTER TABLE webhook_attempts ADD CONSTRAINT nothing CHECK (false) NOT VALID");
  await world.pay(await world.createPayment({ reference: "no-attempt" }));
  let end;
  world.sycee.ended.then((how) => (end = how));
  await waitFor("the program to end", () => end);
  assert.equal(end.code, 1);
  assert.match(world.sycee.tail(), /critical main stops: .*task=webhooks/);
});

worldTest("kill -9 as soon as the payment's block is mined, ten times", {}, async (world) => {
  const payments = [];
  for (let round = 0; round < 10; ++round) {
    const payment = await world.createPayment({ reference: `killed-${round}` });
    payments.push(payment);
    await world.pay(payment);
    await world.sycee.kill();
    await world.sycee.start();
  }
  await world.chain.mine(3);
  for (const payment of payments) {
    await world.expectStatus(payment, "settled");
    await world.receiver.expect(payment, "payment.settled");
  }
  assert.deepEqual(await countsOf(world), each(payments.length));
  await checkHeaders(world);
  await world.verifyBooks();
});

worldTest("a hundred blocks while the service is stopped are caught up without a gap", {}, async (world) => {
  const payments = [];
  for (const reference of ["missed-1", "missed-2", "missed-3"]) payments.push(await world.createPayment({ reference }));
  const before = await cursorBlock(world);
  assert.equal((await world.sycee.stop()).code, 0);
  for (const payment of payments) {
    await world.chain.mine(32);
    await world.pay(payment);
  }
  await world.chain.mine(3);
  await world.sycee.start();
  for (const payment of payments) {
    await world.expectStatus(payment, "settled");
    await world.receiver.expect(payment, "payment.settled");
  }
  await world.caughtUp();
  assert.ok((await cursorBlock(world)) >= before + 100);
  await checkHeaders(world);
  assert.deepEqual(await countsOf(world), each(payments.length));
  await world.verifyBooks();
});

worldTest("a node that is down at the start is waited for", { serve: false }, async (world) => {
  await world.chain.stop();
  const service = world.sycee.launch();
  const waiting = async () => {
    service.assertRunning();
    return world.sycee.tail(50).includes("a node failed");
  };
  await waitFor("the service to say that it waits", waiting);
  assert.equal(await isReady(world), false);
  const refused = await world.api("POST", "/v1/payments", { body: { amount: "1.00", currency: "USD" } });
  assert.equal(refused.status, 503, refused.text);
  await world.startChain();
  await waitFor("the service to be ready", () => isReady(world), patient);
  const payment = await world.createPayment();
  await world.pay(payment);
  await world.settle(payment);
});

worldTest("a node that goes away and comes back", {}, async (world) => {
  const before = await world.createPayment({ reference: "before" });
  const during = await world.createPayment({ reference: "during" });
  await payAndSee(world, before);
  await world.chain.stop();
  await waitFor("the service to notice", () => world.sycee.tail(50).includes("step failed, will retry"));
  assert.equal((await world.payment(before)).status, "authorized");
  await world.startChain();
  await world.caughtUp(patient);
  await world.chain.kill();
  await world.startChain();
  await world.pay(during);
  await world.chain.mine(3);
  for (const payment of [before, during]) {
    await world.expectStatus(payment, "settled", patient);
    await world.receiver.expect(payment, "payment.settled");
  }
  assert.deepEqual(await countsOf(world), each(2));
  await checkHeaders(world);
  await world.verifyBooks();
});

worldTest("kill -9 of PostgreSQL: 503, then everything goes on", {}, async (world) => {
  const before = await world.createPayment({ reference: "before" });
  const during = await world.createPayment({ reference: "during" });
  await payAndSee(world, before);
  await world.postgres.kill();
  await waitFor("the API to answer 503", async () => (await statusCode(world)) === 503);
  assert.equal(await isReady(world), false);
  await world.pay(during);
  await world.chain.mine(3);
  await world.postgres.restart();
  await waitFor("the API to answer again", async () => (await statusCode(world)) === 200, patient);
  for (const payment of [before, during]) {
    await world.expectStatus(payment, "settled", patient);
    await world.receiver.expect(payment, "payment.settled", patient);
  }
  assert.deepEqual(await countsOf(world), each(2));
  await world.verifyBooks();
});

worldTest("a flood of requests that wait for the database does not delay a booking or its webhook", {}, async (world) => {
  const payment = await world.createPayment({ reference: "in-a-flood" });
  // Stands for slow queries: every request of the API waits here, nothing else does.
  const locked = world.sql("BEGIN; LOCK TABLE api_keys; SELECT pg_sleep(60);").catch(() => {});
  await waitFor("the lock", () => busySessions(world, "pg_sleep"));
  const flood = Promise.all(Array.from({ length: 100 }, () => statusCode(world)));
  await waitFor("requests that wait", () => busySessions(world, "FROM api_keys"));
  await world.pay(payment);
  await world.receiver.expect(payment, "payment.authorized", { timeout: 20_000 });
  await world.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()");
  await Promise.all([locked, flood]);
});

worldTest("a database that is down at the start is waited for", { serve: false }, async (world) => {
  await world.postgres.stop();
  const service = world.sycee.launch();
  await waitFor("the service to say that it waits", () => {
    service.assertRunning();
    return world.sycee.tail(50).includes("waits for the database");
  });
  await world.postgres.restart();
  await waitFor("the service to be ready", () => isReady(world), patient);
  const payment = await world.createPayment();
  await world.pay(payment);
  await world.settle(payment);
});

const wrongDecimals = (entry) => ({ ...entry, tokens: entry.tokens.map((token) => ({ ...token, decimals: 18 })) });

const misconfigured = { serve: false, changeChain: wrongDecimals };

worldTest("decimals that differ from the contract's refuse the start", misconfigured, async (world) => {
  const service = world.sycee.launch();
  await waitFor("the service to end", () => !service.running);
  const end = await service.ended;
  assert.equal(end.code, 1, end.text);
  assert.match(world.sycee.tail(), /token USDT 0x\w{40} on chain 31337 has 6 decimals; the configuration says 18/);
  assert.equal(await world.count("chain_cursors"), 0);
});

worldTest("SIGTERM drains: an answer under way is finished, and the exit code is 0", {}, async (world) => {
  const body = { amount: "1.00", currency: "USD" };
  const create = () => world.api("POST", "/v1/payments", { body }).catch(() => undefined);
  const creations = Array.from({ length: 20 }, create);
  await Promise.race(creations);
  const end = await world.sycee.stop();
  assert.deepEqual([end.code, end.signal], [0, null], end.text);
  const answers = (await Promise.all(creations)).filter(Boolean);
  const created = answers.filter((answer) => answer.status === 201).length;
  assert.ok(created >= 1);
  assert.equal(await world.count("payments"), created);
  await assert.rejects(fetch(`${world.sycee.url}/livez`));
});

/** A payment whose block, and `depth - 1` blocks on top of it, are replaced by blocks without it. */
async function dropPayment(world, depth) {
  const payment = await world.createPayment({ reference: `dropped-${depth}` });
  await payAndSee(world, payment);
  if (depth > 1) {
    await world.chain.mine(depth - 1);
    await world.expectStatus(payment, "cleared");
  }
  await world.chain.reorg(depth);
  await world.receiver.expect(payment, "payment.reversed");
  return payment;
}

for (const depth of [1, 2]) {
  worldTest(`a reorg of depth ${depth} drops the payment: it is reversed, and can be paid again`, {}, async (world) => {
    const payment = await dropPayment(world, depth);
    const reversed = await world.expectStatus(payment, "reversed");
    assert.deepEqual(reversed.transfers, []);
    const wasCleared = depth > 1;
    const event = await world.receiver.expect(payment, "payment.reversed");
    assert.equal(event.data.status, "reversed");
    assert.equal(event.data.goods_may_be_released, wasCleared);
    const kinds = await world.sql("SELECT reversed_kind FROM reversals ORDER BY seq");
    assert.equal(kinds, wasCleared ? "clearing\nauthorization" : "authorization");
    assert.equal(await world.count("live_credits"), 0);
    assert.equal(await world.sql("SELECT coalesce(sum(balance), 0) FROM account_balances"), "0");
    assert.equal(await world.sql("SELECT last_reorg_depth FROM chain_cursors"), String(depth));
    await world.verifyBooks();

    await world.pay(payment);
    await world.settle(payment);
    await world.receiver.expect(payment, "payment.settled");
    assert.deepEqual(await countsOf(world), { ...each(1), authorizations: 2, clearings: wasCleared ? 2 : 1 });
    await checkHeaders(world);
    await world.verifyBooks();
  });
}

worldTest("a reorg that mines the payment again in another block moves it", {}, async (world) => {
  const payment = await world.createPayment({ reference: "moved" });
  const receipt = await payAndSee(world, payment);
  await world.chain.mine();
  await world.expectStatus(payment, "cleared");
  const raw = await world.chain.rawTransaction(receipt.transactionHash);
  await world.chain.reorg(2, [{ raw, offset: 1 }]);
  const event = await world.receiver.expect(payment, "payment.moved");
  assert.equal(event.data.status, "authorized");
  assert.equal(event.data.transfers[0].transaction_hash, receipt.transactionHash);
  assert.equal(BigInt(event.data.transfers[0].block_number), receipt.blockNumber + 1n);
  assert.ok(!world.receiver.typesOf(payment).includes("payment.reversed"));

  await world.settle(payment);
  await world.receiver.expect(payment, "payment.settled");
  assert.deepEqual(await countsOf(world), { authorizations: 2, clearings: 2, settlements: 1, live_credits: 1 });
  assert.equal(await world.count("reversals"), 2);
  await checkHeaders(world);
  await world.verifyBooks();
});

worldTest("a reorg while the service is stopped is undone at its next start", {}, async (world) => {
  const payment = await world.createPayment({ reference: "unseen" });
  await payAndSee(world, payment);
  assert.equal((await world.sycee.stop()).code, 0);
  await world.chain.reorg(1);
  await world.chain.mine(2);
  await world.sycee.start();
  await world.expectStatus(payment, "reversed");
  await world.receiver.expect(payment, "payment.reversed");
  await checkHeaders(world);
  await world.verifyBooks();
});
