// What the operator is due: versions of a merchant's fees, from the command line to the API and the books.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { World } from "../support/world.mjs";

let world;
let merchant;
before(async () => {
  world = await World.start();
  [{ id: merchant }] = JSON.parse(await world.sycee.cli("merchant", "list", "--json"));
});
after(async () => world?.stop());

const set = (...args) => world.sycee.command("fee", "set", merchant, ...args);

test("a new version is in force from the next clearing on, and each payment shows what it was charged", async () => {
  const { code, stdout, stderr } = await set(
    "--basis-points", "100", "--fixed", "30", "--minimum", "50", "--maximum", "200", "--json",
  );
  assert.equal(code, 0, stderr);
  const version = JSON.parse(stdout);
  assert.deepEqual(version, {
    version: 2, basis_points: 100, rounding: "down", fixed: "30", minimum: "50", maximum: "200",
  });
  const payment = await world.createPayment({ reference: "fee-1" });
  await world.pay(payment, "20");
  await world.pay(payment, "30");
  const settled = await world.settle(payment);
  assert.deepEqual(settled.transfers.map(({ fee }) => fee).sort(), ["0.300000", "0.500000"]);
  assert.deepEqual(settled.transfers.map(({ net }) => net).sort(), ["19.500000", "29.700000"]);
  await world.verifyBooks();
});

test("all versions are listed, oldest first", async () => {
  const text = await world.sycee.cli("fee", "list", merchant);
  const [first, second] = text.trimEnd().split("\n");
  assert.match(first, /^version 1 {2}since .*Z {2}\d+ basis points$/);
  assert.match(
    second,
    /^version 2 .* 100 basis points, and 30, at least 50, at most 200 minor units a payment$/,
  );
});

test("what makes no sense is refused by name, and changes nothing", async () => {
  for (const [args, problem] of [
    [["--basis-points", "10001"], /basis-points/],
    [["--fixed", "0.3"], /fixed: "0.3" is not a whole number/],
    [["--minimum", "5", "--maximum", "4"], /maximum: 4 is below the minimum of 5/],
    [["--rounding", "sideways"], /rounding/],
  ]) {
    const { code, stderr } = await set(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, problem);
  }
  const unknown = await world.sycee.command("fee", "set", "mer_00000000000000000000000001");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /merchant: there is no merchant/);
  assert.equal(JSON.parse(await world.sycee.cli("fee", "list", merchant, "--json")).length, 2);
});
