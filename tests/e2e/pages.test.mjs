// The checkout page and the dashboard in a real browser. The screenshots are kept.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";

import { desktop, launchBrowser, openPage, overflows, phone, readCodes, screenshot } from "../support/browser.mjs";
import { secretFile } from "../support/sycee.mjs";
import { World } from "../support/world.mjs";

const operator = "operator";
const password = "correct horse battery staple";
const order = {
  amount: "50.00",
  description: "T-shirt, blue",
  success_url: "https://shop.example/thanks",
};

let world;
let browser;

before(async () => {
  world = await World.start();
  const passwordFile = await secretFile(path.join(world.directory, "password"), () => password);
  await world.sycee.cli("operator", "create", "--name", operator, "--password-file", passwordFile);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await world?.stop();
});

/** A test with a page of its own, about which the browser must have nothing else to complain than `expected`. */
function pageTest(name, { expected = [], ...options }, body) {
  test(name, async () => {
    const page = await openPage(browser, options);
    try {
      await body(page);
      const unexpected = page.complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
      assert.deepEqual(unexpected, []);
    } finally {
      await page.context().close();
    }
  });
}

const expectPhase = (page, phase) => page.locator(`#checkout[data-phase="${phase}"]`).waitFor({ timeout: 15_000 });

for (const [name, viewport] of Object.entries({ phone, desktop })) {
  pageTest(`the checkout follows a payment without a reload, at the width of a ${name}`, { viewport }, async (page) => {
    const payment = await world.createPayment({ ...order, reference: `order-${name}` });
    const streamed = page.waitForResponse((answer) => answer.url().includes("/events"));
    await page.goto(payment.checkout_url);
    await streamed;
    await page.evaluate(() => (window.loadedOnce = true));
    const text = await page.locator("body").innerText();
    for (const part of ["50.00", "USDT", payment.deposit_address, "Local Anvil", "T-shirt, blue", `order-${name}`]) {
      assert.ok(text.includes(part), `the page does not show ${part}`);
    }
    assert.ok(!(await overflows(page)));
    assert.deepEqual(await readCodes(await screenshot(page, `checkout-${name}-open`)), [payment.deposit_address]);

    await world.pay(payment, "20");
    await expectPhase(page, "partially_paid");
    assert.deepEqual(await readCodes(await screenshot(page, `checkout-${name}-partly`)), [payment.deposit_address]);
    await world.pay(payment, "30");
    await expectPhase(page, "authorized");
    await screenshot(page, `checkout-${name}-authorized`);
    await world.chain.mine();
    await expectPhase(page, "paid");
    assert.equal(await page.locator("#state-title").innerText(), "Paid");
    await world.chain.mine();
    await page.getByText("Your payment is final").waitFor({ timeout: 15_000 });
    await page.locator(".steps .done").nth(2).waitFor();
    await screenshot(page, `checkout-${name}-paid`);
    assert.ok(!(await overflows(page)));
    assert.equal(await page.evaluate(() => window.loadedOnce), true);
    assert.equal(await page.getByRole("link", { name: "Back to the shop" }).getAttribute("href"), order.success_url);
  });
}

const withClipboard = { permissions: ["clipboard-read", "clipboard-write"] };

pageTest("the second QR code is the payment link, and the buttons copy", withClipboard, async (page) => {
  const payment = await world.createPayment(order);
  await page.goto(payment.checkout_url);
  await page.getByRole("button", { name: "Copy address" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), payment.deposit_address);
  await page.getByRole("button", { name: "Copy amount" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(world.token.units(copied), world.token.units(payment.options[0].amount));
  await page.getByRole("link", { name: "Address + amount" }).click();
  const [uri] = await readCodes(await screenshot(page, "checkout-desktop-link"));
  assert.equal(uri, payment.options[0].uri);
});

pageTest("of an open amount the checkout names the least, and then what was paid", { viewport: phone }, async (page) => {
  const fields = { minimum_amount: "5.00", currency: "USD", description: "Coffee for the maintainers" };
  const payment = (await world.api("POST", "/v1/payments", { body: fields })).body;
  await page.goto(payment.checkout_url);
  assert.deepEqual(await readCodes(await screenshot(page, "checkout-phone-any-amount")), [payment.deposit_address]);
  await page.getByRole("link", { name: "Payment link" }).click();
  const [uri] = await readCodes(await screenshot(page, "checkout-phone-any-amount-link"));
  assert.equal(uri, payment.options[0].uri);
  assert.ok(!(await overflows(page)));
  await world.pay(payment, "2");
  await expectPhase(page, "partially_paid");
  await screenshot(page, "checkout-phone-any-amount-partly");
  await world.pay(payment, "40");
  await world.chain.mine();
  await expectPhase(page, "paid");
  await page.getByRole("heading", { name: "42.00" }).waitFor();
  await screenshot(page, "checkout-phone-any-amount-paid");
});

pageTest("the checkout shows a payment that a reorg took back", { viewport: phone }, async (page) => {
  const payment = await world.createPayment({ ...order, reference: "order-reversed" });
  await page.goto(payment.checkout_url);
  await world.pay(payment);
  await expectPhase(page, "authorized");
  await world.chain.reorg(1);
  await expectPhase(page, "reversed");
  await screenshot(page, "checkout-phone-reversed");
  assert.ok((await page.locator("body").innerText()).includes(payment.id));
});

const noStream = { viewport: phone, expected: [/503/] };

pageTest("a checkout that gets no event stream asks for the state instead", noStream, async (page) => {
  const payment = await world.createPayment({ ...order, reference: "order-crowded" });
  const leave = new AbortController();
  const open = () => fetch(`${payment.checkout_url}/events`, { signal: leave.signal });
  const streams = await Promise.all(Array.from({ length: 21 }, open));
  assert.deepEqual([...new Set(streams.map(({ status }) => status))].sort(), [200, 503]);
  const streamed = page.waitForResponse((answer) => answer.url().includes("/events"));
  await page.goto(payment.checkout_url);
  assert.equal((await streamed).status(), 503);
  await world.pay(payment);
  await expectPhase(page, "authorized");
  leave.abort();
});

pageTest("the checkout works without JavaScript", { viewport: phone, javaScriptEnabled: false }, async (page) => {
  const payment = await world.createPayment(order);
  await page.goto(payment.checkout_url);
  const text = await page.locator("body").innerText();
  assert.ok(text.includes(payment.deposit_address));
  assert.deepEqual(await readCodes(await screenshot(page, "checkout-phone-no-script")), [payment.deposit_address]);
  assert.equal(await page.getByRole("button").count(), 0);
  await world.pay(payment);
  await world.expectStatus(payment, "authorized");
  await expectPhase(page, "authorized"); // the page reads itself again
});

pageTest("in the dark, what a phone's owner may have chosen", { viewport: phone, colorScheme: "dark" }, async (page) => {
  const payment = await world.createPayment(order);
  await page.goto(payment.checkout_url);
  assert.deepEqual(await readCodes(await screenshot(page, "checkout-phone-dark")), [payment.deposit_address]);
});

pageTest("an order's words are shown as text, whatever they are", {}, async (page) => {
  const words = "<img src=x onerror=alert(1)>\"'&amp;<script>alert(2)</script>";
  const payment = await world.createPayment({ ...order, description: words, reference: words.slice(0, 60) });
  let dialogs = 0;
  page.on("dialog", (dialog) => {
    ++dialogs;
    dialog.dismiss();
  });
  const answer = await page.goto(payment.checkout_url);
  assert.ok((await page.locator("body").innerText()).includes(words));
  assert.equal(dialogs, 0);
  const policy = answer.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
});

const wayIn = "Paid, but nothing shows here?";

pageTest("a payer who misses a transfer finds out where it is", { viewport: phone }, async (page) => {
  const payment = await world.createPayment({ ...order, reference: "order-missed" });
  const lookalike = await world.chain.deployToken();
  await lookalike.mint(world.payer, lookalike.units("50"));
  const sent = await lookalike.transfer(world.payer, payment.deposit_address, lookalike.units("50"));
  await page.goto(payment.checkout_url);
  await screenshot(page, "checkout-phone-missed-closed");
  await page.getByText(wayIn).click();
  await page.getByLabel("Transaction hash").fill(`https://etherscan.io/tx/${sent.transactionHash}`);
  await screenshot(page, "checkout-phone-missed");
  assert.ok(!(await overflows(page)));
  await page.getByRole("button", { name: "Look for it" }).click();
  await page.getByRole("heading", { name: "A token that this shop does not accept" }).waitFor();
  const text = await page.locator("body").innerText();
  for (const part of [lookalike.address, sent.transactionHash, payment.id, "order-missed"]) {
    assert.ok(text.includes(part), `the page does not show ${part}`);
  }
  await screenshot(page, "checkout-phone-found-unlisted");
  assert.ok(!(await overflows(page)));

  const { transactionHash } = await world.pay(payment);
  await world.settle(payment);
  await page.getByLabel("Transaction hash").fill(transactionHash);
  await page.getByRole("button", { name: "Look for it" }).click();
  await page.getByRole("heading", { name: "It arrived and counts" }).waitFor();
  await screenshot(page, "checkout-phone-found");
  await page.getByRole("link", { name: "Back to the payment" }).click();
  await expectPhase(page, "paid");
  assert.equal(await page.getByText(wayIn).count(), 0);
});

const noScript = { viewport: desktop, javaScriptEnabled: false, expected: [/status of 400/] };

pageTest("a payer without JavaScript asks on a page of its own", noScript, async (page) => {
  const payment = await world.createPayment(order);
  await page.goto(`${world.sycee.url}/checkout/${payment.id}/find`);
  await page.getByLabel("Transaction hash").fill("not a hash");
  await page.getByRole("button", { name: "Look for it" }).click();
  await page.getByText("That is not the hash of one transaction").waitFor();
  await screenshot(page, "checkout-desktop-find-refused");
});

const absent = { viewport: phone, expected: [/status of 404/] };

pageTest("a checkout that does not exist is a page that says so", absent, async (page) => {
  const answer = await page.goto(`${world.sycee.url}/checkout/pay_00000000000000000000000000`);
  assert.equal(answer.status(), 404);
  await page.getByText("There is no such payment").waitFor();
  await screenshot(page, "checkout-phone-missing");
});

const refused = { expected: [/status of 403/] };

async function logIn(page, secret = password) {
  await page.goto(`${world.sycee.url}/admin/login`);
  await page.locator('input[name="name"]').fill(operator);
  await page.locator('input[name="password"]').fill(secret);
  await page.locator('input[name="password"]').press("Enter");
}

pageTest("the dashboard refuses a wrong password, and shows nothing without a session", refused, async (page) => {
  for (const target of ["", "/trial-balance", "/chains"]) {
    await page.goto(`${world.sycee.url}/admin${target}`);
    assert.equal(new URL(page.url()).pathname, "/admin/login");
  }
  await screenshot(page, "dashboard-login");
  await logIn(page, "not the password at all");
  await page.getByText("The name or the password is wrong.").waitFor();
  await screenshot(page, "dashboard-login-refused");
  await page.goto(`${world.sycee.url}/admin`);
  assert.equal(new URL(page.url()).pathname, "/admin/login");
});

test("a login from another site is refused", async () => {
  const body = new URLSearchParams({ name: operator, password }).toString();
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const post = (headers) => world.sycee.request("POST", "/admin/login", { body, headers: { ...form, ...headers } });
  for (const origin of [undefined, "https://evil.example", "null", `${world.sycee.url}.evil.example`]) {
    const answer = await post(origin === undefined ? {} : { origin });
    assert.equal(answer.status, 403, origin);
    assert.equal(answer.headers.get("set-cookie"), null);
  }
  const answer = await post({ origin: world.sycee.url });
  assert.equal(answer.status, 303);
  const cookie = answer.headers.get("set-cookie");
  for (const attribute of ["HttpOnly", "SameSite=Strict"]) assert.ok(cookie.includes(attribute), cookie);
});

for (const [name, viewport] of Object.entries({ phone, desktop })) {
  pageTest(`the dashboard shows payments, books and chains, at the width of a ${name}`, { viewport }, async (page) => {
    const payment = await world.createPayment({ ...order, reference: `listed-${name}` });
    await world.pay(payment, "60");
    await world.settle(payment);
    await world.receiver.expect(payment, "payment.settled");
    await logIn(page);
    await page.waitForURL(`${world.sycee.url}/admin`);
    assert.ok((await page.locator("body").innerText()).includes(`listed-${name}`));
    await screenshot(page, `dashboard-${name}-payments`);

    await page.getByRole("link", { name: payment.id }).click();
    await page.waitForURL(`**/admin/payments/${payment.id}`);
    const timeline = await page.locator("body").innerText();
    const stages = ["Authorization", "Clearing", "Settlement", "payer_pending", "payment.settled"];
    for (const word of [...stages, payment.deposit_address]) {
      assert.ok(timeline.includes(word), `the payment's page does not show ${word}`);
    }
    await screenshot(page, `dashboard-${name}-payment`);
    assert.ok(!(await overflows(page)));

    await page.goto(`${world.sycee.url}/admin/trial-balance`);
    await page.getByText("in balance").first().waitFor();
    await screenshot(page, `dashboard-${name}-trial-balance`);
    assert.ok(!(await overflows(page)));
    await page.goto(`${world.sycee.url}/admin/chains`);
    await page.getByText("Local Anvil").first().waitFor();
    await screenshot(page, `dashboard-${name}-chains`);
    assert.ok(!(await overflows(page)));

    await page.getByRole("button", { name: /log ?out|sign ?out/i }).click();
    await page.waitForURL("**/admin/login");
    await page.goto(`${world.sycee.url}/admin`);
    assert.equal(new URL(page.url()).pathname, "/admin/login");
  });
}

const corrected = { expected: [/status of 422/] };

for (const [name, viewport] of Object.entries({ phone, desktop })) {
  pageTest(`an operator finds a transaction and decides, at the width of a ${name}`, { viewport, ...corrected }, async (page) => {
    const payment = await world.createPayment({ ...order, reference: `found-${name}` });
    const { transactionHash } = await world.pay(payment, "60");
    await world.settle(payment);
    await logIn(page);
    await page.getByRole("link", { name: "Exceptions" }).click();
    await page.getByRole("link", { name: "Find a transaction" }).click();
    await page.getByLabel("Transaction").fill(transactionHash);
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByText("Booked: settled; what is over is on the exceptions desk").waitFor();
    assert.equal(await page.getByRole("link", { name: payment.id }).count(), 1);
    await screenshot(page, `dashboard-${name}-find`);
    assert.ok(!(await overflows(page)));

    await page.getByRole("link", { name: /^exc_/ }).click();
    const form = page.locator("form.decision", { hasText: "Let the merchant keep it" });
    await form.getByLabel("Amount").fill("10.5");
    await form.getByLabel("Reason").fill("A tip, said the payer.");
    await form.getByRole("button").click();
    await page.getByText("is more than the 10.000000 USDT that are left").waitFor();
    assert.equal(await form.getByLabel("Reason").inputValue(), "A tip, said the payer.");
    assert.equal(await form.getByLabel("Amount").inputValue(), "10.5");
    await screenshot(page, `dashboard-${name}-decision-refused`);
    await form.getByLabel("Amount").fill("10");
    await form.getByRole("button").click();
    await page.getByText("Booked: write off.").waitFor();
    await page.getByRole("heading", { name: "Decided" }).waitFor();
    await page.getByText("A tip, said the payer.").waitFor();
    await screenshot(page, `dashboard-${name}-decided`);
    assert.ok(!(await overflows(page)));

    await page.goto(`${world.sycee.url}/admin/payments/${payment.id}`);
    const resolution = page.locator(".timeline .resolution");
    const said = await resolution.innerText();
    for (const part of ["write off", "A tip, said the payer.", "opr_"]) assert.ok(said.includes(part), part);
    await screenshot(page, `dashboard-${name}-payment-decided`);
  });
}
