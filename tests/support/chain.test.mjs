// The habits of the test token, and what the helpers of the local chain promise.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { parseEventLogs } from "viem";

import { Chain } from "./chain.mjs";
import { contract } from "./contracts.mjs";

let directory;
let chain;
let token;
let owner, alice, bob, carol;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "sycee-chain-"));
  chain = await Chain.start({ directory });
  [owner, alice, bob, carol] = await chain.accounts();
});

beforeEach(async () => {
  token = await chain.deployToken();
  await token.mint(alice, token.units("1000"));
});

after(async () => {
  await chain?.stop();
  await rm(directory, { recursive: true, force: true });
});

const eventsOf = async (receipt) => parseEventLogs({ abi: (await contract("TestToken")).abi, logs: receipt.logs });
const namesOf = async (receipt) => (await eventsOf(receipt)).map((event) => event.eventName);
const unusedAddress = (number) => `0x${(0x10000 + number).toString(16).padStart(40, "0")}`;

test("transfer returns nothing, and refuses calldata that is cut short", async () => {
  const word = (value) => value.toString(16).padStart(64, "0");
  const data = `0xa9059cbb${word(BigInt(bob))}${word(1n)}`;
  const call = (calldata) => chain.client.call({ account: alice, to: token.address, data: calldata });
  assert.equal((await call(data)).data, undefined);
  await assert.rejects(call(data.slice(0, -2)));
});

test("with a fee, two Transfer logs: the owner's first", async () => {
  await token.administer("setParams", 10n, 1n);
  const [fee, rest] = await eventsOf(await token.transfer(alice, bob, token.units("100")));
  assert.deepEqual([fee.args.to, fee.args.value], [owner, token.units("0.1")]);
  assert.deepEqual([rest.args.to, rest.args.value], [bob, token.units("99.9")]);
  const [capped] = await eventsOf(await token.transfer(alice, bob, token.units("900")));
  assert.equal(capped.args.value, token.units("0.9"));
  await assert.rejects(token.administer("setParams", 20n, 1n));
  await assert.rejects(token.administer("setParams", 1n, 50n));
});

test("the blacklist holds the sender only; destroying funds leaves no Transfer log", async () => {
  await token.administer("addBlackList", bob);
  await token.transfer(alice, bob, 5n);
  await assert.rejects(token.transfer(bob, alice, 1n));
  assert.deepEqual(await namesOf(await token.administer("destroyBlackFunds", bob)), ["DestroyedBlackFunds"]);
  assert.equal(await token.balanceOf(bob), 0n);
  await token.administer("removeBlackList", bob);
  await assert.rejects(token.administer("destroyBlackFunds", bob));
});

test("paused, nobody can transfer", async () => {
  await token.administer("pause");
  const receipt = await chain.receipt(await token.send({ from: alice, gas: 100_000n }, "transfer", bob, 1n));
  assert.equal(receipt.status, "reverted");
  await token.administer("unpause");
  await token.transfer(alice, bob, 1n);
});

test("an allowance changes only by way of 0", async () => {
  await token.call({ from: alice }, "approve", bob, 5n);
  await assert.rejects(token.call({ from: alice }, "approve", bob, 6n));
  await token.call({ from: bob }, "transferFrom", alice, carol, 2n);
  assert.equal(await token.read("allowance", alice, bob), 3n);
  await assert.rejects(token.call({ from: bob }, "transferFrom", alice, carol, 4n));
});

test("issue and redeem leave no Transfer log, mint leaves one; only the owner may", async () => {
  assert.deepEqual(await namesOf(await token.administer("issue", 7n)), ["Issue"]);
  assert.deepEqual(await namesOf(await token.administer("redeem", 7n)), ["Redeem"]);
  const [minted] = await eventsOf(await token.mint(bob, 3n));
  assert.equal(BigInt(minted.args.from), 0n);
  for (const call of [["mint", alice, 1n], ["issue", 1n], ["pause"], ["addBlackList", bob], ["setParams", 0n, 0n]]) {
    await assert.rejects(token.call({ from: alice }, ...call), undefined, call[0]);
  }
});

test("many transfers in one transaction, also twice to the same address", async () => {
  const transfers = Array.from({ length: 50 }, (_, index) => ({ to: unusedAddress(index), units: 2n }));
  const receipt = await token.batchTransfer(alice, [...transfers, transfers[0]]);
  assert.equal((await namesOf(receipt)).filter((name) => name === "Transfer").length, 51);
  assert.equal(await token.balanceOf(transfers[0].to), 4n);
});

test("transactions sent at the same time all arrive", async () => {
  await Promise.all(Array.from({ length: 30 }, () => token.transfer(alice, carol, 1n)));
  assert.equal(await token.balanceOf(carol), 30n);
});

test("a reorg moves a transaction to another block, or forgets it", async () => {
  const first = await token.transfer(alice, bob, 1n);
  const raw = await chain.rawTransaction(first.transactionHash);
  await chain.mine(2);
  await chain.reorg(3, [{ raw, offset: 1 }]);
  const moved = await chain.receipt(first.transactionHash);
  assert.equal(moved.blockNumber, first.blockNumber + 1n);
  assert.notEqual(moved.blockHash, first.blockHash);

  const second = await token.transfer(alice, carol, 1n);
  await chain.reorg(1);
  await assert.rejects(chain.client.getTransactionReceipt({ hash: second.transactionHash }));
  assert.equal(await token.balanceOf(carol), 0n);
});

test("the finalized block is two behind the head", async () => {
  await chain.mine(5);
  const [head, finalized] = await Promise.all(
    ["latest", "finalized"].map((blockTag) => chain.client.getBlock({ blockTag })),
  );
  assert.equal(head.number - finalized.number, 2n);
});

test("a chain with a state file goes on where it was stopped", async () => {
  const options = { directory, blockTime: 1, keepStates: 256, stateFile: path.join(directory, "state.json") };
  let other = await Chain.start(options);
  try {
    const { address } = await other.deployToken({ symbol: "BUSD", decimals: 18 });
    const { number, hash } = await other.client.getBlock();
    await other.stop();
    other = await Chain.start(options);
    assert.equal((await other.client.getBlock({ blockNumber: number })).hash, hash);
    assert.equal((await other.tokenAt(address)).decimals, 18);
  } finally {
    await other.stop();
  }
});
