// Plays the payer of the demo: buys in the shop, scans the QR code of the checkout page, pays with a wallet of
// its own, and waits until the shop was told. scripts/run --once uses it; while scripts/run is running,
//
//   node demo/payer.mjs                  buys and pays
//   node demo/payer.mjs CHECKOUT_URL     pays what you bought in your browser, or made with curl

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createPublicClient, createWalletClient, defineChain, http, parseAbi, parseUnits } from "viem";
import { mnemonicToAccount } from "viem/accounts";

import { runOrThrow } from "../tests/support/process.mjs";
import { waitFor } from "../tests/support/wait.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where scripts/run keeps the demo. */
export const runFolder = path.resolve(root, process.env.SYCEE_RUN_DIR || ".run");

const browserProgram = "/usr/bin/chromium";
const stages = ["payment.authorized", "payment.cleared", "payment.settled"];

// USDT's functions as they are: they return nothing.
const tokenAbi = parseAbi([
  "function decimals() view returns (uint8)",
  "function transfer(address to, uint256 value)",
]);

/** The second account of the words that every local test chain gives ether to: no secret, and no real money. */
export const payerAccount = mnemonicToAccount("test test test test test test test test test test test junk", {
  addressIndex: 1,
});

/**
 * @typedef {object} Demo where things are, as scripts/run writes it to demo.json in its folder
 * @property {string} shop
 * @property {string} sycee
 * @property {string} rpc
 * @property {string} keyFile the shop's API key
 * @property {string} artifacts folder for screenshots
 */

/**
 * From the order to the settled payment; throws at the first thing that is not as it should be.
 * @param {Demo} demo
 * @param {{checkoutUrl?: string, say?: (line: string) => void}} [options]
 * @returns {Promise<object>} the payment, as the API shows it
 */
export async function play(demo, { checkoutUrl, say = console.log } = {}) {
  mkdirSync(demo.artifacts, { recursive: true });
  const checkout = checkoutUrl ?? (await buy(demo));
  const payment = await fetchPayment(demo, paymentIdOf(checkout));
  say(`Order ${payment.reference}: payment ${payment.id}, checkout at ${checkout}`);
  if (payment.status !== "open") throw new Error(`the payment is not open but ${payment.status}`);

  const address = await scan(checkout, payment, path.join(demo.artifacts, "checkout.png"));
  say(`The QR code on the checkout page says ${address}`);

  const [option] = payment.options;
  const receipt = await transfer(demo.rpc, option, address);
  say(`Paid ${option.amount} ${option.token} in block ${receipt.blockNumber}, transaction ${receipt.transactionHash}`);

  const ofShop = (await orderOf(demo, payment.id)) !== undefined;
  if (ofShop) {
    await webhooksOf(demo, payment.id);
    say(`The shop got the signed webhooks ${stages.join(", ")}`);
  }
  const settled = ofShop ? await fetchPayment(demo, payment.id) : await settlementOf(demo, payment.id);
  if (settled.status !== "settled") throw new Error(`the shop was told, but the API says ${settled.status}`);
  await picture(checkout, path.join(demo.artifacts, "checkout-paid.png"));
  if (ofShop) await picture(`${demo.shop}/orders/${payment.reference}`, path.join(demo.artifacts, "shop-order.png"));
  return settled;
}

/** Waits for a payment that was made by somebody else than the demo's shop, which hears nothing of it. */
async function settlementOf(demo, id) {
  let payment;
  const settled = async () => {
    payment = await fetchPayment(demo, id);
    return payment.status === "settled";
  };
  await waitFor("the payment to be settled", settled, { timeout: 60_000, interval: 200 });
  return payment;
}

/** The shop's order for a payment, or nothing. */
async function orderOf({ shop }, payment) {
  const orders = await (await fetch(`${shop}/orders.json`)).json();
  return orders.find((order) => order.payment === payment);
}

/** Presses the shop's button. @returns the address of the checkout page */
async function buy({ shop }) {
  const answer = await fetch(`${shop}/buy`, { method: "POST", redirect: "manual" });
  if (answer.status !== 303) throw new Error(`the shop answered ${answer.status} to the order`);
  return answer.headers.get("location");
}

function paymentIdOf(checkout) {
  const id = new URL(checkout).pathname.match(/^\/checkout\/([^/]+)$/)?.[1];
  if (!id) throw new Error(`${checkout} is not the address of a checkout page`);
  return id;
}

async function fetchPayment({ sycee, keyFile }, id) {
  const key = readFileSync(keyFile, "utf8").trim();
  const answer = await fetch(`${sycee}/v1/payments/${id}`, { headers: { authorization: `Bearer ${key}` } });
  if (answer.status !== 200) throw new Error(`Sycee answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** Reads the QR codes off a picture of the page, as a phone would. @returns the address to pay to */
async function scan(checkout, payment, screenshot) {
  await picture(checkout, screenshot);
  const zbar = ["zbarimg", "--nodbus", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", screenshot];
  const codes = (await runOrThrow(zbar)).stdout.trim().split("\n");
  const uris = payment.options.map((option) => option.uri);
  const wrong = codes.find((code) => code !== payment.deposit_address && !uris.includes(code));
  if (wrong !== undefined) throw new Error(`a QR code on the checkout page says ${wrong}`);
  if (!codes.includes(payment.deposit_address)) {
    throw new Error(`no QR code on the checkout page says ${payment.deposit_address}`);
  }
  return payment.deposit_address;
}

/** A screenshot of the whole page at the width of a phone. */
async function picture(url, file) {
  if (!existsSync(browserProgram)) throw new Error(`no ${browserProgram}: run scripts/install-packages demo`);
  const browser = await chromium.launch({ executablePath: browserProgram, headless: true });
  try {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
    const answer = await page.goto(url, { waitUntil: "load", timeout: 20_000 });
    if (!answer?.ok()) throw new Error(`${url} answered ${answer?.status()}`);
    await page.screenshot({ path: file, fullPage: true });
  } finally {
    await browser.close();
  }
}

/** Pays with the payer's own wallet. @returns the receipt, once the transfer is in a block */
async function transfer(rpc, option, to) {
  const chain = defineChain({
    id: option.chain_id,
    name: "Demo chain",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  });
  const node = createPublicClient({ chain, transport: http(rpc), pollingInterval: 200 });
  const wallet = createWalletClient({ account: payerAccount, chain, transport: http(rpc) });
  const token = { address: option.contract, abi: tokenAbi };
  const units = parseUnits(option.amount, await node.readContract({ ...token, functionName: "decimals" }));
  const hash = await wallet.writeContract({ ...token, functionName: "transfer", args: [to, units] });
  const receipt = await node.waitForTransactionReceipt({ hash, timeout: 30_000 });
  if (receipt.status !== "success") throw new Error(`the token refused the transfer ${hash}`);
  return receipt;
}

/** Waits until the shop got the webhooks of all three stages. */
async function webhooksOf(demo, payment) {
  let got = [];
  const complete = async () => {
    got = (await orderOf(demo, payment))?.events.map((event) => event.type) ?? [];
    return stages.every((stage) => got.includes(stage));
  };
  try {
    await waitFor("the webhooks of all three stages", complete, { timeout: 60_000, interval: 200 });
  } catch (error) {
    throw new Error(`${error.message}; the shop got: ${got.join(", ") || "none"}`);
  }
}

async function main() {
  const file = path.join(runFolder, "demo.json");
  if (!existsSync(file)) throw new Error("the demo is not running: start scripts/run first");
  const demo = JSON.parse(readFileSync(file, "utf8"));
  await fetch(demo.shop).catch(() => {
    throw new Error(`nothing answers at ${demo.shop}: start scripts/run first`);
  });
  const payment = await play(demo, { checkoutUrl: process.argv[2] });
  console.log(`Payment ${payment.id} is ${payment.status}.`);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });
}
