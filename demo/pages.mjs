// The pages of the demo shop.

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (value) => String(value).replace(/[&<>"']/g, (character) => escapes[character]);

// What each state of a payment means to the buyer. Goods leave once a payment is cleared.
const states = {
  open: ["Waiting for your payment", "We have not seen a transfer yet."],
  partially_paid: ["Partly paid", "Something is missing: please go back to the checkout."],
  authorized: ["Payment seen", "Your transfer is in a block. A moment until it is safe …"],
  cleared: ["Paid", "Thank you! Your T-shirt is on its way."],
  settled: ["Paid", "Thank you! Your T-shirt is on its way."],
  expired: ["Expired", "The time to pay this order is over."],
  canceled: ["Canceled", "This order was canceled."],
  reversed: ["Payment taken back", "The blockchain dropped your transfer. Please go back to the checkout."],
};
const final = new Set(["settled", "expired", "canceled"]);

const shirt = `<svg viewBox="0 0 200 200" role="img" aria-label="A blue T-shirt">
  <path d="M62 28 20 52l16 38 20-8v92h88V82l20 8 16-38-42-24c-6 14-20 22-38 22s-32-8-38-22z" fill="#2563a8"/>
  <path d="M62 28c6 14 20 22 38 22s32-8 38-22l-12-4c-4 10-14 14-26 14s-22-4-26-14z" fill="#1c4c85"/>
  <path d="M78 112c8-10 36-10 44 0-2 12-10 18-22 18s-20-6-22-18zm6-4h32l8-8H76z" fill="#f4c95d"/>
</svg>`;

const style = `
  :root { font: 17px/1.5 "Liberation Sans", system-ui, sans-serif; color: #1d2733; background: #f3f5f8; }
  * { box-sizing: border-box; }
  body { margin: 0; }
  header { background: #fff; border-bottom: 1px solid #dde3ea; }
  header div, main { max-width: 56rem; margin: auto; padding: 1rem 1.25rem; }
  header div { display: flex; justify-content: space-between; align-items: baseline; }
  header strong { font-size: 1.15rem; }
  a { color: #1f5a9c; }
  h1 { margin: 0 0 .25rem; font-size: 1.7rem; }
  .card { background: #fff; border: 1px solid #dde3ea; border-radius: 14px; padding: 1.5rem; margin-top: 1.25rem; }
  .card > :first-child { margin-top: 0; }
  .product { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); }
  .picture { background: #e8eef6; border-radius: 10px; padding: 1.5rem; }
  .picture svg { display: block; width: 100%; max-width: 260px; margin: auto; }
  .price { font-size: 1.6rem; font-weight: 700; margin: .75rem 0; }
  .muted { color: #5b6878; }
  button { width: 100%; padding: .9rem 1.2rem; font: inherit; font-weight: 700; color: #fff; background: #1f5a9c;
    border: 0; border-radius: 10px; cursor: pointer; }
  button:hover { background: #17487e; }
  .scroll { overflow-x: auto; }
  table { width: 100%; border-collapse: collapse; }
  th, td { text-align: left; padding: .55rem .75rem .55rem 0; border-bottom: 1px solid #e6ebf1; white-space: nowrap; }
  .state { display: inline-block; padding: .1rem .65rem; border-radius: 99px; background: #e6ebf1; font-size: .9rem; }
  .state.cleared, .state.settled { background: #d5efdd; color: #14532d; }
  .state.reversed, .state.expired, .state.canceled { background: #f8dcd8; color: #7f1d1d; }
  @media (max-width: 30rem) { .wide { display: none; } }
  @media (min-width: 44rem) { .product { grid-template-columns: 1fr 1fr; align-items: center; } }
`;

function page(title, body, { refresh } = {}) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh ? `<meta http-equiv="refresh" content="${refresh}">` : ""}
<title>${escape(title)} · Silver Lane Shirts</title>
<style>${style}</style>
</head>
<body>
<header><div><strong>Silver Lane Shirts</strong> <a href="/orders">Orders</a></div></header>
<main>${body}</main>
</body>
</html>
`;
}

const price = ({ amount, currency }) => (currency === "USD" ? `$${amount}` : `${amount} ${currency}`);
const badge = (status) => `<span class="state ${escape(status)}">${escape(status.replace("_", " "))}</span>`;

const table = (head, rows) => `<div class="scroll"><table>${head}${rows.join("")}</table></div>`;

export function productPage(item) {
  return page(
    item.description,
    `<section class="card product">
  <div class="picture">${shirt}</div>
  <div>
    <h1>${escape(item.description)}</h1>
    <p class="muted">Heavy cotton, printed by hand, sent anywhere in the world.</p>
    <p class="price">${escape(price(item))}</p>
    <form method="post" action="/buy"><button>Buy and pay with USDT</button></form>
    <p class="muted">You pay from your own wallet. We ship as soon as the payment is cleared.</p>
  </div>
</section>`,
  );
}

export function orderPage(order) {
  const [headline, text] = states[order.status] ?? [order.status, ""];
  const rows = order.events.map(
    ({ type, timestamp }) => `<tr><td>${escape(type)}</td><td>${new Date(timestamp).toUTCString().slice(17)}</td></tr>`,
  );
  return page(
    order.reference,
    `<section class="card">
  <p class="muted">${escape(order.reference)}: ${escape(order.description)}, ${escape(price(order))}</p>
  <h1>${escape(headline)}</h1>
  <p>${escape(text)} ${badge(order.status)}</p>
  <p><a href="${escape(order.checkout_url)}">Checkout page</a></p>
  ${rows.length ? table("<tr><th>Webhook</th><th>Time</th></tr>", rows) : ""}
</section>`,
    final.has(order.status) ? {} : { refresh: 2 },
  );
}

export function ordersPage(orders) {
  const rows = orders.map(
    (order) => `<tr><td><a href="/orders/${escape(order.reference)}">${escape(order.reference)}</a></td>
<td class="wide">${escape(order.description)}</td><td>${escape(price(order))}</td><td>${badge(order.status)}</td></tr>`,
  );
  const head = `<tr><th>Order</th><th class="wide">Item</th><th>Price</th><th>State</th></tr>`;
  return page(
    "Orders",
    `<section class="card"><h1>Orders</h1>
${rows.length ? table(head, rows) : `<p class="muted">No orders yet.</p>`}</section>`,
    { refresh: 5 },
  );
}

export function messagePage(title, text) {
  return page(
    title,
    `<section class="card"><h1>${escape(title)}</h1><p>${escape(text)}</p>
<p><a href="/">Back to the shop</a></p></section>`,
  );
}
