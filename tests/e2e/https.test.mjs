// HTTPS without a proxy: a shop creates a payment through it, and a renewed certificate is shown without a restart.

import assert from "node:assert/strict";
import { chmod, copyFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { freePort } from "../support/ports.mjs";
import { run, runOrThrow } from "../support/process.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

let world;
let port;
let files;
before(async () => {
  port = await freePort();
  const server = {
    port,
    public_url: `https://localhost:${port}`,
    tls_certificate_file: "certificate.pem",
    tls_key_file: "key.pem",
  };
  world = await World.start({ serve: false, settings: { server } });
  files = (name) => path.join(world.sycee.directory, name);
  for (const name of ["first", "second"]) await makeCertificate(name);
  await use("first");
});
after(async () => {
  await world?.sycee?.kill();
  await world?.stop();
});

async function makeCertificate(name) {
  await runOrThrow([
    ..."openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
    ...["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost"],
    ...["-keyout", files(`${name}.key`), "-out", files(`${name}.pem`)],
  ]);
}

async function use(certificate, key = certificate) {
  await copyFile(files(`${key}.key`), files("key.pem"));
  await copyFile(files(`${certificate}.pem`), files("certificate.pem"));
  await chmod(files("key.pem"), 0o600);
}

/** What curl makes of it that trusts this certificate alone. */
const curl = (trusted, ...rest) =>
  run(["curl", "-sS", "--cacert", files(`${trusted}.pem`), ...rest.slice(0, -1), `https://localhost:${port}${rest.at(-1)}`]);

const answersWith = (trusted) => async () => (await curl(trusted, "-f", "/readyz")).code === 0;

test("a key that others can read, or of another certificate, is refused at the start", async () => {
  await chmod(files("key.pem"), 0o644);
  assert.notEqual((await world.sycee.launch().ended).code, 0);
  assert.match(world.sycee.tail(), /can be read by others than its owner/);
  await use("first", "second");
  assert.notEqual((await world.sycee.launch().ended).code, 0);
  assert.match(world.sycee.tail(), /key/);
  await use("first");
});

test("a payment is created over HTTPS, and its links are to be followed", async () => {
  world.sycee.launch();
  await waitFor("the service to answer", answersWith("first"), { timeout: 60_000 });
  const created = await curl(
    ...["first", "-D", "-", "-H", `Authorization: Bearer ${world.key}`, "-H", "Content-Type: application/json"],
    ...["-d", '{"amount": "50.00", "currency": "USD"}', "/v1/payments"],
  );
  const [head, body] = created.stdout.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 201 /);
  assert.match(head, /strict-transport-security: max-age=31536000/);
  const { checkout_url: url } = JSON.parse(body);
  assert.ok(url.startsWith(`https://localhost:${port}/checkout/pay_`), url);
  const page = await curl("first", "-f", new URL(url).pathname);
  assert.equal(page.code, 0, page.stderr);
  // Plain HTTP gets no answer.
  assert.notEqual((await run(["curl", "-sS", `http://localhost:${port}/readyz`])).code, 0);
});

test("a renewed certificate is shown at SIGHUP; one that is not right is not", async () => {
  await use("second");
  process.kill(world.sycee.pid, "SIGHUP");
  await waitFor("the new certificate", answersWith("second"));
  assert.notEqual((await curl("first", "/readyz")).code, 0);
  await use("first", "second");
  process.kill(world.sycee.pid, "SIGHUP");
  await waitFor("the log to say so", () => /the new certificate is not right/.test(world.sycee.tail(50)));
  assert.equal((await curl("second", "-f", "/readyz")).code, 0);
});
