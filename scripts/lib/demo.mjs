// Starts the demo in its folder, watches over it and stops it again. Called by scripts/run.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { payerAccount, play, runFolder } from "../../demo/payer.mjs";
import { Chain } from "../../tests/support/chain.mjs";
import { freePort } from "../../tests/support/ports.mjs";
import { Postgres } from "../../tests/support/postgres.mjs";
import { Service } from "../../tests/support/process.mjs";
import { Sycee, chainSettings, secretFile } from "../../tests/support/sycee.mjs";
import { waitFor } from "../../tests/support/wait.mjs";
import { accountOf, addressOf, describe, newMnemonic, parseXpub } from "../../tools/xpub/keys.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const at = (...parts) => path.join(runFolder, ...parts);
const relative = (file) => path.relative(root, file);
const say = (text = "") => console.log(text);

const database = "sycee";
const operator = "operator";
const files = {
  demo: at("demo.json"),
  chain: at("anvil.json"),
  lastBlock: at("last-block.json"),
  orders: at("shop-orders.jsonl"),
  wallet: at("demo-wallet.json"),
  apiKey: at("secrets", "api-key"),
  webhookSecret: at("secrets", "webhook-secret"),
  operatorPassword: at("secrets", "operator-password"),
  signingKey: at("secrets", "signing.key"),
};

const readJson = async (file, otherwise) => (existsSync(file) ? JSON.parse(await readFile(file, "utf8")) : otherwise);

/** Whoever reads the file sees the old content or the new one, also after a crash. */
async function writeJson(file, value, mode = 0o644) {
  const partial = `${file}.new`;
  await writeFile(partial, `${JSON.stringify(value, null, 2)}\n`, { mode });
  await rename(partial, file);
}

/** What was started, to be stopped in the reverse order. */
class Running {
  #parts = [];
  #closing = false;

  constructor() {
    /** Rejects when a part ends that nobody has stopped. */
    this.failure = new Promise((_, reject) => (this.#fail = reject));
    this.failure.catch(() => {}); // it may come when nobody is waiting for it any more
  }
  #fail;

  /** @param {{ended: Promise<{text: string}>, stop: () => Promise<unknown>}} part */
  add(name, part, log) {
    this.#parts.push({ name, part });
    part.ended.then(({ text }) => {
      if (!this.#closing) this.#fail(new Error(`${name} ended by itself (${text}); see ${relative(log)}`));
    });
    return part;
  }

  async stop() {
    this.#closing = true;
    for (const { name, part } of this.#parts.splice(0).reverse()) {
      await part.stop().catch((error) => console.error(`stopping ${name}: ${error.message}`));
    }
  }
}

class Demo {
  #running;

  constructor(running) {
    this.#running = running;
  }

  async start() {
    await mkdir(at("log"), { recursive: true });
    this.state = await readJson(files.demo, {});
    await this.#choosePorts();

    say("Starting PostgreSQL and the local chain …");
    const postgres = await Postgres.start({ directory: at("pg") });
    this.#running.add("PostgreSQL", postgres, at("pg", "postgres.log"));
    await this.#startChain();
    if (await this.#chainWasLost()) await this.#startOver(postgres);
    await this.#prepareToken();
    say("Starting Sycee and the demo shop …");
    this.wallet = await loadWallet();
    const owner = await postgres.createDatabase(database);
    await this.#prepareSycee(postgres.connection(database, await postgres.createRole("sycee_service")), owner);
    await this.#prepareSigningKey(postgres);
    await this.#startServices();
  }

  async #choosePorts() {
    const wanted = { sycee: 8080, shop: 8081, anvil: 8545, ...this.state.ports };
    const ports = {};
    for (const [name, port] of Object.entries(wanted)) ports[name] = await freePort(port);
    if (this.state.merchant && ports.shop !== wanted.shop) {
      throw new Error(
        `port ${wanted.shop}, where the demo merchant gets its webhooks, is used by another program: ` +
          `stop that program, or remove ${relative(runFolder)} to start from nothing`,
      );
    }
    await this.#remember({ ports });
  }

  /** Notes something for the next start, and for demo/payer.mjs. */
  async #remember(more) {
    Object.assign(this.state, more);
    await writeJson(files.demo, this.state);
  }

  async #startChain() {
    // Anvil writes its state over the old one; a crash in the middle leaves a file that it refuses to read.
    const broken = await readJson(files.chain).then(() => false, () => true);
    if (broken) await rm(files.chain);
    this.chain = await Chain.start({
      directory: at("log"),
      port: this.state.ports.anvil,
      blockTime: 1,
      keepStates: 256,
      stateFile: files.chain,
      stateInterval: 30,
    });
    this.#running.add("Anvil", this.chain, at("log", "anvil.log"));
  }

  /** After a crash of the machine, the chain may lack blocks that are in the books. */
  async #chainWasLost() {
    if (!this.state.token) return false;
    const last = await readJson(files.lastBlock).catch(() => undefined);
    const found =
      last && (await this.chain.client.getBlock({ blockNumber: BigInt(last.number) }).catch(() => undefined));
    return (last && found?.hash !== last.hash) || !(await this.chain.hasCode(this.state.token));
  }

  /** Books without their chain prove nothing: new ones for a new chain. Wallet, passwords and ports stay. */
  async #startOver(postgres) {
    say("The local chain lost its newest blocks when it was last stopped: starting over with empty books.");
    await postgres.dropDatabase(database);
    await rm(files.orders, { force: true });
    await rm(files.lastBlock, { force: true });
    await this.#remember({ token: undefined, merchant: undefined });
  }

  async #prepareToken() {
    const known = this.state.token && (await this.chain.hasCode(this.state.token));
    this.token = known ? await this.chain.tokenAt(this.state.token) : await this.chain.deployToken();
    await this.#remember({ token: this.token.address });
    const payer = payerAccount.address;
    if ((await this.token.balanceOf(payer)) < this.token.units("10000")) {
      await this.token.mint(payer, this.token.units("1000000"));
    }
    await this.#followChain();
  }

  async #followChain() {
    const note = async () => {
      const { number, hash } = await this.chain.client.getBlock();
      await writeJson(files.lastBlock, { number: String(number), hash });
    };
    await note();
    // An error means that the chain is stopping, which is noticed elsewhere.
    setInterval(() => note().catch(() => {}), 2_000).unref();
  }

  async #prepareSycee(url, owner) {
    this.sycee = await Sycee.prepare({
      directory: at(),
      port: this.state.ports.sycee,
      database: url,
      owner,
      chains: [await chainSettings(this.chain, [this.token], { watch_mempool: true })],
      settings: { secrets: { signing_key_file: files.signingKey } },
      log: at("log", "sycee.log"),
    });
    await this.sycee.cli("migrate");
    await this.#prepareMerchant();
  }

  /** For receipts and checkpoints. The database knows the public part: another database needs another key. */
  async #prepareSigningKey(postgres) {
    const keys = await postgres.query("SELECT count(*) FROM signing_keys", database);
    if (keys === "0" || !existsSync(files.signingKey)) await this.sycee.cli("signing-key", "new");
  }

  async #prepareMerchant() {
    const listed = this.state.merchant && (await this.sycee.cli("merchant", "list", "--json"));
    if (!listed?.includes(`"${this.state.merchant}"`)) await this.#createMerchant();
    if (existsSync(files.apiKey)) return;
    const { key } = await this.sycee.createKey(this.state.merchant, "demo shop");
    await secretFile(files.apiKey, () => key);
  }

  async #createMerchant() {
    await secretFile(files.webhookSecret, () => `whsec_${randomBytes(32).toString("base64")}`);
    await secretFile(files.operatorPassword, () => randomBytes(15).toString("base64url"));
    await rm(files.apiKey, { force: true }); // it belonged to a merchant that is gone
    const merchant = await this.sycee.createMerchant({
      name: "Silver Lane Shirts",
      xpub: this.wallet.xpub,
      webhookUrl: `${this.shopUrl}/webhook`,
      webhookSecretFile: files.webhookSecret,
    });
    const [first] = this.wallet.addresses;
    if (merchant.first_address !== first.address) {
      throw new Error(`sycee derives ${merchant.first_address} as the first address, the wallet ${first.address}`);
    }
    await this.sycee.cli("operator", "create", "--name", operator, "--password-file", files.operatorPassword);
    await this.#remember({ merchant: merchant.id });
  }

  async #startServices() {
    this.#running.add("sycee", await this.sycee.start(), this.sycee.log);
    const log = at("log", "shop.log");
    const shop = new Service("the demo shop", [process.execPath, path.join(root, "demo/shop.mjs")], {
      log,
      env: {
        ...process.env,
        SHOP_PORT: String(this.state.ports.shop),
        SHOP_DATA: files.orders,
        SYCEE_URL: this.sycee.url,
        SYCEE_KEY_FILE: files.apiKey,
        SYCEE_WEBHOOK_SECRET_FILE: files.webhookSecret,
      },
    });
    this.#running.add("the demo shop", shop, log);
    await waitFor("the demo shop to answer", async () => {
      shop.assertRunning();
      return (await fetch(this.shopUrl)).ok;
    });
    await this.#remember({
      shop: this.shopUrl,
      sycee: this.sycee.url,
      rpc: this.chain.httpUrl,
      keyFile: files.apiKey,
      artifacts: at("artifacts"),
    });
  }

  get shopUrl() {
    return `http://127.0.0.1:${this.state.ports.shop}`;
  }

  printAddresses() {
    say(`
Sycee is running.

  shop        ${this.shopUrl}
              its Buy button leads to the checkout, ${this.sycee.url}/checkout/…
  dashboard   ${this.sycee.url}/admin
              name "${operator}", password in ${relative(files.operatorPassword)}
  API         ${this.sycee.url}/v1/payments, key in ${relative(files.apiKey)}
  chain       ${this.chain.httpUrl}, chain id ${this.chain.id}, USDT at ${this.token.address}
  wallet      words in ${relative(files.wallet)}; the money of the demo is not real

To pay as the demo's payer:  node demo/payer.mjs [CHECKOUT_URL]
Ctrl-C stops everything. The data stays in ${relative(runFolder)}.`);
  }

  /** One payment from the order to the settled books. Throws at the first thing that is wrong. */
  async payOnce() {
    const payment = await play(this.state);
    await this.#checkCoins(payment);
    const report = await this.sycee.cli("payment", payment.id);
    say(`\n${report}`);
    const absent = ["authorization", "clearing", "settlement"].filter((stage) => !report.toLowerCase().includes(stage));
    if (absent.length > 0) throw new Error(`sycee payment shows no ${absent.join(", no ")}`);
    say(await this.sycee.cli("trial-balance"));
    say(await this.sycee.cli("verify"));
    say(`Payment ${payment.id} is ${payment.status}. Screenshots: ${relative(this.state.artifacts)}/`);
  }

  /** The coins are on the chain, at an address of the demo wallet, whatever Sycee says. */
  async #checkCoins(payment) {
    const account = parseXpub(this.wallet.xpub);
    const indexes = Array.from({ length: 1_000 }, (_, index) => index);
    const index = indexes.find((candidate) => addressOf(account, candidate) === payment.deposit_address);
    if (index === undefined) throw new Error(`${payment.deposit_address} is not an address of the demo wallet`);
    const units = await this.token.balanceOf(payment.deposit_address);
    const [option] = payment.options;
    if (units !== this.token.units(option.amount)) {
      throw new Error(`the chain shows ${this.token.format(units)} at the deposit address, not ${option.amount}`);
    }
    say(`The chain shows ${this.token.format(units)} ${option.token} at address 0/${index} of the merchant's wallet`);
  }
}

/** The merchant's wallet, made at the first start. In real life its words are never on the server. */
async function loadWallet() {
  if (!existsSync(files.wallet)) {
    const mnemonic = newMnemonic();
    await writeJson(files.wallet, { mnemonic, ...describe(accountOf(mnemonic)) }, 0o600);
  }
  return readJson(files.wallet);
}

/** Resolves with the name of the first signal that asks to stop. */
function interruption() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve(signal));
  });
}

async function main() {
  const once = process.argv.includes("--once");
  const running = new Running();
  const demo = new Demo(running);
  const interrupted = interruption();
  let exitCode = 0;

  async function work() {
    await demo.start();
    if (once) return demo.payOnce();
    demo.printAddresses();
    return interrupted;
  }

  try {
    const signal = await Promise.race([work(), running.failure, interrupted]);
    if (signal) say("\nStopping …");
    if (signal && once) exitCode = 130;
  } catch (error) {
    console.error(`error: ${error.message}`);
    exitCode = 1;
  }
  await running.stop();
  process.exit(exitCode);
}

await main();
