// Everything that a payment needs, for one test file or one test: a private PostgreSQL, a local chain whose
// blocks are mined when the test says so, a webhook receiver, and sycee with one merchant.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { accountOf, newMnemonic } from "../../tools/xpub/keys.mjs";
import { Chain } from "./chain.mjs";
import { CommitCutter } from "./commit_cutter.mjs";
import { freePort } from "./ports.mjs";
import { Postgres } from "./postgres.mjs";
import { Receiver } from "./receiver.mjs";
import { Sycee, chainSettings, secretFile } from "./sycee.mjs";
import { waitFor } from "./wait.mjs";

const database = "sycee";

export class World {
  #running = [];
  #gateway;
  #slotsInEpoch;
  #settings;
  #cutsCommits;

  /** Every answer of the API, for ApiContract. @type {{method: string, target: string, answer: object}[]} */
  answers = [];

  /** Block from which a transfer in block N is authorized, cleared and settled: N, N + 1, N + 2. */
  confirmations = 2;

  /**
   * @param {object} [options]
   * @param {boolean} [options.serve] false: everything is prepared, but the service is not started
   * @param {(entry: object) => object | object[]} [options.changeChain] changes the [[chains]] entry of the
   *   configuration, or makes several of it
   * @param {object | ((chain: Chain) => Promise<object>)} [options.settings] more of the configuration, by
   *   section; or what makes it, once there is a chain
   * @param {number} [options.slotsInEpoch] `finalized` is two times this behind the head
   * @param {object} [options.postgres] as of Postgres.start()
   * @param {boolean} [options.cutsCommits] sycee reaches PostgreSQL through world.cutter
   */
  static async start({
    serve = true, changeChain = (entry) => entry, slotsInEpoch, settings, postgres, cutsCommits = false,
  } = {}) {
    const world = new World();
    world.#cutsCommits = cutsCommits;
    world.#slotsInEpoch = slotsInEpoch;
    world.#settings = settings;
    try {
      await world.#prepare(changeChain, postgres);
      if (serve) await world.sycee.start();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  async #prepare(changeChain, postgres) {
    this.directory = await mkdtemp(path.join(tmpdir(), "sycee-e2e-"));
    this.postgres = await Postgres.startTemporary(postgres);
    this.#running.push(() => this.postgres.destroy());
    this.#running.push(() => this.chain?.stop());
    this.chainPort = await freePort();
    await this.startChain();
    this.token = await this.chain.deployToken();
    [, this.payer] = await this.chain.accounts();
    await this.token.mint(this.payer, this.token.units("1000000"));
    await this.#prepareSycee(changeChain);
    await this.#prepareMerchant();
  }

  async #prepareSycee(changeChain) {
    const settings = typeof this.#settings === "function" ? await this.#settings(this.chain) : this.#settings;
    const entry = await chainSettings(this.chain, [this.token], { confirmations: this.confirmations });
    this.#gateway = {
      owner: await this.postgres.createDatabase(database),
      database: this.postgres.connection(database, await this.postgres.createRole("sycee_service")),
      chains: [changeChain(entry)].flat(),
    };
    if (this.#cutsCommits) {
      this.cutter = await CommitCutter.start(path.join(this.directory, "cutter"), this.#gateway.database);
      this.#running.push(() => this.cutter.stop());
      this.#gateway.database = this.cutter.connection(this.#gateway.database);
    }
    this.sycee = await Sycee.prepare({
      directory: path.join(this.directory, "sycee"),
      settings: { reconciliation: { every_seconds: 1 }, ...settings },
      ...this.#gateway,
    });
    this.#running.push(() => this.sycee.stop());
    await this.sycee.cli("migrate");
  }

  /**
   * Another process of the service on the same books, with the same sealing key; not started.
   * @param {Record<string, Record<string, unknown>>} [settings] more of its configuration, by section
   */
  async prepareAnotherGateway(settings) {
    const directory = path.join(this.directory, "another");
    const sealingKey = path.join("secrets", "sealing.key");
    await mkdir(path.join(directory, "secrets"), { recursive: true });
    await copyFile(path.join(this.sycee.directory, sealingKey), path.join(directory, sealingKey));
    const gateway = await Sycee.prepare({ directory, settings, ...this.#gateway });
    this.#running.push(() => gateway.stop());
    return gateway;
  }

  async #prepareMerchant() {
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    this.webhookSecret = secret;
    this.receiver = await Receiver.start(secret);
    this.#running.push(() => this.receiver.stop());
    const webhookSecretFile = await secretFile(path.join(this.directory, "webhook-secret"), () => secret);
    Object.assign(this, await this.addMerchant({ webhookUrl: this.receiver.url, webhookSecretFile }));
  }

  /** @returns {Promise<{mnemonic: string, merchant: object, keyId: string, key: string}>} */
  async addMerchant(options = {}) {
    const mnemonic = newMnemonic();
    const merchant = await this.sycee.createMerchant({ xpub: accountOf(mnemonic).publicExtendedKey, ...options });
    const { id: keyId, key } = await this.sycee.createKey(merchant.id);
    return { mnemonic, merchant, keyId, key };
  }

  /** Starts the chain, or starts it again where it stopped. */
  async startChain() {
    const stateFile = path.join(this.directory, "chain.json");
    const options = { directory: this.directory, port: this.chainPort, stateFile, slotsInEpoch: this.#slotsInEpoch };
    this.chain = await Chain.start(options);
    if (this.token) this.token = await this.chain.tokenAt(this.token.address);
  }

  /** Stops everything that was started, whatever fails. */
  async stop() {
    const failures = [];
    for (const stop of this.#running.splice(0).reverse()) {
      await Promise.resolve(stop()).catch((error) => failures.push(error));
    }
    if (this.directory) await rm(this.directory, { recursive: true, force: true });
    if (failures.length > 0) throw new AggregateError(failures, "not everything could be stopped");
  }

  /** A request to the API with the merchant's key. */
  async api(method, target, options = {}) {
    const answer = await this.sycee.request(method, target, { key: this.key, ...options });
    this.answers.push({ method, target, answer });
    return answer;
  }

  /** @returns the new payment; a minute of blocks must not let it expire */
  async createPayment(fields = {}) {
    const body = { amount: "50.00", currency: "USD", expires_in: 86_400, ...fields };
    const answer = await this.api("POST", "/v1/payments", { body });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  }

  async payment({ id }) {
    const answer = await this.api("GET", `/v1/payments/${id}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  }

  /** Sends from the payer, in a block of its own. @returns the receipt */
  async pay(payment, amount = payment.options[0].amount) {
    return this.token.transfer(this.payer, payment.deposit_address, this.token.units(amount));
  }

  /** Waits until the payment has this status. @returns the payment */
  async expectStatus(payment, status, options) {
    let last;
    const reached = async () => {
      last = await this.payment(payment);
      return last.status === status;
    };
    await waitFor(`the payment to be ${status}`, reached, options).catch((error) => {
      throw new Error(`${error.message}; it is ${last?.status}. ${this.sycee.tail()}`);
    });
    return last;
  }

  /** Mines until the payment can be settled, and waits for it. */
  async settle(payment, options) {
    await this.chain.mine(this.confirmations + 1);
    return this.expectStatus(payment, "settled", options);
  }

  /** Waits until the service has booked the chain's newest block. */
  async caughtUp(options) {
    const reached = async () => (await this.cursor()) === (await this.headText());
    await waitFor("the service to reach the head", reached, options);
  }

  async cursor() {
    return this.sql("SELECT head_number || ' ' || encode(head_hash, 'hex') FROM chain_cursors");
  }

  async headText() {
    const { number, hash } = await this.chain.client.getBlock();
    return `${number} ${hash.slice(2)}`;
  }

  async sql(text) {
    return this.postgres.query(text, database);
  }

  /** Rows of a table, those of one payment if its reference is given. */
  async count(table, reference) {
    const of = reference ? ` JOIN payments USING (merchant_id, payment_id) WHERE reference = '${reference}'` : "";
    return Number(await this.sql(`SELECT count(*) FROM ${table}${of}`));
  }

  /** The books must be right. */
  async verifyBooks() {
    assert.match(await this.sycee.cli("verify"), /^Right: /);
  }
}
