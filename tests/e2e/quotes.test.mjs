// Prices in any currency: rates by a table, a feed on the chain and a document over HTTP; payments in them
// from the API to the books; and no price where there is no rate.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { Feed, RateDocument } from "../support/rates.mjs";
import { secretFile } from "../support/sycee.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const longestAge = 3_600;

let world;
let document;
const feeds = {};

before(async () => {
  document = await RateDocument.serve("{}");
  world = await World.start({ serve: false, settings: async (chain) => ({ rates: await rateSettings(chain) }) });
  setDocument({ JPY: "156.25", GBP: 0.757, HKD: "7.80" });
  await world.sycee.start();
  await waitFor("the first rates", async () => {
    const answers = await Promise.all(["EUR", "JPY", "GBP", "HKD", "USD"].map((code) => rate(code)));
    return answers.every(({ status }) => status === 200);
  });
});
after(async () => {
  await world?.stop();
  await document?.stop();
});

/** The [rates] section, with feeds on the world's chain. */
async function rateSettings(chain) {
  feeds.euro = await Feed.deploy(chain, "EUR / USD", 8, 108_700_000n);
  feeds.tether = await Feed.deploy(chain, "USDT / USD", 8, 100_000_000n);
  const feed = (pair, { address }) => ({
    kind: "chainlink", pair, chain_id: chain.id, feed: address, decimals: 8, longest_age_seconds: longestAge,
  });
  const http = (pointer, more) => ({
    kind: "http", name: "document", url: document.url, pointer, longest_age_seconds: longestAge, ...more,
  });
  return {
    refresh_seconds: 1,
    allow_loopback: true,
    currencies: [
      { currency: "EUR", spread_basis_points: 50, sources: [feed("EUR / USD", feeds.euro)] },
      { currency: "JPY", sources: [http("/rates/JPY", { time_pointer: "/timestamp" })] },
      {
        currency: "GBP",
        least_sources: 2,
        most_deviation_basis_points: 100,
        sources: [{ kind: "fixed", rate: "0.757" }, http("/rates/GBP")],
      },
      { currency: "HKD", lowest: "7.75", highest: "7.85", sources: [http("/rates/HKD")] },
      { currency: "KWD", spread_basis_points: 25, sources: [{ kind: "fixed", rate: "0.307" }] },
    ],
    pegs: [{ token: "USDT", sources: [feed("USDT / USD", feeds.tether)] }],
  };
}

let rates = {};
function setDocument(changes, { age = 0 } = {}) {
  rates = { ...rates, ...changes };
  document.text = JSON.stringify({ timestamp: Math.floor(Date.now() / 1_000) - age, rates });
}

const rate = (currency, amount) =>
  world.api("GET", `/v1/rates?currency=${currency}${amount === undefined ? "" : `&amount=${amount}`}`);
const create = (fields) => world.api("POST", "/v1/payments", { body: { expires_in: 86_400, ...fields } });

/** Waits until the sources have been read that much, and gives the answer. */
async function expectRate(currency, wanted) {
  let answer;
  await waitFor(`the rate of ${currency}`, async () => {
    answer = await rate(currency);
    return wanted(answer);
  });
  return answer;
}
const usable = ({ status }) => status === 200;
const unusable = ({ status }) => status === 503;

async function expectNoPrice(currency, why) {
  await expectRate(currency, unusable);
  for (const answer of [await rate(currency), await create({ amount: "10", currency })]) {
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.body.code, "rate_unavailable");
    assert.match(answer.body.detail, why);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  }
}

test("a price in euros is paid by the rate of the feed, to the last cent in the books", async () => {
  const shown = await rate("EUR", "46.00");
  assert.equal(shown.status, 200, shown.text);
  // 46.00 × 1.005 / 0.919963201471 = 50.2520100000164…
  assert.equal(shown.body.options[0].amount, "50.252011");
  const payment = await world.createPayment({ reference: "euro", amount: "46.00", currency: "EUR" });
  assert.equal(payment.amount, "46.00");
  assert.equal(payment.options[0].amount, "50.252011");
  assert.equal(payment.quote.rate, "0.919963201471");
  assert.equal(payment.quote.spread_basis_points, 50);
  assert.equal(payment.quote.sources[0].name, `chainlink 31337 ${feeds.euro.address}`);
  const page = await fetch(payment.checkout_url).then((answer) => answer.text());
  assert.match(page, /46\.00 EUR/);
  assert.match(page, /50\.252011/);

  // What the rate does later is nothing to this payment.
  await feeds.euro.update(110_000_000n);
  await expectRate("EUR", ({ body }) => body.quote.rate === "0.90909090909");
  await world.pay(payment);
  const settled = await world.settle(payment);
  assert.deepEqual(settled.quote, payment.quote);
  assert.equal(settled.transfers[0].gross, "50.252011");
  const event = await world.receiver.expect(payment, "payment.settled");
  assert.deepEqual(event.data.quote, payment.quote);
});

test("a quote holds the price while the rate moves, and only for who asked", async () => {
  await feeds.euro.update(108_700_000n);
  await expectRate("EUR", ({ body }) => body.quote.rate === "0.919963201471");
  const asked = await world.api("POST", "/v1/quotes", { body: { amount: "46.00", currency: "EUR" } });
  assert.equal(asked.status, 201, asked.text);
  assert.equal(asked.body.options[0].amount, "50.252011");
  await feeds.euro.update(110_000_000n);
  await expectRate("EUR", ({ body }) => body.quote.rate === "0.90909090909");
  await world.sycee.stop();
  await world.sycee.start();
  const payment = await world.createPayment({ reference: "quoted", quote: asked.body.id, amount: undefined, currency: undefined });
  assert.equal(payment.amount, "46.00");
  assert.equal(payment.options[0].amount, "50.252011");
  assert.deepEqual(payment.quote, asked.body.quote);
  const { key } = await world.addMerchant();
  const stolen = await world.api("POST", "/v1/payments", { key, body: { quote: asked.body.id } });
  assert.equal(stolen.status, 400, stolen.text);
  assert.equal(stolen.body.errors[0].field, "quote");
});

test("a price in yen has no decimals, from the amount to the statement", async () => {
  const payment = await world.createPayment({ reference: "yen", amount: "7501", currency: "JPY" });
  assert.equal(payment.amount, "7501");
  assert.equal(payment.options[0].amount, "48.006400");
  await world.pay(payment);
  await world.settle(payment);
  const page = await fetch(payment.checkout_url).then((answer) => answer.text());
  assert.match(page, /7501 JPY/);
});

test("a price in dinars has three", async () => {
  const payment = await world.createPayment({ reference: "dinar", amount: "0.001", currency: "KWD" });
  assert.equal(payment.options[0].amount, "0.003266");
  await world.pay(payment);
  await world.settle(payment);
});

test("a statement has each value in its own minor units", async () => {
  const day = new Date().toISOString().slice(0, 10);
  const lines = await world.api("GET", `/v1/statements/${day}/lines?limit=100`);
  assert.equal(lines.status, 200, lines.text);
  const values = Object.fromEntries(
    lines.body.data.map(({ reference, value }) => [reference, `${value.amount} ${value.currency}`]),
  );
  assert.equal(values.euro, "46.00 EUR");
  assert.equal(values.yen, "7501 JPY");
  assert.equal(values.dinar, "0.001 KWD");
  await world.verifyBooks();
});

test("the evidence has the rates, and books that are derived again have them too", async () => {
  const folder = path.join(world.directory, "evidence");
  await world.sycee.cli("evidence", folder);
  const csv = await readFile(path.join(folder, "payments.csv"), "utf8");
  assert.match(csv, /^payment,.*,options,quote,/);
  assert.match(csv, /,EUR,4600,.*""rate"":""0\.919963201471"",""spread"":50,/);
  assert.match(csv, /,JPY,7501,.*""rate"":""156\.25""/);
  assert.match(csv, /,KWD,1,.*""rate"":""0\.307""/);

  await world.sycee.cli("rebuild", "--into", await world.postgres.createDatabase("rebuilt"));
  const quotes = "SELECT string_agg(currency || quote, ' ' ORDER BY payment_id) FROM payments";
  assert.equal(await world.postgres.query(quotes, "rebuilt"), await world.sql(quotes));
});

test("the dashboard says what prices are made by", async () => {
  const password = "correct horse battery staple";
  const file = await secretFile(path.join(world.directory, "password"), () => password);
  await world.sycee.cli("operator", "create", "--name", "operator", "--password-file", file);
  const { headers } = await world.sycee.request("POST", "/admin/login", {
    body: new URLSearchParams({ name: "operator", password }).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded", origin: world.sycee.url },
  });
  const cookie = headers.get("set-cookie").split(";")[0];
  const { text: chains } = await world.sycee.request("GET", "/admin/chains", { headers: { cookie } });
  assert.match(chains, /EUR for one USD/);
  assert.match(chains, /USD for one USDT/);
  assert.match(chains, new RegExp(`chainlink 31337 ${feeds.euro.address}: 0\\.9`));
});

test("what is no amount of the currency, and what is no currency, is refused by name", async () => {
  for (const [fields, field, detail] of [
    [{ amount: "7501.0", currency: "JPY" }, "amount", /at most 0 digits/],
    [{ amount: "0.0001", currency: "KWD" }, "amount", /at most 3 digits/],
    [{ amount: "1.00", currency: "CHF" }, "currency", /must be USD, EUR, JPY, GBP, HKD or KWD, not "CHF"/],
    [{ amount: "1.00", currency: "EURO" }, "currency", /no currency of ISO 4217/],
  ]) {
    const answer = await create(fields);
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.body.errors[0].field, field);
    assert.match(answer.body.errors[0].detail, detail);
  }
});

test("a feed that is too old is no rate", async () => {
  await feeds.euro.update(108_700_000n, { age: longestAge + 60 });
  await expectNoPrice("EUR", /no rate for EUR: 0 of 1 sources fresh/);
  await feeds.euro.update(108_700_000n);
  await expectRate("EUR", usable);
});

test("a document whose time is too old is no rate", async () => {
  setDocument({}, { age: longestAge + 60 });
  await expectNoPrice("JPY", /no rate for JPY: 0 of 1 sources fresh/);
  setDocument({});
  await expectRate("JPY", usable);
});

test("sources that differ are no rate", async () => {
  setDocument({ GBP: 0.7646 });
  await expectNoPrice("GBP", /no rate for GBP: the sources differ by more than 100 basis points/);
  setDocument({ GBP: "0.759" });
  const { body } = await expectRate("GBP", usable);
  assert.equal(body.quote.rate, "0.758");
  assert.deepEqual(body.quote.sources.map(({ name, rate: said }) => [name, said]), [
    ["fixed", "0.757"],
    ["document", "0.759"],
  ]);
});

test("Hong Kong's dollar is believed within its band alone", async () => {
  setDocument({ HKD: 7.851 });
  await expectNoPrice("HKD", /no rate for HKD: 7\.851 is not between 7\.75 and 7\.85/);
  setDocument({ HKD: 7.85 });
  const { body } = await expectRate("HKD", usable);
  assert.equal(body.quote.rate, "7.85");
});

test("a token that is not worth a dollar is not offered, and the operator is told", async () => {
  const before = await world.createPayment({ reference: "before" });
  await feeds.tether.update(97_900_000n);
  await expectNoPrice("USD", /no token is known to be worth one USD at the moment: USDT: 0\.979 is not between/);
  await expectNoPrice("EUR", /USDT/);
  assert.match(world.sycee.tail(200), /a token is taken out of new payments/);
  // Who has an amount may pay it.
  await world.pay(before);
  await world.settle(before);
  await feeds.tether.update(99_900_000n);
  const { body } = await expectRate("USD", usable);
  assert.equal(body.options[0].amount, "1.000000");
});

test("a feed of another pair is refused at the start", async () => {
  await world.sycee.stop();
  const gateway = await world.prepareAnotherGateway({
    rates: {
      currencies: [
        {
          currency: "GBP",
          sources: [
            {
              kind: "chainlink", pair: "GBP / USD", chain_id: world.chain.id, feed: feeds.euro.address,
              decimals: 8, longest_age_seconds: longestAge,
            },
          ],
        },
      ],
    },
  });
  const service = gateway.launch();
  await service.ended;
  assert.match(gateway.tail(), /refuses to run: the feed .* is of .*EUR \/ USD.*; the configuration says .*GBP \/ USD/);
});

test("every answer and every webhook follows api/openapi.yaml", () => {
  const api = new ApiContract();
  for (const { method, target, answer } of world.answers) api.checkAnswer(method, target, answer);
  for (const { event } of world.receiver.deliveries) api.checkEvent(event);
  assert.deepEqual(world.receiver.refused, []);
});
