// Transfers that no block has yet: the checkout page shows them, and nothing else knows of them. With the program,
// PostgreSQL and a real chain that mines only when it is told to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { encodeFunctionData, erc20Abi } from "viem";

import { launchBrowser, openPage, overflows, phone, screenshot } from "../support/browser.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const fees = { low: 3_000_000_000n, high: 30_000_000_000n };

/** Sends a transfer to the payment that stays in the mempool. @returns the hash */
async function announce(world, payment, { amount = payment.options[0].amount, ...more } = {}) {
  const args = [payment.deposit_address, world.token.units(amount)];
  const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args });
  return sendSlowly(world, { to: world.token.address, data, ...more });
}

async function sendSlowly(world, { fee = fees.low, ...transaction }) {
  const prices = { maxFeePerGas: fee, maxPriorityFeePerGas: fee };
  return world.chain.client.sendTransaction({ account: world.payer, gas: 200_000n, ...prices, ...transaction });
}

async function stateOf(payment) {
  const answer = await fetch(`${payment.checkout_url}/state`);
  assert.equal(answer.status, 200);
  return answer.json();
}

async function expectPhase(payment, phase) {
  return waitFor(`the checkout to be ${phase}`, async () => {
    const state = await stateOf(payment);
    return state.phase === phase && state;
  });
}

/** The phases that a page's events tell, each once, as they come: the first one is there already. */
async function listen(payment) {
  const leave = new AbortController();
  const phases = [];
  const read = async () => {
    const answer = await fetch(`${payment.checkout_url}/events`, { signal: leave.signal });
    let text = "";
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) {
        const { phase } = event.startsWith("data: ") ? JSON.parse(event.slice(6)) : {};
        if (phase && phases.at(-1) !== phase) phases.push(phase);
      }
    }
  };
  read().catch(() => {}); // left
  await waitFor("the first event", () => phases.length > 0);
  return { phases, leave: () => leave.abort() };
}

/** A test whose transactions wait in the mempool until it mines. */
function mempoolTest(name, body) {
  test(name, async () => {
    await world.chain.client.setAutomine(false);
    try {
      await body();
    } finally {
      await world.chain.client.request({ method: "anvil_dropAllTransactions" });
      await world.chain.client.setAutomine(true);
      await world.chain.mine();
      await world.caughtUp();
    }
  });
}

let world;
let browser;

before(async () => {
  world = await World.start({ changeChain: (entry) => ({ ...entry, watch_mempool: true }) });
  await waitFor("the mempool to be watched", () => world.sycee.tail(1_000).includes("newPendingTransactions"));
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await world?.stop();
});

mempoolTest("a transfer is shown before its block, counts with it, and is no longer shown then", async () => {
  const payment = await world.createPayment({ reference: "seen-early" });
  const events = await listen(payment);
  const page = await openPage(browser, { viewport: phone });
  await page.goto(payment.checkout_url);
  await page.evaluate(() => (window.loadedOnce = true));

  await announce(world, payment);
  const state = await expectPhase(payment, "detected");
  assert.equal(state.status, "open");
  assert.equal(state.title, "We see your transfer on its way");
  assert.match(state.message, /It counts once a block contains it\./);
  assert.equal(state.detected, "50.00 USDT");
  assert.equal(state.final, false);
  await page.locator('#checkout[data-phase="detected"]').waitFor();
  assert.equal(await page.locator(".qr").isVisible(), false);
  assert.equal(await page.locator("#deposit-address").isVisible(), false);
  await screenshot(page, "checkout-phone-detected");
  assert.ok(!(await overflows(page)));
  await page.getByText("How to pay").click();
  assert.equal(await page.locator("#deposit-address").isVisible(), true);

  assert.equal((await world.payment(payment)).status, "open");
  for (const table of ["authorizations", "outbox_events"]) {
    assert.equal(await world.count(table, "seen-early"), 0, table);
  }

  await world.chain.mine();
  await world.expectStatus(payment, "authorized");
  assert.equal((await stateOf(payment)).detected, "");
  await page.locator('#checkout[data-phase="authorized"]').waitFor();
  assert.equal(await page.evaluate(() => window.loadedOnce), true);
  await waitFor("the last event", () => events.phases.at(-1) === "authorized");
  assert.deepEqual(events.phases, ["open", "detected", "authorized"]);
  events.leave();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

mempoolTest("a part is shown on its way, then as a part", async () => {
  const payment = await world.createPayment();
  await announce(world, payment, { amount: "20" });
  assert.equal((await expectPhase(payment, "detected")).detected, "20.00 USDT");
  await world.chain.mine();
  const state = await expectPhase(payment, "partially_paid");
  assert.equal(state.due, "30.00 USDT");
  await announce(world, payment, { amount: "30" });
  assert.equal((await expectPhase(payment, "detected")).status, "partially_paid");
  await world.chain.mine();
  await expectPhase(payment, "authorized");
});

mempoolTest("a transfer that the node drops is no longer shown", async () => {
  const payment = await world.createPayment();
  const events = await listen(payment);
  const hash = await announce(world, payment);
  await expectPhase(payment, "detected");
  await world.chain.client.dropTransaction({ hash });
  await expectPhase(payment, "open");
  await waitFor("the events to tell it", () => events.phases.join() === "open,detected,open");
  events.leave();
});

mempoolTest("a transfer that its sender replaces is no longer shown", async () => {
  const payment = await world.createPayment();
  const nonce = await world.chain.client.getTransactionCount({ address: world.payer });
  await announce(world, payment, { nonce });
  await expectPhase(payment, "detected");
  await sendSlowly(world, { to: world.payer, value: 1n, nonce, fee: fees.high });
  await expectPhase(payment, "open");
  await world.chain.mine();
  await world.caughtUp();
  assert.equal((await stateOf(payment)).phase, "open");
});

mempoolTest("a transfer that fails in its block is no longer shown", async () => {
  const payment = await world.createPayment();
  const more = (await world.token.balanceOf(world.payer)) + 1n;
  const hash = await announce(world, payment, { amount: world.token.format(more) });
  await expectPhase(payment, "detected");
  await world.chain.mine();
  assert.equal((await world.chain.receipt(hash)).status, "reverted");
  await expectPhase(payment, "open");
});

mempoolTest("a page that is opened later shows it too, also without JavaScript", async () => {
  const payment = await world.createPayment();
  await announce(world, payment);
  await expectPhase(payment, "detected");
  const page = await openPage(browser, { viewport: phone, javaScriptEnabled: false });
  await page.goto(payment.checkout_url);
  await page.getByText("We see your transfer on its way").waitFor();
  assert.equal(await page.locator(".qr").isVisible(), false);
  await world.chain.mine();
  await world.expectStatus(payment, "authorized");
  await page.locator('#checkout[data-phase="authorized"]').waitFor({ timeout: 15_000 }); // it reads itself again
  await page.context().close();
});

test("the books are right, whatever was seen", async () => {
  await world.verifyBooks();
});

test("without watch_mempool nothing is shown before its block", async () => {
  const plain = await World.start();
  try {
    await plain.chain.client.setAutomine(false);
    const payment = await plain.createPayment();
    const hash = await announce(plain, payment);
    const transaction = await plain.chain.client.getTransaction({ hash });
    assert.equal(transaction.blockNumber, null);
    const events = await listen(payment);
    await plain.chain.mine();
    await plain.expectStatus(payment, "authorized");
    await waitFor("the last event", () => events.phases.at(-1) === "authorized");
    assert.deepEqual(events.phases, ["open", "authorized"]);
    events.leave();
  } finally {
    await plain.stop();
  }
});
