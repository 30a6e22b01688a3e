// The feed of events: each exactly once and in order, whatever becomes of the program, with the words of its webhook.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { Crashes, worldOptions } from "../support/crashes.mjs";
import { EventSource } from "../support/event_source.mjs";
import { pause, waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

let world;
before(async () => {
  world = await World.start(worldOptions);
});
after(() => world?.stop());

const feed = async (query = "") => world.api("GET", `/v1/events${query}`);

/** A shop behind a firewall: it asks, and what it has got stands with how far it is. */
class Consumer {
  after = 0;
  got = [];
  failures = 0;

  async run(isOver) {
    while (!isOver()) {
      const more = await this.#ask().catch(() => {
        this.failures += 1;
        return false;
      });
      if (!more) await pause(10);
    }
  }

  /** @returns whether there is more at once */
  async #ask() {
    const page = await feed(`?after=${this.after}&limit=7`);
    if (page.status !== 200) throw new Error(page.text);
    assert.deepEqual(page.body.missing, []);
    this.got.push(...page.body.data);
    this.after = page.body.next_after;
    return page.body.has_more;
  }
}

test("a consumer under kill -9 gets each event once, in order, as the webhook told it", { timeout: 600_000 }, async () => {
  const crashes = new Crashes(world, 5);
  const consumer = new Consumer();
  let over = false;
  const consuming = consumer.run(() => over);
  try {
    for (let i = 0; i < 5; i += 1) await crashes.round();
    await crashes.finish();
    const { body } = await feed("?limit=1");
    await waitFor("the consumer to be at the end", () => consumer.after === body.last_sequence);
  } finally {
    over = true;
    await consuming;
  }
  assert.ok(consumer.failures > 0, "it was asked while it was dead");
  assert.ok(consumer.got.length > 20, `only ${consumer.got.length} events`);
  consumer.got.forEach((event, index) => assert.equal(event.sequence, index + 1));
  assert.equal(new Set(consumer.got.map(({ id }) => id)).size, consumer.got.length);

  const told = () => new Map(world.receiver.deliveries.map(({ id, event }) => [id, event]));
  await waitFor("every webhook", () => told().size === consumer.got.length, { timeout: 120_000 });
  for (const event of consumer.got) assert.deepEqual(told().get(event.id), event);

  // Of each payment, versions rise with the sequence, and the last one is what the API says.
  const versions = new Map();
  for (const { data } of consumer.got) {
    assert.ok(data.version >= (versions.get(data.id) ?? 0), `${data.id} goes back to ${data.version}`);
    versions.set(data.id, data.version);
  }
  for (const [id, version] of versions) assert.ok((await world.payment({ id })).version >= version);
});

test("a stream goes on after a restart where its client was", async () => {
  const { last_sequence: last } = (await feed("?limit=1")).body;
  const open = (options) => EventSource.open(`${world.sycee.url}/v1/events?after=${last}`, { key: world.key, ...options });
  const first = await open();
  const payment = await world.createPayment();
  await world.pay(payment);
  await waitFor("an event on the stream", () => first.events.length > 0);
  await world.sycee.stop();
  assert.equal(await first.ended, "closed");
  const seen = first.events.at(-1).id;
  await world.sycee.start();
  const second = await open({ lastEventId: seen });
  await world.chain.mine(20);
  await world.expectStatus(payment, "settled");
  const both = () => [...first.events, ...second.events];
  await waitFor("the settlement on the stream", () => both().some(({ data }) => data.type === "payment.settled"));
  second.close();
  const all = (await feed(`?after=${last}&limit=100`)).body.data;
  assert.deepEqual(both().map(({ data }) => data), all.slice(0, both().length));
  both().forEach(({ id, data }, index) => assert.deepEqual([id, data.sequence], [last + 1 + index, last + 1 + index]));
});

test("an event and those of a payment are found by their merchant alone", async () => {
  const { data } = (await feed("?after=0&limit=100")).body;
  const event = data.find(({ type }) => type === "payment.settled");
  assert.deepEqual((await world.api("GET", `/v1/events/${event.id}`)).body, event);
  const path = `/v1/payments/${event.data.id}/events`;
  const timeline = (await world.api("GET", `${path}?limit=100`)).body;
  const everything = [];
  for (let page = { has_more: true, next_after: 0 }; page.has_more; everything.push(...page.data)) {
    page = (await feed(`?after=${page.next_after}&limit=100`)).body;
  }
  assert.deepEqual(timeline.data, everything.filter((one) => one.data.id === event.data.id));
  const settled = (await feed("?after=0&limit=100&type=payment.settled")).body.data;
  assert.deepEqual(settled, everything.filter(({ type }) => type === "payment.settled").slice(0, 100));

  const other = await world.addMerchant();
  for (const target of [`/v1/events/${event.id}`, path, "/v1/events/evt_x"]) {
    assert.equal((await world.api("GET", target, { key: other.key })).status, 404, target);
  }
  const theirs = await world.api("GET", "/v1/events", { key: other.key });
  assert.deepEqual([theirs.body.data, theirs.body.last_sequence], [[], 0]);
  assert.equal((await world.api("GET", "/v1/events?after=1", { key: other.key })).status, 400);
  assert.equal((await world.api("GET", "/v1/events", { key: "sk_live_x" })).status, 401);
});

test("the answers are those of the contract", () => {
  const contract = new ApiContract();
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
  for (const { event } of world.receiver.deliveries) contract.checkEvent(event);
});
