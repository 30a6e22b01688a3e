// wrk as the benchmarks of the API use it: good clients with the merchant's key, each of which asks as soon as it has
// its answer.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { runOrThrow } from "../tests/support/process.mjs";

export const connections = 64;

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string | string[]} target several take turns
 * @property {number} status that its answer must have
 * @property {string} [body]
 * @property {string} [headers] Lua: more of `headers`; `sent` counts the requests, `salt` differs from run to run
 */

/** @type {Request} */
export const creation = {
  method: "POST",
  target: "/v1/payments",
  status: 201,
  body: JSON.stringify({ amount: "50.00", currency: "USD", reference: "order-1001", metadata: { size: "L" } }),
  headers: 'headers["idempotency-key"] = salt .. "-" .. sent',
};

/** Reads payments of the newest page. @returns {Promise<Request>} */
export async function reading(world) {
  const page = await world.api("GET", "/v1/payments?limit=100");
  return { method: "GET", target: page.body.data.map(({ id }) => `/v1/payments/${id}`), status: 200 };
}

const table = (entries) => `{ ${entries.join(", ")} }`;
const requestOf = ({ method, target, body, headers = "" }) => `{
  method = ${JSON.stringify(method)},
  targets = ${table([target].flat().map((one) => JSON.stringify(one)))},
  body = ${body ? `'${body}'` : "nil"},
  add = function(headers)
    ${headers}
  end
}`;

// What wrk sends, and what it prints at the end. Any answer but one that is expected counts as a failure.
const script = (key, requests) => `
local thread
function setup(only)
  thread = only
end
function init()
  wrong = 0
  sent = 0
  salt = os.time()
  requests = ${table(requests.map(requestOf))}
  expected = ${table(requests.map(({ status }) => `[${status}] = true`))}
end
function request()
  local turn = sent
  sent = sent + 1
  local asked = requests[turn % #requests + 1]
  local headers = { ["authorization"] = "Bearer ${key}", ["content-type"] = "application/json" }
  asked.add(headers)
  local target = asked.targets[math.floor(turn / #requests) % #asked.targets + 1]
  return wrk.format(asked.method, target, headers, asked.body)
end
function response(status)
  if not expected[status] then wrong = wrong + 1 end
end
function done(summary, latency)
  local faults = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('{"requests": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), thread:get("wrong") + faults))
end
`;

/**
 * Asks for so many seconds, one kind of request after the other; throws where a single answer is not what it should be.
 * @param {import("../tests/support/world.mjs").World} world
 * @param {string} directory for its script
 * @param {number} seconds
 * @param {Request[]} requests
 * @returns {Promise<{per_s: number, p50_ms: number, p99_ms: number, requests: number}>}
 */
export async function ask(world, directory, seconds, ...requests) {
  const file = path.join(directory, "requests.lua");
  await writeFile(file, script(world.key, requests));
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
