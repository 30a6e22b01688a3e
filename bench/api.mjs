// How many requests a second the API answers to shops: `bench/run api`. Starts PostgreSQL, a local chain and the
// service on these cores, and lets wrk ask; the last line of the output is the figures.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { runOrThrow } from "../tests/support/process.mjs";
import { World } from "../tests/support/world.mjs";

const connections = 64;
const seconds = Number(process.env.SYCEE_BENCH_SECONDS ?? 20);
const settings = { api: { requests_per_minute: 100_000_000 } };

// What wrk sends, and what it prints at the end. Any answer but the one that is expected counts as a failure.
const script = ({ key, method, target, body, status, headers = "" }) => `
local method, body = ${JSON.stringify(method)}, ${body ? `'${body}'` : "nil"}
local thread
function setup(only)
  thread = only
end
function init()
  wrong = 0
  sent = 0
  salt = os.time()
  ids = { ${(Array.isArray(target) ? target : [target]).map((one) => JSON.stringify(one)).join(", ")} }
end
function request()
  sent = sent + 1
  local headers = { ["authorization"] = "Bearer ${key}", ["content-type"] = "application/json" }
  ${headers}
  return wrk.format(method, ids[sent % #ids + 1], headers, body)
end
function response(status)
  if status ~= ${status} then wrong = wrong + 1 end
end
function done(summary, latency)
  local faults = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('{"requests": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), thread:get("wrong") + faults))
end
`;

async function ask(world, directory, request) {
  const file = path.join(directory, "request.lua");
  await writeFile(file, script({ key: world.key, ...request }));
  const command = ["wrk", "-t", "1", "-c", `${connections}`, "-d", `${seconds}s`, "--latency", "-s", file];
  const output = (await runOrThrow([...command, world.sycee.url])).stdout;
  const result = JSON.parse(output.trimEnd().split("\n").at(-1));
  assert.equal(result.failed, 0, output);
  return {
    per_s: Math.round((result.requests * 1e6) / result.microseconds),
    p50_ms: result.p50_us / 1000,
    p99_ms: result.p99_us / 1000,
    requests: result.requests,
  };
}

const creation = {
  method: "POST",
  target: "/v1/payments",
  status: 201,
  body: JSON.stringify({ amount: "50.00", currency: "USD", reference: "order-1001", metadata: { size: "L" } }),
  headers: 'headers["idempotency-key"] = salt .. "-" .. sent',
};

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
  const created = await ask(world, directory, creation);
  // Each answer stands for a payment that is there; at the end, one for each connection may be on its way.
  const stored = (await world.count("payments")) - before;
  assert.ok(stored >= created.requests && stored <= created.requests + connections, `${stored} payments stored`);
  const page = await world.api("GET", "/v1/payments?limit=100");
  const targets = page.body.data.map(({ id }) => `/v1/payments/${id}`);
  const got = await ask(world, directory, { method: "GET", target: targets, status: 200 });
  return { created, got };
}

const { created, got } = await measure(createAndGet);
const single = await measure((world, directory) => ask(world, directory, creation), {
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
