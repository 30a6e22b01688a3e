// Nodes that lie, lag and disagree; several processes; final blocks that are taken back; the exceptions desk. With
// the program, PostgreSQL and a real chain, through a proxy that lies where it is told to.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { FaultProxy } from "../support/fault_proxy.mjs";
import { HardhatChain } from "../support/hardhat.mjs";
import { chainSettings, secretFile } from "../support/sycee.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const patient = { timeout: 60_000 };

/** A test with a world whose chain is read through so many proxies. */
function proxiedTest(name, count, quorum, body) {
  test(name, async () => {
    const proxies = [];
    let world;
    try {
      for (let i = 0; i < count; i += 1) proxies.push(await FaultProxy.start({ seed: i + 1 }));
      world = await World.start({
        changeChain: (entry) => {
          for (const proxy of proxies) proxy.target = entry.endpoints[0].http_url;
          const endpoints = proxies.map(({ httpUrl, wsUrl }) => ({ http_url: httpUrl, ws_url: wsUrl }));
          return { ...entry, quorum, endpoints };
        },
      });
      await body(world, proxies);
      await world.verifyBooks();
    } finally {
      await world?.stop();
      for (const proxy of proxies) await proxy.stop();
    }
  });
}

const logs = { methods: ["eth_getLogs"] };

for (const [name, lie] of Object.entries({
  "answers no logs": (proxy) => proxy.emptyLogs({ ...logs, next: 4 }),
  "leaves a log out": (proxy) => proxy.omitLog({ index: 0, ...logs, next: 4 }),
  "gives another block": (proxy) => proxy.otherBlock({ next: 2 }),
  "asks for a pause": (proxy) => proxy.status(429, { retryAfter: 1, next: 2 }),
  "breaks off": (proxy) => proxy.truncate({ next: 3 }),
})) {
  proxiedTest(`a node that ${name} loses nothing`, 1, 1, async (world, [proxy]) => {
    const payment = await world.createPayment();
    const fault = lie(proxy);
    await world.pay(payment);
    await waitFor("the fault to fire", () => fault.fired > 0, patient);
    proxy.heal();
    await world.expectStatus(payment, "authorized", patient);
    await world.settle(payment, patient);
    assert.equal(await world.count("authorizations"), 1);
  });
}

proxiedTest("without a quorum nothing clears, and it goes on by itself", 2, 2, async (world, [, witness]) => {
  const payment = await world.createPayment();
  witness.cut();
  await world.pay(payment);
  await world.expectStatus(payment, "authorized", patient);
  await world.chain.mine(6);
  await world.caughtUp(patient);
  await waitFor("the loss to be told", () => world.sycee.tail(200).includes("the quorum of nodes is lost"), patient);
  assert.equal((await world.payment(payment)).status, "authorized");
  assert.equal(await world.count("clearings"), 0);
  witness.heal();
  await world.expectStatus(payment, "settled", patient);
  await world.receiver.expect(payment, "payment.settled");
});

proxiedTest("a log that one of two nodes invents releases nothing", 2, 2, async (world, [reader]) => {
  const payment = await world.createPayment();
  const real = await world.createPayment();
  const block = Number(await world.chain.client.getBlockNumber()) + 1;
  const { token, payer } = world;
  const units = token.units("50");
  const fault = reader.madeUpLog({ token: token.address, from: payer, to: payment.deposit_address, units, block });
  await world.pay(real);
  await waitFor("the lie to be told", () => fault.fired > 0, patient);
  await world.chain.mine(8);
  await world.caughtUp(patient);
  assert.equal(await world.count("clearings"), 0);
  reader.heal();
  await world.chain.mine(4);
  await world.expectStatus(real, "settled", patient);
  assert.equal(await world.count("live_credits"), 1);
  assert.deepEqual(world.receiver.typesOf(payment).filter((type) => type === "payment.cleared"), []);
  assert.ok(["open", "reversed"].includes((await world.payment(payment)).status));
});

test("a payment over two chains, on nodes of two makers and tokens of 6 and 18 decimals", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "sycee-two-chains-"));
  const hardhat = await HardhatChain.start({ directory });
  let world;
  try {
    const token = await hardhat.deployToken({ name: "Binance-Peg USDT", decimals: 18 });
    const [, payer] = await hardhat.accounts();
    await token.mint(payer, token.units("1000"));
    const entry = { ...(await chainSettings(hardhat, [token], { confirmations: 2 })), name: "Local Hardhat" };
    world = await World.start({ changeChain: (anvil) => [anvil, entry] });
    const followed = async () => Number(await world.sql("SELECT count(*) FROM chain_cursors")) === 2;
    await waitFor("both chains to be followed", followed, patient);

    const whole = await world.createPayment();
    assert.equal(whole.options.length, 2);
    await token.transfer(payer, whole.deposit_address, token.units("50"));
    await hardhat.mine(2);
    await world.expectStatus(whole, "settled", patient);

    const parts = await world.createPayment();
    await world.pay(parts, "20");
    await world.expectStatus(parts, "partially_paid", patient);
    await token.transfer(payer, parts.deposit_address, token.units("30"));
    // Each chain clears its own part, with its next block after the other part was seen: both go on.
    const settled = async () => {
      await hardhat.mine();
      await world.chain.mine();
      return (await world.payment(parts)).status === "settled";
    };
    await waitFor("the payment in two parts to be settled", settled, patient);
    await world.receiver.expect(parts, "payment.settled");
    const told = world.receiver.typesOf(parts);
    assert.equal(told.filter((type) => type === "payment.cleared").length, 1);
    await world.verifyBooks();
  } finally {
    await world?.stop();
    await hardhat.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

test("two processes: one follows, the other serves, and takes over", async () => {
  const world = await World.start();
  try {
    const second = await world.prepareAnotherGateway();
    await second.start();
    // An address that only the second process gave out is watched by the first.
    const body = { amount: "50.00", currency: "USD", expires_in: 86_400 };
    const created = await second.request("POST", "/v1/payments", { key: world.key, body });
    assert.equal(created.status, 201, created.text);
    await world.pay(created.body);
    await world.expectStatus(created.body, "authorized", patient);

    const other = await world.createPayment();
    await world.sycee.kill();
    await world.pay(other);
    await world.chain.mine(3);
    const settled = async () => {
      const answer = await second.request("GET", `/v1/payments/${other.id}`, { key: world.key });
      return answer.body.status === "settled";
    };
    await waitFor("the second process to take over", settled, patient);
    // In order, a process hands over at once: nobody waits for the end of a lease.
    assert.equal(await world.sql("SELECT count(*) FROM chain_leases WHERE expires_at > now()"), "1");
    await second.stop();
    assert.equal(await world.sql("SELECT count(*) FROM chain_leases WHERE expires_at > now()"), "0");
    assert.equal(await world.count("authorizations"), 2);
    await world.verifyBooks();
  } finally {
    await world.stop();
  }
});

test("a chain that takes final blocks back is stopped, and repaired by two operators", async () => {
  const world = await World.start();
  try {
    const payment = await world.createPayment();
    await world.pay(payment);
    await world.settle(payment);
    await world.chain.mine(8);
    await world.caughtUp();
    await world.chain.reorg(12);
    await world.chain.mine();
    await waitFor("the chain to stop", () => world.sycee.tail(100).includes("stopped: chain agreement"), patient);
    assert.equal((await world.payment(payment)).status, "settled");
    await world.sycee.stop();

    const id = String(world.chain.id);
    const plan = await world.sycee.cli("chain", "repair", id);
    assert.match(plan, /1 of them settlement/);
    assert.match(plan, /Nothing was changed/);
    assert.equal(await world.count("reversals"), 0);

    const password = (name) => secretFile(path.join(world.directory, `${name}.password`), () => `${name} has a long word`);
    for (const name of ["anna", "bob"]) {
      await world.sycee.cli("operator", "create", "--name", name, "--password-file", await password(name));
    }
    const order = async (first, second, file) =>
      world.sycee.command(
        ...["chain", "repair", id, "--carry-out", "--reason", "the chain took them back"],
        ...["--operator", first, "--password-file", await password(first)],
        ...["--second-operator", second, "--second-password-file", await password(file ?? second)],
      );
    assert.equal((await order("anna", "anna")).code, 2);
    assert.equal((await order("anna", "bob", "anna")).code, 2);
    assert.equal(await world.count("reversals"), 0);
    const repaired = await order("anna", "bob");
    assert.equal(repaired.code, 0, repaired.stderr);
    assert.equal(await world.count("chain_repairs"), 1);
    await world.verifyBooks();

    await world.sycee.start();
    await world.caughtUp(patient);
    assert.equal((await world.payment(payment)).status, "reversed");
    await world.receiver.expect(payment, "payment.reversed");
    const again = await world.createPayment();
    await world.pay(again);
    await world.settle(again);
    await world.verifyBooks();
  } finally {
    await world.stop();
  }
});

test("what is over is found, and decided about at the desk over the API", async () => {
  const world = await World.start();
  try {
    const payment = await world.createPayment();
    const receipt = await world.pay(payment, "60");
    await world.expectStatus(payment, "authorized");
    await world.chain.mine();
    await world.expectStatus(payment, "cleared");
    const list = async () => (await world.api("GET", "/v1/exceptions")).body.data;
    const [exception] = await list();
    assert.equal(exception.reason, "overpaid");
    assert.equal(exception.final, false);
    const resolve = (body) => world.api("POST", `/v1/exceptions/${exception.id}/resolve`, { body });
    assert.equal((await resolve({ kind: "write_off", reason: "a tip" })).status, 409);

    await world.settle(payment);
    assert.equal((await resolve({ kind: "write_off", reason: "a tip", amount: "10.000001" })).status, 400);
    assert.equal((await resolve({ kind: "accept", reason: "a tip" })).status, 400);
    const done = await resolve({ kind: "write_off", reason: "a tip" });
    assert.equal(done.status, 200, done.text);
    assert.equal(done.body.left, "0.000000");
    assert.deepEqual(await list(), []);
    await world.receiver.expect(payment, "payment.exception_resolved");

    const found = await world.sycee.json("find", receipt.transactionHash);
    assert.equal(found[0].transfers[0].kind, "booked");
    assert.equal(found[0].transfers[0].stage, "settled");
    await world.verifyBooks();
  } finally {
    await world.stop();
  }
});
