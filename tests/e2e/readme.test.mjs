// The README's examples, run as they stand there: each block of a shell that calls the API, and the receiver of
// webhooks. Only what differs for each reader is put in: the gateway's address, the key, and the ids.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { ApiContract } from "../support/api_contract.mjs";
import { runOrThrow } from "../support/process.mjs";
import { World } from "../support/world.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const section = readme.slice(readme.indexOf("\n## Try the API"), readme.indexOf("\n## Run it for yourself"));
const contract = new ApiContract();

/** The blocks of a language, each with the text up to the next block. */
function blocks(language) {
  const found = section.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...found].filter(([, name]) => name === language).map(([, , text]) => text);
}

const shell = blocks("sh");
const settings = shell.filter((block) => !block.includes("curl"));
const calls = shell.filter((block) => block.includes("curl"));
const answers = blocks("json").map((text) => JSON.parse(text));

let world, folder;
before(async () => {
  world = await World.start();
  folder = path.join(world.directory, "reader");
  await mkdir(path.join(folder, ".run", "secrets"), { recursive: true });
  await writeFile(path.join(folder, ".run", "secrets", "api-key"), `${world.key}\n`);
});
after(async () => world?.stop());

// The README's ids, and what they are here.
const ids = new Map();
const asHere = (text) =>
  [...ids]
    .reduce((all, [theirs, ours]) => all.replaceAll(theirs, ours), text)
    .replaceAll("http://127.0.0.1:8080", world.sycee.url);

/** Runs the block that has this text. @returns what the API answered to each curl in it */
async function run(having) {
  const block = calls.find((each) => each.includes(having));
  assert.ok(block, `no block of the README has ${having}`);
  const script = `
    set -euo pipefail
    curl() { command curl --silent --show-error --write-out '\\n%{json}\\n' "$@"; }
    ${asHere(settings.join("\n"))}
    ${asHere(block)}`;
  const { stdout } = await runOrThrow(["bash", "-c", script], { cwd: folder });
  const lines = stdout.trimEnd().split("\n");
  return Array.from({ length: lines.length / 2 }, (_, index) => {
    const [body, facts] = lines.slice(2 * index, 2 * index + 2).map((line) => JSON.parse(line));
    const headers = new Headers({ "content-type": facts.content_type });
    const answer = { status: facts.response_code, headers, body };
    const target = facts.url.replace(world.sycee.url, "");
    contract.checkAnswer(facts.method, target, answer);
    ran.add(block);
    return answer;
  });
}
const ran = new Set();

/** The same names, and lists and objects at the same places. */
function shape(value) {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shape(each)]));
}

test("create: the answer has the shape of the README's, and is the same when asked again", async () => {
  const [created] = await run("Idempotency-Key");
  assert.equal(created.status, 201);
  assert.deepEqual(shape(created.body), shape(answers[0]));
  ids.set(answers[0].id, created.body.id);
  const [again] = await run("Idempotency-Key");
  assert.deepEqual([again.status, again.body], [201, created.body]);
});

test("get and list have the payment, settled once it was paid", async () => {
  const { id } = answers[0];
  const payment = await world.payment({ id: ids.get(id) });
  await world.pay(payment);
  await world.settle(payment);
  const [one, newest] = await run(`/v1/payments/${id}`);
  assert.deepEqual([one.status, newest.status], [200, 200]);
  assert.equal(one.body.status, "settled");
  assert.deepEqual(newest.body.data, [one.body]);
});

test("a wrong request gets the answer that the README shows", async () => {
  const [{ status, body }] = await run('"amount": 50,');
  assert.equal(status, 400);
  assert.deepEqual({ ...body, request_id: answers[1].request_id }, answers[1]);
});

test("an order that is given up is found, and canceled", async () => {
  const { id } = await world.createPayment({ reference: "order-1001" });
  const [, shown] = /(pay_\w+)\/cancel/.exec(section);
  ids.set(shown, id);
  const [found, canceled] = await run("/cancel \\");
  assert.deepEqual(found.body.data.map((one) => one.id), [id]);
  assert.deepEqual([canceled.status, canceled.body.status], [200, "canceled"]);
});

test("a refund is promised, and reported", async () => {
  const [created] = await run("/v1/refunds \\");
  assert.equal(created.status, 201);
  assert.equal(created.body.amount, "20.000000");
  ids.set(/ref_\w+/.exec(section)[0], created.body.id);
  const [reported] = await run("/report");
  assert.equal(reported.status, 200);
  assert.equal(reported.body.status, "reported");
});

test("the receiver releases what was cleared, and nothing that was changed", async () => {
  const [example] = blocks("js").filter((block) => block.includes("WebhookVerifier"));
  const client = pathToFileURL(createRequire(import.meta.url).resolve("@sycee/client")).href;
  const file = path.join(folder, "receiver.mjs");
  const rest = `const release = (reference) => released.push(reference);\nexport const released = [];\nexport { receive };\n`;
  await writeFile(file, example.replace('"@sycee/client"', JSON.stringify(client)) + rest);
  process.env.SYCEE_WEBHOOK_SECRET = world.webhookSecret;
  const { receive, released } = await import(pathToFileURL(file).href);

  const id = ids.get(answers[0].id);
  await world.receiver.expect({ id }, "payment.settled");
  const { body, headers } = world.receiver.requests.find(({ body }) => JSON.parse(body).type === "payment.cleared");
  await receive(body, headers);
  assert.deepEqual(released, ["order-7"]);
  const changed = Buffer.from(body.toString().replace("order-7", "order-8"));
  await assert.rejects(receive(changed, headers), { name: "WebhookVerificationError" });
  assert.deepEqual(released, ["order-7"]);
});

test("every block that calls the API was run", () => {
  assert.ok(calls.length >= 5);
  assert.deepEqual(
    calls.filter((block) => !ran.has(block)),
    [],
  );
});
