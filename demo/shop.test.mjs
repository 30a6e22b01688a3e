// The shop against a gateway of our own making: what it asks for, and which webhooks it believes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Webhook } from "standardwebhooks";

import { createShop } from "./shop.mjs";

const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const checkout = "http://gateway.example/checkout/pay_1";
let directory, gateway, asked, shop, url;

const listen = async (server) => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${server.address().port}`;
};

async function openShop() {
  shop = createShop({
    url: "http://shop.example",
    data: path.join(directory, "orders.jsonl"),
    syceeUrl: await listen(gateway),
    apiKey: "key",
    webhookSecret,
  });
  url = await listen(shop);
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "sycee-shop-"));
  asked = [];
  gateway = createServer(async (request, response) => {
    const chunks = await request.toArray();
    asked.push({ authorization: request.headers.authorization, body: JSON.parse(Buffer.concat(chunks)) });
    response.writeHead(201).end(JSON.stringify({ id: "pay_1", checkout_url: checkout }));
  });
  await openShop();
});

afterEach(async () => {
  for (const server of [shop, gateway]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

const buy = () => fetch(`${url}/buy`, { method: "POST", redirect: "manual" });
const orders = async () => (await fetch(`${url}/orders.json`)).json();

function send(event, { secret = webhookSecret, id = `evt_${event.type}`, time = new Date() } = {}) {
  const body = JSON.stringify(event);
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, time, body),
  };
  return fetch(`${url}/webhook`, { method: "POST", headers, body });
}
const event = (status, sequence) => ({
  type: `payment.${status}`,
  timestamp: "2026-01-01T00:00:00Z",
  sequence,
  data: { id: "pay_1", status },
});

test("an order becomes a payment, and the buyer is sent to its checkout", async () => {
  const answer = await buy();
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get("location"), checkout);
  const [{ authorization, body }] = asked;
  assert.equal(authorization, "Bearer key");
  assert.deepEqual(body, {
    description: "T-shirt, blue",
    amount: "50.00",
    currency: "USD",
    reference: "order-1001",
    success_url: "http://shop.example/orders/order-1001",
  });
});

test("webhooks in any order, and twice, give the same state; a second start still knows it", async () => {
  await buy();
  const settled = event("settled", 3);
  for (const each of [event("authorized", 1), settled, event("cleared", 2), settled]) {
    assert.equal((await send(each)).status, 200);
  }
  const [order] = await orders();
  assert.equal(order.status, "settled");
  assert.deepEqual(order.events.map(({ type }) => type), ["payment.authorized", "payment.cleared", "payment.settled"]);
  assert.match(await (await fetch(`${url}/orders/order-1001`)).text(), /on its way/);

  shop.closeAllConnections();
  shop.close();
  gateway.close();
  await once(gateway, "close");
  await openShop();
  assert.deepEqual(await orders(), [order]);
  assert.equal((await send(settled)).status, 200);
  assert.equal((await orders())[0].events.length, 3);
  await buy();
  assert.equal(asked.at(-1).body.reference, "order-1002");
});

test("webhooks that are not signed, wrongly signed or old are refused", async () => {
  await buy();
  const cleared = event("cleared", 2);
  const unsigned = await fetch(`${url}/webhook`, { method: "POST", body: JSON.stringify(cleared) });
  const forged = await send(cleared, { secret: `whsec_${Buffer.alloc(32, 8).toString("base64")}` });
  const replayed = await send(cleared, { time: new Date(Date.now() - 10 * 60_000) });
  assert.deepEqual([unsigned.status, forged.status, replayed.status], [400, 400, 400]);
  assert.equal((await orders())[0].status, "open");
});

test("a payment of somebody else is confirmed and ignored", async () => {
  const answer = await send(event("cleared", 2));
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { known: false });
});

test("a gateway that is away: a polite page, no order", async () => {
  gateway.close();
  const answer = await buy();
  assert.equal(answer.status, 502);
  assert.deepEqual(await orders(), []);
});
