// The service under load with reorgs, killed again and again: after each kill the books must verify, and after
// each start they must agree with the chain.

import assert from "node:assert/strict";

import { pause, waitFor } from "./wait.mjs";

const price = "50.00";
const deepestReorg = 5; // and `finalized` is one block further behind the head
const longestLife = 900; // milliseconds from the start of a round's load to the kill
const patient = { timeout: 60_000 };

/** How World.start() must be called for it. */
export const worldOptions = { slotsInEpoch: 3 };

export class Crashes {
  #world;
  #state;
  #payments = []; // all of them, oldest first
  #touched = new Set(); // addresses that were paid or emptied since they were compared last

  /** What happened, for whoever wants to know that all of it did. */
  counts = { kills: 0, killsWhileStarting: 0, transfers: 0, sweeps: 0, reorgs: 0, minedAgain: 0 };

  /**
   * @param {import("./world.mjs").World} world made with `worldOptions`, its service running
   * @param {number} seed of what is drawn; the moment of a kill is real time all the same
   */
  constructor(world, seed) {
    this.#world = world;
    this.#state = seed >>> 0;
  }

  /** One life of the service: load, kill -9, verify, start, compare. */
  async round() {
    const { sycee, chain } = this.#world;
    // So that no reorg takes the token away.
    if (this.#payments.length === 0) await chain.mine(deepestReorg + 1);
    for (let i = 0; i < 4; i += 1) this.#payments.push(await this.#world.createPayment({ amount: price }));
    await this.#loadUntil(this.#kill());
    await this.#world.verifyBooks();
    if (this.#chance(4)) {
      sycee.launch();
      await pause(this.#below(longestLife / 2));
      await sycee.kill();
      this.counts.kills += 1;
      this.counts.killsWhileStarting += 1;
      await this.#world.verifyBooks();
    }
    await sycee.start();
    await this.#world.caughtUp(patient);
    await this.#compare([...this.#touched]);
    this.#touched.clear();
  }

  /** Nothing fails any more: everything reaches its final state, and is told. */
  async finish() {
    await this.#world.chain.mine(3 * (deepestReorg + 1));
    await this.#world.caughtUp(patient);
    await this.#world.verifyBooks();
    await this.#compare(this.#payments.map((payment) => payment.deposit_address));
    const enough = this.#world.token.units(price);
    const arrived = await this.#arrived();
    for (const payment of this.#payments) {
      const whole = (arrived.get(payment.deposit_address.toLowerCase()) ?? 0n) >= enough;
      const { status } = await this.#world.payment(payment);
      assert.equal(status === "settled", whole, `${payment.id} is ${status}`);
      if (whole) await this.#world.receiver.expect(payment, "payment.settled", patient);
    }
    assert.deepEqual(this.#world.receiver.refused, []);
  }

  async #kill() {
    await pause(this.#below(longestLife));
    await this.#world.sycee.kill();
    this.counts.kills += 1;
  }

  /** Payers, merchant and miners go on until the service is dead, and a little longer. */
  async #loadUntil(end) {
    let over = false;
    const ended = end.then(() => (over = true));
    while (!over) await this.#act();
    await ended;
    await this.#act();
  }

  async #act() {
    const draw = this.#below(10);
    if (draw < 5) return this.#pay();
    if (draw < 6) return this.#sweep();
    if (draw < 8) return this.#world.chain.mine(1 + this.#below(3));
    return this.#reorg();
  }

  /** All of it, a part, or more than once. */
  async #pay() {
    const recent = this.#payments.slice(-12);
    const { deposit_address: address } = recent[this.#below(recent.length)];
    const amount = ["50", "50", "50", "20", "30", "55"][this.#below(6)];
    this.#touched.add(address);
    await this.#world.token.transfer(this.#world.payer, address, this.#world.token.units(amount));
    this.counts.transfers += 1;
  }

  /** The merchant takes what lies on a deposit address. */
  async #sweep() {
    const { chain, token, payer } = this.#world;
    const recent = this.#payments.slice(-12);
    const { deposit_address: address } = recent[this.#below(recent.length)];
    const balance = await token.balanceOf(address);
    if (balance === 0n) return;
    this.#touched.add(address);
    await chain.client.impersonateAccount({ address });
    await chain.client.setBalance({ address, value: 10n ** 18n });
    await token.transfer(address, payer, balance);
    this.counts.sweeps += 1;
  }

  /** Takes blocks away; of the payers' transactions in them the first ones are mined again, or all, or none. */
  async #reorg() {
    const { chain, payer } = this.#world;
    const depth = 1 + this.#below(deepestReorg);
    const head = Number(await chain.client.getBlockNumber());
    const taken = [];
    for (let number = head - depth + 1; number <= head; number += 1) {
      const block = await chain.client.getBlock({ blockNumber: BigInt(number), includeTransactions: true });
      taken.push(...block.transactions);
    }
    for (const { to, input } of taken) if (to) this.#noteRecipient(input);
    const own = taken.filter(({ from }) => from.toLowerCase() === payer.toLowerCase());
    const again = own.slice(0, this.#below(own.length + 1));
    let offset = 0;
    const transactions = [];
    for (const { hash } of again) {
      offset = Math.min(depth - 1, offset + this.#below(2));
      transactions.push({ raw: await chain.rawTransaction(hash), offset });
    }
    await chain.reorg(depth, transactions);
    this.counts.reorgs += 1;
    this.counts.minedAgain += again.length;
  }

  /** The recipient of a transfer that may go away: its balance changes. */
  #noteRecipient(input) {
    const address = `0x${input.slice(34, 74)}`.toLowerCase();
    const payment = this.#payments.find((candidate) => candidate.deposit_address.toLowerCase() === address);
    if (payment) this.#touched.add(payment.deposit_address);
  }

  /** What the books say lies on each of these addresses is what the token says. */
  async #compare(addresses) {
    const booked = await this.#booked();
    const { token } = this.#world;
    const balances = await Promise.all(addresses.map((address) => token.balanceOf(address)));
    addresses.forEach((address, index) => {
      const inBooks = booked.get(address.toLowerCase()) ?? 0n;
      assert.equal(inBooks, balances[index], `${address}: the books say ${inBooks}, the chain ${balances[index]}`);
    });
  }

  /** What live transfers brought in to each address. */
  async #arrived() {
    return this.#sums(`SELECT deposit_address, amount FROM authorizations
      JOIN live_credits ON (authorizations.merchant_id, authorizations.chain_id, authorizations.seq)
        = (live_credits.merchant_id, live_credits.chain_id, live_credits.authorization_seq)`);
  }

  async #booked() {
    const sums = await this.#arrived();
    const out = await this.#sums(`SELECT deposit_address, amount FROM withdrawals
      JOIN live_withdrawals ON (withdrawals.merchant_id, withdrawals.chain_id, withdrawals.seq)
        = (live_withdrawals.merchant_id, live_withdrawals.chain_id, live_withdrawals.withdrawal_seq)`);
    for (const [address, amount] of out) sums.set(address, (sums.get(address) ?? 0n) - amount);
    return sums;
  }

  async #sums(select) {
    const text = await this.#world.sql(
      `SELECT '0x' || encode(deposit_address, 'hex'), sum(amount) FROM (${select}) rows GROUP BY 1`,
    );
    const rows = text === "" ? [] : text.split("\n").map((row) => row.split("|"));
    return new Map(rows.map(([address, sum]) => [address, BigInt(sum)]));
  }

  #chance(of) {
    return this.#below(of) === 0;
  }

  /** A number from 0 to below `limit` (mulberry32). */
  #below(limit) {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.floor(limit);
  }
}
