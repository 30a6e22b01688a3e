// A shop that takes webhooks in and answers at once, in a thread of its own: nothing but their arrival is in its way.
// They are kept as they came, for whoever verifies them later.

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort } from "node:worker_threads";

export class WebhookSink {
  #worker;

  static async start() {
    const sink = new WebhookSink();
    sink.#worker = new Worker(fileURLToPath(import.meta.url));
    sink.url = `http://127.0.0.1:${await sink.#next()}/webhook`;
    return sink;
  }

  /**
   * Waits until so many have come since the last call, and takes them.
   * @param {number} count
   * @param {number} timeout milliseconds
   * @returns {Promise<{at: bigint, headers: object, body: Buffer}[]>} at: when the whole request was there, by
   *   process.hrtime
   */
  async take(count, timeout = 60_000) {
    this.#worker.postMessage({ count, timeout });
    const taken = await this.#next();
    return taken.map((webhook) => ({ ...webhook, body: Buffer.from(webhook.body) }));
  }

  #next() {
    return new Promise((resolve, reject) => {
      this.#worker.once("error", reject);
      this.#worker.once("message", (message) => {
        this.#worker.off("error", reject);
        if (message.missing === undefined) return resolve(message);
        reject(new Error(`${message.missing} webhooks did not come`));
      });
    });
  }

  async stop() {
    await this.#worker.terminate();
  }
}

function receive() {
  let kept = [];
  let wanted;
  const hand = () => {
    if (!wanted || kept.length < wanted.count) return;
    clearTimeout(wanted.timer);
    wanted = undefined;
    parentPort.postMessage(kept);
    kept = [];
  };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const at = process.hrtime.bigint();
      response.end();
      kept.push({ at, headers: request.headers, body: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks) });
      hand();
    });
  });
  parentPort.on("message", ({ count, timeout }) => {
    const timer = setTimeout(() => parentPort.postMessage({ missing: count - kept.length }), timeout);
    wanted = { count, timer };
    hand();
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
}

if (!isMainThread && parentPort) receive();
