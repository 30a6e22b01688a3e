// The sycee program: its configuration, its life as a service, its commands and its API.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "./ports.mjs";
import { Service, run, runOrThrow } from "./process.mjs";
import { waitFor } from "./wait.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The program under test. */
export const binary = path.resolve(process.env.SYCEE_BINARY ?? path.join(root, "build/release/src/main/sycee"));

export class Sycee {
  #service;

  constructor(directory, port, log, env) {
    this.directory = directory;
    this.port = port;
    this.env = env;
    this.url = `http://127.0.0.1:${port}`;
    this.config = path.join(directory, "sycee.toml");
    this.log = log;
  }

  /**
   * Writes the configuration and the sealing key; starts nothing.
   * @param {object} options
   * @param {string} options.directory for the configuration, the secrets and the log
   * @param {string} options.database connection string
   * @param {string} [options.owner] connection string of the tables' owner
   * @param {object[]} options.chains as chainSettings() makes them
   * @param {number} [options.port] a free one if not given
   * @param {Record<string, Record<string, unknown>>} [options.settings] more of the configuration, by section
   * @param {string} [options.log] file for its log
   * @param {NodeJS.ProcessEnv} [options.env] more of the environment
   */
  static async prepare({ directory, database, owner, chains, port, settings = {}, log, env = {} }) {
    if (!existsSync(binary)) {
      throw new Error(`no program at ${binary}: build it, or name one in the environment variable SYCEE_BINARY`);
    }
    await mkdir(directory, { recursive: true });
    const logFile = log ?? path.join(directory, "sycee.log");
    const sycee = new Sycee(directory, port ?? (await freePort()), logFile, { ...process.env, ...env });
    await secretFile(path.join(directory, "secrets", "sealing.key"), () => randomBytes(32).toString("hex"));
    const sections = {
      server: { address: "127.0.0.1", port: sycee.port, public_url: sycee.url, ...settings.server },
      database: { url: database, owner_url: owner, ...settings.database },
      secrets: { key_file: "secrets/sealing.key", ...settings.secrets },
      webhooks: { allow_private_addresses: true, ...settings.webhooks },
      log: { level: "info", ...settings.log },
    };
    await writeFile(sycee.config, toml({ ...settings, ...sections, chains }), { mode: 0o600 });
    return sycee;
  }

  /** Starts `sycee serve` and waits until it answers. */
  async start({ timeout = 60_000 } = {}) {
    this.#service = this.launch();
    try {
      await waitFor("sycee to answer", () => this.#alive(), { timeout });
    } catch (error) {
      const tail = this.#service.running ? ` ${this.#service.tail()}` : "";
      await this.kill();
      throw new Error(`${error.message}${tail}`);
    }
    return this;
  }

  /** Starts `sycee serve` without waiting; for starts that are meant to fail. */
  launch() {
    const command = [binary, "--config", this.config, "serve"];
    this.#service = new Service("sycee", command, { log: this.log, env: this.env });
    return this.#service;
  }

  async #alive() {
    this.#service.assertRunning();
    const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  }

  get ended() {
    return this.#service.ended;
  }

  get pid() {
    return this.#service.pid;
  }

  /** The end of its log. */
  tail(lines) {
    return this.#service.tail(lines);
  }

  /** SIGTERM; returns how it ended. */
  async stop() {
    return this.#service?.stop({ timeout: 30_000 });
  }

  async kill() {
    return this.#service?.kill();
  }

  /** Runs a command of the program, whatever its exit code. */
  async command(...args) {
    return run([binary, "--config", this.config, ...args], { env: this.env });
  }

  /** Runs a command that must succeed; returns what it prints. */
  async cli(...args) {
    return (await runOrThrow([binary, "--config", this.config, ...args], { env: this.env })).stdout;
  }

  /** The same with --json. */
  async json(...args) {
    return JSON.parse(await this.cli(...args, "--json"));
  }

  /**
   * @param {{name?: string, xpub: string, feeBasisPoints?: number, webhookUrl?: string, webhookSecretFile?: string}} merchant
   * @returns {Promise<{id: string, name: string, first_address: string, webhook_secret?: string}>}
   */
  async createMerchant({ name = "Test merchant", xpub, feeBasisPoints, webhookUrl, webhookSecretFile }) {
    const option = (flag, value) => (value ? [flag, value] : []);
    return this.json(
      ...["merchant", "create", "--name", name, "--xpub", xpub],
      ...option("--fee-basis-points", feeBasisPoints && String(feeBasisPoints)),
      ...option("--webhook-url", webhookUrl),
      ...option("--webhook-secret-file", webhookSecretFile),
    );
  }

  /** @returns {Promise<{id: string, merchant: string, key: string}>} */
  async createKey(merchant, label = "tests") {
    return this.json("key", "create", "--merchant", merchant, "--label", label);
  }

  /**
   * A request to the API.
   * @param {string} method
   * @param {string} target path and query
   * @param {{key?: string, body?: unknown, headers?: Record<string, string>}} [options]
   *   body: an object is sent as JSON, a string as it is
   * @returns {Promise<{status: number, headers: Headers, body: any, text: string}>} body: parsed, if it is JSON
   */
  async request(method, target, { key, body, headers = {} } = {}) {
    const answer = await fetch(`${this.url}${target}`, {
      method,
      redirect: "manual",
      signal: AbortSignal.timeout(15_000),
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    const isJson = /\bjson\b/.test(answer.headers.get("content-type") ?? "");
    return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }
}

/**
 * A [[chains]] entry of the configuration.
 * @param {import("./chain.mjs").Chain} chain
 * @param {import("./chain.mjs").Token[]} tokens
 */
export async function chainSettings(chain, tokens, { confirmations = 1, blockTime = 1, ...more } = {}) {
  return {
    id: chain.id,
    name: "Local Anvil",
    finality: String(confirmations),
    block_time: blockTime,
    ...more,
    endpoints: [{ http_url: chain.httpUrl, ws_url: chain.wsUrl }],
    tokens: await Promise.all(
      tokens.map(async (token) => ({
        symbol: await token.read("symbol"),
        contract: token.address,
        decimals: token.decimals,
      })),
    ),
  };
}

/** Writes a secret that only its owner can read, unless the file is there already. Returns its path. */
export async function secretFile(file, make) {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) await writeFile(file, `${make()}\n`, { mode: 0o600, flag: "wx" });
  return file;
}

/** TOML of tables and of arrays of tables, both of which may hold arrays of tables again. */
function toml(tables, prefix = "") {
  return Object.entries(tables)
    .map(([name, value]) => {
      const key = `${prefix}${name}`;
      const body = (entry) => `${pairs(entry)}${toml(arraysOf(entry), `${key}.`)}`;
      if (!Array.isArray(value)) return `[${key}]\n${body(value)}`;
      return value.map((entry) => `[[${key}]]\n${body(entry)}`).join("");
    })
    .join("\n");
}

const isTables = (value) => Array.isArray(value) && typeof value[0] === "object";
const arraysOf = (table) => Object.fromEntries(Object.entries(table).filter(([, value]) => isTables(value)));

function pairs(table) {
  const plain = Object.entries(table).filter(([, value]) => !isTables(value) && value !== undefined);
  // JSON's strings, numbers, booleans and lists of them are TOML as well.
  return plain.map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join("");
}
