// Payments from the order to the settled books, on a real chain and a real database.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getAddress, parseEventLogs } from "viem";
import { mnemonicToAccount } from "viem/accounts";

import { ApiContract } from "../support/api_contract.mjs";
import { contract } from "../support/contracts.mjs";
import { World } from "../support/world.mjs";

let world;

before(async () => {
  world = await World.start();
});

after(async () => {
  await world?.stop();
});

const sum = (transfers, field) => transfers.reduce((total, transfer) => total + BigInt(transfer[field] ?? 0), 0n);

/** Place in the books of a payment's one record in a table. */
async function recordOf(table, reference) {
  const row = await world.sql(
    `SELECT r.seq || ' ' || encode(r.hash, 'hex') FROM ${table} r
     JOIN payments USING (merchant_id, payment_id) WHERE reference = '${reference}'`,
  );
  const [sequence, hash] = row.split(" ");
  return { chain_id: world.chain.id, sequence: Number(sequence), hash };
}

test("a payment is authorized, cleared and settled, and the shop is told each time", async () => {
  const created = await world.createPayment({
    reference: "whole-way",
    description: "Two T-shirts",
    metadata: { size: "M", "a/b": "c" },
    success_url: "https://shop.example/thanks",
  });
  assert.equal(created.status, "open");
  assert.deepEqual(created.metadata, { size: "M", "a/b": "c" });
  assert.deepEqual(created.transfers, []);

  const receipt = await world.pay(created);
  await world.expectStatus(created, "authorized");
  await world.receiver.expect(created, "payment.authorized");
  await world.chain.mine();
  await world.expectStatus(created, "cleared");
  await world.receiver.expect(created, "payment.cleared");
  await world.chain.mine();
  const settled = await world.expectStatus(created, "settled");
  await world.receiver.expect(created, "payment.settled");

  const [transfer] = settled.transfers;
  assert.equal(settled.transfers.length, 1);
  assert.equal(transfer.stage, "settled");
  assert.equal(transfer.amount, "50.000000");
  assert.equal(transfer.transaction_hash, receipt.transactionHash);
  assert.equal(transfer.block_hash, receipt.blockHash);
  assert.equal(BigInt(transfer.block_number), receipt.blockNumber);

  const events = world.receiver.eventsOf(created);
  assert.deepEqual(events.map((event) => event.type), ["payment.authorized", "payment.cleared", "payment.settled"]);
  assert.deepEqual(events.map((event) => event.data.status), ["authorized", "cleared", "settled"]);
  const records = await Promise.all(
    ["authorizations", "clearings", "settlements"].map((table) => recordOf(table, "whole-way")),
  );
  assert.deepEqual(events.map((event) => event.data.record), records);
  assert.ok(records[0].sequence < records[1].sequence && records[1].sequence < records[2].sequence);
  await world.verifyBooks();
});

test("deposit address and payment link are what viem makes of the merchant's wallet", async () => {
  const firstIndex = await world.count("payments");
  for (const offset of [0, 1, 2]) {
    const { deposit_address: address, options } = await world.createPayment({ amount: "12.34" });
    assert.equal(address, mnemonicToAccount(world.mnemonic, { addressIndex: firstIndex + offset }).address);
    assert.equal(address, getAddress(address.toLowerCase()));
    const [option] = options;
    assert.equal(option.contract, getAddress(world.token.address));
    assert.equal(option.uri, `ethereum:${option.contract}@${world.chain.id}/transfer?address=${address}&uint256=12340000`);
    assert.equal(world.token.units(option.amount), 12_340_000n);
  }
  assert.equal(world.merchant.first_address, mnemonicToAccount(world.mnemonic, { addressIndex: 0 }).address);
});

test("a part is not enough, and a second transfer covers the rest", async () => {
  const payment = await world.createPayment({ reference: "in-parts" });
  await world.pay(payment, "20");
  await world.expectStatus(payment, "partially_paid");
  await world.chain.mine(5);
  await world.caughtUp();
  assert.equal((await world.payment(payment)).status, "partially_paid");
  assert.equal(await world.count("clearings", "in-parts"), 0);

  await world.pay(payment, "30");
  await world.expectStatus(payment, "authorized");
  const settled = await world.settle(payment);
  assert.deepEqual(settled.transfers.map((transfer) => transfer.stage), ["settled", "settled"]);
  assert.equal(sum(settled.transfers, "gross_base_units"), world.token.units("50"));
  await world.receiver.expect(payment, "payment.settled");
  const told = ["payment.partially_paid", "payment.authorized", "payment.cleared", "payment.settled"];
  assert.deepEqual(world.receiver.typesOf(payment), told);
});

test("what is paid too much is booked as unapplied", async () => {
  const payment = await world.createPayment({ reference: "too-much" });
  await world.pay(payment, "70.5");
  const settled = await world.settle(payment);
  const [transfer] = settled.transfers;
  assert.equal(transfer.gross_base_units, String(world.token.units("50")));
  assert.equal(transfer.unapplied_base_units, String(world.token.units("20.5")));

  await world.pay(payment, "1");
  await world.chain.mine(3);
  await world.receiver.expect(payment, "payment.exception");
  const later = (await world.payment(payment)).transfers.find(({ amount }) => amount === "1.000000");
  assert.equal(later.stage, "unapplied");
  assert.equal(later.unapplied_reason, "already_paid");
  assert.equal((await world.payment(payment)).status, "settled");
  await world.verifyBooks();
});

test("two transfers in one transaction are two receipts", async () => {
  const [first, second] = [
    await world.createPayment({ reference: "batch-1" }),
    await world.createPayment({ reference: "batch-2" }),
  ];
  const to = ({ deposit_address: address }, units) => ({ to: address, units: world.token.units(units) });
  const transfers = [to(first, "25"), to(second, "50"), to(first, "25")];
  const { transactionHash } = await world.token.batchTransfer(world.payer, transfers);
  await world.chain.mine(3);
  const settled = await world.expectStatus(first, "settled");
  await world.expectStatus(second, "settled");
  assert.deepEqual(settled.transfers.map((transfer) => transfer.transaction_hash), [transactionHash, transactionHash]);
  const ordinals = settled.transfers.map((transfer) => transfer.ordinal);
  assert.equal(new Set(ordinals).size, 2);
  assert.equal(await world.count("authorizations", "batch-1"), 2);
  assert.equal(await world.count("authorizations", "batch-2"), 1);
  await world.verifyBooks();
});

test("a fee on the transfer makes two logs, and only what arrived is counted", async () => {
  await world.token.administer("setParams", 10n, 1n);
  try {
    const payment = await world.createPayment({ reference: "with-fee", amount: "100.00" });
    const receipt = await world.pay(payment, "100");
    assert.equal(parseEventLogs({ abi: (await contract("TestToken")).abi, logs: receipt.logs }).length, 2);
    const partly = await world.expectStatus(payment, "partially_paid");
    assert.deepEqual(partly.transfers.map((transfer) => transfer.amount), ["99.900000"]);
    await world.token.administer("setParams", 0n, 0n);
    await world.pay(payment, "0.1");
    const settled = await world.settle(payment);
    assert.equal(sum(settled.transfers, "gross_base_units"), world.token.units("100"));
  } finally {
    await world.token.administer("setParams", 0n, 0n);
  }
});

test("a transfer of zero is nothing", async () => {
  const payment = await world.createPayment({ reference: "zero" });
  const receipt = await world.pay(payment, "0");
  assert.equal(receipt.logs.length, 1);
  await world.chain.mine(3);
  await world.caughtUp();
  const untouched = await world.payment(payment);
  assert.equal(untouched.status, "open");
  assert.deepEqual(untouched.transfers, []);
  assert.equal(await world.count("authorizations", "zero"), 0);
});

test("a transfer out of a deposit address is booked, and told", async () => {
  const payment = await world.createPayment({ reference: "swept" });
  await world.pay(payment);
  await world.settle(payment);
  await world.chain.client.impersonateAccount({ address: payment.deposit_address });
  await world.chain.client.setBalance({ address: payment.deposit_address, value: 10n ** 18n });
  await world.token.transfer(payment.deposit_address, world.payer, world.token.units("50"));
  const event = await world.receiver.expect(payment, "funds.moved");
  assert.equal(event.data.moved.recipient, getAddress(world.payer));
  assert.equal(await world.count("withdrawals", "swept"), 1);
  await world.verifyBooks();
});

test("every answer and every webhook follows api/openapi.yaml", () => {
  const api = new ApiContract();
  assert.ok(world.answers.length > 0);
  for (const { method, target, answer } of world.answers) api.checkAnswer(method, target, answer);
  for (const { event } of world.receiver.deliveries) api.checkEvent(event);
  assert.deepEqual(world.receiver.refused, []);
});
