// A JSON-RPC proxy in front of an EVM node, over HTTP and WebSocket on one port, that breaks and lies as real
// providers do, when and as the test says. Without a fault it passes everything on.

import { createHash } from "node:crypto";
import { STATUS_CODES, createServer, request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { text as readText } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket, { WebSocketServer } from "ws";

import * as lies from "./node_lies.mjs";

/** What stands for the heads that a node pushes, where a fault is for some methods only. */
const pushed = "eth_subscription";

/**
 * Which messages a fault is for. Each method below takes it as its last parameter.
 * @typedef {object} Which
 * @property {string[]} [methods] only calls of these; of a message with several calls, one is enough. A lie concerns
 *   just these calls, not the others of their batch. "eth_subscription" stands for heads that are pushed.
 * @property {number} [next] how often it fires before it is over
 * @property {number} [probability] 0 to 1; drawn from the proxy's seed, so that the same test draws the same
 */

/** A fault that is being injected. */
class Fault {
  /** How often it really changed what the client gets. */
  fired = 0;

  #methods;
  #left;
  #probability;
  #random;
  #onFire;

  constructor(name, { methods, next = Infinity, probability = 1 }, random, onFire) {
    this.name = name;
    this.#methods = methods;
    this.#left = next;
    this.#probability = probability;
    this.#random = random;
    this.#onFire = onFire;
  }

  /** Whether it is for a message with calls of these methods. */
  concerns(methods) {
    if (this.#left <= 0) return false;
    if (this.#methods && !this.#methods.some((method) => methods.includes(method))) return false;
    return this.#probability === 1 || this.#random() < this.#probability;
  }

  /** Counts. @returns false where it is over */
  fire() {
    if (this.#left <= 0) return false;
    this.#left -= 1;
    this.fired += 1;
    this.#onFire();
    return true;
  }

  /** Ends it; what it has fired stays counted. */
  heal() {
    this.#left = 0;
  }
}

export class FaultProxy {
  #server;
  #webSockets = new WebSocketServer({ noServer: true });
  #sockets = new Set();
  #clients = new Set();
  #faults = [];
  #seed;
  #stopping = new AbortController();

  /** How often each fault really fired, by the name of its method below. @type {Record<string, number>} */
  fired = {};

  constructor(target, seed) {
    /**
     * The node's HTTP URL, which takes WebSockets as well. May be changed, as a load balancer turns to another node;
     * a WebSocket that is open stays with the old one. Without a node, every connection is closed.
     */
    this.target = target;
    this.#seed = seed;
    this.#server = createServer((request, response) => this.#overHttp(request, response));
    this.#server.keepAliveTimeout = 0; // closes nothing by itself
    this.#server.on("upgrade", (request, socket, head) => this.#overWebSocket(request, socket, head));
    this.#server.on("connection", (socket) => this.#accept(socket));
  }

  /** @param {{target?: string, seed?: number}} [options] target: may also be set later */
  static async start({ target, seed = 1 } = {}) {
    const proxy = new FaultProxy(target, seed);
    await new Promise((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.#server.address();
    proxy.httpUrl = `http://127.0.0.1:${port}`;
    proxy.wsUrl = `ws://127.0.0.1:${port}`;
    return proxy;
  }

  async stop() {
    this.#stopping.abort();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Ends all faults. What has been counted stays; a message that was met by silence stays unanswered. */
  heal() {
    for (const fault of this.#faults.splice(0)) fault.heal();
  }

  // ---- Faults of the connection ----------------------------------------------------------------------------
  // These concern a message as a whole, be it one call or a batch. Without `methods`, drop(), silence() and status()
  // also meet a WebSocket that is being opened.

  /** Closes the connection instead of answering. @param {Which} [which] */
  drop(which) {
    return this.#add("drop", which);
  }

  /** Answers, and pushes heads, later: what is told was true when the node said it. @param {Which} [which] */
  delay(milliseconds, which) {
    return this.#add("delay", which, { milliseconds });
  }

  /**
   * Takes messages in and never answers, nor pushes heads. With `methods: ["eth_subscription"]`: a subscription
   * that stays open and says nothing any more.
   * @param {Which} [which]
   */
  silence(which) {
    return this.#add("silence", which);
  }

  /** Closes every connection, and each new one at once. Its port stays taken, so that nobody else can have it. */
  cut() {
    const fault = this.#add("cut");
    for (const socket of this.#sockets) {
      socket.destroy();
      fault.fire();
    }
    return fault;
  }

  /**
   * Answers with an HTTP status. A WebSocket is refused with it; one that is open knows none.
   * @param {number} code
   * @param {Which & {retryAfter?: number}} [options] retryAfter: seconds
   */
  status(code, { retryAfter, ...which } = {}) {
    return this.#add("status", which, { code, retryAfter });
  }

  /**
   * Sends half of the answer. Over HTTP it then closes the connection, over a WebSocket half is the whole message.
   * @param {Which} [which]
   */
  truncate(which) {
    return this.#add("truncate", which);
  }

  /** Sends the right answer with so many spaces behind it, which JSON allows. @param {Which} [which] */
  huge(bytes, which) {
    return this.#add("huge", which, { bytes });
  }

  /** Answers a batch in the opposite order. @param {Which} [which] */
  reorderBatches(which) {
    return this.#add("reorderBatches", which);
  }

  /** Closes the WebSockets that are open now. */
  closeWebSockets() {
    this.fired.closeWebSockets = (this.fired.closeWebSockets ?? 0) + this.#clients.size;
    for (const client of this.#clients) client.terminate();
  }

  // ---- Lies: these concern each call by itself ---------------------------------------------------------------

  /** Answers with a JSON-RPC error. @param {Which} [which] */
  rpcError(code, message, which) {
    return this.#add("rpcError", which, lies.rpcError(code, message));
  }

  /** eth_getLogs finds nothing. @param {Which} [which] */
  emptyLogs(which) {
    return this.#add("emptyLogs", which, lies.emptyLogs());
  }

  /**
   * A log is missing from eth_getLogs and eth_getBlockReceipts.
   * @param {Which & {index?: number}} [options] index: of the log in the answer, negative from the end; the last one
   *   if not given
   */
  omitLog({ index = -1, ...which } = {}) {
    return this.#add("omitLog", which, lies.omitLog(index));
  }

  /**
   * eth_getLogs and eth_getBlockReceipts have a Transfer log that never was, in one block.
   * @param {Which & {token: string, to: string, units: bigint, from?: string, block?: number}} options
   *   block: its number, that of the block that is asked for next if not given
   */
  madeUpLog({ token, to, units, from, block, ...which }) {
    return this.#add("madeUpLog", which, lies.madeUpLog({ token, to, units, from, block }));
  }

  /** All tips are so many blocks behind, and what is above them is unknown. @param {Which} [which] */
  lag(blocks, which) {
    return this.#add("lag", which, lies.lag(blocks));
  }

  /** The newest block is told to be so many blocks earlier; those above it can be read. @param {Which} [which] */
  headBack(blocks, which) {
    return this.#add("headBack", which, lies.headBack(blocks));
  }

  /**
   * Another finalized block: `finalized(() => 7)` is stuck, `finalized(({ head }) => head)` too early,
   * `finalized(({ head }) => head + 5)` a block that does not exist.
   * @param {(tips: {head: number, finalized: number}) => number} tell
   * @param {Which} [which]
   */
  finalized(tell, which) {
    return this.#add("finalized", which, lies.finalized(tell));
  }

  /** @param {Which} [which] */
  chainId(id, which) {
    return this.#add("chainId", which, lies.chainId(id));
  }

  /**
   * eth_getBlockByHash answers the block's parent. So do, if `methods` names them, eth_getBlockByNumber, eth_getLogs of
   * a block, eth_getBlockReceipts and calls at a block.
   * @param {Which} [which]
   */
  otherBlock(which) {
    return this.#add("otherBlock", which, lies.otherBlock());
  }

  /** Pushes each head twice. @param {Which} [which] */
  duplicateHeads(which) {
    return this.#add("duplicateHeads", which, lies.duplicateHeads());
  }

  /**
   * Any other lie: changes results, which may be done in place.
   * @param {(result: any, call: {method: string, params: any[]}) => any} change undefined: nothing to lie about here
   * @param {Which} which
   */
  rewrite(change, which) {
    return this.#add("rewrite", which, lies.rewrite(change));
  }

  // ---- What carries them out -----------------------------------------------------------------------------------

  #add(name, which = {}, { methods, ...more } = {}) {
    this.fired[name] ??= 0;
    const random = randomNumbers(`${this.#seed} ${name} ${this.#added++}`);
    const fault = new Fault(name, { methods, ...which }, random, () => (this.fired[name] += 1));
    this.#faults.push(Object.assign(fault, more));
    return fault;
  }
  #added = 0;

  /** The fault of this name that meets a message with these methods, counted; undefined if there is none. */
  #strike(name, methods) {
    return this.#faults.find((fault) => fault.name === name && fault.concerns(methods) && fault.fire());
  }

  #accept(socket) {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (!this.target || this.#strike("cut", [])) socket.destroy();
  }

  async #overHttp(request, response) {
    let status = 200;
    const headers = { "content-type": "application/json" };
    const line = {
      ask: (call) => this.#ask(call),
      forward: async (text) => {
        const answer = await this.#post(text);
        status = answer.status;
        return answer.text;
      },
      send: (text) => response.writeHead(status, headers).end(text),
      sendHalf: (text) => {
        const bytes = Buffer.from(text);
        response.writeHead(status, { ...headers, "content-length": bytes.length });
        response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
      },
      // In chunks, so that only a client that counts them knows how much it is.
      sendHuge: (text, bytes) => pipeline(padded(text, bytes), response.writeHead(status, headers)),
      refuse: (refusal) => response.writeHead(refusal.code, refusalHeaders(refusal)).end(),
      close: () => response.destroy(),
    };
    // A node that can't be reached looks the same through the proxy.
    await readText(request)
      .then((text) => this.#converse(text, line, Date.now()))
      .catch(() => response.destroy());
  }

  #overWebSocket(request, socket, head) {
    socket.on("error", () => {});
    if (this.#strike("silence", [])) return;
    if (this.#strike("drop", [])) return socket.destroy();
    const refusal = this.#strike("status", []);
    if (refusal) return socket.end(refusalText(refusal));
    const upstream = new WebSocket(this.target.replace(/^http/, "ws"));
    upstream.on("error", () => socket.destroy());
    socket.once("close", () => upstream.terminate());
    upstream.once("open", () => {
      this.#webSockets.handleUpgrade(request, socket, head, (client) => this.#relay(client, upstream));
    });
  }

  #relay(client, upstream) {
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    client.on("error", () => {});
    upstream.once("close", () => client.terminate());

    const waiting = new Map();
    let asked = 0;
    let queue = Promise.resolve();
    // What is pushed must not overtake the answer to what was asked before.
    const inOrder = (say) => (queue = queue.then(say).catch(() => client.terminate()));
    const line = {
      ask: (call) =>
        new Promise((resolve) => {
          waiting.set(++asked, resolve);
          upstream.send(encode(call, asked));
        }),
      send: (text) => client.send(text),
      sendHalf: (text) => client.send(text.slice(0, text.length >> 1)),
      sendHuge: (text, bytes) => client.send(text + " ".repeat(bytes)),
      close: () => client.terminate(),
    };

    client.on("message", (data) => {
      const text = String(data);
      const arrived = Date.now();
      if (callsOf(text).length > 0) inOrder(() => this.#converse(text, line, arrived));
      else upstream.send(text);
    });
    upstream.on("message", (data) => {
      const text = String(data);
      const message = parse(text);
      const resolve = waiting.get(message?.id);
      waiting.delete(message?.id);
      if (resolve) return resolve(answerOf(message));
      const arrived = Date.now();
      inOrder(() => this.#push(text, message, line, arrived));
    });
  }

  /** From a message to its answer, or whatever else `line` is made to do. */
  async #converse(text, line, arrived) {
    const calls = callsOf(text);
    const methods = calls.map(({ method }) => method);
    if (this.#strike("silence", methods)) return;
    const delay = this.#strike("delay", methods);
    if (this.#strike("drop", methods)) {
      await this.#wait(delay, arrived);
      return line.close();
    }
    const refusal = line.refuse && this.#strike("status", methods);
    if (refusal) {
      await this.#wait(delay, arrived);
      return line.refuse(refusal);
    }
    const answer = await this.#answer(text, calls, line);
    await this.#wait(delay, arrived);
    if (this.#strike("truncate", methods)) return line.sendHalf(answer);
    const huge = this.#strike("huge", methods);
    return huge ? line.sendHuge(answer, huge.bytes) : line.send(answer);
  }

  async #wait(delay, arrived) {
    const rest = delay ? arrived + delay.milliseconds - Date.now() : 0;
    if (rest > 0) await sleep(rest, undefined, { signal: this.#stopping.signal });
  }

  async #answer(text, calls, line) {
    const chosen = calls.map(({ method }) => this.#faults.filter((fault) => fault.answer && fault.concerns([method])));
    const methods = calls.map(({ method }) => method);
    const reorder = calls.length > 1 && this.#strike("reorderBatches", methods);
    // What nothing is done to stays one message, byte for byte.
    const untouched = !reorder && chosen.every((faults) => faults.length === 0);
    if (untouched && line.forward) return line.forward(text);
    const answers = [];
    for (const [index, { id, method, params = [] }] of calls.entries()) {
      const answer = await this.#lie({ method, params }, chosen[index], line.ask);
      answers.push({ jsonrpc: "2.0", id, ...answer });
    }
    if (reorder) answers.reverse();
    return JSON.stringify(Array.isArray(parse(text)) ? answers : answers[0]);
  }

  /** Each fault in turn sees what the ones behind it make of the node's answer. */
  async #lie(call, faults, ask) {
    const told = faults.reduceRight(
      (next, fault) => (asked) => fault.answer(asked, { ask: next, real: this.#real, fire: () => fault.fire() }),
      ask,
    );
    return told(call);
  }

  async #push(text, message, line, arrived) {
    if (this.#strike("silence", [pushed])) return;
    await this.#wait(this.#strike("delay", [pushed]), arrived);
    const head = message?.params?.result;
    if (!head?.parentHash) return line.send(text);
    let heads = [head];
    for (const fault of this.#faults.filter((each) => each.heads && each.concerns([pushed]))) {
      const told = heads.map((one) => fault.heads(one, { real: this.#real, fire: () => fault.fire() }));
      heads = (await Promise.all(told)).flat();
    }
    for (const result of heads) line.send(JSON.stringify({ ...message, params: { ...message.params, result } }));
  }

  async #ask(call) {
    return answerOf(JSON.parse((await this.#post(encode(call, 1))).text));
  }

  /** For lies: what the node says itself, null if it refuses. */
  #real = async (method, ...params) => (await this.#ask({ method, params })).result ?? null;

  #post(body) {
    return new Promise((resolve, reject) => {
      const options = {
        method: "POST",
        agent: false, // a connection that is kept would be a dead one once the node was restarted
        signal: this.#stopping.signal,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      };
      const request = httpRequest(this.target, options, (response) => {
        readText(response).then((text) => resolve({ status: response.statusCode, text }), reject);
      });
      request.on("error", reject).end(body);
    });
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** None where it is no JSON-RPC: the node may say what is wrong with it. */
function callsOf(text) {
  const calls = [parse(text)].flat();
  return calls.every((call) => typeof call?.method === "string") ? calls : [];
}

const encode = ({ method, params }, id) => JSON.stringify({ jsonrpc: "2.0", id, method, params });
const answerOf = ({ result, error }) => (error ? { error } : { result });

function refusalHeaders({ retryAfter }) {
  return { "content-length": 0, ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }) };
}

function refusalText(refusal) {
  const headers = Object.entries({ ...refusalHeaders(refusal), connection: "close" });
  const lines = [`HTTP/1.1 ${refusal.code} ${STATUS_CODES[refusal.code]}`, ...headers.map((pair) => pair.join(": "))];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function padded(text, bytes) {
  const piece = " ".repeat(65_536);
  function* pieces() {
    yield text;
    for (let left = bytes; left > 0; left -= piece.length) yield piece.slice(0, left);
  }
  return Readable.from(pieces());
}

/** Numbers from 0 to below 1 that depend on the seed alone. */
function randomNumbers(seed) {
  let drawn = 0;
  return () => createHash("sha256").update(`${seed} ${drawn++}`).digest().readUIntBE(0, 6) / 2 ** 48;
}
