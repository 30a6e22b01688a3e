// A shop that takes webhooks in and answers at once, in a thread of its own: nothing but their arrival is in its way, and
// little of the cores is the shop's. They are kept as they came, for whoever reads and verifies them later.

import { createServer } from "node:net";
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
    return taken.map(({ at, head, body }) => ({ at, headers: headersOf(head), body: Buffer.from(body) }));
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

const headersOf = (head) =>
  Object.fromEntries(
    head.split("\r\n").slice(1).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );

const endOfHead = "\r\n\r\n";

/** The requests that are whole in these bytes, and what is left of them. */
function split(bytes) {
  const requests = [];
  for (;;) {
    const end = bytes.indexOf(endOfHead);
    if (end < 0) return { requests, rest: bytes };
    const head = bytes.latin1Slice(0, end);
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(head);
    if (!length) throw new Error(`a webhook does not say how long it is: ${head}`);
    const begin = end + endOfHead.length;
    const next = begin + Number(length[1]);
    if (bytes.length < next) return { requests, rest: bytes };
    requests.push({ head, body: bytes.subarray(begin, next) });
    bytes = bytes.subarray(next);
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
  const server = createServer({ noDelay: true }, (socket) => {
    let left = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      const { requests, rest } = split(left.length === 0 ? bytes : Buffer.concat([left, bytes]));
      left = rest;
      const at = process.hrtime.bigint();
      for (const request of requests) {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        kept.push({ at, ...request });
      }
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
