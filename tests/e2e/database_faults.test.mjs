// A database that breaks off at a commit, and one whose disk is full: the outcome is read, not guessed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FullDisk } from "../support/full_disk.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const patient = { timeout: 60_000 };
const body = { amount: "50.00", currency: "USD", expires_in: 86_400 };

async function inWorld(options, run) {
  const world = await World.start(options);
  try {
    await run(world);
  } finally {
    await world.stop();
  }
}

/** Pays, settles and is told of it; each stage is booked once. */
async function settleOnce(world, payment) {
  await world.pay(payment);
  await world.chain.mine(world.confirmations + 1);
  await world.expectStatus(payment, "settled", patient);
  await world.receiver.expect(payment, "payment.settled", patient);
  // An event may be delivered again, where the note that it was has been cut off.
  const told = world.receiver.deliveries.filter(({ event }) => event.data.id === payment.id);
  const events = new Map(told.map(({ id, event }) => [id, event.type]));
  assert.deepEqual([...events.values()], ["payment.authorized", "payment.cleared", "payment.settled"]);
  for (const book of ["authorizations", "clearings", "settlements", "outbox_events"]) {
    const of = await world.sql(`SELECT count(*) FROM ${book} WHERE payment_id = '${await rowId(world, payment)}'`);
    assert.equal(Number(of), book === "outbox_events" ? 3 : 1, book);
  }
}

const rowId = (world, { reference }) => world.sql(`SELECT payment_id FROM payments WHERE reference = '${reference}'`);

test("a commit that is cut off is found out about: each stage once, each event once", () =>
  inWorld({ cutsCommits: true }, async (world) => {
    const writes = [/COPY authorizations/, /COPY clearings/, /COPY settlements/, /INSERT INTO webhook_attempts/];
    let cuts = 0;
    for (const when of ["before", "after"]) {
      for (const statement of writes) {
        const payment = await world.createPayment({ reference: `${when} ${statement.source}` });
        world.cutter.arm(when, statement);
        await settleOnce(world, payment);
        assert.equal(world.cutter.cuts, ++cuts, `${when} the commit of ${statement}`);
      }
    }
    await world.verifyBooks();
  }));

test("a payment whose commit is cut off: created, or refused and not there", () =>
  inWorld({ cutsCommits: true }, async (world) => {
    const create = (reference) => world.api("POST", "/v1/payments", { body: { ...body, reference } });
    world.cutter.arm("before", /COPY payments/);
    const refused = await create("before");
    assert.equal(refused.status, 503, refused.text);
    assert.equal(refused.body.code, "unavailable");
    assert.equal(await world.count("payments"), 0);

    world.cutter.arm("after", /COPY payments/);
    const created = await create("after");
    assert.equal(created.status, 201, created.text);
    assert.equal(await world.count("payments"), 1);
    assert.equal(world.cutter.cuts, 2);
    // No index was left out: a wallet's gap limit would count it.
    assert.equal(await world.sql("SELECT derivation_index FROM payments"), "0");
    await settleOnce(world, created.body);
    await world.verifyBooks();
  }));

test("a full disk: nothing is accepted, with the reason; with room it goes on by itself", async () => {
  const disk = await FullDisk.prepare();
  try {
    await inWorld({ postgres: { env: disk.env } }, async (world) => {
      const before = await world.createPayment({ reference: "before" });
      await disk.fill();
      // Rows go into the room that is left of the last page.
      const metadata = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key-${index}`, "x".repeat(400)]));
      let refused;
      await waitFor("the API to refuse", async () => {
        refused = await world.api("POST", "/v1/payments", { body: { ...body, metadata } });
        return refused.status !== 201;
      });
      assert.deepEqual([refused.status, refused.body.code], [503, "storage_full"], refused.text);
      assert.match(refused.body.detail, /disk .* is full/);
      const readiness = await world.sycee.request("GET", "/readyz");
      assert.deepEqual([readiness.status, readiness.text], [503, "not ready: the database's disk is full\n"]);
      const accepted = await world.count("payments");

      // What happens on the chain meanwhile is booked afterwards.
      await world.pay(before);
      await world.chain.mine(world.confirmations + 1);
      assert.equal((await world.api("GET", `/v1/payments/${before.id}`)).status, 200);

      await disk.makeRoom();
      const after = await world.createPayment({ reference: "after" });
      assert.equal(await world.count("payments"), accepted + 1);
      for (const payment of [before, after]) {
        if (payment === after) await world.pay(after);
        await world.chain.mine(world.confirmations + 1);
        await world.expectStatus(payment, "settled", patient);
      }
      assert.equal((await world.sycee.request("GET", "/readyz")).status, 200);
      await world.verifyBooks();

      // Where not even its journal can be written, PostgreSQL ends. It is started again, and so are we not.
      await disk.fill();
      let isDown;
      world.postgres.ended.then(() => (isDown = true));
      const tear = () => world.sql("SELECT pg_switch_wal(), txid_current()").catch(() => {});
      await waitFor("PostgreSQL to stop", async () => {
        if (!isDown) await tear();
        return isDown || (await world.api("POST", "/v1/payments", { body })).status === 503;
      }, patient);
      await disk.makeRoom();
      if (isDown) await world.postgres.restart();
      await waitFor("the API to accept again", async () => {
        return (await world.api("POST", "/v1/payments", { body })).status === 201;
      }, patient);
      const last = await world.createPayment({ reference: "last" });
      await settleOnce(world, last);
      await world.verifyBooks();
    });
  } finally {
    await disk.remove();
  }
});
