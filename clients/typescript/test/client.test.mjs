import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";

import { Sycee, SyceeError } from "../dist/index.js";
import { Gateway, json, problem } from "./gateway.mjs";

let gateway;
beforeEach(async () => (gateway = await Gateway.start()));
afterEach(() => gateway.stop());

const fifty = { amount: "50.00", currency: "USD" };
const busy = (headers) => problem(503, "unavailable", {}, headers);

/** The error that a call ends with. */
async function failure(call) {
  const error = await call.then(
    () => assert.fail("it succeeded"),
    (reason) => reason,
  );
  assert.ok(error instanceof SyceeError, inspect(error));
  return error;
}

test("a payment is created with the key, the body and an idempotency key of its own", async () => {
  gateway.answers = [json(201, { id: "pay_1", checkout_url: "https://pay.example/checkout/pay_1" })];
  const payment = await gateway.client().payments.create(fifty);
  await gateway.client().payments.create(fifty);
  assert.equal(payment.checkout_url, "https://pay.example/checkout/pay_1");
  const [first, second] = gateway.asked;
  assert.equal(`${first.method} ${first.url}`, "POST /v1/payments");
  assert.equal(first.headers.authorization, "Bearer sk_live_test");
  assert.equal(first.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(first.body), fifty);
  assert.match(first.headers["idempotency-key"], /^[0-9a-f]{32}$/);
  assert.notEqual(first.headers["idempotency-key"], second.headers["idempotency-key"]);
});

test("a create is repeated with the same key until it is answered", async () => {
  gateway.answers = ["reset", busy(), problem(409, "idempotency_key_in_use"), json(201, { id: "pay_1" })];
  assert.equal((await gateway.client().payments.create(fifty)).id, "pay_1");
  assert.equal(gateway.asked.length, 4);
  assert.equal(new Set(gateway.asked.map(({ headers }) => headers["idempotency-key"])).size, 1);
  assert.equal(new Set(gateway.asked.map(({ body }) => body)).size, 1);
});

test("the caller's idempotency key is the one that is sent", async () => {
  await gateway.client().payments.create(fifty, { idempotencyKey: "order-7" });
  assert.equal(gateway.asked[0].headers["idempotency-key"], "order-7");
});

test("what a body would only add to may be left out", async () => {
  const sycee = gateway.client();
  await sycee.payments.cancel("pay_1");
  await sycee.webhookEndpoints.rotateSecret("we_1");
  assert.deepEqual(
    gateway.asked.map(({ method, url, body }) => [method, url, JSON.parse(body)]),
    [
      ["POST", "/v1/payments/pay_1/cancel", {}],
      ["POST", "/v1/webhook-endpoints/we_1/rotate-secret", {}],
    ],
  );
});

test("a POST by its path has no idempotency key, and is sent once, whatever happens", async () => {
  const sycee = gateway.client();
  for (const answer of ["reset", busy(), problem(429, "rate_limited")]) {
    gateway.answers = [answer];
    gateway.asked = [];
    const body = { payment: "pay_1", recipient: "0x1", reason: "returned" };
    await failure(sycee.request("post", "/v1/refunds", { body }));
    assert.equal(gateway.asked.length, 1);
    assert.equal(gateway.asked[0].headers["idempotency-key"], undefined);
  }
});

test("an answer that would be the same again is not asked for again", async () => {
  const sycee = gateway.client();
  for (const [status, code] of [
    [400, "invalid_request"],
    [401, "unauthorized"],
    [404, "not_found"],
    [409, "not_settled"],
    [501, "receipts_off"],
  ]) {
    gateway.answers = [problem(status, code)];
    gateway.asked = [];
    const error = await failure(sycee.payments.receipt("pay_1"));
    assert.deepEqual([error.status, error.code, gateway.asked.length], [status, code, 1]);
  }
});

test("attempts end after as many as were allowed", async () => {
  gateway.answers = [busy()];
  const error = await failure(gateway.client({ retries: 2 }).payments.get("pay_1"));
  assert.deepEqual([error.status, error.code, gateway.asked.length], [503, "unavailable", 3]);
});

test("Retry-After is waited for", async () => {
  gateway.answers = [busy({ "retry-after": "1" }), json(200, { id: "pay_1" })];
  const began = performance.now();
  await gateway.client().payments.get("pay_1");
  assert.ok(performance.now() - began >= 990);
});

test("a Retry-After beyond the longest wait is the caller's to wait for", async () => {
  gateway.answers = [problem(503, "receipt_pending", {}, { "retry-after": "60" })];
  const error = await failure(gateway.client().payments.receipt("pay_1"));
  assert.deepEqual([error.code, error.retryAfter, gateway.asked.length], ["receipt_pending", 60, 1]);
});

test("a problem is an error with code, fields and request id", async () => {
  const errors = [{ field: "amount", pointer: "/amount", detail: "is no amount" }];
  gateway.answers = [problem(400, "invalid_request", { request_id: "req_1", errors })];
  const error = await failure(gateway.client().payments.create({ ...fifty, amount: "x" }));
  assert.equal(error.message, "400: it is invalid_request");
  assert.deepEqual(
    [error.status, error.code, error.requestId, error.errors],
    [400, "invalid_request", "req_1", errors],
  );
});

test("an answer of something in between is an error as well", async () => {
  gateway.answers = [
    { status: 413, body: "<h1>Too large</h1>", headers: { "content-type": "text/html", "request-id": "req_2" } },
  ];
  const large = await failure(gateway.client().payments.get("pay_1"));
  assert.deepEqual([large.status, large.code, large.requestId, large.errors], [413, "http_413", "req_2", []]);
  gateway.answers = [{ status: 302, body: "", headers: { location: "/elsewhere" } }];
  assert.equal((await failure(gateway.client().payments.get("pay_1"))).code, "http_302");
  gateway.answers = [{ status: 200, body: "<h1>Hello</h1>" }];
  assert.equal((await failure(gateway.client().payments.get("pay_1"))).code, "unexpected_answer");
});

test("an answer without a body is undefined where it should have none", async () => {
  gateway.answers = [{ status: 204, body: "" }];
  assert.equal(await gateway.client().request("get", "/v1/payments"), undefined);
  gateway.answers = [{ status: 200, body: "" }];
  assert.equal((await failure(gateway.client().payments.get("pay_1"))).code, "unexpected_answer");
});

test("a gateway that does not answer, and one that is not there", async () => {
  gateway.answers = ["silence"];
  const late = await failure(gateway.client({ timeout: 50, retries: 0 }).payments.get("pay_1"));
  assert.deepEqual([late.status, late.code], [0, "timeout"]);
  const nowhere = new Sycee({ url: "http://127.0.0.1:1", apiKey: "sk_live_test", retries: 0 });
  const absent = await failure(nowhere.payments.get("pay_1"));
  assert.deepEqual([absent.status, absent.code], [0, "connection_failed"]);
});

test("the caller's signal ends the request and the waits", async () => {
  gateway.answers = ["silence"];
  await assert.rejects(gateway.client().payments.get("pay_1", { signal: AbortSignal.timeout(50) }), {
    name: "TimeoutError",
  });
  gateway.answers = [busy({ "retry-after": "20" })];
  const ending = new AbortController();
  const call = gateway.client().payments.get("pay_1", { signal: ending.signal });
  ending.abort(new Error("enough"));
  await assert.rejects(call, { message: "enough" });
});

test("a list gives its first page, or all items page by page", async () => {
  const pages = [
    { object: "list", data: [{ id: "pay_3" }, { id: "pay_2" }], has_more: true, next_cursor: "pay_2" },
    { object: "list", data: [{ id: "pay_1" }], has_more: false, next_cursor: null },
  ];
  const sycee = gateway.client();
  gateway.answers = [json(200, pages[0])];
  assert.deepEqual(await sycee.payments.list({ limit: 2 }), pages[0]);
  assert.equal(gateway.asked[0].url, "/v1/payments?limit=2");

  gateway.answers = pages.map((page) => json(200, page));
  const ids = [];
  for await (const { id } of sycee.payments.list({ limit: 2 })) ids.push(id);
  assert.deepEqual(ids, ["pay_3", "pay_2", "pay_1"]);
  assert.deepEqual(
    gateway.asked.slice(1).map(({ url }) => url),
    ["/v1/payments?limit=2", "/v1/payments?limit=2&after=pay_2"],
  );
});

test("a list that is left early asks for no more", async () => {
  gateway.answers = [json(200, { object: "list", data: [{ id: "pay_2" }], has_more: true, next_cursor: "pay_2" })];
  for await (const { id } of gateway.client().payments.list()) {
    assert.equal(id, "pay_2");
    break;
  }
  assert.equal(gateway.asked.length, 1);
});

test("a cursor that does not move ends the list", async () => {
  gateway.answers = [json(200, { object: "list", data: [], has_more: true, next_cursor: "pay_2" })];
  const all = async () => {
    for await (const each of gateway.client().payments.list()) assert.fail(inspect(each));
  };
  await assert.rejects(all, { message: "the list does not go on" });
  assert.equal(gateway.asked.length, 2);
});

test("an id is one part of the path, whatever is in it", async () => {
  const sycee = gateway.client();
  await sycee.payments.get("a/../b?c#d");
  assert.equal(gateway.asked[0].url, "/v1/payments/a%2F..%2Fb%3Fc%23d");
  for (const nothing of ["", ".", ".."]) assert.throws(() => sycee.payments.get(nothing), TypeError);
  assert.equal(gateway.asked.length, 1);
});

test("what a query leaves out is not sent; lists and objects have names", async () => {
  await gateway.client().request("get", "/v1/payments", {
    query: { limit: 5, after: undefined, status: ["open", "expired"], metadata: { size: "L" } },
  });
  assert.equal(gateway.asked[0].url, "/v1/payments?limit=5&status=open&status=expired&metadata%5Bsize%5D=L");
});

test("statements and totals come as JSON or as the text of a file", async () => {
  const sycee = gateway.client();
  gateway.answers = [{ status: 200, body: "type,chain_id\r\n", headers: { "content-type": "text/csv" } }];
  assert.equal(await sycee.statements.csv("2026-11", { token: "USDT" }), "type,chain_id\r\n");
  assert.equal(gateway.asked[0].url, "/v1/statements/2026-11?token=USDT&format=csv");
  assert.equal(gateway.asked[0].headers.accept, "text/csv");
  gateway.answers = [json(200, { object: "totals" })];
  assert.equal((await sycee.totals.get({ from: "2026-11-01" })).object, "totals");
  assert.equal(gateway.asked[1].url, "/v1/totals?from=2026-11-01&format=json");
});

test("what a client is made of is checked, and the key shows nowhere", () => {
  const good = { url: "https://pay.example/", apiKey: "sk_live_secret" };
  for (const wrong of [
    { url: "ftp://pay.example" },
    { url: "https://a:b@pay.example" },
    { url: "pay.example" },
    { apiKey: "" },
    { apiKey: "a\nb" },
    { retries: -1 },
  ]) {
    assert.throws(() => new Sycee({ ...good, ...wrong }), TypeError);
  }
  assert.doesNotMatch(
    inspect(new Sycee(good), { depth: 9, showHidden: true }) + JSON.stringify(new Sycee(good)),
    /secret/,
  );
});
