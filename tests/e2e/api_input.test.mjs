// What the API refuses: in the words of the problem document, and without writing anything.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { World } from "../support/world.mjs";

const right = { amount: "50.00", currency: "USD" };
const largestBody = 64 * 1024;

const manyEntries = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, "v"]));

let world;

before(async () => {
  world = await World.start();
});

after(async () => {
  await world?.stop();
});

const create = (body, options = {}) => world.api("POST", "/v1/payments", { body, ...options });

function assertProblem(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
  assert.equal(answer.body.status, status);
  assert.ok(answer.body.type && answer.body.title && answer.body.detail);
}

/** The request must be refused with this status, and no payment be written. */
async function refuses(body, status, options) {
  const before = await world.count("payments");
  const answer = await create(body, options);
  assertProblem(answer, status);
  assert.equal(await world.count("payments"), before);
  return answer.body;
}

async function refusesField(field, body) {
  const problem = await refuses(body, 400);
  assert.ok(problem.errors.some((error) => error.field === field), `${JSON.stringify(problem)} does not name ${field}`);
}

test("without a valid key: 401, whatever else is wrong", async () => {
  const last = world.key.at(-1);
  const altered = `${world.key.slice(0, -2)}${world.key.at(-2) === "A" ? "B" : "A"}${last}`;
  for (const key of [undefined, "sk_live_nonsense", altered, `${world.key}x`, " "]) {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    await refuses("not even JSON", 401, { key: undefined, headers });
    assertProblem(await world.api("GET", "/v1/payments", { key: undefined, headers }), 401);
  }
  const headers = { authorization: `Basic ${world.key}` };
  const basic = await world.api("GET", "/v1/payments", { key: undefined, headers });
  assertProblem(basic, 401);
  assert.match(basic.headers.get("www-authenticate"), /^Bearer/);
});

test("a revoked key is refused at once, and others go on", async () => {
  const { id, key } = await world.sycee.createKey(world.merchant.id, "short-lived");
  assert.equal((await world.api("GET", "/v1/payments", { key })).status, 200);
  await world.sycee.cli("key", "revoke", id);
  assertProblem(await world.api("GET", "/v1/payments", { key }), 401);
  assert.equal((await world.api("GET", "/v1/payments")).status, 200);
});

test("keys are stored as hashes only", async () => {
  const secret = world.key.slice(-43);
  const rows = await world.sql("SELECT * FROM api_keys");
  assert.ok(!rows.includes(secret));
  assert.ok(!rows.includes(Buffer.from(secret).toString("hex")));
});

for (const [name, body] of [
  ["nothing", ""],
  ["half an object", '{"amount": "50.00"'],
  ["text", "amount=50.00&currency=USD"],
  ["a comma too many", '{"amount": "50.00", "currency": "USD",}'],
  ["two documents", '{"amount": "50.00", "currency": "USD"}{}'],
  ["a list", "[]"],
  ["null", "null"],
  ["deep nesting", `{"metadata": ${"[".repeat(5000)}${"]".repeat(5000)}}`],
]) {
  test(`a body that is ${name} is refused`, async () => {
    await refuses(body, 400);
  });
}

test("a body that is not UTF-8 is refused", async () => {
  const text = JSON.stringify({ ...right, reference: "?" });
  const [head, tail] = text.split("?");
  const body = new Blob([head, Uint8Array.of(0xff, 0xfe), tail]);
  const before = await world.count("payments");
  const answer = await fetch(`${world.sycee.url}/v1/payments`, {
    method: "POST",
    headers: { authorization: `Bearer ${world.key}`, "content-type": "application/json" },
    body,
  });
  assert.equal(answer.status, 400);
  await answer.arrayBuffer();
  assert.equal(await world.count("payments"), before);
});

for (const amount of [
  ...["-1.00", "-0.01", "+1.00", "0", "0.00", "50.001", "1e2", "1E2", "5e-1", "", " ", " 1.00", "1.00 "],
  ...["1,00", "1 000", "0x10", "NaN", "Infinity", ".5", "1.", "1.2.3", "٥٠", "\u0000", "50.00\n"],
  ...["99999999999999999999", "340282366920938463463374607431768211456", "9".repeat(500)],
]) {
  test(`the amount ${JSON.stringify(amount.slice(0, 40))} is refused`, async () => {
    await refusesField("amount", { ...right, amount });
  });
}

for (const amount of [50, -1, 50.5, true, null, [], {}]) {
  test(`the amount ${JSON.stringify(amount)}, which is no string, is refused`, async () => {
    await refusesField("amount", { ...right, amount });
  });
}

test("an exponent in a JSON number is refused as well", async () => {
  await refusesField("amount", '{"amount": 5e1, "currency": "USD"}');
  await refusesField("expires_in", '{"amount": "5.00", "currency": "USD", "expires_in": 6e2}');
});

for (const [field, body] of [
  ["amount", { currency: "USD" }],
  ["currency", { amount: "50.00" }],
  ["currency", { ...right, currency: "XXX" }],
  ["currency", { ...right, currency: "usd" }],
  ["currency", { ...right, currency: 840 }],
  ["ammount", { ...right, ammount: "50.00" }],
  ["merchant_id", { ...right, merchant_id: "mer_0" }],
  ["reference", { ...right, reference: "r".repeat(201) }],
  ["reference", { ...right, reference: "a\u0000b" }],
  ["reference", { ...right, reference: 7 }],
  ["description", { ...right, description: "d".repeat(501) }],
  ["metadata", { ...right, metadata: "text" }],
  ["metadata/size", { ...right, metadata: { size: 7 } }],
  ["metadata/size", { ...right, metadata: { size: "s".repeat(501) } }],
  ["metadata", { ...right, metadata: { "": "empty" } }],
  ["metadata", { ...right, metadata: manyEntries }],
  ["expires_in", { ...right, expires_in: 59 }],
  ["expires_in", { ...right, expires_in: 86_401 }],
  ["expires_in", { ...right, expires_in: -1 }],
  ["expires_in", { ...right, expires_in: 900.5 }],
  ["expires_in", { ...right, expires_in: "900" }],
  ["success_url", { ...right, success_url: "javascript:alert(1)" }],
  ["success_url", { ...right, success_url: "/thanks" }],
  ["success_url", { ...right, success_url: "https://shop.example/<script>" }],
]) {
  test(`${field} is named as what is wrong in ${JSON.stringify(body).slice(0, 90)}`, async () => {
    await refusesField(field, body);
  });
}

test("a field that is given twice is refused", async () => {
  await refusesField("amount", '{"amount": "50.00", "amount": "1.00", "currency": "USD"}');
});

test("several wrong fields are all named", async () => {
  const { errors } = await refuses({ amount: 1, currency: 2, colour: "red" }, 400);
  assert.deepEqual(errors.map((error) => error.field).sort(), ["amount", "colour", "currency"]);
});

test("a body of 64 KiB is read, and one byte more is 413", async () => {
  const text = JSON.stringify(right);
  const before = await world.count("payments");
  assert.equal((await create(text.padEnd(largestBody))).status, 201);
  const tooLong = text.padEnd(largestBody + 1);
  const answer = await world.sycee.request("POST", "/v1/payments", { key: world.key, body: tooLong });
  assert.equal(answer.status, 413);
  assert.equal(await sendChunked(tooLong), 413);
  assert.equal(await world.count("payments"), before + 1);
});

/** @returns {Promise<number>} the status of a creation whose body does not tell its length */
function sendChunked(body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${world.key}`, "content-type": "application/json" };
    const request = http.request(`${world.sycee.url}/v1/payments`, { method: "POST", headers, agent: false });
    request.once("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.once("error", reject);
    for (let at = 0; at < body.length; at += 8192) request.write(body.slice(at, at + 8192));
    request.end();
  });
}

test("another media type, and a compressed body, are refused", async () => {
  const body = JSON.stringify(right);
  await refuses(body, 415, { headers: { "content-type": "text/plain" } });
  await refuses(body, 415, { headers: { "content-encoding": "gzip" } });
});

test("other methods are told what there is", async () => {
  for (const method of ["PUT", "PATCH", "DELETE"]) {
    const answer = await world.sycee.request(method, "/v1/payments", { key: world.key, body: right });
    assertProblem(answer, 405);
    assert.match(answer.headers.get("allow"), /POST/);
  }
});

test("what is right is kept as it was given", async () => {
  const fields = {
    amount: "0.01",
    currency: "USD",
    reference: "<b>Ünïcode</b> 😀 'quoted' \"too\"",
    description: "line one\nline two",
    metadata: { "a/b~c": "💰", empty: "" },
    success_url: "https://shop.example/thanks?order=1&ok=yes",
    expires_in: 60,
  };
  const { status, body: created } = await create(fields);
  assert.equal(status, 201);
  const read = await world.payment(created);
  for (const field of ["amount", "currency", "reference", "description", "metadata", "success_url"]) {
    assert.deepEqual(read[field], fields[field]);
  }
  assert.deepEqual(read, created);
});

test("no merchant sees another's payments", async () => {
  const other = await world.addMerchant({ name: "Other merchant" });
  const { body: mine } = await create(right);
  const answer = await world.api("GET", `/v1/payments/${mine.id}`, { key: other.key });
  assertProblem(answer, 404);
  const unknown = await world.api("GET", `/v1/payments/${mine.id.slice(0, -1)}0`, { key: other.key });
  const { request_id: _one, ...problem } = answer.body;
  const { request_id: _two, ...sameProblem } = unknown.body;
  assert.deepEqual(problem, sameProblem);
  assert.deepEqual((await world.api("GET", "/v1/payments", { key: other.key })).body.data, []);
  const after = await world.api("GET", `/v1/payments?after=${mine.id}`, { key: other.key });
  assert.deepEqual(after.body.data, []);
});

test("an id that is none is not found", async () => {
  for (const id of ["pay_1", "nonsense", "a".repeat(1000)]) {
    assertProblem(await world.sycee.request("GET", `/v1/payments/${id}`, { key: world.key }), 404);
  }
  for (const id of ["%00", "..%2f.."]) {
    const { status } = await world.sycee.request("GET", `/v1/payments/${id}`, { key: world.key });
    assert.equal(status, 400, id);
  }
});

test("the list is newest first, page by page, without gaps while payments are added", async () => {
  const { key } = await world.addMerchant({ name: "Lister" });
  const made = [];
  for (let index = 0; index < 7; ++index) {
    made.push((await create({ ...right, reference: `listed-${index}` }, { key })).body.id);
  }
  const pages = [];
  let query = "limit=3";
  for (let page; !page || page.has_more; ) {
    page = (await world.api("GET", `/v1/payments?${query}`, { key })).body;
    pages.push(page.data.map((payment) => payment.id));
    query = `limit=3&after=${page.next_cursor}`;
    await create({ ...right, reference: "added meanwhile" }, { key });
  }
  assert.deepEqual(pages.map((page) => page.length), [3, 3, 1]);
  assert.deepEqual(pages.flat(), made.reverse());
});

for (const query of ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "after=x", "order=asc", "limit=1&limit=2"]) {
  test(`the list refuses ?${query}`, async () => {
    const answer = await world.api("GET", `/v1/payments?${query}`);
    assertProblem(answer, 400);
    assert.ok(answer.body.errors.some((error) => error.field === query.split("=")[0]));
  });
}

test("every answer follows api/openapi.yaml", () => {
  const api = new ApiContract();
  for (const { method, target, answer } of world.answers) api.checkAnswer(method, target, answer);
});
