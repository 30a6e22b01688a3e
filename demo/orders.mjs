// The shop's orders: in memory, and in a file of JSON lines from which the next start reads them again.

import { appendFileSync, existsSync, readFileSync } from "node:fs";

const firstNumber = 1001;

export class Orders {
  #file;
  #orders = new Map();
  #byPayment = new Map();
  #seen = new Set();
  #next = firstNumber;

  /** @param {string} file */
  constructor(file) {
    this.#file = file;
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      if (line) this.#apply(JSON.parse(line));
    }
  }

  /** A number that no order has had. */
  newReference() {
    return `order-${this.#next++}`;
  }

  add(order) {
    this.#record({ order: { ...order, created_at: new Date().toISOString() } });
  }

  /**
   * Notes what a webhook says. The same webhook may come twice.
   * @param {string} id of the webhook
   * @param {{type: string, timestamp: string, sequence: number, data?: {id: string, status: string}} | undefined} event
   * @returns {boolean} whether the payment is one of an order here
   */
  note(id, event) {
    if (!this.#byPayment.has(event?.data?.id)) return false;
    const { type, timestamp, sequence, data } = event;
    const { id: payment, status } = data;
    if (!this.#seen.has(id)) this.#record({ event: { id, type, timestamp, sequence, payment, status } });
    return true;
  }

  /** @returns the order with its state and events, or undefined */
  find(reference) {
    return this.#view(this.#orders.get(reference));
  }

  /** Newest first. */
  all() {
    return [...this.#orders.values()].reverse().map((order) => this.#view(order));
  }

  #record(entry) {
    // Written first: what the shop has confirmed to the sender must not be lost.
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    this.#apply(entry);
  }

  #apply({ order, event }) {
    if (order) {
      this.#orders.set(order.reference, { ...order, events: [] });
      this.#byPayment.set(order.payment, order.reference);
      this.#next = Math.max(this.#next, Number(order.reference.replace("order-", "")) + 1);
    } else if (event) {
      this.#seen.add(event.id);
      this.#orders.get(this.#byPayment.get(event.payment)).events.push(event);
    }
  }

  #view(order) {
    if (!order) return undefined;
    // Webhooks may arrive in another order than things happened.
    const events = [...order.events].sort((a, b) => a.sequence - b.sequence);
    return { ...order, events, status: events.at(-1)?.status ?? "open" };
  }
}
