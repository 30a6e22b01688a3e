// Receipts of real payments, checked by a verifier that shares nothing with Sycee but docs/receipts.md, and by the
// program offline. Checkpoints that were kept outside find books that were rewritten.

import assert from "node:assert/strict";
import { secp256k1 } from "@noble/curves/secp256k1";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { concat, hexToBytes, numberToHex, sha256, stringToHex } from "viem";

import { ApiContract } from "../support/api_contract.mjs";
import { launchBrowser, openPage, overflows, phone, screenshot } from "../support/browser.mjs";
import { run } from "../support/process.mjs";
import { binary } from "../support/sycee.mjs";
import { World } from "../support/world.mjs";

const keysPath = "/.well-known/sycee-signing-keys";

// ---- An independent verifier -----------------------------------------------------------------------------------

const encodings = {
  number: (value) => numberToHex(BigInt(value), { size: 8 }),
  amount: (value) => numberToHex(BigInt(value), { size: 16 }),
  bytes: (value) => `0x${value}`,
  text: (value) => concat([numberToHex(Buffer.byteLength(value), { size: 8 }), value ? stringToHex(value) : "0x"]),
};
const hashOf = (...parts) => sha256(concat(parts));
const node = (left, right) => hashOf("0x01", left, right);
const place = "layout:text merchant_id:bytes chain_id:number sequence:number previous_hash:bytes booked_at:number kind:text";
const posting = (i) => `postings[${i}].debit:text postings[${i}].credit:text postings[${i}].token:bytes postings[${i}].amount:amount`;
const layouts = {
  authorization:
    `${place} payment_id:bytes transaction_hash:bytes token:bytes ordinal:number log_index:number sender:bytes ` +
    "recipient:bytes amount:amount block_number:number block_hash:bytes block_time:number rule_version:number " +
    "postings:number",
  clearing:
    `${place} payment_id:bytes authorization_sequence:number authorization_hash:bytes token:bytes ` +
    "cleared_at_block:number fee_version:number fee_basis_points:number gross:amount fee:amount net:amount excess:amount " +
    "shortfall:amount postings:number",
  settlement:
    `${place} payment_id:bytes authorization_sequence:number clearing_hash:bytes batch_number:number ` +
    "finalized_block:number net:amount postings:number",
};

/** A record's fields by name, once they are known to be what its hash was taken over. */
function checkRecord(record, kind) {
  const fields = Object.fromEntries(record.fields.map(({ name, value }) => [name, value]));
  const postings = Array.from({ length: Number(fields.postings) }, (_, i) => ` ${posting(i)}`).join("");
  const said = record.fields.map(({ name, kind: encoding }) => `${name}:${encoding}`).join(" ");
  assert.equal(said, layouts[kind] + postings, `${kind}: the fields`);
  assert.equal(fields.kind, kind);
  assert.equal(fields.layout, kind === "clearing" ? "sycee.record.2" : "sycee.record.1");
  const bytes = record.fields.map(({ kind: encoding, value }) => encodings[encoding](value));
  assert.equal(hashOf(...bytes), `0x${record.hash}`, `${kind}: the hash`);
  return fields;
}

/** RFC 9162, section 2.1.3.2. */
function rootByPath(leaf, index, size, path) {
  let [hash, at, last] = [leaf, BigInt(index), BigInt(size) - 1n];
  assert.ok(at <= last, "the index");
  for (const step of path) {
    assert.ok(last > 0n, "the path is too long");
    if (at % 2n === 1n || at === last) {
      hash = node(`0x${step}`, hash);
      while (at % 2n === 0n && at !== 0n) [at, last] = [at / 2n, last / 2n];
    } else {
      hash = node(hash, `0x${step}`);
    }
    [at, last] = [at / 2n, last / 2n];
  }
  assert.equal(last, 0n, "the path is too short");
  return hash;
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
function uuidOf(id, prefix) {
  const [before, letters] = id.split("_");
  assert.equal(before, prefix);
  const value = [...letters].reduce((sum, letter) => sum * 32n + BigInt(alphabet.indexOf(letter)), 0n);
  return value.toString(16).padStart(32, "0");
}

function checkTransfer(transfer, receipt, keys) {
  const authorization = checkRecord(transfer.authorization, "authorization");
  const clearing = checkRecord(transfer.clearing, "clearing");
  const settlement = checkRecord(transfer.settlement, "settlement");
  assert.equal(clearing.authorization_hash, transfer.authorization.hash);
  assert.equal(settlement.clearing_hash, transfer.clearing.hash);
  for (const record of [authorization, clearing, settlement]) {
    assert.equal(record.merchant_id, uuidOf(receipt.merchant, "mer"));
    assert.equal(record.payment_id, uuidOf(receipt.payment, "pay"));
    assert.equal(record.chain_id, authorization.chain_id);
  }
  const { interval, leaf, checkpoint, facts } = transfer;
  const size = interval.last_sequence - interval.first_sequence + 1;
  const index = Number(settlement.sequence) - interval.first_sequence;
  const record = hashOf("0x00", `0x${transfer.settlement.hash}`);
  assert.equal(rootByPath(record, index, size, interval.path), `0x${interval.root}`, "interval.path");
  const journal = hashOf(
    "0x00",
    encodings.text("sycee.interval.1"),
    encodings.bytes(settlement.merchant_id),
    encodings.number(settlement.chain_id),
    encodings.number(interval.first_sequence),
    encodings.number(interval.last_sequence),
    encodings.bytes(interval.head),
    encodings.bytes(interval.root),
  );
  assert.equal(rootByPath(journal, leaf.index, checkpoint.journal_count, leaf.path), `0x${checkpoint.root}`, "leaf.path");
  const digest = hashOf(
    encodings.text("sycee.checkpoint.1"),
    encodings.number(checkpoint.number),
    encodings.number(checkpoint.made_at),
    encodings.bytes(checkpoint.previous_hash),
    encodings.number(checkpoint.journal_count),
    encodings.bytes(checkpoint.root),
    encodings.bytes(checkpoint.public_key),
  );
  assert.equal(digest, `0x${checkpoint.hash}`, "checkpoint.hash");
  assert.ok(secp256k1.verify(checkpoint.signature, hexToBytes(digest), checkpoint.public_key), "checkpoint.signature");
  assert.ok(keys.some((key) => key.public_key === checkpoint.public_key), "checkpoint.public_key");
  const second = (value) => Math.trunc(Date.parse(value) / 1000);
  assert.deepEqual(
    { ...facts, token: facts.token.toLowerCase(), sender: facts.sender.toLowerCase(), recipient: facts.recipient.toLowerCase() },
    {
      chain_id: Number(authorization.chain_id),
      token: `0x${authorization.token}`,
      transaction_hash: `0x${authorization.transaction_hash}`,
      log_index: Number(authorization.log_index),
      sender: `0x${authorization.sender}`,
      recipient: `0x${authorization.recipient}`,
      amount_base_units: authorization.amount,
      block_number: Number(authorization.block_number),
      block_hash: `0x${authorization.block_hash}`,
      block_time: facts.block_time,
      authorized_at: facts.authorized_at,
      cleared_at: facts.cleared_at,
      settled_at: facts.settled_at,
      gross_base_units: clearing.gross,
      fee_base_units: clearing.fee,
      net_base_units: clearing.net,
      excess_base_units: clearing.excess,
      finalized_block: Number(settlement.finalized_block),
    },
    "facts",
  );
  assert.equal(second(facts.block_time), Number(authorization.block_time), "facts.block_time");
  assert.equal(Date.parse(facts.authorized_at), Number(authorization.booked_at), "facts.authorized_at");
  assert.equal(Date.parse(facts.cleared_at), Number(clearing.booked_at), "facts.cleared_at");
  assert.equal(Date.parse(facts.settled_at), Number(settlement.booked_at), "facts.settled_at");
  return { authorization, clearing, settlement };
}

/** Throws where the receipt does not prove what it says. @returns the fields of each transfer's records */
function checkReceipt(receipt, keys) {
  assert.equal(receipt.object, "receipt");
  assert.equal(receipt.version, 1);
  assert.ok(receipt.transfers.length > 0);
  return receipt.transfers.map((transfer) => checkTransfer(transfer, receipt, keys));
}

// ---- The tests -------------------------------------------------------------------------------------------------

let world;
before(async () => {
  world = await World.start({ serve: false, settings: { secrets: { signing_key_file: "secrets/signing.key" } } });
  await world.sycee.cli("signing-key", "new");
  await world.sycee.start();
});
after(async () => world?.stop());

const receiptOf = ({ id }) => world.api("GET", `/v1/payments/${id}/receipt`);
const publishedKeys = async () => (await world.sycee.request("GET", keysPath)).body.keys;
const fileOf = (name) => path.join(world.directory, name);

async function saved(name, value) {
  await writeFile(fileOf(name), typeof value === "string" ? value : JSON.stringify(value));
  return fileOf(name);
}
/** `sycee receipt verify`, which needs no configuration. */
async function verified(receipt, ...options) {
  return run([binary, "receipt", "verify", await saved("receipt.json", receipt), ...options]);
}
/** Makes a checkpoint now, whatever the pace of those on demand. */
async function checkpoint(name) {
  await world.sycee.cli("checkpoint", "--out", fileOf(name));
  return fileOf(name);
}

test("the key is its owner's alone, and its public part is published to anybody", async () => {
  const file = await stat(path.join(world.sycee.directory, "secrets/signing.key"));
  assert.equal(file.mode & 0o777, 0o600);
  const answer = await world.sycee.request("GET", keysPath);
  assert.equal(answer.status, 200);
  new ApiContract().checkAnswer("GET", keysPath, answer);
  assert.equal(answer.body.keys.length, 1);
  assert.equal(answer.body.keys[0].retired_at, null);
});

test("a payment that is not settled has no receipt", async () => {
  const payment = await world.createPayment();
  for (const status of ["open", "authorized"]) {
    const answer = await receiptOf(payment);
    assert.equal(answer.status, 409, answer.text);
    assert.equal(answer.body.code, "not_settled");
    assert.match(answer.body.detail, new RegExp(status));
    if (status === "open") {
      await world.pay(payment);
      await world.expectStatus(payment, "authorized");
    }
  }
  assert.equal((await receiptOf({ id: "pay_01kaq5w8g0fn5temf1svhtd9ds" })).status, 404);
  const stranger = await world.addMerchant();
  const answer = await world.api("GET", `/v1/payments/${payment.id}/receipt`, { key: stranger.key });
  assert.equal(answer.status, 404);
});

let paid;
let receipt;
test("a settled payment has a receipt that an independent verifier proves", async () => {
  paid = await world.createPayment();
  await world.pay(paid, "20");
  const last = await world.pay(paid, "35");
  await world.settle(paid);
  await checkpoint("first.json");
  const answer = await receiptOf(paid);
  assert.equal(answer.status, 200, answer.text);
  receipt = answer.body;
  const keys = await publishedKeys();
  const [, second] = checkReceipt(receipt, keys);
  assert.equal(receipt.transfers.length, 2);
  assert.equal(`0x${second.authorization.transaction_hash}`, last.transactionHash);
  assert.deepEqual(
    [second.authorization.amount, second.clearing.gross, second.clearing.excess],
    ["35000000", "30000000", "5000000"],
  );
});

test("the program checks it offline and says what it proves", async () => {
  const keys = await saved("keys.json", (await world.sycee.request("GET", keysPath)).text);
  const { code, stdout } = await verified(receipt, "--keys", keys);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^Right\. It proves, for pay_/);
  assert.ok(stdout.includes(receipt.transfers[0].facts.transaction_hash));
  const unknown = await verified(receipt);
  assert.equal(unknown.code, 0);
  assert.match(unknown.stdout, /Whose key that is, it does not prove/);
  const others = await saved("others.json", {
    object: "signing_keys",
    keys: [{ public_key: `02${"11".repeat(32)}`, created_at: "2026-01-01T00:00:00Z", retired_at: null }],
  });
  const strange = await verified(receipt, "--keys", others);
  assert.equal(strange.code, 1);
  assert.match(strange.stdout, /^WRONG: signed by .* which is not among the keys/);
});

/** Every text and number in a document, with what it may be altered to. */
function* alterations(value, at = []) {
  if (typeof value === "number") yield { at, to: value + 1 };
  else if (typeof value === "string") {
    const end = value.length - (value.endsWith("Z") ? 2 : 1);
    yield { at, to: `${value.slice(0, end)}${value[end] === "0" ? "1" : "0"}${value.slice(end + 1)}` };
  } else if (value !== null && typeof value === "object") {
    for (const [key, below] of Object.entries(value)) yield* alterations(below, [...at, key]);
  }
}
function altered(document, { at, to }) {
  const copy = structuredClone(document);
  const parent = at.slice(0, -1).reduce((below, key) => below[key], copy);
  parent[at.at(-1)] = to;
  return copy;
}

test("whatever is altered, both refuse it, and the program names what it is", async () => {
  const keys = await publishedKeys();
  const one = { ...receipt, transfers: receipt.transfers.slice(1) };
  checkReceipt(one, keys);
  assert.equal((await verified(one)).code, 0);
  let count = 0;
  for (const alteration of alterations(one)) {
    const tampered = altered(one, alteration);
    const name = alteration.at.join(".");
    assert.throws(() => checkReceipt(tampered, keys), `the verifier takes another ${name}`);
    const { code, stdout, stderr } = await verified(tampered);
    assert.equal(code, 1, `the program takes another ${name}: ${stdout}${stderr}`);
    assert.match(stdout, /^WRONG: (transfers\[0\]\.[a-z]|object|version|merchant|payment)/, name);
    count += 1;
  }
  assert.ok(count > 150, `${count} alterations`);
  const named = async (change) => {
    const tampered = structuredClone(one);
    change(tampered.transfers[0]);
    return (await verified(tampered)).stdout;
  };
  assert.match(await named((transfer) => (transfer.facts.amount_base_units = "1")), /facts\.amount_base_units: is not what/);
  assert.match(await named((transfer) => transfer.leaf.path.push("00".repeat(32))), /leaf\.path: does not lead/);
  assert.match(await named((transfer) => transfer.clearing.fields.pop()), /clearing\.postings\[\d\]\.amount: is missing/);
  assert.match(await named((transfer) => (transfer.more = 1)), /transfers\[0\]\.more: is not a member/);
});

test("a page checks it in the browser, which asks nobody", async () => {
  const browser = await launchBrowser();
  try {
    const page = await openPage(browser, { viewport: phone });
    await page.goto(`${world.sycee.url}/receipt`, { waitUntil: "networkidle" });
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    const said = page.locator("#said");
    const ask = async (document) => {
      await page.locator("#text").fill(typeof document === "string" ? document : JSON.stringify(document));
      await page.locator("#said").evaluate((element) => (element.dataset.state = "asked"));
      await page.locator("button").click();
      await page.locator("#said:not([data-state=asked])").waitFor();
      return said.innerText();
    };
    const right = await ask(receipt);
    assert.match(right, /^Right\n/);
    assert.ok(right.includes(receipt.transfers[1].facts.transaction_hash));
    assert.ok(right.includes("is one that this gateway published"));
    await screenshot(page, "receipt-phone");
    assert.equal(await overflows(page), false);
    const one = { ...receipt, transfers: receipt.transfers.slice(1) };
    for (const alteration of alterations(one)) {
      const name = alteration.at.join(".");
      assert.match(await ask(altered(one, alteration)), /^Wrong\n\s*(transfers\[0\]\.[a-z]|object|version|merchant|payment)/, name);
    }
    assert.match(await ask("{"), /^Not a receipt/);
    // From a file.
    await page.locator("#file").setInputFiles({ name: "receipt.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(receipt)) });
    await page.locator("#said[data-state=right]").waitFor();
    assert.deepEqual(requests, []);
    assert.deepEqual(page.complaints, []);
  } finally {
    await browser.close();
  }
});

test("what is settled after the last checkpoint waits for the next, which is never more than a minute away", async () => {
  const payment = await world.createPayment();
  await world.pay(payment);
  // The tests before this one may have taken the minute after which a receipt would make a checkpoint by itself.
  await checkpoint("before.json");
  await world.settle(payment);
  const answer = await receiptOf(payment);
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.body.code, "receipt_pending");
  const wait = Number(answer.headers.get("retry-after"));
  assert.ok(wait >= 1 && wait <= 60, `${wait}`);
  await checkpoint("second.json");
  const [{ settlement }] = checkReceipt((await receiptOf(payment)).body, await publishedKeys());
  assert.equal(settlement.net, "50000000");
  assert.equal((await receiptOf(paid)).body.transfers[0].checkpoint.number, receipt.transfers[0].checkpoint.number);
});

test("another key signs what comes after, and what the one before has signed stands", async () => {
  await world.sycee.cli("signing-key", "new");
  const payment = await world.createPayment();
  await world.pay(payment);
  await world.settle(payment);
  await checkpoint("third.json");
  const keys = await publishedKeys();
  assert.equal(keys.length, 2);
  assert.equal(keys[0].retired_at, null);
  assert.notEqual(keys[1].retired_at, null);
  const { body } = await receiptOf(payment);
  checkReceipt(body, keys);
  assert.equal(body.transfers[0].checkpoint.public_key, keys[0].public_key);
  assert.equal(receipt.transfers[0].checkpoint.public_key, keys[1].public_key);
  checkReceipt(receipt, keys);
});

test("the answers are those of the contract", () => {
  const contract = new ApiContract();
  for (const { method, target, answer } of world.answers) contract.checkAnswer(method, target, answer);
});

test("verification goes on from an exported checkpoint, by the key that one knows", async () => {
  const exported = fileOf("verified.json");
  const made = await world.sycee.cli("verify", "--export", exported);
  assert.match(made, /^Right: \d+ record\(s\)/);
  const [, key] = /signed by ([0-9a-f]{66})/.exec(made);
  assert.ok((await publishedKeys()).some(({ public_key }) => public_key === key));
  assert.match(await world.sycee.cli("checkpoint", "verify", exported), /^Right: /);
  const payment = await world.createPayment();
  await world.pay(payment);
  await world.settle(payment);
  const from = async (file, ...options) => world.sycee.command("verify", "--from", file, ...options);
  const right = await from(exported, "--public-key", key);
  assert.equal(right.code, 0, right.stdout + right.stderr);
  assert.match(right.stdout, /^Right: [4-9] record\(s\) and \d+ posting\(s\) in 1 journal\(s\), from checkpoint \d+ of /);
  assert.doesNotMatch(right.stdout, /proves nothing/);
  assert.match((await from(exported)).stdout, /looked up in the same database, which proves nothing/);
  // The next one rests on this one.
  const next = fileOf("verified-next.json");
  await world.sycee.cli("verify", "--from", exported, "--public-key", key, "--export", next);
  assert.match((await from(next, "--public-key", key)).stdout, /^Right: 0 record\(s\)/);
  const wrong = async (said, file, ...options) => {
    const { code, stdout } = await from(file, ...options);
    assert.equal(code, 1, stdout);
    assert.match(stdout, said);
  };
  await wrong(/^WRONG: .* is signed by .*, which is not a key that it may be signed by/, exported, "--public-key", `02${"11".repeat(32)}`);
  const document = JSON.parse(await readFile(exported, "utf8"));
  document.state.journals[0].balances[0].balance += "0";
  const forged = await from(await saved("forged-state.json", document));
  assert.equal(forged.code, 2, forged.stdout);
  assert.match(forged.stderr, /state\.hash: is not that of the state/);
  const plain = await from(fileOf("third.json"));
  assert.equal(plain.code, 2);
  assert.match(plain.stderr, /has no verified state/);
  const kept = await world.sycee.command("verify", "--export", exported);
  assert.equal(kept.code, 2);
  assert.match(kept.stderr, /is there already/);
});

test("a kept checkpoint agrees with the books, and names the journal that was changed since", async () => {
  for (const name of ["first.json", "second.json", "third.json"]) {
    const { code, stdout } = await world.sycee.command("checkpoint", "verify", fileOf(name));
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^Right: \d+ record\(s\) in 1 journal\(s\) are those of checkpoint \d+/);
  }
  const kept = JSON.parse(await readFile(fileOf("first.json"), "utf8"));
  kept.journals[0].last_sequence += 1;
  const forged = await world.sycee.command("checkpoint", "verify", await saved("forged.json", kept));
  assert.equal(forged.code, 1);
  assert.match(forged.stdout, /journals: are not those that were signed/);
  // By the owner of the database, past the triggers.
  await world.sql(
    "SET session_replication_role = replica; UPDATE clearings SET hash = sha256(hash) WHERE seq = (SELECT min(seq) FROM clearings)",
  );
  const found = await world.sycee.command("checkpoint", "verify", fileOf("third.json"));
  assert.equal(found.code, 1, found.stdout);
  assert.match(found.stdout, new RegExp(`^WRONG: merchant ${world.merchant.id}, chain 31337: records 1 to \\d+ are not those of checkpoint`));
  // What is older than the checkpoint, and nothing since rests on, only the whole verification sees.
  assert.equal((await world.sycee.command("verify", "--from", fileOf("verified.json"))).code, 0);
  const whole = await world.sycee.command("verify");
  assert.equal(whole.code, 1);
  assert.match(whole.stdout, /clearing \d+ has been changed/);
  const refused = await world.sycee.command("verify", "--export", fileOf("of-wrong-books.json"));
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /^WRONG: /);
  await assert.rejects(stat(fileOf("of-wrong-books.json")));
});
