#!/usr/bin/env node
// Makes or checks the extended public key that Sycee derives a merchant's deposit addresses from.
// Needs no network and writes no file.

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { parseArgs } from "node:util";

import { accountOf, accountPath, describe, newMnemonic, parseXpub } from "./keys.mjs";

const help = `usage: node tools/xpub/xpub.mjs COMMAND [--json]

  new             make a new wallet: 24 words, its extended public key, its first addresses
  from-mnemonic   read the 12 to 24 words of a wallet from standard input, print its extended public key
  check XPUB      check an extended public key, print its first addresses

Give Sycee the extended public key (xpub…) only: with it Sycee finds addresses, but can't spend. Compare the
first address with the first one that your wallet shows (account ${accountPath}, addresses 0/0, 0/1, …).
Whoever has the words has the money: use "new" and "from-mnemonic" on a machine without network.`;

const warning = `WRITE THESE WORDS DOWN ON PAPER, NOW. They are shown once and kept nowhere.
Whoever sees them can take all the money; without them nobody can move it.`;

function printAccount(account) {
  const path = account.depth === 3 ? accountPath : `${accountPath}/0`;
  console.log(`extended public key of ${path} (depth ${account.depth}, fingerprint ${account.fingerprint}):`);
  console.log(`  ${account.xpub}`);
  console.log("first deposit addresses:");
  for (const { path, address } of account.addresses) console.log(`  ${path}  ${address}`);
}

function printNew(result) {
  console.log(`${warning}\n`);
  const words = result.mnemonic.split(" ").map((word, index) => `${String(index + 1).padStart(2)} ${word.padEnd(10)}`);
  for (let row = 0; row < words.length; row += 6) console.log(`  ${words.slice(row, row + 6).join(" ")}`);
  console.log();
  printAccount(result);
}

/** All of standard input; at a terminal one line, which is not shown. */
async function readSecret(prompt) {
  if (!process.stdin.isTTY) {
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }
  process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true, historySize: 0 });
  const answer = await new Promise((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(""));
  });
  lines.close();
  process.stderr.write("\n");
  return answer;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  const [command, ...rest] = positionals;
  if (values.help) return console.log(help);
  const output = (result, print) => (values.json ? console.log(JSON.stringify(result, null, 2)) : print(result));

  if (command === "new" && rest.length === 0) {
    const mnemonic = newMnemonic();
    return output({ mnemonic, ...describe(accountOf(mnemonic)) }, printNew);
  }
  if (command === "from-mnemonic") {
    // Arguments are seen by every user of the machine and stay in the shell's history.
    if (rest.length > 0) throw new Error("give the words on standard input, never as arguments");
    return output(describe(accountOf(await readSecret("The words, in one line (not shown): "))), printAccount);
  }
  if (command === "check" && rest.length === 1) return output(describe(parseXpub(rest[0])), printAccount);
  console.error(help);
  process.exitCode = 2;
}

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
