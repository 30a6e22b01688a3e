// A local EVM chain (Anvil) with test tokens on it.

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  createTestClient,
  defineChain,
  encodeDeployData,
  encodeFunctionData,
  formatUnits,
  getAddress,
  http,
  parseUnits,
  publicActions,
  walletActions,
} from "viem";

import { contract } from "./contracts.mjs";
import { Service } from "./process.mjs";
import { waitFor } from "./wait.mjs";

// The file in node_modules/.bin is the program itself, not a script for Node.
const anvil = fileURLToPath(new URL("../../node_modules/.bin/anvil", import.meta.url));

export const chainId = 31337;

export class Chain {
  #service;

  /** @param {{id?: number, node?: "anvil" | "hardhat"}} [options] node: whose test methods it has */
  constructor(service, port, { id = chainId, node = "anvil" } = {}) {
    this.#service = service;
    this.port = port;
    this.id = id;
    this.httpUrl = `http://127.0.0.1:${port}`;
    this.wsUrl = `ws://127.0.0.1:${port}`;
    /** A viem client with the public, wallet and test actions. */
    this.client = connect(this.httpUrl, id, node);
  }

  /**
   * Starts Anvil. Without `blockTime` each transaction is mined at once, in a block of its own.
   * @param {object} options
   * @param {string} options.directory for its log and cache
   * @param {number} [options.port] a free one if not given
   * @param {number} [options.blockTime] seconds between blocks
   * @param {number} [options.slotsInEpoch] `finalized` is two times this behind the head
   * @param {number} [options.keepStates] how many old states to keep, in memory; all if not given
   * @param {string} [options.stateFile] loaded at the start, written at the end and each `stateInterval` s
   * @param {number} [options.stateInterval]
   * @param {string[]} [options.arguments] more of Anvil's options
   */
  static async start({ directory, port, blockTime, slotsInEpoch = 1, keepStates, stateFile, ...more }) {
    if (!existsSync(anvil)) throw new Error("Anvil is not installed: run scripts/install-node-packages");
    mkdirSync(directory, { recursive: true });
    const option = (name, value) => (value === undefined ? [] : [name, String(value)]);
    const command = [
      anvil,
      ...["--host", "127.0.0.1", "--port", String(port ?? 0), "--chain-id", String(chainId)],
      ...["--slots-in-an-epoch", String(slotsInEpoch)],
      // Old states never go to disk: Anvil leaves them there, and a reorg into them loses all contracts.
      ...["--cache-path", path.join(directory, "anvil-cache")],
      ...(keepStates === undefined ? ["--max-persisted-states", "0"] : ["--prune-history", String(keepStates)]),
      ...option("--block-time", blockTime),
      ...option("--state", stateFile),
      ...option("--state-interval", more.stateInterval),
      ...(port ? ["--silent"] : []), // else its log names the port
      ...(more.arguments ?? []),
    ];
    const log = path.join(directory, "anvil.log");
    const logged = existsSync(log) ? statSync(log).size : 0;
    const service = new Service("Anvil", command, { log });
    const chain = new Chain(service, port ?? (await announcedPort(service, log, logged)));
    await waitFor("Anvil to answer", () => {
      service.assertRunning();
      return chain.client.getChainId();
    });
    return chain;
  }

  /** Resolves when Anvil has ended, for whatever reason. */
  get ended() {
    return this.#service.ended;
  }

  get pid() {
    return this.#service.pid;
  }

  /** Ends it; it writes its state file, if it has one. */
  async stop() {
    return this.#service.stop();
  }

  /** SIGKILL: the state file stays as it was. */
  async kill() {
    return this.#service.kill();
  }

  /** Addresses whose keys Anvil holds, each with 10,000 ether. */
  async accounts() {
    return this.client.getAddresses();
  }

  async hasCode(address) {
    return ((await this.client.getCode({ address })) ?? "0x") !== "0x";
  }

  /** A TestToken of our own, owned by the first account. */
  async deployToken({ name = "Tether USD", symbol = "USDT", decimals = 6 } = {}) {
    return this.tokenAt(await this.deploy("TestToken", [name, symbol, decimals]));
  }

  async tokenAt(address) {
    return Token.at(this, address);
  }

  /** @returns the address of the new contract */
  async deploy(name, args = []) {
    const [from] = await this.accounts();
    const data = encodeDeployData({ ...(await contract(name)), args });
    return getAddress((await this.receipt(await this.send({ from, data }))).contractAddress);
  }

  /**
   * Sends a transaction of one of accounts() and returns its hash at once. One after the other, because
   * Anvil gives transactions that arrive together the same nonce.
   * @param {{from: string, to?: string, data: string, gas?: bigint}} transaction
   */
  async send({ from, ...transaction }) {
    const sent = this.#sending.then(() => this.client.sendTransaction({ account: from, ...transaction }));
    this.#sending = sent.catch(() => {});
    return sent;
  }
  #sending = Promise.resolve();

  /** Waits for the transaction's block; a transaction that failed is an error. */
  async success(hash) {
    const receipt = await this.receipt(hash);
    if (receipt.status !== "success") throw new Error(`transaction ${hash} failed`);
    return receipt;
  }

  /** Waits for the transaction's block. */
  async receipt(hash) {
    return this.client.waitForTransactionReceipt({ hash, timeout: 30_000 });
  }

  /** The signed transaction, as reorg() takes it. */
  async rawTransaction(hash) {
    return this.client.request({ method: "eth_getRawTransactionByHash", params: [hash] });
  }

  async mine(blocks = 1) {
    await this.client.mine({ blocks });
  }

  /**
   * Replaces the newest `depth` blocks by as many others. What was in them is forgotten, unless it is given
   * to be mined again.
   * @param {number} depth
   * @param {{raw: string, offset: number}[]} [transactions] offset: which of the new blocks, from 0
   */
  async reorg(depth, transactions = []) {
    const pairs = transactions.map(({ raw, offset }) => [raw, offset]);
    await this.client.request({ method: "anvil_reorg", params: [depth, pairs] });
  }

  /** The contract for several transfers in one transaction; deployed when first asked for. */
  async disperse() {
    // A reorg may have taken it away.
    if (!this.#disperse || !(await this.hasCode(this.#disperse))) this.#disperse = await this.deploy("Disperse");
    return this.#disperse;
  }
  #disperse;
}

/** A token contract on a chain. Amounts are bigints in base units: token.units("50.00"). */
export class Token {
  constructor(chain, address, decimals, abi) {
    this.chain = chain;
    this.address = address;
    this.decimals = decimals;
    this.#abi = abi;
  }
  #abi;

  static async at(chain, address) {
    const { abi } = await contract("TestToken");
    const decimals = await chain.client.readContract({ address, abi, functionName: "decimals" });
    return new Token(chain, address, decimals, abi);
  }

  units(text) {
    return parseUnits(text, this.decimals);
  }

  format(units) {
    return formatUnits(units, this.decimals);
  }

  async read(functionName, ...args) {
    return this.chain.client.readContract({ address: this.address, abi: this.#abi, functionName, args });
  }

  /**
   * Sends a call and returns its hash at once.
   * @param {{from: string, gas?: bigint}} options with `gas`, a call that will fail is sent all the same
   */
  async send({ from, gas }, functionName, ...args) {
    const data = encodeFunctionData({ abi: this.#abi, functionName, args });
    return this.chain.send({ from, to: this.address, data, gas });
  }

  /** Sends a call, waits for its block and returns the receipt; a call that failed is an error. */
  async call(options, functionName, ...args) {
    return this.chain.success(await this.send(options, functionName, ...args));
  }

  /** A call by the token's owner. */
  async administer(functionName, ...args) {
    return this.call({ from: await this.read("owner") }, functionName, ...args);
  }

  async mint(to, units) {
    return this.administer("mint", to, units);
  }

  async transfer(from, to, units) {
    return this.call({ from }, "transfer", to, units);
  }

  async balanceOf(address) {
    return this.read("balanceOf", address);
  }

  /**
   * Several transfers out of one account in one transaction.
   * @param {string} from
   * @param {{to: string, units: bigint}[]} transfers
   */
  async batchTransfer(from, transfers) {
    const disperse = await this.chain.disperse();
    const total = transfers.reduce((sum, { units }) => sum + units, 0n);
    if ((await this.read("allowance", from, disperse)) > 0n) await this.call({ from }, "approve", disperse, 0n);
    await this.call({ from }, "approve", disperse, total);
    const { abi } = await contract("Disperse");
    const args = [this.address, transfers.map(({ to }) => to), transfers.map(({ units }) => units)];
    const data = encodeFunctionData({ abi, functionName: "disperse", args });
    return this.chain.success(await this.chain.send({ from, to: disperse, data }));
  }
}

function connect(url, id, mode) {
  const chain = defineChain({
    id,
    name: "Local chain",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  // No caching and no retries: a test asks for what is true now, and sees an error when it happens.
  return createTestClient({
    mode,
    chain,
    transport: http(url, { retryCount: 0 }),
    pollingInterval: 50,
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions);
}

/** With port 0 Anvil chooses a port and tells it. */
function announcedPort(service, log, offset) {
  return waitFor("Anvil to tell its port", () => {
    service.assertRunning();
    const announced = readFileSync(log).subarray(offset).toString().match(/Listening on 127\.0\.0\.1:(\d+)/);
    return announced && Number(announced[1]);
  });
}
