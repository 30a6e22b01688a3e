// A proxy between sycee and PostgreSQL that cuts the connection at a commit: just before the server gets it, or after
// the server has answered and before sycee hears of it. Either looks the same to sycee.

import { mkdir } from "node:fs/promises";
import { connect, createServer } from "node:net";
import path from "node:path";

const query = "Q".charCodeAt(0);
const parse = "P".charCodeAt(0);

/** The messages of a client, of which a chunk may hold many or a part of one. */
class ClientMessages {
  #rest = Buffer.alloc(0);
  #started = false;

  /** @returns {{type: number, text: string, end: number}[]} complete ones; `end` is behind it in this chunk */
  take(chunk) {
    const held = this.#rest.length;
    let rest = Buffer.concat([this.#rest, chunk]);
    let taken = 0;
    const messages = [];
    for (;;) {
      // The first message has no type.
      const head = this.#started ? 1 : 0;
      if (rest.length < head + 4) break;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) break;
      const type = this.#started ? rest[0] : 0;
      taken += length;
      messages.push({ type, text: rest.toString("latin1", head + 4, length), end: taken - held });
      this.#started = true;
      rest = rest.subarray(length);
    }
    this.#rest = rest;
    return messages;
  }
}

export class CommitCutter {
  #server;
  #directory;
  #target;
  #sockets = new Set();
  #armed;

  /** How many commits were cut. */
  cuts = 0;

  /**
   * @param {string} directory for the socket
   * @param {string} connection of the server behind it, as Postgres.connection() makes it
   */
  static async start(directory, connection) {
    await mkdir(directory, { recursive: true });
    const cutter = new CommitCutter();
    cutter.#directory = directory;
    cutter.#target = path.join(/host=(\S+)/.exec(connection)[1], ".s.PGSQL.5432");
    cutter.#server = createServer((client) => cutter.#serve(client));
    await new Promise((resolve) => cutter.#server.listen(path.join(directory, ".s.PGSQL.5432"), resolve));
    return cutter;
  }

  /** The connection string that goes through the proxy. */
  connection(behind) {
    return behind.replace(/host=\S+/, `host=${this.#directory}`);
  }

  /**
   * Cuts the next commit of a transaction with a statement that matches.
   * @param {"before" | "after"} when the server gets the commit, or has done it
   * @param {RegExp} statement
   */
  arm(when, statement) {
    this.#armed = { when, statement };
  }

  get isArmed() {
    return this.#armed !== undefined;
  }

  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(client) {
    const server = connect(this.#target);
    const both = [client, server];
    const cut = () => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    const messages = new ClientMessages();
    let matches = false;
    let swallowing = false;
    client.on("data", (chunk) => {
      for (const { type, text, end } of messages.take(chunk)) {
        if (type !== query && type !== parse) continue;
        const statement = text.replaceAll("\0", " ").trim();
        if (/^begin\b/i.test(statement)) matches = false;
        if (this.#armed?.statement.test(statement)) matches = true;
        if (!/^commit\b/i.test(statement) || !matches || !this.#armed) continue;
        const { when } = this.#armed;
        this.#armed = undefined;
        this.cuts += 1;
        if (when === "before") return cut();
        swallowing = true;
        server.write(chunk.subarray(0, end));
        return;
      }
      if (!swallowing) server.write(chunk);
    });
    server.on("data", (chunk) => {
      if (swallowing) cut();
      else client.write(chunk);
    });
  }
}
