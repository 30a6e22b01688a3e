// The walls of the API: between merchants, before whoever has no key, and against what nobody should send. The cases
// are made of api/openapi.yaml: a new operation or field is tried without a change here. Where an object of a new kind
// is needed for it, the test says so.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import {
  allScopes, hostileJson, hostileTexts, isDeletable, jsonWith, jsonWithout, nearMisses, operations, pointerOf,
  unreadableJson,
} from "../support/contract_input.mjs";
import { EventSource } from "../support/event_source.mjs";
import { Receiver } from "../support/receiver.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const contract = new ApiContract();
const month = new Date().toISOString().slice(0, 7);
/** Nothing of what the requests below do by the hundred. */
const told = ["payment.authorized", "payment.cleared", "payment.settled"];
const payee = "0x00000000000000000000000000000000000051ac";
const tooLongForABody = JSON.stringify("x".repeat(100_000));
const isId = (value) => /^[a-z]{2,3}_[0-9A-Za-z]/.test(value);
const teach = (what) => assert.fail(`teach contract_walls.test.mjs to make a ${what}`);

let world;
let receiver;
let mine;
let theirs;
let paid;

const settings = {
  secrets: { signing_key_file: "secrets/signing.key" },
  test_mode: { enabled: true },
  api: { requests_per_minute: 1_000_000 },
  rates: {
    currencies: [
      { currency: "EUR", sources: [{ kind: "fixed", rate: "0.92" }] },
      { currency: "JPY", sources: [{ kind: "fixed", rate: "156.25" }] },
    ],
  },
};

before(async () => {
  receiver = await Receiver.start();
  world = await World.start({ serve: false, settings });
  await world.sycee.cli("signing-key", "new");
  await world.sycee.start();
  const { merchant: operator } = await world.addMerchant({ name: "The operator" });
  await world.sycee.cli("fee", "recipient", operator.id);
  [mine, theirs] = [await openShop("Mine"), await openShop("Theirs")];
  // So often that each list has a second page, and no exception of one has its number in the books of the other.
  await earn(mine, "1000");
  for (const shop of [mine, mine, theirs]) await earn(shop, "1010");
  await world.sycee.cli("checkpoint", "--out", `${world.directory}/checkpoint.json`);
  // Not final for as long as no block follows: any number of refunds may be reported as paid by it.
  ({ transactionHash: paid } = await world.token.transfer(world.payer, payee, world.token.units("0.01")));
  for (const shop of [mine, theirs]) await furnish(shop);
  mine.words = await wordsOf(mine);
  mine.seen = await objectsOf(mine);
  const both = [...(await wordsOf(theirs))].filter((word) => mine.words.has(word));
  assert.deepEqual(both, [], "what is in both shops tells nothing");
});
after(async () => {
  await world?.stop();
  await receiver?.stop();
});

// ---- Shops -----------------------------------------------------------------------------------------------------

/** A merchant with its key, and the one of its test mode. */
async function openShop(name) {
  const shop = await world.addMerchant({ name, feeBasisPoints: 100 });
  const { id } = await world.sycee.json("merchant", "test-mode", shop.merchant.id);
  shop.twin = await world.sycee.createKey(id, "test mode");
  await makers.WebhookEndpointId(shop);
  return shop;
}

/** A payment that is settled, with a fee that is asked for; and an exception, where the amount is too much. */
async function earn(shop, amount) {
  const payment = await create(shop, { amount: "1000.00", reference: `order-of-${shop.merchant.id}` });
  await world.pay(payment, amount);
  await world.chain.mine(world.confirmations + 1);
  const isSettled = async () => (await read(shop, `/v1/payments/${payment.id}`)).status === "settled";
  await waitFor("the payment to be settled", isSettled);
  await world.sycee.json("fee", "invoice", shop.merchant.id);
  (shop.settled ??= []).push(payment.id);
}

/** Makes the rest, and finds what came of it: ids by the name of their schema, and by that of a field for them. */
async function furnish(shop) {
  const refunds = [await makers.RefundId(shop), await makers.RefundId(shop)];
  const open = await makers.PaymentId(shop);
  const endpoint = shop.endpoint;
  const deliveries = `/v1/webhook-endpoints/${endpoint}/deliveries?limit=100`;
  const events = (await read(shop, `/v1/events?limit=100&type=${told}`)).data;
  const isTold = async () => {
    const { data } = await read(shop, deliveries);
    return data.length === events.length && data.every(({ status }) => status === "delivered");
  };
  await waitFor("all events to be delivered", isTold);
  const ids = (list) => list.map(({ id }) => id);
  shop.objects = {
    PaymentId: [shop.settled.at(-1), open],
    ExceptionId: ids((await read(shop, "/v1/exceptions")).data),
    RefundId: refunds,
    EventId: ids(events),
    WebhookEndpointId: [endpoint],
    WebhookDeliveryId: ids((await read(shop, deliveries)).data),
    StatementPeriod: [month],
  };
  shop.named = {
    payment: () => shop.settled[0],
    target_payment: () => open,
    exception: () => shop.objects.ExceptionId.at(-1),
    quote: async () => (await made(shop, "/v1/quotes", { amount: "46.00", currency: "EUR" })).id,
    url: () => receiver.url,
    transaction_hash: () => paid,
  };
  shop.twin.objects = { PaymentId: [await makers.PaymentId(shop.twin)] };
  shop.twin.named = {};
}

/** Objects of their own for requests that use one up. */
const makers = {
  PaymentId: async (shop) => (await create(shop)).id,
  RefundId: async (shop, { body } = {}) => {
    // To nobody yet, where that is what the request is to say.
    const to = body?.examples.some(({ recipient }) => recipient) ? {} : { recipient: payee };
    const fields = { payment: shop.settled.at(-1), amount: "0.01", reason: "it did not fit", ...to };
    return (await made(shop, "/v1/refunds", fields)).id;
  },
  WebhookEndpointId: async (shop) => {
    // A merchant can't have many.
    if (shop.endpoint) await world.sycee.request("DELETE", `/v1/webhook-endpoints/${shop.endpoint}`, { key: shop.key });
    const { id, secret } = await made(shop, "/v1/webhook-endpoints", { url: receiver.url, events: told });
    receiver.secrets.push(secret);
    shop.endpoint = id;
    return id;
  },
  WebhookDeliveryId: async (shop) => {
    const { body } = await send("POST", `/v1/webhook-endpoints/${shop.endpoint}/test`, { key: shop.key });
    return body.id;
  },
};
const create = (shop, fields) =>
  made(shop, "/v1/payments", { amount: "50.00", currency: "USD", expires_in: 86_400, ...fields });

async function made(shop, target, body) {
  const answer = await send("POST", target, { key: shop.key, body });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

async function read(shop, target) {
  const answer = await send("GET", target, { key: shop.key });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** Every answer is one of the contract's, and none says that the gateway failed. */
async function send(method, target, options) {
  const answer = await world.sycee.request(method, target, options);
  contract.checkAnswer(method, target, { ...answer, body: answer.body ?? answer.text });
  assert.ok(answer.status < 500, `${method} ${target}: ${answer.text}`);
  return answer;
}

// ---- Requests --------------------------------------------------------------------------------------------------

/** Whose key an operation is for: that of test mode has nothing of the other. */
const sideOf = (shop, { path }) => (path.startsWith("/v1/test/") ? shop.twin : shop);
const isObject = ({ kind }) => kind !== "StatementPeriod";
const namesObject = ({ inPath }) => inPath.some(isObject);

/** What the path of an operation may name, of a shop; nothing where it names nothing. */
function idsFor(shop, operation) {
  const [parameter, ...more] = operation.inPath;
  assert.deepEqual(more, [], `teach contract_walls.test.mjs paths such as ${operation.path}`);
  return parameter ? (sideOf(shop, operation).objects[parameter.kind] ?? teach(parameter.kind)) : [undefined];
}
const pathOf = ({ path }, id) => path.replace(/\{\w+\}/, () => encodeURIComponent(id));
const pathsOf = (shop, operation) => idsFor(shop, operation).map((id) => pathOf(operation, id));

/** The path for an object that the request may use up. */
async function freshPath(shop, operation) {
  const make = makers[operation.inPath[0]?.kind];
  return pathOf(operation, make ? await make(sideOf(shop, operation), operation) : idsFor(shop, operation)[0]);
}

const query = (parameters) => (parameters.length > 0 ? `?${new URLSearchParams(parameters)}` : "");
const required = ({ inQuery }) => inQuery.filter((one) => one.required).map((one) => [one.name, String(one.example)]);
const hasQuery = ({ inQuery }, wanted) => inQuery.some(({ name }) => name === wanted);

const lists = operations.filter((operation) => operation.method === "GET" && !namesObject(operation));
/** Where a list is asked for as much as there can be in a page. */
function listOf(shop, operation, more = []) {
  const widest = hasQuery(operation, "limit") ? [["limit", "100"]] : [];
  return `${pathsOf(shop, operation)[0]}${query([...required(operation), ...widest, ...more])}`;
}

/** The contract's examples, with what is the shop's own where they name something. */
async function examplesFor(shop, operation) {
  const filled = [];
  for (const example of operation.body?.examples ?? [undefined]) {
    filled.push(await fill(sideOf(shop, operation), example));
  }
  // So that the next request finds something as well.
  return takesAll(operation) ? filled.map((example) => ({ ...example, amount: "0.01" })) : filled;
}
/** Where no amount is said, it is all that is left. */
const takesAll = ({ id }) => ["createRefund", "resolveException"].includes(id);
const isLeftOut = ({ said }) => ["null", "nothing"].includes(said);
const saysNoAmount = (one) => one.place.path[0] === "amount" && isLeftOut(one);

async function fill(shop, example) {
  const filled = example && { ...example };
  for (const [name, value] of Object.entries(filled ?? {})) {
    if (isId(value) || shop.named[name]) filled[name] = await (shop.named[name] ?? teach(name))();
  }
  return filled;
}

/** An id of the same kind that nobody has. */
function nobodys(id) {
  const isNumbered = /^[a-z]+_\d+_\d+$/.test(id);
  return isNumbered ? `${id}999` : `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`;
}

/** An answer but for what is another one each time. */
function shown({ status, text, headers }) {
  const changing = ["date", "request-id", "ratelimit", "ratelimit-policy"];
  const others = [...headers].filter(([name]) => !changing.includes(name));
  return { status, text: text.replaceAll(headers.get("request-id"), "(request id)"), headers: others };
}

/** What each path to an object of the shop answers. @returns {Promise<Map<string, string>>} */
async function objectsOf(shop) {
  const seen = new Map();
  for (const operation of operations.filter((one) => one.method === "GET" && namesObject(one))) {
    for (const target of pathsOf(shop, operation)) {
      seen.set(target, shown(await send("GET", target, { key: sideOf(shop, operation).key })).text);
    }
  }
  return seen;
}

/** What only the shop itself should ever read. */
async function wordsOf(shop) {
  const texts = [...(await objectsOf(shop)).values()];
  for (const operation of lists) texts.push((await send("GET", listOf(shop, operation), { key: shop.key })).text);
  const named = /"(?:reference|deposit_address|transaction_hash)":"([^"]+)"/g;
  const ids = /"([a-z]{2,3}_(?:[0-9a-z]{26}(?:_[0-9a-z]{26})?|\d+_\d+))"/g;
  return new Set(texts.flatMap((text) => [...text.matchAll(named), ...text.matchAll(ids)].map(([, word]) => word)));
}

function assertNothingOf(shop, text, target) {
  const found = text.split(/[^\w-]+/).filter((word) => shop.words.has(word));
  assert.deepEqual(found, [], `${target} shows what is another merchant's`);
}

/** Tries all cases, some at a time, and tells of all that went wrong. */
async function tryAll(cases, run, atOnce = 1) {
  const failures = [];
  const rest = [...cases];
  const work = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
      await run(one).catch((error) => failures.push(error.message.slice(0, 600)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  assert.equal(failures.length, 0, `${failures.length} of ${cases.length} cases:\n\n${failures.join("\n\n")}`);
}

// ---- Between merchants -----------------------------------------------------------------------------------------

// Deleting comes last, since nothing is there after it.
const onObjects = operations.filter(namesObject).sort((a, b) => (a.method === "DELETE") - (b.method === "DELETE"));
for (const operation of onObjects) {
  test(`${operation.id}: what is another merchant's is what nobody has`, async () => {
    const { key } = sideOf(theirs, operation);
    for (const id of idsFor(mine, operation)) {
      for (const body of await examplesFor(theirs, operation)) {
        const ask = (one) => send(operation.method, pathOf(operation, one), { key, body });
        const refused = shown(await ask(id));
        assert.equal(refused.status, 404, refused.text);
        assert.deepEqual(refused, shown(await ask(nobodys(id))), id);
      }
    }
  });
}

for (const operation of operations.filter(({ body }) => body?.examples.some((one) => Object.values(one).some(isId)))) {
  test(`${operation.id}: what a body names of another merchant is what nobody has`, async () => {
    const { key } = theirs;
    const [target] = pathsOf(theirs, operation);
    for (const body of await examplesFor(theirs, operation)) {
      for (const name of Object.keys(body).filter((one) => isId(body[one]))) {
        const foreign = await mine.named[name]();
        const ask = (one) => send(operation.method, target, { key, body: { ...body, [name]: one } });
        const refused = shown(await ask(foreign));
        assert.ok(refused.status >= 400, `${name}: ${refused.text}`);
        assert.deepEqual(refused, shown(await ask(nobodys(foreign))), name);
        const own = await ask(body[name]);
        assert.ok(own.status < 300, own.text);
      }
    }
  });
}

for (const operation of lists) {
  test(`${operation.id}: shows nothing of another merchant`, async () => {
    const { body } = await send("GET", listOf(mine, operation), { key: mine.key });
    assert.notDeepEqual(body.data, [], "it shows nothing at all");
    const filters = operation.inQuery.flatMap(({ name, schema, kind }) =>
      [...(schema.enum ?? []), ...(mine.objects[kind] ?? [])].map((value) => [[name, value]]),
    );
    for (const filter of [[], ...filters]) {
      const target = listOf(theirs, operation, filter);
      assertNothingOf(mine, (await send("GET", target, { key: theirs.key })).text, target);
    }
  });
}

for (const operation of operations.filter((one) => hasQuery(one, "after"))) {
  test(`${operation.id}: goes on nowhere after another merchant's page`, async () => {
    const [own] = pathsOf(mine, operation);
    const { next_cursor: cursor, next_after: sequence } = await read(mine, `${own}?limit=1`);
    const after = cursor ?? sequence ?? teach(`second of what ${operation.id} has`);
    const target = `${pathsOf(theirs, operation)[0]}?limit=100&after=${after}`;
    const answer = await send("GET", target, { key: theirs.key });
    assert.ok([200, 400].includes(answer.status), answer.text);
    assertNothingOf(mine, answer.text, target);
  });
}

for (const { id, path: target } of operations.filter(({ isStreamed }) => isStreamed)) {
  test(`${id}: streams nothing of another merchant`, async () => {
    const { data } = await read(theirs, `${target}?limit=100`);
    const stream = await EventSource.open(`${world.sycee.url}${target}`, { key: theirs.key });
    try {
      await waitFor("what there is", () => stream.events.length >= data.length);
    } finally {
      stream.close();
      await stream.ended;
    }
    assert.equal(stream.events.length, data.length);
    assertNothingOf(mine, JSON.stringify(stream.events), target);
  });
}

test("nothing of what the other asked for has changed anything", async () => {
  for (const [target, text] of await objectsOf(mine)) assert.equal(text, mine.seen.get(target), target);
});

for (const operation of onObjects) {
  test(`${operation.id}: its owner is answered`, async () => {
    const { key } = sideOf(mine, operation);
    for (const target of pathsOf(mine, operation)) {
      for (const body of await examplesFor(mine, operation)) {
        const answer = await send(operation.method, target, { key, body });
        assert.notEqual(answer.status, 404, answer.text);
      }
    }
  });
}

// ---- Keys ------------------------------------------------------------------------------------------------------

const restricted = {};
/** A key that may do everything else. */
async function keyWithout(scope) {
  const scopes = allScopes.filter((one) => one !== scope).flatMap((one) => ["--scope", one]);
  restricted[scope] ??= await world.sycee.json("key", "create", "--merchant", mine.merchant.id, ...scopes);
  return restricted[scope].key;
}

for (const operation of operations) {
  test(`${operation.id}: without its key nothing is told, neither of the body nor of what there is`, async () => {
    const [known] = pathsOf(mine, operation);
    if (operation.scopes.length === 0) {
      assert.equal((await send(operation.method, known)).status, 200);
      return;
    }
    const [id] = idsFor(mine, operation);
    const nowhere = id ? pathOf(operation, nobodys(id)) : known;
    const bodies = operation.method === "GET" ? [undefined] : [undefined, "{", ...(operation.body?.examples ?? [])];
    for (const [key, status] of [[undefined, 401], [await keyWithout(operation.scopes[0]), 403]]) {
      const answers = [];
      for (const target of [known, nowhere, `${known}?colour=1`]) {
        for (const body of bodies) answers.push(shown(await send(operation.method, target, { key, body })));
      }
      assert.equal(answers[0].status, status, answers[0].text);
      for (const answer of answers) assert.deepEqual(answer, answers[0]);
    }
  });
}

// ---- Bodies ----------------------------------------------------------------------------------------------------

const valueAt = (value, steps) => steps.reduce((at, step) => at?.[step], value);
const short = (text) => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** All values under this name, however deep. */
function* valuesOf(answer, name) {
  if (typeof answer !== "object" || answer === null) return;
  for (const [key, value] of Object.entries(answer)) {
    if (key === name) yield value;
    yield* valuesOf(value, name);
  }
}

/** A body that is refused says where it is wrong: at the place, in it, or in the list that has it. */
function assertNamed({ body }, steps) {
  const place = pointerOf(typeof steps.at(-1) === "number" ? steps.slice(0, -1) : steps);
  const named = body.errors?.map(({ pointer }) => pointer) ?? [];
  assert.ok(named.some((one) => one === place || one.startsWith(`${place}/`)), `it names ${named.join(", ")}`);
}

/** Text that was taken comes back as it was given, now and later. */
function assertKept(answers, { path: steps, isText, isMap }, value) {
  if (!value || !(isText || isMap)) return;
  const isAsGiven = (one) =>
    isText ? one === value : Object.entries(value).every(([name, text]) => one[name] === text);
  for (const { body } of answers) {
    const found = [...valuesOf(body, steps.at(-1))];
    assert.ok(found.length === 0 || found.some(isAsGiven), `it comes back as ${short(JSON.stringify(found))}`);
  }
}

/** The answer, and what it says is to be read from now on; deleted again where that is possible. */
async function withWhatWasMade(answer, key) {
  const location = answer.headers.get("location") ?? answer.headers.get("content-location");
  if (!location) return [answer];
  const later = await send("GET", location, { key });
  assert.equal(later.status, 200, later.text);
  // A merchant can't have many of everything.
  if (isDeletable(location)) await send("DELETE", location, { key });
  return [answer, later];
}

/** A body for each value at each place that the contract has for the operation. */
function bodiesFor({ body: { places, allows } }, right) {
  const cases = [];
  const judge = (text) => (allows(JSON.parse(text)) ? "allowed" : "wrong");
  const add = (place, said, text, is = judge(text)) => cases.push({ place, said, text, is });
  for (const place of places) {
    const { path } = place;
    const base = right.find((one) => valueAt(one, path) !== undefined) ?? right[0];
    const there = valueAt(base, path);
    const values = [
      ...hostileJson,
      ...(typeof there === "string" ? nearMisses(there) : []),
      ...(place.isMap ? hostileTexts.map((name) => JSON.stringify({ [name]: "value" })) : []),
    ];
    for (const json of values) add(place, json, jsonWith(base, path, json));
    for (const json of unreadableJson) add(place, json, jsonWith(base, path, json), "unreadable");
    add(place, "100 kB", jsonWith(base, path, tooLongForABody), "too long");
    const name = path.at(-1);
    if (typeof name !== "string") continue;
    const json = JSON.stringify(there ?? "value");
    add(place, "twice", jsonWith(base, path, `${json},${JSON.stringify(name)}:${json}`), "wrong");
    add(place, "nothing", jsonWithout(base, path));
  }
  for (const name of ["colour", "", "__proto__", "id", "merchant_id", "a/b~c", "\u0000", "<b>"]) {
    const body = Object.fromEntries([...Object.entries(right[0]), [name, "value"]]);
    add({ path: [name] }, "what is no field", JSON.stringify(body), "wrong");
  }
  return cases;
}

for (const operation of operations.filter(({ body }) => body)) {
  test(`${operation.id}: takes what the contract allows, and names what is wrong`, async () => {
    const { key } = sideOf(mine, operation);
    let target;
    const ask = async (body) => {
      target ??= await freshPath(mine, operation);
      const answer = await send(operation.method, target, { key, body });
      if (answer.status < 300) target = undefined;
      return answer;
    };
    const right = [];
    for (const example of await examplesFor(mine, operation)) {
      const answer = await ask(example);
      if (answer.status < 300) right.push(example);
      await withWhatWasMade(answer, key);
    }
    assert.ok(right.length > 0, "none of its examples is taken");
    const cases = bodiesFor(operation, right);
    // Nothing is there after what takes all.
    if (takesAll(operation)) cases.sort((a, b) => saysNoAmount(a) - saysNoAmount(b));

    await tryAll(cases, async (one) => {
      const { text, said, is, place } = one;
      let answer;
      try {
        answer = await ask(text);
        if (is === "too long") assert.equal(answer.status, 413);
        else if (is === "unreadable") assert.equal(answer.status, 400);
        else if (is === "wrong") {
          assert.equal(answer.status, 400);
          // Where there is another way to say it, what is missing may be of that one.
          if (!(operation.body.hasChoice && isLeftOut(one))) assertNamed(answer, place.path);
        } else if (answer.status < 300) {
          assertKept(await withWhatWasMade(answer, key), place, said === "nothing" ? undefined : JSON.parse(said));
        } else {
          assert.ok([400, 409].includes(answer.status));
        }
      } catch (error) {
        const at = `${short(said)} at "${pointerOf(place.path)}", which is ${is}`;
        throw new Error(`${at}: ${error.message}\n${answer?.status} ${short(answer?.text ?? "")}`);
      }
    });
  });
}

// ---- Queries ---------------------------------------------------------------------------------------------------

const hostileQueryTexts = [
  ...["", "01", "1.5", "9223372036854775807", "18446744073709551616", "-9223372036854775809", "[]", "😀".repeat(125)],
  ...["2026-02-30T00:00:00Z", "2026-02-30", "0000-00-00", "9999-12-31", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z"],
  ...["0".repeat(4_000), "a".repeat(4_000), "a,b", ","],
  ...hostileTexts,
];
const notEvenText = ["%ff%fe", "%c0%80", "%ed%a0%80"];

/** A query for each text of each parameter that the contract has for the operation. */
function queriesFor(operation) {
  const cases = [];
  const add = (name, text, is, others = required(operation)) =>
    cases.push({ name, is, text: [...others.map((one) => one.join("=")), text].join("&") });
  for (const parameter of operation.inQuery) {
    const { isMap, example, schema, allows } = parameter;
    const name = isMap ? `${parameter.name}[key]` : parameter.name;
    const others = required(operation).filter(([one]) => one !== name);
    for (const text of [...hostileQueryTexts, ...(isId(example) ? [`${example}x`] : [])]) {
      add(name, `${name}=${encodeURIComponent(text)}`, allows(text) ? "allowed" : "wrong", others);
    }
    for (const text of notEvenText) add(name, `${name}=${text}`, "wrong", others);
    const right = encodeURIComponent(example ?? schema.enum?.[0] ?? "1");
    add(name, `${name}=${right}&${name}=${right}`, "wrong", others);
    if (!isMap) continue;
    for (const key of hostileTexts) add(name, `${encodeURIComponent(`${parameter.name}[${key}]`)}=value`, "allowed");
  }
  // What has no way to say that a query is wrong reads none.
  const unknown = operation.statuses.includes("400") ? "wrong" : "ignored";
  for (const name of ["colour", "limit[]", "metadata", "__proto__", "<b>"]) {
    add(name, `${encodeURIComponent(name)}=1`, unknown);
  }
  return cases;
}

for (const operation of operations.filter(({ method }) => method === "GET")) {
  test(`${operation.id}: reads the query that the contract has, and names what is wrong`, async () => {
    const path = await freshPath(mine, operation);
    const { key } = sideOf(mine, operation);
    const run = async ({ name, text, is }) => {
      const answer = await send("GET", `${path}?${text}`, { key });
      const said = `?${short(text)}, which is ${is}: ${answer.status} ${short(answer.text)}`;
      if (is === "wrong") {
        assert.equal(answer.status, 400, said);
        assert.ok(answer.body.errors.some(({ field, pointer }) => field === name && pointer === undefined), said);
      }
      if (is === "allowed") assert.ok([200, 400].includes(answer.status), said);
      if (is === "ignored") assert.ok([200, 409].includes(answer.status), said);
    };
    await tryAll(queriesFor(operation), run, 8);
  });
}

for (const operation of operations.filter(({ inPath }) => inPath.length > 0)) {
  test(`${operation.id}: knows nothing under a path that is no id`, async () => {
    const [body] = await examplesFor(mine, operation);
    const { key } = sideOf(mine, operation);
    // With others it is no path: such a request comes to no operation.
    const texts = hostileTexts.filter((text) => /^[^\u0000-\u001f\u007f/\\]+$/.test(text));
    const run = async (text) => {
      const { status } = await send(operation.method, pathOf(operation, text), { key, body });
      assert.ok([400, 404].includes(status), `${text}: ${status}`);
    };
    await tryAll(texts, run, 8);
  });
}

// ---- After all that --------------------------------------------------------------------------------------------

test("what was taken can be read, the log has no error, and the books are right", async () => {
  for (const operation of lists) await read(mine, listOf(mine, operation));
  const lines = readFileSync(world.sycee.log, "utf8").split("\n");
  assert.ok(lines.some((line) => /^\S+ info /.test(line)), lines[0]);
  assert.deepEqual(lines.filter((line) => /^\S+ (error|critical) /.test(line)), []);
  await world.verifyBooks();
});
