// From the arrival of a head with 300 transfers to the shop that has the webhooks about them: `bench/run
// block-to-webhook`. Starts PostgreSQL, a local chain, the service and a shop on these cores; the last line of the output
// is the figures.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import net from "node:net";
import path from "node:path";
import { Webhook } from "standardwebhooks";

import { secretFile } from "../tests/support/sycee.mjs";
import { World } from "../tests/support/world.mjs";
import { WebhookSink } from "./webhook_sink.mjs";

const paymentsInBlock = 300;
const warmUp = 2; // blocks that are not counted
const counted = 10;
const writers = 16;
// A transfer in block N is authorized by it, cleared by the next one and settled by the one after that.
const stages = ["payment.authorized", "payment.cleared", "payment.settled"];

const milliseconds = (from, to) => Number(to - from) / 1e6;

const quantile = (numbers, share) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
};

/** Between the service and its node: passes all on as it comes, and notes when. */
class NodeTap {
  #server;
  #sockets = new Set();

  /** When the service was sent the head of that number, by process.hrtime. @type {Map<number, bigint>} */
  heads = new Map();

  /** What the service asked over HTTP: from a question to the end of its answer. @type {{from: bigint, to: bigint}[]} */
  exchanges = [];

  /** The node's; it is set before the service begins. @type {number} */
  port;

  static async start() {
    const tap = new NodeTap();
    tap.#server = net.createServer({ noDelay: true }, (service) => tap.#join(service));
    await new Promise((resolve) => tap.#server.listen(0, "127.0.0.1", resolve));
    tap.address = `127.0.0.1:${tap.#server.address().port}`;
    return tap;
  }

  #join(service) {
    const node = net.connect({ port: this.port, host: "127.0.0.1", noDelay: true });
    let exchange;
    service.on("data", (bytes) => {
      const now = process.hrtime.bigint();
      if (!exchange || exchange.to > exchange.from) this.exchanges.push((exchange = { from: now, to: now }));
      node.write(bytes);
    });
    node.on("data", (bytes) => {
      // The frame of a WebSocket that comes from a server is text as it stands.
      if (bytes.includes('"eth_subscription"')) this.#note(bytes.toString("latin1"));
      else if (exchange) exchange.to = process.hrtime.bigint();
      service.write(bytes);
    });
    for (const [one, other] of [
      [service, node],
      [node, service],
    ]) {
      this.#sockets.add(one);
      one.on("end", () => other.end());
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroySoon();
      });
    }
  }

  #note(text) {
    for (const [, number] of text.matchAll(/"number":"(0x[0-9a-f]+)"/g)) {
      this.heads.set(Number(number), process.hrtime.bigint());
    }
  }

  /** Milliseconds between two moments in which the service waited for an answer of the node. */
  waited(from, to) {
    const later = (a, b) => (a > b ? a : b);
    const earlier = (a, b) => (a < b ? a : b);
    let until = from;
    let total = 0;
    for (const exchange of this.exchanges) {
      const start = later(exchange.from, until);
      const end = earlier(exchange.to, to);
      if (end <= start) continue;
      total += milliseconds(start, end);
      until = end;
    }
    return total;
  }

  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** How far PostgreSQL's clock is ahead of process.hrtime, in milliseconds: read when it has just moved on. */
function clockAhead() {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - Number(process.hrtime.bigint()) / 1e6;
}

class Bench {
  #secret = `whsec_${randomBytes(32).toString("base64")}`;
  #eventIds = new Set();
  #paid = new Map(); // the types of the events of each payment, by its id

  async run() {
    try {
      await this.#start();
      const rounds = [];
      for (let i = 0; i < warmUp + counted; ++i) {
        rounds.push(await this.#round());
        const { deliveries, ...parts } = rounds.at(-1);
        console.error(JSON.stringify({ p50: quantile(deliveries, 0.5), most: quantile(deliveries, 1), ...parts }));
      }
      await this.world.verifyBooks();
      assert.deepEqual(await this.sink.take(0), [], "something was told again");
      return rounds.slice(warmUp);
    } finally {
      await this.world?.stop();
      await this.tap?.stop();
      await this.sink?.stop();
    }
  }

  async #start() {
    this.tap = await NodeTap.start();
    this.sink = await WebhookSink.start();
    this.world = await World.start({
      // Says when a transaction was committed.
      postgres: { settings: { track_commit_timestamp: "on" } },
      // As it is shipped, but for the limit.
      settings: { api: { requests_per_minute: 1_000_000 }, reconciliation: { every_seconds: 30 } },
      changeChain: (entry) => this.#throughTap(entry),
    });
    const webhookSecretFile = await secretFile(path.join(this.world.directory, "bench-secret"), () => this.#secret);
    const shop = await this.world.addMerchant({ name: "Bench", webhookUrl: this.sink.url, webhookSecretFile });
    Object.assign(this.world, shop);
    await this.world.chain.client.setAutomine(false);
  }

  // A long time between blocks: heads are told, and hardly ever asked for.
  #throughTap(entry) {
    this.tap.port = Number(new URL(entry.endpoints[0].http_url).port);
    const at = this.tap.address;
    return { ...entry, block_time: 12, endpoints: [{ http_url: `http://${at}`, ws_url: `ws://${at}` }] };
  }

  async #round() {
    const { chain } = this.world;
    await this.#sendTransfers(await this.#createPayments());
    this.tap.exchanges = [];
    await chain.mine();
    const authorizations = await this.sink.take(paymentsInBlock);
    const ahead = clockAhead();
    const block = await chain.client.getBlock();
    assert.equal(block.transactions.length, paymentsInBlock, "not all transfers are in one block");
    const head = this.tap.heads.get(Number(block.number));
    assert.ok(head, "the node told no head of the block");
    this.#check(authorizations, stages.slice(0, 1));
    await chain.mine(stages.length);
    this.#check(await this.sink.take(2 * paymentsInBlock), stages.slice(1));
    await this.world.caughtUp();
    return this.#timesOf(head, authorizations.map(({ at }) => at), ahead);
  }

  async #createPayments() {
    const payments = [];
    const write = async () => {
      while (payments.length < paymentsInBlock) {
        const place = payments.push(undefined) - 1;
        payments[place] = await this.world.createPayment();
      }
    };
    await Promise.all(Array.from({ length: writers }, write));
    for (const { id } of payments) this.#paid.set(id, new Set());
    return payments;
  }

  async #sendTransfers(payments) {
    const { token, payer } = this.world;
    for (const { deposit_address: to, options } of payments) {
      await token.send({ from: payer, gas: 100_000n }, "transfer", to, token.units(options[0].amount));
    }
  }

  /** Every one is signed and was told once, and each payment once of each stage. */
  #check(webhooks, types) {
    const verifier = new Webhook(this.#secret);
    for (const { headers, body } of webhooks) {
      const event = verifier.verify(body.toString(), headers);
      assert.equal(event.id, headers["webhook-id"]);
      assert.ok(!this.#eventIds.has(event.id), `${event.id} was told twice`);
      this.#eventIds.add(event.id);
      const told = this.#paid.get(event.data.id);
      assert.ok(types.includes(event.type) && !told.has(event.type), `${event.type} of ${event.data.id}`);
      told.add(event.type);
    }
    for (const told of this.#paid.values()) assert.ok(types.every((type) => told.has(type)));
  }

  async #timesOf(head, arrivals, ahead) {
    const commit = await this.#lastCommit();
    const at = BigInt(Math.round((commit - ahead) * 1e6));
    const first = arrivals.reduce((a, b) => (a < b ? a : b));
    const last = arrivals.reduce((a, b) => (a > b ? a : b));
    return {
      deliveries: arrivals.map((arrival) => milliseconds(head, arrival)),
      to_commit: milliseconds(head, at),
      at_node: this.tap.waited(head, at),
      to_first: milliseconds(at, first),
      per_s: ((paymentsInBlock - 1) * 1000) / milliseconds(first, last),
    };
  }

  /** When the newest authorizations were committed, in milliseconds since 1970; of one block, they are all together. */
  async #lastCommit() {
    const newest = await this.world.sql(
      "SELECT count(*), extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 FROM authorizations" +
        " GROUP BY 2 ORDER BY 2 DESC LIMIT 1",
    );
    const [count, at] = newest.split("|").map(Number);
    assert.equal(count, paymentsInBlock, "the authorizations of a block were not committed together");
    return at;
  }
}

const rounds = await new Bench().run();
const rounded = (number) => Number(number.toFixed(1));
const deliveries = rounds.flatMap((round) => round.deliveries);
const median = (part) => quantile(rounds.map((round) => round[part]), 0.5);
console.log(
  JSON.stringify({
    p50_ms: rounded(quantile(deliveries, 0.5)),
    p99_ms: rounded(quantile(deliveries, 0.99)),
    most_ms: rounded(quantile(deliveries, 1)),
    head_to_commit_ms: rounded(median("to_commit")),
    of_it_at_the_node_ms: rounded(median("at_node")),
    commit_to_first_ms: rounded(median("to_first")),
    then_per_s: Math.round(median("per_s")),
    webhooks: deliveries.length,
  }),
);
