// The documentation that a gateway serves: the page as a browser takes it, and the contract.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { artifacts, desktop, launchBrowser, openPage, overflows, phone } from "../support/browser.mjs";
import { World } from "../support/world.mjs";

let world, browser;
before(async () => {
  world = await World.start();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

const fileAt = (file) => readFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8");

test("the page is read on a desk and on a phone, with nothing from elsewhere", async () => {
  for (const viewport of [desktop, phone]) {
    const page = await openPage(browser, { viewport, javaScriptEnabled: false });
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).origin));
    const answer = await page.goto(`${world.sycee.url}/docs`);
    assert.equal(answer.status(), 200);
    assert.match(answer.headers()["content-security-policy"], /^default-src 'none'; style-src 'self'; img-src 'self';/);
    assert.match(await page.title(), /Sycee merchant API/);
    await page.click('nav a[href="#createPayment"]');
    assert.ok(await page.locator("#createPayment").isVisible());
    assert.deepEqual(new Set(asked), new Set([world.sycee.url]));
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
  // Whether a page is too wide is asked by a script.
  for (const [name, viewport] of Object.entries({ desktop, phone })) {
    const page = await openPage(browser, { viewport });
    await page.goto(`${world.sycee.url}/docs`);
    assert.equal(await overflows(page), false, name);
    // The whole page is too long for a picture.
    await page.screenshot({ path: path.join(artifacts, `docs-${name}.png`) });
    await page.context().close();
  }
});

test("the contract is the one of the program, and is asked for once", async () => {
  const first = await fetch(`${world.sycee.url}/openapi.yaml`);
  assert.equal(first.status, 200);
  assert.equal(first.headers.get("content-type"), "application/yaml");
  assert.equal(await first.text(), await fileAt("api/openapi.yaml"));
  const headers = { "if-none-match": first.headers.get("etag") };
  assert.equal((await fetch(`${world.sycee.url}/openapi.yaml`, { headers })).status, 304);
});

test("there is nothing else below it, and nothing but reading", async () => {
  const statuses = async (method, paths) =>
    Promise.all(paths.map(async (path) => (await fetch(`${world.sycee.url}${path}`, { method })).status));
  assert.deepEqual(
    await statuses("GET", ["/docs/", "/docs/docs.html", "/docs/openapi.yaml", "/docs/no.css"]),
    [404, 404, 404, 404],
  );
  assert.deepEqual(
    await statuses("HEAD", ["/docs", "/docs/docs.css", "/docs/palette.css", "/docs/icon.svg"]),
    [200, 200, 200, 200],
  );
  assert.deepEqual(await statuses("POST", ["/docs", "/openapi.yaml"]), [405, 405]);
});
