// Statements of real payments: JSON, CSV, `sycee statement` and the dashboard say the same, and it adds up.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { ApiContract } from "../support/api_contract.mjs";
import { desktop, launchBrowser, openPage, overflows, phone, screenshot } from "../support/browser.mjs";
import { secretFile } from "../support/sycee.mjs";
import { World } from "../support/world.mjs";

const month = new Date().toISOString().slice(0, 7);
const contract = new ApiContract();

let world;
let exact;
let over;
before(async () => {
  world = await World.start();
  Object.assign(world, await world.addMerchant({ name: "With a fee", feeBasisPoints: 50 }));
  exact = await world.createPayment({ reference: '=HYPERLINK("x"), "1"' });
  over = await world.createPayment({ reference: "order-2" });
  await world.pay(exact);
  await world.pay(over, "60");
  await world.settle(over);
  await world.expectStatus(exact, "settled");
  const [exception] = (await world.api("GET", `/v1/exceptions?payment=${over.id}`)).body.data;
  const body = { kind: "write_off", amount: "4", reason: "a tip" };
  assert.equal((await world.api("POST", `/v1/exceptions/${exception.id}/resolve`, { body })).status, 200);
});
after(async () => world?.stop());

async function get(target, options) {
  const answer = await world.api("GET", target, options);
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

/** RFC 4180: rows of fields, by the names in the header. */
function parseCsv(text) {
  assert.ok(text.endsWith("\r\n"));
  const rows = [[""]];
  let quoted = false;
  for (let i = 0; i < text.length - 2; i += 1) {
    const row = rows.at(-1);
    if (text[i] === '"') {
      if (quoted && text[i + 1] === '"') row[row.length - 1] += text[(i += 1)];
      else quoted = !quoted;
    } else if (!quoted && text[i] === ",") {
      row.push("");
    } else if (!quoted && text.startsWith("\r\n", i)) {
      rows.push([""]);
      i += 1;
    } else {
      row[row.length - 1] += text[i];
    }
  }
  const [names, ...lines] = rows;
  return lines.map((line) => {
    assert.equal(line.length, names.length);
    return Object.fromEntries(line.map((field, i) => [names[i], field]));
  });
}

const units = (rows, column) => rows.reduce((sum, row) => sum + BigInt(row[`${column}_base_units`]), 0n);

test("a month has what was settled, kept and promised, before and after", async () => {
  const { body } = await get(`/v1/statements/${month}`);
  assert.equal(body.period, month);
  assert.equal(body.complete, false);
  assert.equal(body.merchant, world.merchant.id);
  const [account, ...others] = body.accounts;
  assert.deepEqual(others, []);
  assert.equal(account.token, "USDT");
  assert.equal(account.opening, "0.000000");
  const { count, gross, fees, net } = account.settlements;
  assert.deepEqual({ count, gross, fees, net }, { count: 2, gross: "100.000000", fees: "0.500000", net: "99.500000" });
  assert.equal(account.written_off.net, "4.000000");
  assert.equal(account.closing, "103.500000");
  assert.equal(account.unapplied.received, "10.000000");
  assert.equal(account.unapplied.applied, "4.000000");
  assert.equal(account.unapplied.closing, "6.000000");
});

test("the columns of the CSV add up to the statement", async () => {
  const { body } = await get(`/v1/statements/${month}`);
  const [account] = body.accounts;
  const answer = await get(`/v1/statements/${month}`, { headers: { accept: "text/csv" } });
  assert.match(answer.headers.get("content-type"), /^text\/csv/);
  const rows = parseCsv(answer.text);
  assert.equal(rows.length, 3);
  const settled = rows.filter(({ type }) => type === "settlement");
  for (const [column, total] of [["gross", "gross"], ["fee", "fees"], ["net", "net"]]) {
    assert.equal(units(settled, column), BigInt(account.settlements[`${total}_base_units`]));
  }
  assert.equal(units(rows, "net"), BigInt(account.closing_base_units) - BigInt(account.opening_base_units));
  assert.equal(Number(rows.reduce((sum, { gross }) => sum + Number(gross), 0).toFixed(6)), 104);
  assert.equal(settled.reduce((sum, { value }) => sum + Number(value), 0), 100);
  const row = rows.find(({ payment }) => payment === exact.id);
  assert.equal(row.reference, `'${exact.reference}`); // a spreadsheet must not take it for a formula
  assert.equal((await get(`/v1/statements/${month}?format=csv&token=USDT`)).text, answer.text);
  assert.equal(await world.sycee.cli("statement", world.merchant.id, month, "--csv"), answer.text);
});

test("each line names its transfer, with the block's time beside that of the booking", async () => {
  const first = (await get(`/v1/statements/${month}/lines?limit=2`)).body;
  assert.equal(first.has_more, true);
  const rest = (await get(`/v1/statements/${month}/lines?limit=2&after=${first.next_cursor}`)).body;
  assert.equal(rest.has_more, false);
  const lines = [...first.data, ...rest.data];
  assert.deepEqual(lines.map(({ type }) => type), ["settlement", "settlement", "written_off"]);
  const line = lines.find(({ payment, type }) => payment === over.id && type === "settlement");
  const [transfer] = (await world.payment(over)).transfers;
  assert.equal(line.transaction_hash, transfer.transaction_hash);
  assert.equal(line.log_index, transfer.log_index);
  assert.equal(line.value_date, transfer.block_time);
  assert.ok(Date.parse(line.booked_at) > Date.now() - 3_600_000);
  assert.deepEqual(line.value, { amount: "50.00", currency: "USD", source: "locked_price" });
  assert.equal(lines[2].value, null); // nothing was priced

  const day = line.booked_at.slice(0, 10);
  assert.ok((await get(`/v1/statements/${day}/lines`)).body.data.length > 0);
});

test("the batches are those of the lines", async () => {
  const { data } = (await get(`/v1/statements/${month}/batches`)).body;
  const sum = (name) => data.reduce((total, batch) => total + BigInt(batch[`${name}_base_units`]), 0n);
  assert.equal(sum("gross"), world.token.units("100"));
  assert.equal(sum("fees"), world.token.units("0.5"));
  assert.equal(sum("net"), world.token.units("99.5"));
  for (const batch of data) assert.ok(batch.first_block <= batch.last_block && batch.last_block <= batch.finalized_block);
});

test("filters and other merchants see nothing of it", async () => {
  assert.deepEqual((await get(`/v1/statements/${month}?chain_id=1`)).body.accounts, []);
  assert.equal(parseCsv((await get(`/v1/statements/${month}?format=csv&chain_id=1`)).text).length, 0);
  const { key } = await world.addMerchant({ name: "Another" });
  assert.deepEqual((await get(`/v1/statements/${month}`, { key })).body.accounts, []);
  assert.deepEqual((await get(`/v1/statements/${month}/lines`, { key })).body.data, []);
});

test("a period that is none, or has not begun, is refused by name", async () => {
  for (const period of ["2026-02-30", "2026", "9999-12", "yesterday"]) {
    const answer = await world.api("GET", `/v1/statements/${period}`);
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.body.errors.map(({ field }) => field), ["period"]);
    const { code, stderr } = await world.sycee.command("statement", world.merchant.id, period);
    assert.equal(code, 2);
    assert.match(stderr, /^sycee: period: /m);
  }
  const { code, stderr } = await world.sycee.command("statement", "mer_x", month);
  assert.equal(code, 2);
  assert.match(stderr, /^sycee: merchant: "mer_x" is not a merchant's id/m);
});

test("the command line says the same in words", async () => {
  const text = await world.sycee.cli("statement", world.merchant.id, month);
  assert.ok(text.startsWith(`With a fee (${world.merchant.id}), ${month}, not over yet\n`), text);
  assert.match(text, /opening +0\.000000\n/);
  assert.match(text, /settlements +99\.500000 {2}net of 2: gross 100\.000000, fees 0\.500000\n/);
  assert.match(text, /closing +103\.500000\n/);
  await world.verifyBooks();
});

test("what is not settled waits, and the command line says for how long", async () => {
  assert.equal(await world.sycee.cli("waiting"), "Nothing waits.\n");
  const part = await world.createPayment({ reference: "in parts" });
  await world.pay(part, "20");
  await world.expectStatus(part, "partially_paid");
  const text = await world.sycee.cli("waiting");
  assert.match(text, /^USDT on chain 31337, authorized, the oldest of .*Z\n {2}under 10 min {2}20\.000000 in 1 transfer\(s\)\n$/);
});

test("daily totals say the same as JSON, as CSV and on the command line", async () => {
  const { body } = await get("/v1/totals");
  assert.equal(body.merchant, world.merchant.id);
  assert.equal(body.complete, false);
  const total = (stage, name) =>
    body.data.filter((row) => row.stage === stage).reduce((sum, row) => sum + BigInt(row[`${name}_base_units`]), 0n);
  const count = (stage) => body.data.filter((row) => row.stage === stage).reduce((sum, row) => sum + row.count, 0);
  assert.deepEqual([count("authorized"), total("authorized", "amount")], [3, world.token.units("130")]);
  assert.deepEqual([count("cleared"), total("cleared", "amount")], [2, world.token.units("100")]);
  assert.equal(total("cleared", "fees"), world.token.units("0.5"));
  assert.deepEqual([count("settled"), total("settled", "amount")], [2, world.token.units("99.5")]);
  assert.deepEqual([count("unapplied"), total("unapplied", "amount")], [1, world.token.units("10")]);
  assert.equal(count("reversed"), 0);
  const csv = (await get("/v1/totals", { headers: { accept: "text/csv" } })).text;
  const rows = parseCsv(csv);
  assert.deepEqual(
    rows.map((row) => [row.day, row.stage, row.count, row.amount, row.fees]),
    body.data.map((row) => [row.day, row.stage, String(row.count), row.amount, row.fees]),
  );
  const options = ["--from", body.from, "--to", body.to, "--merchant", world.merchant.id];
  assert.equal(await world.sycee.cli("totals", ...options, "--csv"), csv);
  const text = await world.sycee.cli("totals", ...options);
  assert.match(text, /settled +2 +99\.500000 USDT\n/);
  const { key } = await world.addMerchant({ name: "Without books" });
  assert.deepEqual((await get("/v1/totals", { key })).body.data, []);
  const refused = await world.api("GET", "/v1/totals?from=2026-02-30&to=x");
  assert.equal(refused.status, 400);
  const { code, stderr } = await world.sycee.command("totals", "--from", "2999-01-01");
  assert.equal(code, 2);
  assert.match(stderr, /^sycee: from: 2999-01-01 has not begun/m);
});

async function openDashboard(browser, viewport) {
  const page = await openPage(browser, { viewport });
  await page.goto(`${world.sycee.url}/admin/login`);
  await page.locator('input[name="name"]').fill("operator");
  await page.locator('input[name="password"]').fill("correct horse battery staple");
  await page.locator('input[name="password"]').press("Enter");
  await page.waitForURL(`${world.sycee.url}/admin`);
  return page;
}

async function lookAround(page, name) {
  await page.getByRole("link", { name: "Statements" }).click();
  await page.getByText("With a fee").waitFor();
  await screenshot(page, `dashboard-${name}-statements`);
  assert.ok(!(await overflows(page)));
  await page.getByRole("link", { name: "Daily totals" }).click();
  await page.locator("figure.chart", { hasText: "Settled each day" }).waitFor();
  await page.locator("select[name=merchant]").selectOption({ label: "With a fee" });
  await page.getByRole("button", { name: "Show" }).click();
  await page.locator("table.list", { hasText: "99.500000" }).waitFor();
  await screenshot(page, `dashboard-${name}-totals`);
  assert.ok(!(await overflows(page)));
  await page.goto(`${world.sycee.url}/admin/statements/${world.merchant.id}/${month}`);
  const shown = await page.locator("main").innerText();
  for (const part of ["103.500000", "99.500000", "0.500000", "4.000000", "not revenue", "6.000000"]) {
    assert.ok(shown.includes(part), part);
  }
  await screenshot(page, `dashboard-${name}-statement-month`);
  assert.ok(!(await overflows(page)));
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV of all lines" }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), `sycee-statement-${month}.csv`);
  const csv = (await get(`/v1/statements/${month}?format=csv`)).text;
  assert.equal(await readFile(await download.path(), "utf8"), csv);
  await page.locator("table.list tbody a").first().click();
  await page.getByRole("heading", { name: "Settlement batches" }).waitFor();
  await screenshot(page, `dashboard-${name}-statement-day`);
  assert.ok(!(await overflows(page)));
}

test("an operator looks at a month, its days and its file", async () => {
  const passwordFile = await secretFile(path.join(world.directory, "password"), () => "correct horse battery staple");
  await world.sycee.cli("operator", "create", "--name", "operator", "--password-file", passwordFile);
  const browser = await launchBrowser();
  try {
    for (const [name, viewport] of Object.entries({ phone, desktop })) {
      const page = await openDashboard(browser, viewport);
      await lookAround(page, name);
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    }
  } finally {
    await browser.close();
  }
});

test("every answer follows api/openapi.yaml", () => {
  const seen = world.answers.filter(({ target }) => /^\/v1\/(statements\/|totals)/.test(target));
  assert.ok(seen.length >= 15);
  for (const { method, target, answer } of seen) {
    const isCsv = answer.headers.get("content-type").startsWith("text/csv");
    contract.checkAnswer(method, target, isCsv ? { ...answer, body: answer.text } : answer);
  }
});
