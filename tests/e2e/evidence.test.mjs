// What an auditor takes away, by a role that may only read: checked by a script that shares nothing with Sycee but
// docs/evidence.md.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { run } from "../support/process.mjs";
import { binary } from "../support/sycee.mjs";
import { World } from "../support/world.mjs";

// ---- An independent checker -------------------------------------------------------------------------------------

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const wide = (value, bytes) => Buffer.from(BigInt(value).toString(16).padStart(2 * bytes, "0"), "hex");
const encodings = {
  number: (value) => wide(value, 8),
  amount: (value) => wide(value, 16),
  bytes: (value) => Buffer.from(value, "hex"),
  text: (value) => Buffer.concat([wide(Buffer.byteLength(value), 8), Buffer.from(value)]),
};
const zeros = "00".repeat(32);

/** RFC 6962: the root over leaves that are hashed already. */
function rootOf(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}
const leafOf = (content) => sha256(Buffer.from([0]), content);

/** RFC 4180. */
function parseCsv(text) {
  const rows = [[""]];
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const row = rows.at(-1);
    if (quoted && text[i] === '"' && text[i + 1] === '"') row[row.length - 1] += text[(i += 1)];
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === ",") row.push("");
    else if (!quoted && text[i] === "\r" && text[i + 1] === "\n") rows.push([""]) && (i += 1);
    else row[row.length - 1] += text[i];
  }
  const [names, ...lines] = rows.slice(0, -1);
  return lines.map((cells) => Object.fromEntries(names.map((name, i) => [name, cells[i]])));
}

async function readEvidence(folder) {
  const text = async (name) => readFile(path.join(folder, name), "utf8");
  const manifest = JSON.parse(await text("manifest.json"));
  const files = {};
  for (const { name, bytes, rows, sha256: expected } of manifest.files) {
    const content = await text(name);
    assert.equal(Buffer.byteLength(content), bytes, name);
    assert.equal(sha256(Buffer.from(content)).toString("hex"), expected, `${name}: SHA-256`);
    if (name.endsWith(".json")) files[name] = JSON.parse(content);
    else if (name.endsWith(".csv")) files[name] = parseCsv(content);
    else files[name] = content.split("\n").slice(0, -1).map((line) => JSON.parse(line));
    if (!name.endsWith(".json")) assert.equal(files[name].length, rows, `${name}: rows`);
  }
  return { manifest, files };
}

function groupBy(rows, keyOf) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(keyOf(row))) groups.set(keyOf(row), []);
    groups.get(keyOf(row)).push(row);
  }
  return groups;
}
const journalKey = ({ merchant_id, chain_id }) => `${merchant_id}/${chain_id}`;
const recordKey = (row) => `${journalKey(row)}/${row.sequence}`;

/** Every record by journal and number, once its hash is known to be that of its content and its postings. */
function checkRecords({ manifest, files }) {
  const layouts = new Map(manifest.layouts.map((one) => [`${one.kind} ${one.layout}`, one.fields]));
  const postings = groupBy(files["postings.csv"], recordKey);
  const records = new Map();
  for (const [name, lines] of Object.entries(files)) {
    if (!name.startsWith("records/")) continue;
    for (const record of lines) {
      const fields = layouts.get(`${record.kind} ${record.layout}`);
      assert.equal(`records/${record.kind}.jsonl`, name);
      assert.deepEqual(Object.keys(record), [...fields.map(([field]) => field), "hash"], name);
      const own = fields.map(([field, kind]) => encodings[kind](record[field]));
      const posted = (postings.get(recordKey(record)) ?? []).sort((a, b) => Number(a.line) - Number(b.line));
      const lines = posted.flatMap(({ debit, credit, token, amount }) => [
        encodings.text(debit),
        encodings.text(credit),
        encodings.bytes(token),
        encodings.amount(amount),
      ]);
      const hash = sha256(...own, encodings.number(posted.length), ...lines).toString("hex");
      assert.equal(hash, record.hash, `${name} ${record.sequence}: the hash`);
      assert.ok(!records.has(recordKey(record)), `${recordKey(record)} stands twice`);
      records.set(recordKey(record), record);
      postings.delete(recordKey(record));
    }
  }
  assert.equal(postings.size, 0, "postings without a record");
  return records;
}

function checkChains({ files }, records) {
  let count = 0;
  for (const journal of files["journals.csv"]) {
    const [first, last] = [Number(journal.first_sequence), Number(journal.last_sequence)];
    for (let sequence = first; sequence <= last; sequence += 1, count += 1) {
      const record = records.get(`${journalKey(journal)}/${sequence}`);
      const before = sequence === 1 ? { hash: zeros } : records.get(`${journalKey(journal)}/${sequence - 1}`);
      assert.ok(record, `${journalKey(journal)}: ${sequence} is missing`);
      if (sequence > first || first === 1) assert.equal(record.previous_hash, before.hash, `${sequence}: the chain`);
      if (sequence === Number(journal.head_sequence)) assert.equal(record.hash, journal.head_hash, "the head");
    }
  }
  assert.equal(count, records.size, "records outside of the journals");
}

const whereAccounts = ["coins", "drawn", "token_loss"];

function checkBooks({ manifest, files }) {
  const balances = new Map();
  const move = (posting, account, amount) => {
    const key = `${journalKey(posting)}/${posting.token}/${account}`;
    balances.set(key, (balances.get(key) ?? 0n) + amount);
  };
  for (const posting of files["postings.csv"]) {
    const amount = BigInt(posting.amount);
    assert.ok(amount > 0n && posting.debit !== posting.credit);
    for (const [account, sign] of [[posting.debit, 1n], [posting.credit, -1n]]) {
      move(posting, account, whereAccounts.includes(account) ? sign * amount : -sign * amount);
    }
  }
  const sums = new Map();
  for (const [key, balance] of balances) {
    const at = key.lastIndexOf("/");
    const sign = whereAccounts.includes(key.slice(at + 1)) ? 1n : -1n;
    sums.set(key.slice(0, at), (sums.get(key.slice(0, at)) ?? 0n) + sign * balance);
  }
  for (const [key, sum] of sums) assert.equal(sum, 0n, `${key}: both sides`);
  if (manifest.period) return;
  const stored = files["account_balances.csv"].map((row) => [
    `${journalKey(row)}/${row.token}/${row.account}`,
    BigInt(row.balance),
  ]);
  assert.deepEqual(new Map(stored.sort()), new Map([...balances].sort()), "the balances");
}

function checkCheckpoints({ files }, records, keys) {
  const leaves = groupBy(files["checkpoint_journals.csv"], (row) => row.checkpoint);
  let before = zeros;
  files["checkpoints.csv"].forEach((checkpoint, i) => {
    assert.equal(Number(checkpoint.number), i + 1);
    assert.equal(checkpoint.previous_hash, before, "the chain of checkpoints");
    const digest = sha256(
      encodings.text("sycee.checkpoint.1"),
      encodings.number(checkpoint.number),
      encodings.number(checkpoint.made_at),
      encodings.bytes(checkpoint.previous_hash),
      encodings.number(checkpoint.journal_count),
      encodings.bytes(checkpoint.root),
      encodings.bytes(checkpoint.public_key),
    );
    assert.equal(digest.toString("hex"), checkpoint.hash, "the checkpoint's hash");
    assert.ok(secp256k1.verify(checkpoint.signature, digest, checkpoint.public_key), "the signature");
    assert.ok(keys.includes(checkpoint.public_key), "the key");
    before = checkpoint.hash;
    const rows = (leaves.get(checkpoint.number) ?? []).sort((a, b) => Number(a.leaf_index) - Number(b.leaf_index));
    assert.equal(rows.length, Number(checkpoint.journal_count));
    assert.equal(rootOf(rows.map(({ leaf }) => encodings.bytes(leaf))).toString("hex"), checkpoint.root, "the root");
    for (const row of rows.filter(({ merchant_id }) => merchant_id !== "")) checkInterval(row, records);
  });
}

function checkInterval(row, records) {
  const leaf = Buffer.concat([
    encodings.text("sycee.interval.1"),
    encodings.bytes(row.merchant_id),
    encodings.number(row.chain_id),
    encodings.number(row.first_sequence),
    encodings.number(row.last_sequence),
    encodings.bytes(row.head),
    encodings.bytes(row.root),
  ]);
  assert.equal(leafOf(leaf).toString("hex"), row.leaf, "the interval's leaf");
  const hashes = [];
  for (let sequence = Number(row.first_sequence); sequence <= Number(row.last_sequence); sequence += 1) {
    const record = records.get(`${journalKey(row)}/${sequence}`);
    if (!record) return; // booked outside of the period
    hashes.push(leafOf(encodings.bytes(record.hash)));
  }
  assert.equal(rootOf(hashes).toString("hex"), row.root, "the interval's root");
}

/** Throws where the evidence is not whole and right in itself. */
async function checkEvidence(folder, keys) {
  const evidence = await readEvidence(folder);
  const records = checkRecords(evidence);
  checkChains(evidence, records);
  checkBooks(evidence);
  checkCheckpoints(evidence, records, keys);
  return { ...evidence, records };
}

// ---- The tests --------------------------------------------------------------------------------------------------

const formula = '=HYPERLINK("https://example.org")';
let world;
let auditor;
let stranger;

/** A configuration that has the auditor's role alone. */
async function prepareAuditor() {
  const role = await world.postgres.createRole("sycee_auditor");
  const config = await readFile(world.sycee.config, "utf8");
  await writeFile(world.sycee.config, config.replace("[database]\n", `[database]\nauditor = "${role}"\n`), { mode: 0o600 });
  await world.sycee.cli("migrate");
  const theirs = config
    .replace(/^owner_url = .*\n/m, "")
    .replace(/(\[database\]\n(?:.*\n)*?)url = .*\n/, `$1url = ${JSON.stringify(world.postgres.connection("sycee", role))}\n`);
  assert.ok(theirs.includes("sycee_auditor") && !theirs.includes("sycee_service"));
  auditor = path.join(world.sycee.directory, "auditor.toml");
  await writeFile(auditor, theirs, { mode: 0o600 });
}
const byAuditor = (...args) => run([binary, "--config", auditor, ...args]);

let folders = 0;
async function exported(...options) {
  const folder = path.join(world.directory, `evidence-${(folders += 1)}`);
  const { code, stdout, stderr } = await byAuditor("evidence", folder, ...options);
  assert.equal(code, 0, stdout + stderr);
  const [, hash] = /SHA-256 of its manifest\.json: ([0-9a-f]{64})/.exec(stdout);
  assert.equal(sha256(await readFile(path.join(folder, "manifest.json"))).toString("hex"), hash);
  return folder;
}
const publishedKeys = async () =>
  (await world.sycee.request("GET", "/.well-known/sycee-signing-keys")).body.keys.map((key) => key.public_key);
const thisMonth = () => new Date().toISOString().slice(0, 7);

before(async () => {
  world = await World.start({ serve: false, settings: { secrets: { signing_key_file: "secrets/signing.key" } } });
  await prepareAuditor();
  await world.sycee.cli("signing-key", "new");
  await world.sycee.start();
  const over = await world.createPayment({ reference: formula, description: "for Jane Doe", metadata: { note: "secret" } });
  await world.pay(over, "20");
  await world.pay(over, "45");
  await world.settle(over);
  await world.sycee.cli("checkpoint", "--out", path.join(world.directory, "first.json"));
  stranger = await world.addMerchant();
  const theirs = await world.sycee.request("POST", "/v1/payments", {
    key: stranger.key,
    body: { amount: "10.00", currency: "USD" },
  });
  await world.pay(theirs.body, "10");
  await world.settle(await world.createPayment().then(async (payment) => (await world.pay(payment), payment)));
  await world.sycee.cli("checkpoint", "--out", path.join(world.directory, "second.json"));
  await world.pay(await world.createPayment(), "5");
  await world.chain.mine(1);
});
after(async () => world?.stop());

test("an independent script checks every record, posting and checkpoint from the files alone", async () => {
  const { manifest, files, records } = await checkEvidence(await exported(), await publishedKeys());
  assert.equal(manifest.verify.right, true);
  assert.equal(manifest.verify.records, records.size);
  assert.equal(manifest.verify.postings, files["postings.csv"].length);
  assert.equal(files["journals.csv"].length, 2);
  assert.ok(files["records/settlement.jsonl"].length >= 3);
  assert.ok(files["records/clearing.jsonl"].some(({ excess }) => excess === "15000000"));
  assert.equal(files["records/reversal.jsonl"].length, 0);
  assert.ok(files["checkpoints.csv"].length >= 2);
  const kept = JSON.parse(await readFile(path.join(world.directory, "first.json"), "utf8")).checkpoint;
  assert.ok(files["checkpoints.csv"].some(({ hash }) => hash === kept.hash));
});

test("it has no words about persons, and no formulas", async () => {
  const folder = await exported();
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((one) => /\.(csv|jsonl|json)$/.test(one))) {
    const text = await readFile(path.join(folder, name), "utf8");
    assert.ok(!/Jane Doe|secret/.test(text), name);
    assert.ok(!/(^|[,"\n])[=+@]/.test(text.replaceAll("'=", "")), name);
  }
  const { files } = await readEvidence(folder);
  assert.ok(files["payments.csv"].some(({ reference }) => reference === `'${formula}`));
  const detailed = await readEvidence(await exported("--with-details"));
  assert.ok(detailed.files["payment_details.csv"].some(({ description }) => description === "for Jane Doe"));
});

test("of one merchant it tells nothing of the others, and its checkpoints still prove it", async () => {
  const folder = await exported("--merchant", world.merchant.id);
  const { files } = await checkEvidence(folder, await publishedKeys());
  assert.equal(files["journals.csv"].length, 1);
  assert.equal(files["merchants.csv"].length, 1);
  const all = await readEvidence(await exported());
  const { merchant_id: theirs } = all.files["merchants.csv"].find(({ merchant }) => merchant === stranger.merchant.id);
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\.(csv|jsonl|json)$/.test(name)) continue;
    const text = await readFile(path.join(folder, name), "utf8");
    assert.ok(!text.includes(theirs) && !text.includes(stranger.merchant.id), name);
  }
});

test("of a period it has the statements, which are those of the API", async () => {
  const period = thisMonth();
  const { files, manifest } = await checkEvidence(await exported("--period", period), await publishedKeys());
  assert.equal(manifest.period, period);
  const name = `statements/${world.merchant.id}-${period}`;
  const { body } = await world.api("GET", `/v1/statements/${period}`);
  assert.deepEqual(files[`${name}.json`].accounts, body.accounts);
  assert.equal(files[`${name}.csv`].length, body.accounts[0].settlements.count);
  const before = await checkEvidence(await exported("--period", "2020-01"), await publishedKeys());
  assert.equal(before.records.size, 0);
  assert.equal(before.files["payments.csv"].length, 0);
});

test("the checker would see what was changed, and so does the export", async () => {
  const folder = await exported();
  const keys = await publishedKeys();
  const change = async (name, from, to) => {
    const file = path.join(folder, name);
    const text = await readFile(file, "utf8");
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, name);
    await writeFile(file, changed);
    await assert.rejects(checkEvidence(folder, keys), new RegExp(`${name}: SHA-256`));
    const evidence = { manifest: JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8")) };
    evidence.manifest.files = evidence.manifest.files.map((one) =>
      one.name === name
        ? { ...one, bytes: Buffer.byteLength(changed), sha256: sha256(Buffer.from(changed)).toString("hex") }
        : one,
    );
    await writeFile(path.join(folder, "manifest.json"), JSON.stringify(evidence.manifest));
    await assert.rejects(checkEvidence(folder, keys), name);
    await writeFile(file, text);
  };
  await change("records/authorization.jsonl", '"ordinal":"0"', '"ordinal":"1"');
  await change("checkpoints.csv", /,([0-9a-f]{128})\r\n/, (all) => all.replace(/[0-9a-f]\r\n$/, (end) => (end[0] === "0" ? "1\r\n" : "0\r\n")));
  // By the owner of the database, past the triggers.
  await world.sql("SET session_replication_role = replica; UPDATE postings SET amount = amount + 1 WHERE seq = 1");
  const out = path.join(world.directory, "wrong");
  const { code, stdout } = await byAuditor("evidence", out);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^WRONG: merchant .*: authorization 1 has other postings than it says/);
  await assert.rejects(checkEvidence(out, keys), /authorization\.jsonl 1: the hash/);
  const { manifest } = await readEvidence(out);
  assert.equal(manifest.verify.right, false);
});

test("what can't be is refused", async () => {
  const refused = async (said, ...args) => {
    const { code, stderr } = await byAuditor("evidence", path.join(world.directory, "refused"), ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
  };
  await refused(/merchant: "mer_x" is not a merchant's id/, "--merchant", "mer_x");
  await refused(/period: must be a day/, "--period", "October");
  await refused(/has not begun/, "--period", "2999-01");
  const again = await byAuditor("evidence", world.directory);
  assert.notEqual(again.code, 0);
  assert.match(again.stderr, /is there already/);
});
