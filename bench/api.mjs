// How many requests a second the API answers to shops: `bench/run api`. Starts PostgreSQL, a local chain and the
// service on these cores, and lets wrk ask; the last line of the output is the figures.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { World } from "../tests/support/world.mjs";
import { ask, connections, creation, reading } from "./wrk.mjs";

const seconds = Number(process.env.SYCEE_BENCH_SECONDS ?? 20);
const settings = { api: { requests_per_minute: 100_000_000 } };

async function measure(work, changed = {}) {
  const world = await World.start({ settings: { ...settings, ...changed } });
  const directory = await mkdtemp(path.join(tmpdir(), "sycee-bench-api-"));
  try {
    return await work(world, directory);
  } finally {
    await world.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function createAndGet(world, directory) {
  const before = await world.count("payments");
  const created = await ask(world, directory, seconds, creation);
  // Each answer stands for a payment that is there; at the end, one for each connection may be on its way.
  const stored = (await world.count("payments")) - before;
  assert.ok(stored >= created.requests && stored <= created.requests + connections, `${stored} payments stored`);
  const got = await ask(world, directory, seconds, await reading(world));
  return { created, got };
}

const { created, got } = await measure(createAndGet);
const single = await measure((world, directory) => ask(world, directory, seconds, creation), {
  database: { payments_per_transaction: 1 },
});
console.log(
  JSON.stringify({
    create_per_s: created.per_s,
    create_p50_ms: created.p50_ms,
    create_p99_ms: created.p99_ms,
    over_single_transactions: Number((created.per_s / single.per_s).toFixed(2)),
    single_per_s: single.per_s,
    get_per_s: got.per_s,
    get_p99_ms: got.p99_ms,
    connections,
  }),
);
