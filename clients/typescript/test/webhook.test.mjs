import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";

import { WebhookVerificationError, WebhookVerifier, verifyWebhook } from "../dist/index.js";

// The vector of the specification.
const vector = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: "1614265330",
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const sent = new Date(Number(vector.timestamp) * 1000);
const headersOf = ({ id, timestamp, signature }) => ({
  "webhook-id": id,
  "webhook-timestamp": timestamp,
  "webhook-signature": signature,
});

const verify = (changes = {}, now = sent) => {
  const webhook = { ...vector, ...changes };
  return new WebhookVerifier(webhook.secret).verify(webhook.body, headersOf(webhook), now);
};
const refuses = (call, why) =>
  assert.rejects(call, (error) => error instanceof WebhookVerificationError && why.test(error.message));

const other = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const signed = (body, { secret = vector.secret, id = "evt_1", time = new Date() } = {}) => ({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
  "webhook-signature": new Webhook(secret).sign(id, time, body),
});

test("the vector of the specification is right", async () => {
  assert.deepEqual(await verify(), { test: 2432232314 });
});

test("bodies and headers come as the platforms have them", async () => {
  const verifier = new WebhookVerifier(vector.secret);
  const headers = headersOf(vector);
  assert.deepEqual(await verifier.verify(Buffer.from(vector.body), headers, sent), { test: 2432232314 });
  assert.deepEqual(await verifier.verify(vector.body, new Headers(headers), sent), { test: 2432232314 });
  const shouted = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  assert.deepEqual(await verifier.verify(vector.body, shouted, sent), { test: 2432232314 });
});

test("every single changed bit is found: of the body, the id, the time, the signature", async () => {
  const flipped = (text, bit) => {
    const bytes = Buffer.from(text);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    return bytes.toString("latin1");
  };
  let tried = 0;
  for (const field of ["body", "id", "timestamp", "signature"]) {
    for (let bit = 0; bit < vector[field].length * 8; ++bit) {
      const changed = verify({ [field]: flipped(vector[field], bit) });
      await assert.rejects(changed, WebhookVerificationError, `${field}, bit ${bit}`);
      ++tried;
    }
  }
  assert.ok(tried > 800);
});

test("npm's standardwebhooks and this verifier say the same", async () => {
  const body = JSON.stringify({ type: "payment.cleared", data: { description: "T-shirt, größe L" } });
  const now = Date.now();
  for (const offset of [0, -290, 290, -310, 310, -86_400]) {
    for (const secret of [vector.secret, other]) {
      const headers = signed(body, { secret, time: new Date(now + offset * 1000) });
      const theirs = await Promise.resolve()
        .then(() => new Webhook(vector.secret).verify(body, headers))
        .catch(() => "refused");
      const ours = await verifyWebhook(vector.secret, body, headers).catch(() => "refused");
      assert.deepEqual(ours, theirs, `${offset} ${secret}`);
      assert.equal(ours === "refused", secret === other || Math.abs(offset) > 300);
    }
  }
});

test("old and early webhooks are refused, at the edge as well", async () => {
  const after = (seconds) => new Date(sent.getTime() + seconds * 1000);
  await verify({}, after(300));
  await verify({}, after(-300));
  await refuses(verify({}, after(301)), /too far/);
  await refuses(verify({}, after(-301)), /too far/);
});

test("one of several signatures is enough, unknown kinds are passed over", async () => {
  const wrong = `v1,${Buffer.alloc(32).toString("base64")}`;
  await verify({ signature: `v1a,AAAA ${wrong} ${vector.signature}` });
  await refuses(verify({ signature: wrong }), /no signature fits/);
  await refuses(verify({ signature: vector.signature.replace("v1,", "v1a,") }), /no signature fits/);
  await refuses(verify({ signature: `${`${wrong} `.repeat(20)}${vector.signature}` }), /no signature fits/);
});

test("while the secret is replaced, either one will do", async () => {
  const body = "{}";
  const verifier = new WebhookVerifier([vector.secret, other]);
  assert.deepEqual(await verifier.verify(body, signed(body, { secret: vector.secret })), {});
  assert.deepEqual(await verifier.verify(body, signed(body, { secret: other })), {});
});

test("missing and repeated headers are refused", async () => {
  const verifier = new WebhookVerifier(vector.secret);
  for (const name of Object.keys(headersOf(vector))) {
    const headers = headersOf(vector);
    await refuses(verifier.verify(vector.body, { ...headers, [name]: undefined }, sent), /not there once/);
    await refuses(
      verifier.verify(vector.body, { ...headers, [name]: [headers[name], headers[name]] }, sent),
      /not there once/,
    );
  }
  for (const timestamp of ["", "now", "1614265330.5", "-1614265330", "0x60"]) {
    await assert.rejects(verify({ timestamp }), WebhookVerificationError);
  }
});

test("a signed body that is not JSON is refused", async () => {
  for (const body of ["{", Buffer.from([0x22, 0xff, 0x22])]) {
    const time = new Date();
    const headers = { ...signed("", { time }) };
    headers["webhook-signature"] = await signatureOf(body, headers);
    await refuses(verifyWebhook(vector.secret, body, headers), /not JSON/);
  }
});

async function signatureOf(body, headers) {
  const { createHmac } = await import("node:crypto");
  const mac = createHmac("sha256", Buffer.from(vector.secret.slice(6), "base64"));
  mac.update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`).update(body);
  return `v1,${mac.digest("base64")}`;
}

test("a secret that is none is said at once, and not repeated", () => {
  for (const secret of ["", "whsec_", "whsec_abc", "whsec_AAAA", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!!"]) {
    assert.throws(
      () => new WebhookVerifier(secret),
      (error) => error instanceof TypeError && !error.message.includes("MfKQ"),
    );
  }
  assert.throws(() => new WebhookVerifier([]), TypeError);
});

test("a platform whose WebCrypto is no global, as Node 18, verifies as well", async () => {
  const { execFileSync } = await import("node:child_process");
  const script = `
    delete globalThis.crypto;
    const { verifyWebhook } = await import(${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)});
    const options = { tolerance: Infinity };
    const event = await verifyWebhook(${JSON.stringify(vector.secret)}, ${JSON.stringify(vector.body)},
      ${JSON.stringify(headersOf(vector))}, options);
    console.log(typeof globalThis.crypto, event.test);`;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  assert.equal(said.trim(), "undefined 2432232314");
});
