// Chromium without a window, and what it complains about.

import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

import { runOrThrow } from "./process.mjs";

const program = "/usr/bin/chromium";

/** Where screenshots are kept. */
export const artifacts = path.resolve(
  process.env.SYCEE_ARTIFACTS || fileURLToPath(new URL("../../artifacts", import.meta.url)),
);

export const phone = { width: 390, height: 844 };
export const desktop = { width: 1280, height: 800 };

export async function launchBrowser() {
  if (!existsSync(program)) throw new Error(`no ${program}: run scripts/install-packages demo`);
  return chromium.launch({ executablePath: program, headless: true });
}

/**
 * A page in a context of its own. Whatever the browser complains about is in `complaints`: errors of scripts,
 * of the console, refusals by the content security policy, and parts of the page that could not be loaded.
 * @returns {Promise<import("playwright-core").Page & {complaints: string[]}>}
 */
export async function openPage(browser, { viewport = desktop, ...options } = {}) {
  const context = await browser.newContext({ viewport, deviceScaleFactor: 2, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("response", (answer) => {
    if (answer.status() >= 400 && answer.request().resourceType() !== "document") {
      complaints.push(`${answer.status()} ${answer.url()}`);
    }
  });
  page.on("requestfailed", (request) => {
    // A page that is left ends its event stream, and gives up what it had not loaded yet.
    const error = request.failure()?.errorText;
    const left = request.resourceType() === "eventsource" || error === "net::ERR_ABORTED";
    if (!left) complaints.push(`${request.url()}: ${error}`);
  });
  return Object.assign(page, { complaints });
}

/** A screenshot of the whole page. @returns its file */
export async function screenshot(page, name) {
  mkdirSync(artifacts, { recursive: true });
  const file = path.join(artifacts, `${name}.png`);
  await page.screenshot({ path: file, fullPage: true });
  return file;
}

/** What the QR codes of a picture say. @returns {Promise<string[]>} */
export async function readCodes(file) {
  const zbar = ["zbarimg", "--nodbus", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", file];
  return (await runOrThrow(zbar)).stdout.trim().split("\n");
}

/** Wider than the window: a reader would have to scroll sideways. */
export async function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
