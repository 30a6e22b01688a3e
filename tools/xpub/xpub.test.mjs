import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { run } from "../../tests/support/process.mjs";
import { accountOf } from "./keys.mjs";

const program = fileURLToPath(new URL("xpub.mjs", import.meta.url));
const xpub = (args, input) => run([process.execPath, program, ...args], { input });

// The words that test chains are known by, and the addresses that every wallet derives from them.
const words = "test test test test test test test test test test test junk";
const addresses = [
  "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
];

test("from-mnemonic and check agree with known addresses", async () => {
  const account = JSON.parse((await xpub(["from-mnemonic", "--json"], `  ${words.toUpperCase()}\n`)).stdout);
  assert.equal(account.depth, 3);
  assert.deepEqual(account.addresses.map(({ address }) => address), addresses);
  const checked = await xpub(["check", account.xpub]);
  assert.equal(checked.code, 0);
  for (const address of addresses) assert.ok(checked.stdout.includes(address));
});

test("check takes the key of the receiving chain, with the same addresses", async () => {
  const checked = await xpub(["check", accountOf(words).deriveChild(0).publicExtendedKey, "--json"]);
  assert.equal(checked.code, 0, checked.stderr);
  const key = JSON.parse(checked.stdout);
  assert.equal(key.depth, 4);
  assert.deepEqual(key.addresses, addresses.map((address, index) => ({ path: `${index}`, address })));
});

test("new makes 24 words that lead to the same key again", async () => {
  const made = JSON.parse((await xpub(["new", "--json"])).stdout);
  assert.equal(made.mnemonic.split(" ").length, 24);
  const again = JSON.parse((await xpub(["from-mnemonic", "--json"], made.mnemonic)).stdout);
  assert.equal(again.xpub, made.xpub);
});

const master =
  "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8";
const deep = accountOf(words).derive("m/0/0").publicExtendedKey;
const refused = [
  { what: "a private key", args: ["check", "xprv9s21ZrQH143K3"], says: /PRIVATE/ },
  { what: "another kind of key", args: ["check", "zpub6rFR7y4Q2"], says: /starts with xpub/ },
  { what: "a damaged key", args: ["check", `${master}x`], says: /not an extended public key/ },
  { what: "a key of the wrong depth", args: ["check", master], says: /depth 0/ },
  { what: "a key of an address", args: ["check", deep], says: /depth 5/ },
  { what: "words as arguments", args: ["from-mnemonic", "test"], says: /standard input/ },
  { what: "an unknown word", args: ["from-mnemonic"], input: "test bitcoinn", says: /word 2 is not/ },
  { what: "a wrong checksum", args: ["from-mnemonic"], input: `${words} junk`, says: /number or checksum/ },
];
for (const { what, args, input, says } of refused) {
  test(`refuses ${what}`, async () => {
    const result = await xpub(args, input);
    assert.equal(result.code, 1);
    assert.match(result.stderr, says);
    assert.ok(!result.stderr.includes("bitcoinn"));
  });
}
