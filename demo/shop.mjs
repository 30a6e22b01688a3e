// A shop with one product, to show how a shop works with Sycee: it creates a payment by REST, sends the buyer
// to the checkout page, and learns by signed webhooks when to ship. Set up by environment variables:
//
//   SHOP_PORT, SHOP_DATA          where it listens (on 127.0.0.1); the file it keeps its orders in
//   SYCEE_URL, SYCEE_KEY_FILE     the gateway, and the file with the API key
//   SYCEE_WEBHOOK_SECRET_FILE     the file with the secret that the webhooks are signed with (whsec_…)

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";

import { Orders } from "./orders.mjs";
import { messagePage, orderPage, ordersPage, productPage } from "./pages.mjs";

const item = { description: "T-shirt, blue", amount: "50.00", currency: "USD" };
const largestBody = 256 * 1024;

/**
 * @param {object} options
 * @param {string} options.url how buyers reach the shop
 * @param {string} options.data file for the orders
 * @param {string} options.syceeUrl
 * @param {string} options.apiKey
 * @param {string} options.webhookSecret
 * @returns {import("node:http").Server}
 */
export function createShop({ url, data, syceeUrl, apiKey, webhookSecret }) {
  const orders = new Orders(data);
  const webhook = new Webhook(webhookSecret);

  async function buy() {
    const reference = orders.newReference();
    const payment = await createPayment({ syceeUrl, apiKey }, {
      ...item,
      reference,
      success_url: `${url}/orders/${reference}`,
    });
    orders.add({ ...item, reference, payment: payment.id, checkout_url: payment.checkout_url });
    return { status: 303, headers: { location: payment.checkout_url } };
  }

  async function receiveWebhook(request) {
    // The signature covers the bytes as they came: they are verified before they are parsed.
    const body = await readBody(request);
    let event;
    try {
      event = webhook.verify(body, request.headers);
    } catch (error) {
      return json(400, { error: `the webhook is not signed as it should be: ${error.message}` });
    }
    // A payment that is not ours is confirmed as well, else it would be sent again for days.
    return json(200, { known: orders.note(request.headers["webhook-id"], event) });
  }

  function showOrder(reference) {
    const order = orders.find(reference);
    return order ? html(200, orderPage(order)) : notFound();
  }

  const routes = {
    "GET /": () => html(200, productPage(item)),
    "POST /buy": buy,
    "POST /webhook": receiveWebhook,
    "GET /orders": () => html(200, ordersPage(orders.all())),
    "GET /orders.json": () => json(200, orders.all()),
  };

  async function answer(request) {
    const { pathname } = new URL(request.url, "http://shop");
    const route = routes[`${request.method} ${pathname}`];
    if (route) return route(request);
    const reference = request.method === "GET" && pathname.match(/^\/orders\/([\w-]+)$/)?.[1];
    return reference ? showOrder(reference) : notFound();
  }

  return createServer(async (request, response) => {
    const { status, headers, body } = await answer(request).catch((error) => failed(error));
    response.writeHead(status, { "x-content-type-options": "nosniff", ...headers }).end(body);
  });
}

async function createPayment({ syceeUrl, apiKey }, fields) {
  const answer = await fetch(`${syceeUrl}/v1/payments`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(fields),
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status !== 201) throw new Error(`Sycee answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** Thrown for a request that the shop will not read to its end. */
class TooLarge extends Error {}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) throw new TooLarge(`more than ${largestBody} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const html = (status, body) => ({ status, body, headers: { "content-type": "text/html; charset=utf-8" } });
const json = (status, value) => ({
  status,
  body: `${JSON.stringify(value)}\n`,
  headers: { "content-type": "application/json" },
});
const notFound = () => html(404, messagePage("Not found", "There is no such page."));

function failed(error) {
  if (error instanceof TooLarge) return json(413, { error: error.message });
  console.error(error);
  return html(502, messagePage("Sorry", "The payment could not be started. Please try again in a moment."));
}

function environment(name) {
  if (!process.env[name]) throw new Error(`the environment variable ${name} is not set`);
  return process.env[name];
}

const secretFrom = (variable) => readFileSync(environment(variable), "utf8").trim();

function main() {
  const port = Number(environment("SHOP_PORT"));
  const url = `http://127.0.0.1:${port}`;
  const shop = createShop({
    url,
    data: environment("SHOP_DATA"),
    syceeUrl: environment("SYCEE_URL"),
    apiKey: secretFrom("SYCEE_KEY_FILE"),
    webhookSecret: secretFrom("SYCEE_WEBHOOK_SECRET_FILE"),
  });
  shop.listen(port, "127.0.0.1", () => console.log(`the shop is open at ${url}`));
  process.once("SIGTERM", () => {
    shop.close(() => process.exit(0));
    shop.closeIdleConnections();
    setTimeout(() => shop.closeAllConnections(), 1_000).unref();
  });
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main();
