// The proxy injects what it promises, counts it, and else stays out of the way.

import assert from "node:assert/strict";
import { Agent, createServer, request as httpRequest } from "node:http";
import { text as readText } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { decodeEventLog, erc20Abi, toEventSelector } from "viem";
import WebSocket, { WebSocketServer } from "ws";

import { FaultProxy } from "./fault_proxy.mjs";
import { waitFor } from "./wait.mjs";

const hex = (number) => `0x${number.toString(16)}`;
const hashOf = (number) => `0x${number.toString(16).padStart(64, "b")}`;
const token = `0x${"7".repeat(40)}`;
const shop = `0x${"5".repeat(40)}`;
const transfer = toEventSelector("Transfer(address,address,uint256)");
const parseError = '{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "parse error"}}';

/** A node with the blocks 0 to `head`; block 7 has two transactions with two logs and one. */
class FakeNode {
  head = 10;

  /** What it was sent, message by message. */
  messages = [];

  #server = createServer(async (request, response) => {
    response.setHeader("content-type", "application/json").end(this.#answer(await readText(request)));
  });
  #webSockets = new WebSocketServer({ noServer: true });

  async start() {
    this.#server.on("upgrade", (request, socket, head) => {
      this.#webSockets.handleUpgrade(request, socket, head, (client) => {
        client.on("message", (data) => client.send(this.#answer(String(data))));
      });
    });
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async stop() {
    for (const client of this.#webSockets.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Pushes a head to everybody who has subscribed. */
  mine() {
    this.head += 1;
    const { transactions, ...result } = this.#block(this.head);
    const params = { subscription: "0x1", result };
    const text = JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params });
    for (const client of this.#webSockets.clients) client.send(text);
  }

  get connections() {
    return this.#webSockets.clients.size;
  }

  #answer(text) {
    this.messages.push(text);
    let calls;
    try {
      calls = JSON.parse(text);
    } catch {
      return parseError;
    }
    const answers = [calls].flat().map((call) => ({ jsonrpc: "2.0", id: call.id, ...this.#call(call) }));
    return JSON.stringify(Array.isArray(calls) ? answers : answers[0]);
  }

  #call({ method, params }) {
    if (!(method in this.#methods)) return { error: { code: -32601, message: `no method ${method}` } };
    return { result: this.#methods[method](...params) };
  }

  #methods = {
    eth_chainId: () => hex(1),
    net_version: () => "1",
    eth_blockNumber: () => hex(this.head),
    eth_getBlockByNumber: (reference) => this.#block(this.#number(reference)),
    eth_getBlockByHash: (hash) => this.#block(this.#number(hash)),
    eth_getLogs: ({ blockHash, fromBlock, toBlock }) => {
      const [first, last] = [blockHash ?? fromBlock, blockHash ?? toBlock].map((reference) => this.#number(reference));
      return this.#logs().filter(({ blockNumber }) => Number(blockNumber) >= first && Number(blockNumber) <= last);
    },
    eth_getBlockReceipts: (reference) => {
      const logs = this.#logs().filter(({ blockNumber }) => Number(blockNumber) === this.#number(reference));
      return [hex(0), hex(1)].map((index) => ({ logs: logs.filter((log) => log.transactionIndex === index) }));
    },
    eth_getTransactionReceipt: () => ({ blockNumber: hex(7) }),
    eth_getBalance: (address, reference) => hex(this.#number(reference)),
    eth_subscribe: () => "0x1",
  };

  #number(reference = "latest") {
    if (reference.length === 66) return Number(`0x${reference.slice(2).replaceAll("b", "")}`);
    return { latest: this.head, finalized: this.head - 2 }[reference] ?? Number(reference);
  }

  #block(number) {
    if (number > this.head) return null;
    const transactions = number === 7 ? ["0xa0", "0xa1"] : [];
    return { number: hex(number), hash: hashOf(number), parentHash: hashOf(number - 1), transactions };
  }

  #logs() {
    return [0, 0, 1].map((transaction, logIndex) => ({
      address: token,
      topics: [transfer],
      blockHash: hashOf(7),
      blockNumber: hex(7),
      transactionIndex: hex(transaction),
      logIndex: hex(logIndex),
    }));
  }
}

let node;
let proxy;
let agent;
let sockets;

beforeEach(async () => {
  node = await new FakeNode().start();
  proxy = await FaultProxy.start({ target: node.url });
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  agent.destroy();
  await proxy.stop();
  await node.stop();
});

/** Sends a text over HTTP. @returns {Promise<{status: number, headers: object, text: string}>} */
function post(text) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(proxy.httpUrl, { method: "POST", agent }, (response) => {
      const { statusCode: status, headers } = response;
      readText(response).then((body) => resolve({ status, headers, text: body }), reject);
    });
    request.on("error", reject).end(text);
  });
}

const encode = (id, method, params) => ({ jsonrpc: "2.0", id, method, params });

/** One call over HTTP. @returns its answer, {result} or {error} */
async function answerTo(method, ...params) {
  const { jsonrpc, id, ...answer } = JSON.parse((await post(JSON.stringify(encode(9, method, params)))).text);
  assert.deepEqual([jsonrpc, id], ["2.0", 9]);
  return answer;
}

const call = async (method, ...params) => (await answerTo(method, ...params)).result;
const chainId = () => call("eth_chainId");
const number = async (tag) => Number((await call("eth_getBlockByNumber", tag, false))?.number);
const logsOf = (block, more) => call("eth_getLogs", { blockHash: hashOf(block), ...more });
const indexesOf = (logs) => logs.map(({ logIndex }) => Number(logIndex));

/** Several calls in one message. @returns the answers as they came */
async function batch(...calls) {
  const body = calls.map(([method, ...params], index) => encode(index, method, params));
  return JSON.parse((await post(JSON.stringify(body))).text);
}

/** A WebSocket that has subscribed to heads; `said` is what came over it since. */
async function subscribe() {
  const socket = new WebSocket(proxy.wsUrl);
  sockets.push(socket);
  socket.said = [];
  socket.on("message", (data) => socket.said.push(String(data)));
  socket.closed = new Promise((resolve) => socket.on("close", resolve));
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  socket.send(JSON.stringify(encode(1, "eth_subscribe", ["newHeads"])));
  await waitFor("the subscription", () => socket.said.length > 0);
  assert.deepEqual(JSON.parse(socket.said.shift()), { jsonrpc: "2.0", id: 1, result: "0x1" });
  return socket;
}

const headsOf = (socket) => socket.said.map((text) => Number(JSON.parse(text).params.result.number));
const expectHeads = async (socket, ...heads) => {
  await waitFor("the heads", () => socket.said.length >= heads.length);
  assert.deepEqual(headsOf(socket), heads);
};

test("without a fault, messages pass byte for byte", async () => {
  const single = '{ "id": 5, "method": "eth_chainId", "params": [],  "jsonrpc": "2.0" }';
  const several = `[${single}, ${single}]`;
  for (const text of [single, several, "no JSON", "[]", "[1]"]) {
    await post(text);
    assert.equal(node.messages.pop(), text);
  }
  assert.equal((await post("no JSON")).text, parseError);
  const socket = await subscribe();
  socket.send("no JSON");
  await waitFor("the answer", () => socket.said.length === 1);
  assert.equal(socket.said.pop(), parseError);
  node.mine();
  await expectHeads(socket, 11);
  assert.deepEqual(proxy.fired, {});
});

test("a node that is down looks down, and is found again", async () => {
  const { url } = node;
  await subscribe();
  const stopped = node;
  await stopped.stop();
  await assert.rejects(chainId());
  await assert.rejects(subscribe());
  node = await new FakeNode().start();
  assert.notEqual(node.url, url);
  proxy.target = undefined;
  await assert.rejects(chainId());
  await assert.rejects(subscribe());
  proxy.target = node.url;
  assert.equal(await chainId(), "0x1");
  await subscribe();
});

test("drop: the next calls", async () => {
  const fault = proxy.drop({ next: 2 });
  await assert.rejects(chainId(), { code: "ECONNRESET" });
  await assert.rejects(chainId());
  assert.equal(await chainId(), "0x1");
  assert.equal(node.messages.length, 1);
  assert.equal(fault.fired, 2);
  assert.deepEqual(proxy.fired, { drop: 2 });
});

test("drop: some methods only, also where they are one call of a batch", async () => {
  proxy.drop({ methods: ["eth_getLogs"] });
  assert.equal(await chainId(), "0x1");
  await assert.rejects(logsOf(7));
  await assert.rejects(batch(["eth_chainId"], ["eth_getLogs", { blockHash: hashOf(7) }]));
  assert.equal(proxy.fired.drop, 2);
});

test("a probability draws the same with the same seed, and other numbers with another", async () => {
  async function fatesWith(seed) {
    const other = await FaultProxy.start({ target: node.url, seed });
    const fault = other.rpcError(-32005, "limit exceeded", { probability: 0.5 });
    const fates = [];
    for (let asked = 0; asked < 64; ++asked) {
      const answer = await fetch(other.httpUrl, { method: "POST", body: JSON.stringify(encode(1, "eth_chainId", [])) });
      fates.push(Boolean((await answer.json()).error));
    }
    assert.equal(fault.fired, fates.filter(Boolean).length);
    await other.stop();
    return fates;
  }
  const fates = await fatesWith(1);
  assert.deepEqual(await fatesWith(1), fates);
  assert.notDeepEqual(await fatesWith(2), fates);
  const struck = fates.filter(Boolean).length;
  assert.ok(struck > 16 && struck < 48, `${struck} of 64`);
});

test("heal ends all faults, or one, and keeps the counts", async () => {
  const error = proxy.rpcError(-32005, "limit exceeded", { methods: ["eth_chainId"] });
  proxy.emptyLogs();
  assert.ok((await answerTo("eth_chainId")).error);
  error.heal();
  assert.equal(await chainId(), "0x1");
  assert.deepEqual(await logsOf(7), []);
  proxy.heal();
  assert.equal((await logsOf(7)).length, 3);
  assert.deepEqual(proxy.fired, { rpcError: 1, emptyLogs: 1 });
});

test("delay: the answer is as old as the question", async () => {
  proxy.delay(60);
  const began = performance.now();
  const asked = call("eth_blockNumber");
  await waitFor("the node to be asked", () => node.messages.length === 1, { interval: 1 });
  node.head = 11;
  assert.equal(await asked, hex(10));
  assert.ok(performance.now() - began > 50);
  proxy.heal();
  assert.equal(await call("eth_blockNumber"), hex(11));
  assert.equal(proxy.fired.delay, 1);
});

test("delay: heads keep their order, and do not add up", async () => {
  const socket = await subscribe();
  proxy.delay(200, { methods: ["eth_subscription"] });
  const began = performance.now();
  for (let mined = 0; mined < 20; ++mined) node.mine();
  await expectHeads(socket, ...Array.from({ length: 20 }, (_, index) => 11 + index));
  const took = performance.now() - began;
  assert.ok(took > 190 && took < 20 * 200, `${took} ms`);
  assert.equal(proxy.fired.delay, 20);
});

test("silence: nothing is answered or pushed, nor later", async () => {
  const socket = await subscribe();
  proxy.silence();
  const answers = [];
  chainId().then((answer) => answers.push(answer), (error) => answers.push(error.code));
  socket.send(JSON.stringify(encode(2, "eth_chainId", [])));
  node.mine();
  await waitFor("it to be met by silence", () => proxy.fired.silence === 3);
  proxy.heal();
  agent.maxSockets = 2;
  assert.equal(await chainId(), "0x1");
  node.mine();
  await expectHeads(socket, 12);
  assert.deepEqual(answers, []);
  await proxy.stop();
  await waitFor("the call to fail", () => answers.length === 1);
  assert.deepEqual(answers, ["ECONNRESET"]);
});

test("silence: a subscription that stays open and says nothing", async () => {
  const socket = await subscribe();
  proxy.silence({ methods: ["eth_subscription"] });
  node.mine();
  await waitFor("the head to be swallowed", () => proxy.fired.silence === 1);
  socket.send(JSON.stringify(encode(2, "eth_chainId", [])));
  await waitFor("an answer", () => socket.said.length > 0);
  assert.deepEqual(socket.said.map((text) => JSON.parse(text).result), ["0x1"]);
});

test("silence: a WebSocket that never opens", async () => {
  proxy.silence();
  const socket = new WebSocket(proxy.wsUrl);
  const ends = [];
  socket.on("open", () => ends.push("open")).on("error", () => ends.push("error"));
  await waitFor("it to be met by silence", () => proxy.fired.silence === 1);
  proxy.heal();
  await subscribe();
  assert.deepEqual(ends, []);
  socket.terminate();
});

test("cut: everything is closed, until it is healed", async () => {
  const socket = await subscribe();
  await chainId();
  proxy.cut();
  await socket.closed;
  await waitFor("the node to lose its connection", () => node.connections === 0);
  await assert.rejects(chainId());
  await assert.rejects(subscribe());
  const before = node.messages.length;
  proxy.heal();
  assert.equal(await chainId(), "0x1");
  await subscribe();
  assert.equal(node.messages.length, before + 2);
  assert.ok(proxy.fired.cut >= 4, `${proxy.fired.cut}`);
});

test("status: with the header of a rate limit, or without", async () => {
  proxy.status(429, { retryAfter: 7, next: 1 });
  const limited = await post("{}");
  assert.deepEqual([limited.status, limited.headers["retry-after"], limited.text], [429, "7", ""]);
  proxy.status(503, { methods: ["eth_getLogs"] });
  const batched = await post(JSON.stringify([encode(1, "eth_chainId", []), encode(2, "eth_getLogs", [{}])]));
  assert.deepEqual([batched.status, batched.headers["retry-after"]], [503, undefined]);
  assert.equal(await chainId(), "0x1");
  assert.equal(proxy.fired.status, 2);
});

test("status: a WebSocket is refused", async () => {
  proxy.status(429, { retryAfter: 7, next: 1 });
  const socket = new WebSocket(proxy.wsUrl);
  const answer = await new Promise((resolve) => socket.on("unexpected-response", (_, response) => resolve(response)));
  assert.deepEqual([answer.statusCode, answer.headers["retry-after"]], [429, "7"]);
  answer.destroy();
  await subscribe();
});

test("drop: a WebSocket, when it is opened and when something is asked", async () => {
  proxy.drop({ next: 1 });
  await assert.rejects(subscribe());
  const socket = await subscribe();
  proxy.drop({ next: 1 });
  socket.send(JSON.stringify(encode(2, "eth_chainId", [])));
  await socket.closed;
  assert.equal(proxy.fired.drop, 2);
});

test("truncate: half a body, then the end", async () => {
  proxy.truncate({ next: 1 });
  const { headers, received } = await new Promise((resolve) => {
    const request = httpRequest(proxy.httpUrl, { method: "POST", agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("error", () => {}).on("close", () => resolve({ headers: response.headers, received: text }));
    });
    request.end(JSON.stringify(encode(9, "eth_chainId", [])));
  });
  const whole = (await post(JSON.stringify(encode(9, "eth_chainId", [])))).text;
  assert.equal(Number(headers["content-length"]), whole.length);
  assert.equal(received, whole.slice(0, whole.length >> 1));
  assert.equal(proxy.fired.truncate, 1);
});

test("truncate: half a WebSocket message", async () => {
  const socket = await subscribe();
  proxy.truncate();
  socket.send(JSON.stringify(encode(2, "eth_chainId", [])));
  await waitFor("an answer", () => socket.said.length > 0);
  const whole = JSON.stringify({ jsonrpc: "2.0", id: 2, result: "0x1" });
  assert.equal(socket.said[0], whole.slice(0, whole.length >> 1));
});

test("huge: the right answer, and far more than it takes", async () => {
  proxy.huge(1_000_000);
  const answer = await post(JSON.stringify(encode(9, "eth_chainId", [])));
  assert.equal(JSON.parse(answer.text).result, "0x1");
  assert.equal(answer.text.length, JSON.stringify({ jsonrpc: "2.0", id: 9, result: "0x1" }).length + 1_000_000);
  assert.equal(answer.headers["content-length"], undefined);
  proxy.heal();
  const socket = await subscribe();
  proxy.huge(1_000_000);
  socket.send(JSON.stringify(encode(2, "eth_chainId", [])));
  await waitFor("an answer", () => socket.said.length > 0);
  assert.ok(socket.said[0].length > 1_000_000);
  assert.equal(proxy.fired.huge, 2);
});

test("rpcError: only the calls of its methods, one by one", async () => {
  proxy.rpcError(-32005, "limit exceeded", { methods: ["eth_getLogs"], next: 1 });
  const error = { code: -32005, message: "limit exceeded" };
  const calls = [["eth_chainId"], ["eth_getLogs", { blockHash: hashOf(7) }], ["eth_getLogs", { blockHash: hashOf(6) }]];
  const answers = await batch(...calls);
  assert.deepEqual(answers, [
    { jsonrpc: "2.0", id: 0, result: "0x1" },
    { jsonrpc: "2.0", id: 1, error },
    { jsonrpc: "2.0", id: 2, result: [] },
  ]);
  assert.equal(proxy.fired.rpcError, 1);
});

test("rpcError: a subscription is refused", async () => {
  proxy.rpcError(-32601, "no subscriptions here", { methods: ["eth_subscribe"] });
  await assert.rejects(subscribe());
  assert.equal(proxy.fired.rpcError, 1);
});

test("an error of the node itself stays what it is", async () => {
  proxy.lag(3);
  proxy.rewrite(() => "changed", {});
  assert.deepEqual(await answerTo("eth_unheardOf"), { error: { code: -32601, message: "no method eth_unheardOf" } });
  assert.deepEqual(proxy.fired, { lag: 0, rewrite: 0 });
});

test("emptyLogs: counted only where there were logs", async () => {
  proxy.emptyLogs();
  assert.deepEqual(await logsOf(6), []);
  assert.equal(proxy.fired.emptyLogs, 0);
  assert.deepEqual(await logsOf(7), []);
  assert.equal(proxy.fired.emptyLogs, 1);
});

test("omitLog: the last one, or another", async () => {
  const last = proxy.omitLog();
  assert.deepEqual(indexesOf(await logsOf(7)), [0, 1]);
  assert.deepEqual(await logsOf(6), []);
  const receipts = await call("eth_getBlockReceipts", hashOf(7));
  assert.deepEqual(receipts.map(({ logs }) => indexesOf(logs)), [[0, 1], []]);
  assert.equal(last.fired, 2);
  last.heal();
  proxy.omitLog({ index: 1 });
  assert.deepEqual(indexesOf(await logsOf(7)), [0, 2]);
  const others = await call("eth_getBlockReceipts", hex(7));
  assert.deepEqual(others.map(({ logs }) => indexesOf(logs)), [[0], [2]]);
  proxy.heal();
  proxy.omitLog({ index: 3 });
  assert.equal((await logsOf(7)).length, 3);
  assert.equal(proxy.fired.omitLog, 4);
});

test("madeUpLog: a transfer that never was, the same each time, in one block only", async () => {
  proxy.madeUpLog({ token, to: shop, units: 50_000_000n });
  const filter = { address: [token.toUpperCase().replace("X", "x")], topics: [transfer] };
  const logs = await logsOf(7, filter);
  assert.equal(logs.length, 4);
  const { args } = decodeEventLog({ abi: erc20Abi, ...logs[3] });
  assert.deepEqual([args.to, args.value], [shop, 50_000_000n]);
  const { blockHash, blockNumber, logIndex } = logs[3];
  assert.deepEqual([blockHash, blockNumber, logIndex], [hashOf(7), hex(7), hex(3)]);
  assert.deepEqual(await logsOf(7), logs);
  assert.deepEqual(await logsOf(8), []);
  const receipts = await call("eth_getBlockReceipts", hex(7));
  assert.deepEqual(receipts[2].logs, [logs[3]]);
  assert.equal(receipts[2].transactionHash, logs[3].transactionHash);
  assert.deepEqual(await call("eth_getLogs", { fromBlock: hex(0), toBlock: "latest" }), logs);
  assert.deepEqual(await call("eth_getLogs", { fromBlock: hex(8), toBlock: "latest" }), []);
  assert.equal(proxy.fired.madeUpLog, 4);
});

test("madeUpLog: only where the filter asks for it, in a block that is named", async () => {
  proxy.madeUpLog({ token, to: shop, units: 1n, block: 5 });
  assert.equal((await logsOf(7)).length, 3);
  assert.deepEqual(await logsOf(5, { address: shop }), []);
  assert.deepEqual(await logsOf(5, { topics: [hashOf(1)] }), []);
  assert.deepEqual(await logsOf(5, { topics: [null, null, hashOf(1)] }), []);
  assert.equal(proxy.fired.madeUpLog, 0);
  assert.equal((await logsOf(5, { topics: [[transfer, hashOf(1)]] })).length, 1);
  const all = await call("eth_getLogs", { fromBlock: hex(4), toBlock: hex(7) });
  assert.deepEqual(all.map(({ blockNumber }) => Number(blockNumber)), [5, 7, 7, 7]);
});

test("lag: the tips are behind, and what is above them is unknown", async () => {
  proxy.lag(4);
  assert.equal(await call("eth_blockNumber"), hex(6));
  assert.deepEqual([await number("latest"), await number("finalized")], [6, 4]);
  assert.equal(await call("eth_getBlockByNumber", hex(7), false), null);
  assert.equal(await call("eth_getBlockByHash", hashOf(7), false), null);
  assert.equal(await call("eth_getBlockReceipts", hashOf(7)), null);
  assert.equal(await call("eth_getTransactionReceipt", "0xa0"), null);
  assert.equal(await call("eth_getBalance", shop, "latest"), hex(6));
  assert.deepEqual((await answerTo("eth_getBalance", shop, hex(7))).error.code, -32000);
  assert.deepEqual((await answerTo("eth_getLogs", { blockHash: hashOf(7) })).error.code, -32000);
  assert.deepEqual(await call("eth_getLogs", { fromBlock: hex(0), toBlock: "latest" }), []);
  assert.deepEqual(await call("eth_getLogs", { fromBlock: hex(7), toBlock: hex(9) }), []);
  assert.equal(proxy.fired.lag, 12);
  assert.equal(await number(hex(6)), 6);
  assert.equal(await chainId(), "0x1");
  assert.equal(proxy.fired.lag, 12);
  node.head = 11;
  assert.equal((await logsOf(7)).length, 3);
});

test("lag and headBack: older heads are pushed", async () => {
  const socket = await subscribe();
  proxy.lag(4, { next: 1 });
  node.mine();
  await expectHeads(socket, 7);
  assert.deepEqual(JSON.parse(socket.said.pop()).params, {
    subscription: "0x1",
    result: { number: hex(7), hash: hashOf(7), parentHash: hashOf(6) },
  });
  proxy.headBack(1);
  node.mine();
  node.mine();
  await expectHeads(socket, 11, 12);
});

test("headBack: the head is told to be earlier, and the blocks above it can be read", async () => {
  proxy.headBack(3, { next: 2 });
  assert.equal(await number("latest"), 7);
  assert.equal(await call("eth_blockNumber"), hex(7));
  assert.equal(await number(hex(10)), 10);
  assert.equal(await number("latest"), 10);
  assert.equal(proxy.fired.headBack, 2);
});

test("finalized: stuck, too early, or a block that does not exist", async () => {
  const stuck = proxy.finalized(() => 8);
  assert.equal(await number("finalized"), 8);
  assert.equal(stuck.fired, 0);
  node.head = 11;
  assert.equal(await number("finalized"), 8);
  assert.equal(await call("eth_getBalance", shop, "finalized"), hex(8));
  assert.equal(stuck.fired, 2);
  stuck.heal();
  const early = proxy.finalized(({ head }) => head);
  assert.equal(await number("finalized"), 11);
  early.heal();
  proxy.finalized(({ finalized }) => finalized + 5);
  const block = await call("eth_getBlockByNumber", "finalized", false);
  assert.equal(Number(block.number), 14);
  assert.match(block.hash, /^0x[0-9a-f]{64}$/);
  assert.equal(await number("latest"), 11);
});

test("chainId", async () => {
  proxy.chainId(56);
  assert.equal(await chainId(), hex(56));
  assert.equal(await call("net_version"), "56");
  assert.equal(proxy.fired.chainId, 2);
});

test("otherBlock: its parent, for a hash and where else it is wanted", async () => {
  proxy.otherBlock();
  assert.equal(Number((await call("eth_getBlockByHash", hashOf(7), false)).number), 6);
  assert.equal(await number(hex(7)), 7);
  proxy.heal();
  proxy.otherBlock({ methods: ["eth_getBlockByNumber", "eth_getLogs"] });
  assert.equal(await number(hex(7)), 6);
  assert.equal(await number("latest"), 9);
  assert.equal((await logsOf(8)).length, 3);
  assert.deepEqual(await logsOf(7), []);
  assert.equal(await call("eth_getBlockByNumber", hex(11), false), null);
  assert.equal(proxy.fired.otherBlock, 5);
});

test("rewrite: whatever a test wants a node to say", async () => {
  const hide = (block) => (Number(block.number) === 7 ? { ...block, hash: hashOf(70) } : undefined);
  proxy.rewrite(hide, { methods: ["eth_getBlockByNumber"] });
  const answers = await batch(["eth_getBlockByNumber", hex(7), false], ["eth_getBlockByNumber", hex(8), false]);
  assert.deepEqual(answers.map(({ result }) => result.hash), [hashOf(70), hashOf(8)]);
  assert.equal(proxy.fired.rewrite, 1);
});

test("reorderBatches: the last answer first; a single call has no order", async () => {
  proxy.reorderBatches();
  const answers = await batch(["eth_chainId"], ["eth_blockNumber"], ["net_version"]);
  assert.deepEqual(answers.map(({ id, result }) => [id, result]), [[2, "1"], [1, hex(10)], [0, "0x1"]]);
  assert.equal(await chainId(), "0x1");
  assert.equal(proxy.fired.reorderBatches, 1);
});

test("a WebSocket answers calls, batches and lies as HTTP does", async () => {
  const socket = await subscribe();
  proxy.omitLog();
  const logs = encode("two", "eth_getLogs", [{ blockHash: hashOf(7) }]);
  socket.send(JSON.stringify([encode("one", "eth_chainId", []), logs]));
  await waitFor("an answer", () => socket.said.length > 0);
  const [first, second] = JSON.parse(socket.said[0]);
  assert.deepEqual(first, { jsonrpc: "2.0", id: "one", result: "0x1" });
  assert.deepEqual([second.id, indexesOf(second.result)], ["two", [0, 1]]);
});

test("duplicateHeads", async () => {
  const socket = await subscribe();
  proxy.duplicateHeads({ next: 1 });
  node.mine();
  node.mine();
  await expectHeads(socket, 11, 11, 12);
  assert.equal(proxy.fired.duplicateHeads, 1);
});

test("closeWebSockets closes those that are open, and the next ones work", async () => {
  const first = await subscribe();
  const second = await subscribe();
  proxy.closeWebSockets();
  await Promise.all([first.closed, second.closed]);
  assert.equal(proxy.fired.closeWebSockets, 2);
  const third = await subscribe();
  node.mine();
  await expectHeads(third, 11);
});

test("several lies at once", async () => {
  proxy.omitLog();
  proxy.madeUpLog({ token, to: shop, units: 1n });
  proxy.lag(1);
  assert.deepEqual(indexesOf(await logsOf(7)), [0, 1, 2]);
  assert.equal(await call("eth_blockNumber"), hex(9));
  assert.deepEqual(proxy.fired, { omitLog: 1, madeUpLog: 1, lag: 1 });
});
