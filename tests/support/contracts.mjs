// Compiles the contracts in contracts/ with the npm package solc.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = path.join(root, "contracts");
const cache = path.join(root, "build", "contracts");

const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "shanghai", // older test nodes know nothing later
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};

/**
 * The compiled contract; solc is loaded only when the sources changed since the last time.
 * @param {string} name name of the contract, which is the name of its file
 * @returns {Promise<{abi: import("viem").Abi, bytecode: `0x${string}`}>}
 */
export async function contract(name) {
  compiled ??= load();
  const found = (await compiled)[name];
  if (!found) throw new Error(`no contract ${name} in ${folder}`);
  return found;
}

let compiled;

async function load() {
  const sources = readSources();
  const version = JSON.parse(readFileSync(path.join(root, "node_modules/solc/package.json"), "utf8")).version;
  const key = createHash("sha256").update(JSON.stringify({ sources, settings, version })).digest("hex");
  const file = path.join(cache, `${key.slice(0, 16)}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const artifacts = await compile(sources);
  mkdirSync(cache, { recursive: true });
  // Renamed into place, so that another test that starts now never reads half a file.
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(artifacts));
  renameSync(partial, file);
  return artifacts;
}

function readSources() {
  const files = readdirSync(folder).filter((file) => file.endsWith(".sol")).sort();
  return Object.fromEntries(files.map((file) => [file, { content: readFileSync(path.join(folder, file), "utf8") }]));
}

async function compile(sources) {
  const { default: solc } = await import("solc");
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
  if (output.errors?.length) {
    throw new Error(output.errors.map((error) => error.formattedMessage).join("\n"));
  }
  const artifacts = Object.values(output.contracts).flatMap((contracts) => Object.entries(contracts));
  return Object.fromEntries(
    artifacts.map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }]),
  );
}
