// The second node runs our contracts and tells what happens on it.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { erc20Abi, parseEventLogs } from "viem";
import WebSocket from "ws";

import { HardhatChain } from "./hardhat.mjs";
import { waitFor } from "./wait.mjs";

let directory;
let chain;
let token;
let owner, alice, bob;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "sycee-hardhat-"));
  chain = await HardhatChain.start({ directory });
  [owner, alice, bob] = await chain.accounts();
  token = await chain.deployToken();
  await token.mint(alice, token.units("1000"));
});

after(async () => {
  await chain?.stop();
  await rm(directory, { recursive: true, force: true });
});

test("a chain of its own", async () => {
  assert.equal(await chain.client.getChainId(), chain.id);
  assert.equal(await token.read("owner"), owner);
});

test("the Transfer log of a transfer is found by its block's hash", async () => {
  const receipt = await token.transfer(alice, bob, token.units("12.34"));
  const logs = await chain.client.getLogs({ blockHash: receipt.blockHash, address: token.address });
  const [transfer, ...others] = parseEventLogs({ abi: erc20Abi, eventName: "Transfer", logs });
  assert.deepEqual(others, []);
  assert.equal(transfer.transactionHash, receipt.transactionHash);
  assert.deepEqual([transfer.args.from, transfer.args.to], [alice, bob]);
  assert.equal(transfer.args.value, token.units("12.34"));
  assert.equal(await token.balanceOf(bob), token.units("12.34"));
});

test("each mined block is announced", async () => {
  const socket = new WebSocket(chain.wsUrl);
  const heads = [];
  let subscribed = false;
  try {
    socket.on("message", (text) => {
      const { result, params } = JSON.parse(text);
      if (params) heads.push(Number(params.result.number));
      else subscribed = Boolean(result);
    });
    socket.on("open", () => {
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
    });
    await waitFor("the subscription", () => subscribed);
    const before = Number(await chain.client.getBlockNumber());
    await chain.mine(5);
    await waitFor("five heads", () => heads.length >= 5);
    assert.deepEqual(heads, [1, 2, 3, 4, 5].map((more) => before + more));
  } finally {
    socket.terminate();
  }
});

test("with a block time, blocks come by themselves, and transactions wait for them", async () => {
  const timed = await HardhatChain.start({ directory: path.join(directory, "timed"), blockTime: 1 });
  try {
    const other = await timed.deployToken();
    await other.mint(alice, 1n);
    const block = await timed.client.getBlockNumber();
    await waitFor("another block", async () => (await timed.client.getBlockNumber()) > block);
    assert.equal(await other.balanceOf(alice), 1n);
  } finally {
    await timed.stop();
  }
});
