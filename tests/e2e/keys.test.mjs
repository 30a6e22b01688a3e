// API keys, as a shop's operator lives with them: scopes, addresses, an end, rotation, revocation, last use.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { parse } from "yaml";

import { ApiContract } from "../support/api_contract.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const contract = parse(readFileSync(fileURLToPath(new URL("../../api/openapi.yaml", import.meta.url)), "utf8"));
const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, operation]) => operation.security?.[0]?.apiKey)
    .map(([method, { operationId, security }]) => ({ path, method, operationId, scope: security[0].apiKey[0] })),
);
const scopes = [
  ...["payments:read", "payments:write", "refunds:read", "refunds:write", "exceptions:read", "exceptions:write"],
  ...["statements:read", "fee_invoices:read", "events:read", "webhooks:read", "webhooks:write"],
];

let world;
before(async () => {
  // The tests are the proxy.
  world = await World.start({ settings: { server: { trusted_proxies: ["127.0.0.1"] } } });
});
after(() => world?.stop());

const createKey = (...options) => world.sycee.json("key", "create", "--merchant", world.merchant.id, ...options);
const listed = async (id) => (await world.sycee.json("key", "list")).find((key) => key.id === id);
const withKey = (key, method, target, options = {}) => world.api(method, target, { key, ...options });
const scoped = (list) => list.flatMap((scope) => ["--scope", scope]);

test("the contract's scope of each operation is the one that is asked for", async () => {
  assert.equal(operations.length > 15, true);
  const keys = new Map();
  for (const scope of new Set(operations.map((operation) => operation.scope))) {
    keys.set(scope, await createKey(...scoped(scopes.filter((other) => other !== scope))));
  }
  for (const { path, method, operationId, scope } of operations) {
    const target = path.replace(/\{[^}]+\}/, "2026-11");
    const body = method === "post" ? {} : undefined;
    const answer = await withKey(keys.get(scope).key, method.toUpperCase(), target, { body });
    assert.deepEqual([answer.status, answer.body.code], [403, "forbidden"], operationId);
    assert.ok(answer.body.detail.includes(` ${scope}.`), `${operationId}: ${answer.body.detail}`);
  }
});

test("a restricted key does what its scopes name and nothing else", async () => {
  const created = await createKey("--label", "checkout", ...scoped(["payments:write"]));
  assert.match(created.key, /^rk_live_/);
  assert.match(world.key, /^sk_live_/);
  const body = { amount: "50.00", currency: "USD" };
  const payment = await withKey(created.key, "POST", "/v1/payments", { body });
  assert.equal(payment.status, 201, payment.text);
  const read = await withKey(created.key, "GET", `/v1/payments/${payment.body.id}`);
  assert.deepEqual([read.status, read.body.code], [403, "forbidden"]);
  assert.match(read.headers.get("www-authenticate"), /scope="payments:read"$/);
  assert.equal((await withKey(created.key, "GET", "/v1/refunds")).status, 403);
  // Under the prefix of a full key it is no key.
  assert.equal((await withKey(created.key.replace("rk_", "sk_"), "POST", "/v1/payments", { body })).status, 401);
});

test("what is no scope, address or time is refused by the command", async () => {
  for (const [option, value] of [
    ["--scope", "payments"],
    ["--scope", "payments:*"],
    ["--address", "192.0.2.1/24"],
    ["--address", "shop.example"],
    ["--expires", "2020-01-01"],
    ["--expires", "tomorrow"],
  ]) {
    const { code, stderr } = await world.sycee.command(
      ...["key", "create", "--merchant", world.merchant.id, option, value],
    );
    assert.equal(code, 2, value);
    assert.ok(stderr.includes(`${option.slice(2)}: `), stderr);
  }
});

test("a key is for its addresses, as the trusted proxy tells them", async () => {
  const { key } = await createKey("--address", "192.0.2.0/24", "--address", "2001:db8::/32");
  const from = (address) =>
    withKey(key, "GET", "/v1/payments", { headers: address ? { "x-forwarded-for": address } : {} });
  for (const address of ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "203.0.113.9, 192.0.2.7"]) {
    assert.equal((await from(address)).status, 200, address);
  }
  for (const address of ["203.0.113.9", "2001:db9::7", "192.0.2.7, 203.0.113.9", undefined]) {
    const answer = await from(address);
    assert.deepEqual([answer.status, answer.body.code], [403, "address_not_allowed"], address);
  }
  // Whoever has not the secret does not learn of it.
  const last = key.at(-1) === "A" ? "E" : "A";
  const wrong = await withKey(`${key.slice(0, -1)}${last}`, "GET", "/v1/payments");
  assert.deepEqual([wrong.status, wrong.body.code], [401, "unauthorized"]);
});

test("a rotation: both keys are right until the overlap ends, and do the same", async () => {
  const old = await createKey("--label", "rotated", "--address", "127.0.0.0/8", ...scoped(["payments:read"]));
  const fresh = await world.sycee.json("key", "rotate", old.id, "--overlap", "5s");
  assert.match(fresh.key, /^rk_live_/);
  for (const name of ["label", "scopes", "allowed_addresses", "merchant"]) {
    assert.deepEqual(fresh[name], old[name], name);
  }
  const status = async ({ key }) => (await withKey(key, "GET", "/v1/payments")).status;
  assert.equal(await status(fresh), 200);
  const { expires_at: end, replaced_by: by } = await listed(old.id);
  assert.equal(by, fresh.id);
  await waitFor("the old key to end", async () => (await status(old)) === 401);
  assert.ok(Date.now() >= Date.parse(end), `${end}`);
  assert.equal(await status(fresh), 200);
  assert.equal((await withKey(fresh.key, "GET", "/v1/refunds")).status, 403);

  const again = await world.sycee.command("key", "rotate", old.id);
  assert.equal(again.code, 2);
  const tooLong = await world.sycee.command("key", "rotate", fresh.id, "--overlap", "8d");
  assert.equal(tooLong.code, 2);
  assert.match(tooLong.stderr, /overlap: must be at most 7d/);
  // The default overlap leaves time to deploy the new key.
  const third = await world.sycee.json("key", "rotate", fresh.id);
  assert.deepEqual([await status(fresh), await status(third)], [200, 200]);
});

test("a key that is revoked is refused with the next request", async () => {
  const { id, key } = await createKey("--label", "lost");
  assert.equal((await withKey(key, "GET", "/v1/payments")).status, 200);
  await world.sycee.cli("key", "revoke", id);
  assert.equal((await withKey(key, "GET", "/v1/payments")).status, 401);
  assert.notEqual((await listed(id)).revoked_at, null);
});

test("the last use is seen, and no secret", async () => {
  const used = await createKey("--label", "used");
  const unused = await createKey("--label", "unused");
  const before = Date.now();
  assert.equal((await withKey(used.key, "GET", "/v1/payments")).status, 200);
  const wrong = unused.key.slice(0, -2) + (unused.key.endsWith("AA") ? "EE" : "AA");
  assert.equal((await withKey(wrong, "GET", "/v1/payments")).status, 401);
  await waitFor("the last use", async () => (await listed(used.id)).last_used_at);
  const { last_used_at: at } = await listed(used.id);
  assert.ok(Date.parse(at) >= before - 1 && Date.parse(at) <= Date.now(), at);
  assert.equal((await listed(unused.id)).last_used_at, null);
  for (const text of [await world.sycee.cli("key", "list"), await world.sycee.cli("key", "list", "--json")]) {
    assert.ok(text.includes(used.id));
    for (const { key } of [used, unused]) assert.ok(!text.includes(key.slice(-43)));
  }
  // The service could do it as the role that owns nothing.
  assert.equal(await world.sql(`SELECT count(*) FROM api_keys WHERE last_used_at > now() + interval '1 minute'`), "0");
});

test("every answer was one of the contract's", () => {
  const judge = new ApiContract();
  for (const { method, target, answer } of world.answers) judge.checkAnswer(method, target, answer);
});
