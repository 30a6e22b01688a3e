// Checks a receipt by itself: nothing is asked of anybody. docs/receipts.md says what is checked and why.
import { verify } from "./noble_secp256k1.js";

/** What is wrong, with the place where it stands. */
export class Wrong extends Error {
  constructor(place, what) {
    super(`${place}: ${what}`);
  }
}
function require(holds, place, what) {
  if (!holds) throw new Wrong(place, what);
}

const place = [
  ["layout", "text"],
  ["merchant_id", "bytes", 16],
  ["chain_id", "number"],
  ["sequence", "number"],
  ["previous_hash", "bytes", 32],
  ["booked_at", "number"],
  ["kind", "text"],
  ["payment_id", "bytes", 16],
];
const layouts = {
  authorization: [
    ...place,
    ["transaction_hash", "bytes", 32],
    ["token", "bytes", 20],
    ["ordinal", "number"],
    ["log_index", "number"],
    ["sender", "bytes", 20],
    ["recipient", "bytes", 20],
    ["amount", "amount"],
    ["block_number", "number"],
    ["block_hash", "bytes", 32],
    ["block_time", "number"],
    ["rule_version", "number"],
  ],
  clearing: [
    ...place,
    ["authorization_sequence", "number"],
    ["authorization_hash", "bytes", 32],
    ["token", "bytes", 20],
    ["cleared_at_block", "number"],
    ["fee_basis_points", "number"],
    ["gross", "amount"],
    ["fee", "amount"],
    ["net", "amount"],
    ["excess", "amount"],
    ["shortfall", "amount"],
  ],
  settlement: [
    ...place,
    ["authorization_sequence", "number"],
    ["clearing_hash", "bytes", 32],
    ["batch_number", "number"],
    ["finalized_block", "number"],
    ["net", "amount"],
  ],
};

// A clearing that names the version of its fees has another layout than those of before there were any.
function fieldsOf(kind, layout) {
  if (layout === "sycee.record.1") return layouts[kind];
  if (layout !== "sycee.record.2" || kind !== "clearing") return undefined;
  const at = layouts.clearing.findIndex(([name]) => name === "fee_basis_points");
  return [...layouts.clearing.slice(0, at), ["fee_version", "number"], ...layouts.clearing.slice(at)];
}

function numberBytes(value, width) {
  const bytes = new Uint8Array(width);
  let rest = BigInt(value);
  for (let i = width - 1; i >= 0; i -= 1) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}
function hexBytes(text, width, at) {
  require(typeof text === "string" && new RegExp(`^[0-9a-f]{${2 * width}}$`).test(text), at, `must be ${2 * width} hex digits`);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
function textBytes(text) {
  const bytes = new TextEncoder().encode(text);
  return joined(numberBytes(bytes.length, 8), bytes);
}
function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
async function hashOf(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}
const node = (left, right) => hashOf(Uint8Array.of(1), left, right);
const leafOf = (...content) => hashOf(Uint8Array.of(0), ...content);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function fieldBytes({ kind, value }, width, at) {
  require(typeof value === "string", at, "must be text");
  if (kind === "text") return textBytes(value);
  if (kind === "bytes") return hexBytes(value, width ?? value.length / 2, at);
  const size = kind === "amount" ? 16 : 8;
  const plain = /^(0|[1-9][0-9]{0,38})$/.test(value) && BigInt(value) < 1n << BigInt(8 * size);
  require(plain, at, "must be a whole number");
  return numberBytes(value, size);
}

/** The fields of a record by name, once they are what its hash was taken over. */
async function readRecord(record, kind, at) {
  require(Array.isArray(record?.fields) && record.fields.length <= 100, `${at}.fields`, "must be a list");
  const own = fieldsOf(kind, record.fields[0]?.value);
  require(own !== undefined, `${at}.layout`, "is not known here");
  const expected = [...own, ["postings", "number"]];
  const lines = Number(record.fields[own.length]?.value ?? 0);
  require(Number.isInteger(lines) && lines >= 0 && lines <= 3, `${at}.postings`, "must be 0 to 3");
  for (let i = 0; i < lines; i += 1) {
    const line = `postings[${i}].`;
    expected.push([`${line}debit`, "text"], [`${line}credit`, "text"], [`${line}token`, "bytes", 20], [`${line}amount`, "amount"]);
  }
  require(record.fields.length === expected.length, `${at}.fields`, `must be ${expected.length}`);
  const fields = {};
  const parts = expected.map(([name, encoding, width], i) => {
    const field = record.fields[i];
    require(field?.name === name, `${at}.${field?.name}`, `stands where ${name} is expected`);
    require(field.kind === encoding, `${at}.${name}`, `must be of kind ${encoding}`);
    fields[name] = field.value;
    return fieldBytes(field, width, `${at}.${name}`);
  });
  require(fields.kind === kind, `${at}.kind`, `must be ${kind}`);
  require(hex(await hashOf(...parts)) === record.hash, at, "has another hash than its fields give");
  return fields;
}

/** RFC 9162, section 2.1.3.2. */
async function rootByPath(leaf, index, size, path, at) {
  require(Array.isArray(path) && path.length <= 64, at, "must be a list of at most 64");
  require(index >= 0n && index < size, at, "is of no such leaf");
  let [hash, position, last] = [leaf, index, size - 1n];
  for (const [i, step] of path.entries()) {
    require(last > 0n, at, "is too long");
    const beside = hexBytes(step, 32, `${at}[${i}]`);
    if (position % 2n === 1n || position === last) {
      hash = await node(beside, hash);
      while (position % 2n === 0n && position !== 0n) [position, last] = [position / 2n, last / 2n];
    } else {
      hash = await node(hash, beside);
    }
    [position, last] = [position / 2n, last / 2n];
  }
  require(last === 0n, at, "is too short");
  return hex(hash);
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
function uuidOf(id, prefix, at) {
  const letters = typeof id === "string" && id.startsWith(`${prefix}_`) ? id.slice(prefix.length + 1) : "";
  require(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(letters), at, `must be an id that begins with ${prefix}_`);
  const value = [...letters].reduce((sum, letter) => sum * 32n + BigInt(alphabet.indexOf(letter)), 0n);
  return value.toString(16).padStart(32, "0");
}

function checkLife({ authorization, clearing, settlement }, transfer, at) {
  const same = (holds, field, what) => require(holds, `${at}${field}`, what);
  same(clearing.authorization_hash === transfer.authorization.hash, "clearing.authorization_hash", "is not the hash of the authorization");
  same(settlement.clearing_hash === transfer.clearing.hash, "settlement.clearing_hash", "is not the hash of the clearing");
  for (const [name, record] of Object.entries({ clearing, settlement })) {
    same(record.authorization_sequence === authorization.sequence, `${name}.authorization_sequence`, "is not that of the authorization");
  }
  same(BigInt(authorization.sequence) < BigInt(clearing.sequence), "clearing.sequence", "is not after the authorization");
  same(BigInt(clearing.sequence) < BigInt(settlement.sequence), "settlement.sequence", "is not after the clearing");
  same(clearing.token === authorization.token, "clearing.token", "is not that of the authorization");
  const [amount, gross, fee, net, excess] = [authorization.amount, clearing.gross, clearing.fee, clearing.net, clearing.excess].map(BigInt);
  same(net + fee === gross, "clearing.net", "is not gross less fee");
  same(gross + excess === amount, "clearing.excess", "is not what arrived less gross");
  same(settlement.net === clearing.net, "settlement.net", "is not that of the clearing");
  same(BigInt(authorization.block_number) <= BigInt(settlement.finalized_block), "settlement.finalized_block", "is below the block of the transfer");
}

function checkFacts(facts, { authorization, clearing, settlement }, at) {
  const time = (milliseconds) => new Date(Number(milliseconds)).getTime();
  const expected = {
    chain_id: [String(facts?.chain_id), authorization.chain_id],
    token: [String(facts?.token).toLowerCase(), `0x${authorization.token}`],
    transaction_hash: [facts?.transaction_hash, `0x${authorization.transaction_hash}`],
    log_index: [String(facts?.log_index), authorization.log_index],
    sender: [String(facts?.sender).toLowerCase(), `0x${authorization.sender}`],
    recipient: [String(facts?.recipient).toLowerCase(), `0x${authorization.recipient}`],
    amount_base_units: [facts?.amount_base_units, authorization.amount],
    block_number: [String(facts?.block_number), authorization.block_number],
    block_hash: [facts?.block_hash, `0x${authorization.block_hash}`],
    block_time: [Date.parse(facts?.block_time), time(1000n * BigInt(authorization.block_time))],
    authorized_at: [Date.parse(facts?.authorized_at), time(authorization.booked_at)],
    cleared_at: [Date.parse(facts?.cleared_at), time(clearing.booked_at)],
    settled_at: [Date.parse(facts?.settled_at), time(settlement.booked_at)],
    gross_base_units: [facts?.gross_base_units, clearing.gross],
    fee_base_units: [facts?.fee_base_units, clearing.fee],
    net_base_units: [facts?.net_base_units, clearing.net],
    excess_base_units: [facts?.excess_base_units, clearing.excess],
    finalized_block: [String(facts?.finalized_block), settlement.finalized_block],
  };
  for (const [name, [said, right]] of Object.entries(expected)) {
    require(said === right, `${at}facts.${name}`, "is not what the records say");
  }
}

function count(value, at) {
  require(Number.isSafeInteger(value) && value >= 0, at, "must be a whole number");
  return BigInt(value);
}

async function checkProof(transfer, settlement, at) {
  const { interval, leaf, checkpoint } = transfer;
  const first = count(interval?.first_sequence, `${at}interval.first_sequence`);
  const last = count(interval.last_sequence, `${at}interval.last_sequence`);
  const sequence = BigInt(settlement.sequence);
  require(first >= 1n && first <= sequence && sequence <= last, `${at}settlement.sequence`, "is not within the interval");
  const record = await leafOf(hexBytes(transfer.settlement.hash, 32, `${at}settlement.hash`));
  const root = await rootByPath(record, sequence - first, last - first + 1n, interval.path, `${at}interval.path`);
  require(root === interval.root, `${at}interval.path`, "does not lead from the settlement to the interval's root");
  require(sequence !== last || transfer.settlement.hash === interval.head, `${at}interval.head`, "is not the hash of the last record");
  const journal = await leafOf(
    textBytes("sycee.interval.1"),
    hexBytes(settlement.merchant_id, 16, `${at}settlement.merchant_id`),
    numberBytes(settlement.chain_id, 8),
    numberBytes(first, 8),
    numberBytes(last, 8),
    hexBytes(interval.head, 32, `${at}interval.head`),
    hexBytes(interval.root, 32, `${at}interval.root`),
  );
  const journals = count(checkpoint?.journal_count, `${at}checkpoint.journal_count`);
  const whole = await rootByPath(journal, count(leaf?.index, `${at}leaf.index`), journals, leaf.path, `${at}leaf.path`);
  require(whole === checkpoint.root, `${at}leaf.path`, "does not lead from the interval to the checkpoint's root");
  const publicKey = hexBytes(checkpoint.public_key, 33, `${at}checkpoint.public_key`);
  const digest = await hashOf(
    textBytes("sycee.checkpoint.1"),
    numberBytes(count(checkpoint.number, `${at}checkpoint.number`), 8),
    numberBytes(count(checkpoint.made_at, `${at}checkpoint.made_at`), 8),
    hexBytes(checkpoint.previous_hash, 32, `${at}checkpoint.previous_hash`),
    numberBytes(journals, 8),
    hexBytes(checkpoint.root, 32, `${at}checkpoint.root`),
    publicKey,
  );
  require(hex(digest) === checkpoint.hash, `${at}checkpoint.hash`, "is not that of the checkpoint");
  const signature = hexBytes(checkpoint.signature, 64, `${at}checkpoint.signature`);
  require(verify(signature, digest, publicKey), `${at}checkpoint.signature`, "is not that of this checkpoint by its key");
}

/**
 * Throws Wrong where the receipt does not prove what it says.
 * @returns {Promise<{facts: object, checkpoint: object}[]>} its transfers
 */
export async function checkReceipt(receipt) {
  require(receipt?.object === "receipt", "object", 'must be "receipt"');
  require(receipt.version === 1, "version", "must be 1");
  const merchant = uuidOf(receipt.merchant, "mer", "merchant");
  const payment = uuidOf(receipt.payment, "pay", "payment");
  require(Array.isArray(receipt.transfers) && receipt.transfers.length > 0, "transfers", "must hold at least one");
  const seen = new Set();
  for (const [i, transfer] of receipt.transfers.entries()) {
    const at = `transfers[${i}].`;
    const records = {};
    for (const kind of Object.keys(layouts)) {
      records[kind] = await readRecord(transfer?.[kind], kind, `${at}${kind}`);
      require(records[kind].merchant_id === merchant, `${at}${kind}.merchant_id`, "is not that of the receipt");
      require(records[kind].payment_id === payment, `${at}${kind}.payment_id`, "is not that of the receipt");
      require(records[kind].chain_id === records.authorization.chain_id, `${at}${kind}.chain_id`, "is not that of the authorization");
    }
    checkLife(records, transfer, at);
    checkFacts(transfer.facts, records, at);
    await checkProof(transfer, records.settlement, at);
    const key = `${records.settlement.chain_id} ${records.settlement.authorization_sequence}`;
    require(!seen.has(key), `${at}settlement`, "stands there twice");
    seen.add(key);
  }
  return receipt.transfers;
}
