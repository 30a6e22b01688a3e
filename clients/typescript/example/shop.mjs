// @ts-check
// A shop with one product, as small as one can be that loses no order. Set up by environment variables:
//
//   SYCEE_URL                where the gateway is, such as https://pay.example.com
//   SYCEE_API_KEY            as `sycee key create` printed it
//   SYCEE_WEBHOOK_SECRET     as `sycee merchant create` printed it (whsec_…)
//   PORT                     where the shop listens, on 127.0.0.1; 3000 if not set
//   SHOP_URL                 how its customers reach it; http://127.0.0.1:PORT if not set
//
// The gateway sends its webhooks to SHOP_URL/webhooks. The orders are in memory, to keep the example short: have
// them in your database.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { Sycee, SyceeError, WebhookVerificationError, WebhookVerifier } from "@sycee/client";

const shirt = { amount: "50.00", currency: /** @type {const} */ ("USD"), description: "T-shirt, blue" };
const largestBody = 256 * 1024;

/** @typedef {{reference: string, payment?: import("@sycee/client").Payment, shipped: boolean, work: Promise<void>}} Order */

/**
 * @param {object} options
 * @param {string} options.url how the shop is reached
 * @param {Sycee} options.sycee
 * @param {WebhookVerifier} options.webhooks
 * @param {(order: Order) => void} options.ship called once for each order that is paid
 * @param {(order: Order, what: string) => void} options.ask called where a person has to look
 */
function createShop({ url, sycee, webhooks, ship, ask }) {
  /** @type {Map<string, Order>} */
  const orders = new Map();
  /** Of webhooks that were dealt with. @type {Set<string>} */
  const seen = new Set();

  async function buy() {
    /** @type {Order} */
    const order = { reference: `order-${randomUUID()}`, shipped: false, work: Promise.resolve() };
    // Kept before the payment is made. Whatever breaks off from here on can be asked again with the same key, and
    // there will be one payment.
    orders.set(order.reference, order);
    order.payment = await sycee.payments.create(
      { ...shirt, reference: order.reference, success_url: `${url}/orders/${order.reference}` },
      { idempotencyKey: order.reference },
    );
    return redirect(order.payment.checkout_url);
  }

  /** @param {import("node:http").IncomingMessage} request */
  async function receiveWebhook(request) {
    const event = await webhooks.verify(await bytesOf(request), request.headers);
    const id = String(request.headers["webhook-id"]);
    if (event.type === "webhook.test") return text(200, "it works");
    const order = orders.get(event.data.reference ?? "");
    // What is not of this shop, or came before, is confirmed: else it would be sent again for days.
    if (!order || seen.has(id)) return text(200, "nothing to do");
    await refresh(order, event.data.id);
    if (event.type === "payment.exception") ask(order, "money came that does not belong to the price");
    seen.add(id);
    return text(200, "thank you");
  }

  /**
   * A webhook may be late, or overtaken by the next. So it only says that there is something new: how things stand
   * is read from the gateway, one reading of an order after the other.
   * @param {Order} order
   * @param {string} [id] of its payment
   */
  function refresh(order, id = order.payment?.id) {
    const next = order.work.then(() => update(order, id));
    order.work = next.catch(() => {}); // whoever waits for `next` is told
    return next;
  }

  /** @param {Order} order @param {string} [id] */
  async function update(order, id) {
    if (!id) return;
    order.payment = await sycee.payments.get(id);
    switch (order.payment.status) {
      case "cleared":
      case "settled":
        if (order.shipped) return;
        order.shipped = true;
        return ship(order);
      case "reversed":
        if (order.shipped) ask(order, "the chain took the payment back, and the goods have left");
    }
  }

  /** @param {Order} order */
  async function showOrder(order) {
    if (!order.shipped) await refresh(order);
    return html(`<h1>${escape(stateOf(order))}</h1><p>${escape(order.reference)}: ${escape(shirt.description)}</p>
      ${order.payment ? `<p><a href="${escape(order.payment.checkout_url)}">Checkout</a></p>` : ""}`);
  }

  /** @param {import("node:http").IncomingMessage} request */
  async function answer(request) {
    const { pathname } = new URL(request.url ?? "/", url);
    const order = request.method === "GET" && orders.get(pathname.replace("/orders/", ""));
    if (order) return showOrder(order);
    switch (`${request.method} ${pathname}`) {
      case "GET /":
        return html(`<h1>${shirt.description}</h1><p>${shirt.amount} ${shirt.currency}</p>
          <form method="post" action="/buy"><button>Buy</button></form>`);
      case "POST /buy":
        return buy();
      case "POST /webhooks":
        return receiveWebhook(request);
      default:
        return text(404, "there is nothing here");
    }
  }

  return createServer(async (request, response) => {
    const { status, headers, body } = await answer(request).catch(failed);
    response.writeHead(status, headers).end(body);
  });
}

/** What the order's payment means to who buys. @param {Order} order */
function stateOf({ payment, shipped }) {
  switch (payment?.status) {
    case "partially_paid":
      return "Something is missing: please pay the rest";
    case "authorized":
      return "Your payment is seen; a moment until it is safe";
    case "cleared":
    case "settled":
      return "Paid: your T-shirt is on its way";
    case "expired":
      // What came nevertheless is on the exceptions desk: sycee.exceptions.list({ payment: id }).
      return payment.transfer_count === 0
        ? "The time to pay is over: please order again"
        : "Your money came too late, or was too little: we will write to you";
    case "canceled":
      return "This order is canceled";
    case "reversed":
      return shipped ? "Your T-shirt is on its way" : "The chain took your payment back: please pay again";
    default:
      return "Waiting for your payment";
  }
}

/** @param {unknown} error */
function failed(error) {
  if (error instanceof WebhookVerificationError) return text(400, error.message);
  if (error instanceof RangeError) return text(413, error.message);
  console.error(error);
  // 503 lets the gateway send a webhook again.
  return error instanceof SyceeError ? text(503, "please try again in a moment") : text(500, "something went wrong");
}

/** The signature covers the bytes as they came. @param {import("node:http").IncomingMessage} request */
async function bytesOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) throw new RangeError("the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const plain = { "x-content-type-options": "nosniff" };
/** @param {number} status @param {string} body */
const text = (status, body) => ({ status, body, headers: { ...plain, "content-type": "text/plain; charset=utf-8" } });
/** @param {string} body */
const html = (body) => ({
  status: 200,
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shirts</title>${body}`,
  headers: { ...plain, "content-type": "text/html; charset=utf-8" },
});
/** @param {string} location */
const redirect = (location) => ({ status: 303, body: "", headers: { ...plain, location } });
/** @param {string} value */
const escape = (value) => value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** @param {string} name */
function environment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

const port = Number(process.env.PORT || 3000);
const url = process.env.SHOP_URL || `http://127.0.0.1:${port}`;
const shop = createShop({
  url,
  sycee: new Sycee({ url: environment("SYCEE_URL"), apiKey: environment("SYCEE_API_KEY") }),
  webhooks: new WebhookVerifier(environment("SYCEE_WEBHOOK_SECRET")),
  ship: ({ reference }) => console.log(`ship ${reference}`),
  ask: ({ reference }, what) => console.log(`look at ${reference}: ${what}`),
});
shop.listen(port, "127.0.0.1", () => console.log(`the shop is open at ${url}`));
process.once("SIGTERM", () => {
  shop.close();
  shop.closeAllConnections();
});
