// A gateway of our own making: it answers what a test tells it to, and keeps what it was asked.

import { once } from "node:events";
import { createServer } from "node:http";

import { Sycee } from "../dist/index.js";

export const json = (status, body, headers = {}) => ({ status, body: JSON.stringify(body), headers });
export const problem = (status, code, more = {}, headers = {}) =>
  json(
    status,
    { type: `urn:sycee:problem:${code}`, title: code, status, detail: `it is ${code}`, code, ...more },
    headers,
  );

export class Gateway {
  /** What was asked, in the order of arrival. */
  asked = [];
  /** Given one after the other, the last one for ever: {status, body, headers}, "reset" or "silence". */
  answers = [json(200, {})];
  #server = createServer((request, response) => this.#answer(request, response));

  static async start() {
    const gateway = new Gateway();
    await once(gateway.#server.listen(0, "127.0.0.1"), "listening");
    gateway.url = `http://127.0.0.1:${gateway.#server.address().port}`;
    return gateway;
  }

  client(options = {}) {
    return new Sycee({ url: this.url, apiKey: "sk_live_test", ...options });
  }

  async #answer(request, response) {
    const { method, url, headers } = request;
    this.asked.push({ method, url, headers, body: Buffer.concat(await request.toArray()).toString() });
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer === "silence") return;
    if (answer === "reset") return void request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers }).end(answer.body);
  }

  async stop() {
    const closed = once(this.#server.close(), "close");
    this.#server.closeAllConnections();
    await closed;
  }
}
