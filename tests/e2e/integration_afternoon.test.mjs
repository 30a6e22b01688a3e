// The afternoon of a merchant's developer: from the client's README to a paid order in a shop of their own, with
// nothing but what the README says and the operator gives them. And then what a shop must stand: money that is
// missing, late or double, webhooks twice, and a gateway that is away.

import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { accountOf, newMnemonic } from "../../tools/xpub/keys.mjs";
import { freePort } from "../support/ports.mjs";
import { Service, runOrThrow } from "../support/process.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const client = path.join(root, "clients", "typescript");

let world, folder, port, shop, url, sycee, merchant;

before(async () => {
  world = await World.start();
  folder = path.join(world.directory, "merchant", "shop");
  await mkdir(path.dirname(folder), { recursive: true });
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
});

after(async () => {
  await shop?.stop();
  await world?.stop();
});

/** What the shop printed. */
const printed = async () => readFile(path.join(folder, "log"), "utf8");
const count = (text, part) => text.split(part).length - 1;
/** Runs what `npm start` does. By npm itself, the shop would outlive who stops npm. */
async function openShop() {
  const { scripts } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const env = { ...process.env, PORT: String(port), ...merchant };
  shop = new Service("shop", scripts.start.split(" "), { cwd: folder, env, log: path.join(folder, "log") });
  await waitFor("the shop to open", async () => {
    shop.assertRunning();
    return (await fetch(url)).ok;
  });
}

/** Buys as a browser does. @returns the payment, and the address of the order's page */
async function buy() {
  const answer = await fetch(`${url}/buy`, { method: "POST", redirect: "manual" });
  assert.equal(answer.status, 303, await answer.text());
  const checkout = answer.headers.get("location");
  const page = await fetch(checkout);
  assert.equal(page.status, 200);
  const payment = await sycee.payments.get(checkout.match(/pay_\w+/)[0]);
  assert.ok((await page.text()).includes(payment.deposit_address));
  return { ...payment, page: `${url}/orders/${payment.reference}` };
}

const shows = ({ page }, text) =>
  waitFor(`the order's page to say ${text}`, async () => (await (await fetch(page)).text()).includes(text));
const prints = (text) => waitFor(`the shop to print ${text}`, async () => (await printed()).includes(text));
const settle = () => world.chain.mine(world.confirmations + 1);

test("from the README to a paid order", async (t) => {
  const began = performance.now();

  // What the operator does: a merchant, its key, and where its webhooks go.
  const xpub = accountOf(newMnemonic()).publicExtendedKey;
  const { id, webhook_secret: secret } = await world.sycee.createMerchant({
    name: "A new merchant",
    xpub,
    webhookUrl: `${url}/webhooks`,
  });
  const { key } = await world.sycee.createKey(id);
  merchant = { SYCEE_URL: world.sycee.url, SYCEE_API_KEY: key, SYCEE_WEBHOOK_SECRET: secret };

  // What the README of the client says.
  const readme = await readFile(path.join(client, "README.md"), "utf8");
  const line = (begin) => {
    const found = readme.split("\n").find((each) => each.startsWith(begin));
    assert.ok(found, `the README does not say: ${begin}`);
    return found.replace(/ #.*/, "");
  };
  const kept = path.dirname(folder);
  const npm = { ...process.env, npm_config_offline: "true", npm_config_pack_destination: kept };
  await runOrThrow(["bash", "-c", line("npm pack")], { cwd: root, env: npm });
  await cp(path.join(client, "example"), folder, { recursive: true });
  await runOrThrow(["bash", "-c", line("npm install").replace("/where/it/is", kept)], { cwd: folder, env: npm });
  assert.match(line("SYCEE_URL="), /npm start$/);
  await openShop();
  const installed = path.join(folder, "node_modules", "@sycee", "client", "dist", "index.js");
  const { Sycee } = await import(pathToFileURL(installed).href);
  sycee = new Sycee({ url: world.sycee.url, apiKey: key });

  // A test order.
  const order = await buy();
  assert.equal(order.amount, "50.00");
  await world.pay(order);
  await settle();
  await prints(`ship ${order.reference}`);
  await shows(order, "on its way");

  t.diagnostic(`from the README to a paid order in ${((performance.now() - began) / 1000).toFixed(1)} s`);
});

test("a price that is paid in two parts ships once, however often the webhooks come", async () => {
  const order = await buy();
  await world.pay(order, "20");
  await shows(order, "Something is missing");
  await world.pay(order, "30");
  await settle();
  await prints(`ship ${order.reference}`);
  await shows(order, "on its way");
  const settled = await waitFor("the payment to be settled", async () => {
    const payment = await sycee.payments.get(order.id);
    return payment.status === "settled" && payment;
  });
  assert.equal(settled.transfers.length, 2);
  assert.equal(count(await printed(), `ship ${order.reference}`), 1);
});

test("a webhook that is repeated, forged or somebody else's changes nothing", async () => {
  const { Webhook } = await import("standardwebhooks");
  const order = await buy();
  const send = async (event, secret = merchant.SYCEE_WEBHOOK_SECRET, webhookId = "evt_made_up") => {
    const body = JSON.stringify(event);
    const time = new Date();
    const headers = {
      "webhook-id": webhookId,
      "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign(webhookId, time, body),
    };
    return (await fetch(`${url}/webhooks`, { method: "POST", headers, body })).status;
  };
  const cleared = { type: "payment.cleared", data: { id: order.id, reference: order.reference, status: "cleared" } };
  // Signed, and early: the gateway says that nothing was paid.
  assert.equal(await send(cleared), 200);
  assert.equal(await send(cleared), 200);
  assert.equal(await send({ type: "payment.cleared", data: { id: order.id, reference: "order-of-another" } }), 200);
  const other = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
  assert.equal(await send(cleared, other), 400);
  assert.equal(count(await printed(), `ship ${order.reference}`), 0);
  await shows(order, "Waiting for your payment");
});

test("a gateway that is away while the customer buys, and comes again", async () => {
  await world.sycee.stop();
  const answer = await fetch(`${url}/buy`, { method: "POST", redirect: "manual" });
  assert.equal(answer.status, 503);
  await world.sycee.start();
  const order = await buy();
  await world.pay(order);
  await settle();
  await prints(`ship ${order.reference}`);
});

// The last one: the chain's time is an hour ahead from here on.
test("money that comes too late is for a person to look at", async () => {
  const order = await buy();
  await world.chain.client.increaseTime({ seconds: 3600 });
  await world.pay(order);
  await settle();
  await prints(`look at ${order.reference}: money came that does not belong to the price`);
  await shows(order, "Your money came too late");
  const [exception] = (await sycee.exceptions.list({ payment: order.id })).data;
  assert.equal(exception.reason, "late");
  assert.equal(count(await printed(), `ship ${order.reference}`), 0);
});
