// A token and a chain that change their habits while payments are under way, behind a node that fails at the same
// time: fees and the blacklist switched on in the token, mining by transaction switched off and on in the node.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { FaultProxy } from "../support/fault_proxy.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const patient = { timeout: 60_000 };
const logs = { methods: ["eth_getLogs"] };

let proxy;
let world;

before(async () => {
  proxy = await FaultProxy.start({ seed: 7 });
  world = await World.start({
    changeChain: (entry) => {
      proxy.target = entry.endpoints[0].http_url;
      return { ...entry, endpoints: [{ http_url: proxy.httpUrl, ws_url: proxy.wsUrl }] };
    },
  });
});

after(async () => {
  await world?.stop();
  await proxy?.stop();
});

/** What went to the deposit addresses, by the token itself, is what the books have as coins. */
async function checkCoins(payments) {
  let held = 0n;
  for (const { deposit_address: address } of payments) held += await world.token.balanceOf(address);
  const references = payments.map(({ reference }) => `'${reference}'`).join(", ");
  const booked = await world.sql(
    `SELECT coalesce(sum(a.amount), 0) FROM authorizations a JOIN payments p USING (merchant_id, payment_id)
     WHERE p.reference IN (${references}) AND EXISTS (SELECT FROM live_credits l
       WHERE (l.merchant_id, l.chain_id, l.authorization_seq) = (a.merchant_id, a.chain_id, a.seq))`,
  );
  assert.equal(BigInt(booked), held);
  await world.verifyBooks();
}

test("a fee that is switched on between two payments, while logs are left out", async () => {
  const payments = [];
  for (const reference of ["fee-before", "fee-after"]) payments.push(await world.createPayment({ reference }));
  const [before_, after_] = payments;
  const fault = proxy.omitLog({ index: -1, ...logs, next: 5 });
  await world.pay(before_);
  await world.token.administer("setParams", 10n, 1n);
  try {
    await world.pay(after_);
    await waitFor("a log to be left out", () => fault.fired > 0, patient);
    proxy.heal();
    await world.expectStatus(after_, "partially_paid", patient);
    assert.deepEqual((await world.payment(after_)).transfers.map(({ amount }) => amount), ["49.950000"]);
  } finally {
    await world.token.administer("setParams", 0n, 0n);
  }
  await world.pay(after_, "0.05");
  await world.settle(after_, patient);
  await world.expectStatus(before_, "settled", patient);
  await checkCoins(payments);
});

test("a payer who is put on the blacklist pays nothing until taken off it, while connections break", async () => {
  const payment = await world.createPayment({ reference: "blacklisted" });
  const { token, payer } = world;
  await token.administer("addBlackList", payer);
  const fault = proxy.drop({ probability: 0.3 });
  try {
    const units = token.units("50");
    const hash = await token.send({ from: payer, gas: 200_000n }, "transfer", payment.deposit_address, units);
    assert.equal((await world.chain.receipt(hash)).status, "reverted");
    await world.chain.mine(4);
    await world.caughtUp(patient);
    assert.equal((await world.payment(payment)).status, "open");
    assert.equal(await world.count("authorizations", "blacklisted"), 0);
  } finally {
    await token.administer("removeBlackList", payer);
  }
  await world.pay(payment);
  await world.settle(payment, patient);
  assert.ok(fault.fired > 0);
  proxy.heal();
  // A deposit address on the list can't be emptied by its owner; what came in before stays what it is.
  await token.administer("addBlackList", payment.deposit_address);
  await world.chain.mine(2);
  await world.caughtUp(patient);
  assert.equal((await world.payment(payment)).status, "settled");
  await checkCoins([payment]);
  await token.administer("removeBlackList", payment.deposit_address);
});

test("mining by transaction switched off and on: many transfers of one block, and blocks of one each", async () => {
  const payments = [];
  for (let i = 0; i < 12; i += 1) payments.push(await world.createPayment({ reference: `automine-${i}` }));
  const { token, payer, chain } = world;
  const send = ({ deposit_address: address }) => token.send({ from: payer, gas: 200_000n }, "transfer", address, token.units("50"));
  const fault = proxy.emptyLogs({ ...logs, next: 3 });
  await chain.client.setAutomine(false);
  const waiting = [];
  try {
    for (const payment of payments.slice(0, 8)) waiting.push(await send(payment));
    proxy.closeWebSockets();
    await chain.mine(1);
  } finally {
    await chain.client.setAutomine(true);
  }
  const receipts = await Promise.all(waiting.map((hash) => chain.success(hash)));
  assert.equal(new Set(receipts.map(({ blockNumber }) => blockNumber)).size, 1);
  const single = [];
  for (const payment of payments.slice(8)) single.push(await chain.success(await send(payment)));
  assert.equal(new Set(single.map(({ blockNumber }) => blockNumber)).size, 4);
  await waitFor("the node to hide its logs", () => fault.fired > 0, patient);
  proxy.heal();
  await chain.mine(world.confirmations + 1);
  for (const payment of payments) await world.expectStatus(payment, "settled", patient);
  await checkCoins(payments);
});
