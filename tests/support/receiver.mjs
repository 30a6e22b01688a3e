// A shop's webhook receiver: verifies each webhook as a shop should, and keeps it.

import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

import { waitFor } from "./wait.mjs";

export class Receiver {
  #server;
  #open = new Set();

  /** Any of these must have signed. @type {string[]} */
  secrets = [];

  /** How large a share of what comes is answered with 500 and not confirmed. */
  failing = 0;

  /** A Retry-After header with each answer, in seconds. @type {number | undefined} */
  retryAfter;

  /** The body of its answers. */
  says = "thank you";

  /** Every webhook in the order of its arrival: what was verified, and whether it was confirmed. */
  deliveries = [];

  /** The bytes and headers of each webhook that was verified. @type {{body: Buffer, headers: object}[]} */
  requests = [];

  /** What came without a valid signature. */
  refused = [];

  /** What it answers; undefined: webhooks are taken in, and never answered. @type {number | undefined} */
  answer = 200;

  /** @param {string} [secret] that the webhooks are signed with (whsec_…); it may be set later, as `secrets` */
  static async start(secret) {
    const receiver = new Receiver();
    if (secret) receiver.secrets = [secret];
    receiver.#server = createServer((request, response) => receiver.#receive(request, response));
    await new Promise((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    receiver.url = `http://127.0.0.1:${receiver.#server.address().port}/webhook`;
    return receiver;
  }

  async #receive(request, response) {
    this.#open.add(response);
    response.once("close", () => this.#open.delete(response));
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const body = bytes.toString();
      const event = this.#verify(body, request.headers);
      this.requests.push({ body: bytes, headers: request.headers });
      const answer = Math.random() < this.failing ? 500 : this.answer;
      const delivery = { id: request.headers["webhook-id"], event, confirmed: answer === 200 };
      // Beside what a test compares.
      const raw = { body: { value: body }, headers: { value: signedHeaders(request.headers) } };
      this.deliveries.push(Object.defineProperties(delivery, raw));
      const headers = this.retryAfter === undefined ? {} : { "retry-after": String(this.retryAfter) };
      if (answer) response.writeHead(answer, headers).end(this.says);
    } catch (error) {
      this.refused.push(error.message);
      response.writeHead(400).end();
    }
  }

  #verify(body, headers) {
    const failures = [];
    for (const secret of this.secrets) {
      try {
        return new Webhook(secret).verify(body, headers);
      } catch (error) {
        failures.push(error);
      }
    }
    throw failures[0] ?? new Error("no secret is known");
  }

  /** The events of one payment that were confirmed, in the order of their arrival. */
  eventsOf(payment) {
    const confirmed = this.deliveries.filter((delivery) => delivery.confirmed && delivery.event.data.id === payment.id);
    return confirmed.map(({ event }) => event);
  }

  typesOf(payment) {
    return this.eventsOf(payment).map((event) => event.type);
  }

  /** Waits until an event of this type was confirmed. @returns the event */
  async expect(payment, type, options) {
    const find = () => this.eventsOf(payment).find((event) => event.type === type);
    return waitFor(`the webhook ${type}`, find, options);
  }

  async stop() {
    for (const response of this.#open) response.destroy();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function signedHeaders(headers) {
  return Object.fromEntries(["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => [name, headers[name]]));
}
