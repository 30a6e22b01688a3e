// HTTP/1.1 byte by byte: what a client may send that no HTTP library would, and what comes back.

import net from "node:net";

/** A response of a raw connection. @typedef {{status: number, headers: Record<string, string>, body: string}} RawAnswer */

/**
 * Sends bytes on a connection of its own, and reads until the other side closes it.
 * @param {number} port of 127.0.0.1
 * @param {string} bytes one character each
 * @param {{timeout?: number, http09?: boolean}} [options] milliseconds; whether an answer of HTTP/0.9 may come
 * @returns {Promise<RawAnswer[]>} what came back, without interim answers
 */
export async function exchange(port, bytes, { timeout = 20_000, http09 = false } = {}) {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  const chunks = [];
  try {
    await new Promise((resolve, reject) => {
      socket.setTimeout(timeout, () =>
        reject(new Error(`the connection is open after ${timeout} ms: ${textOf(chunks)}`)),
      );
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", resolve);
      // Who is refused may be cut off while it sends; what it was told until then counts.
      socket.on("error", (error) => {
        if (error.code === "ECONNRESET" || error.code === "EPIPE") resolve();
        else reject(error);
      });
      socket.write(Buffer.from(bytes, "latin1"));
    });
  } finally {
    socket.destroy();
  }
  return parseAnswers(textOf(chunks), http09);
}

const textOf = (chunks) => Buffer.concat(chunks).toString("latin1");

/** Splits a stream of responses; throws where it is none. @returns {RawAnswer[]} */
export function parseAnswers(text, http09 = false) {
  // Such an answer has no header, and is the only one of its connection.
  if (http09 && text && !text.startsWith("HTTP/")) return [{ status: 0, headers: {}, body: text }];
  const answers = [];
  let rest = text;
  while (rest) {
    const end = rest.indexOf("\r\n\r\n");
    const [first, ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
    if (end < 0 || !status) throw new Error(`this is no response: ${JSON.stringify(rest.slice(0, 200))}`);
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    rest = rest.slice(end + 4);
    if (status < 200) continue;
    const { body, after } = bodyOf(status, headers, rest);
    answers.push({ status, headers, body });
    rest = after;
  }
  return answers;
}

function bodyOf(status, headers, rest) {
  if (status === 204 || status === 304) return { body: "", after: rest };
  if (headers["transfer-encoding"] === "chunked") return chunksOf(rest);
  const length = headers["content-length"];
  if (length === undefined) return { body: rest, after: "" };
  if (rest.length < Number(length)) throw new Error(`a response breaks off: ${JSON.stringify(rest)}`);
  return { body: rest.slice(0, Number(length)), after: rest.slice(Number(length)) };
}

function chunksOf(rest) {
  let body = "";
  for (;;) {
    const [head, size] = /^([0-9a-f]+)[^\r\n]*\r\n/i.exec(rest) ?? [];
    if (!head) throw new Error(`this is no chunk: ${JSON.stringify(rest.slice(0, 100))}`);
    const length = Number.parseInt(size, 16);
    body += rest.slice(head.length, head.length + length);
    rest = rest.slice(head.length + length + 2);
    if (length === 0) return { body, after: rest };
  }
}

/** Passes connections on, and keeps what the other side answers. */
export class Tap {
  #server;
  #sockets = new Set();
  #answered = [];

  /** @param {number} target port of 127.0.0.1 */
  static async start(target) {
    const tap = new Tap();
    tap.#server = net.createServer({ noDelay: true }, (from) =>
      tap.#join(from, net.connect({ port: target, host: "127.0.0.1", noDelay: true })),
    );
    await new Promise((resolve) => tap.#server.listen(0, "127.0.0.1", resolve));
    tap.port = tap.#server.address().port;
    return tap;
  }

  #join(from, to) {
    const chunks = [];
    this.#answered.push(chunks);
    to.on("data", (chunk) => chunks.push(chunk));
    for (const [one, other] of [
      [from, to],
      [to, from],
    ]) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroySoon();
      });
    }
  }

  /** Connections that were passed on until now. */
  get connections() {
    return this.#answered.length;
  }

  /** The responses of all connections until now, of each connection in their order. @returns {RawAnswer[]} */
  answers() {
    return this.#answered.flatMap((chunks) => parseAnswers(textOf(chunks)));
  }

  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
