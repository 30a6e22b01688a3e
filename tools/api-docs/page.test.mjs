import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";

import { make, output } from "./generate.mjs";
import { page } from "./page.mjs";

const text = readFileSync(output, "utf8");
const contract = parse(readFileSync(new URL("../../api/openapi.yaml", import.meta.url), "utf8"));
const all = (pattern, group = 1) => [...text.matchAll(pattern)].map((match) => match[group]);

test("web/docs/docs.html is what is made of api/openapi.yaml", () => {
  assert.ok(text === make(), "run `npm run generate`");
});

test("every operation, webhook and field of an answer is on the page", () => {
  const ids = new Set(all(/ id="([^"]+)"/g));
  const items = [...Object.values(contract.paths), ...Object.values(contract.webhooks)];
  const operations = items
    .flatMap((item) => Object.values(item))
    .map(({ operationId }) => operationId)
    .filter(Boolean);
  assert.ok(operations.length > 25);
  assert.deepEqual(
    operations.filter((id) => !ids.has(id)),
    [],
  );
  for (const name of ["deposit_address", "next_cursor", "goods_may_be_released"]) {
    assert.ok(text.includes(`<code>${name}</code>`), name);
  }
});

test("every link inside the page leads somewhere, to one place", () => {
  const ids = all(/ id="([^"]+)"/g);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(
    all(/href="#([^"]+)"/g).filter((id) => !ids.includes(id)),
    [],
  );
});

test("the page needs nothing from elsewhere, and nothing that a strict policy refuses", () => {
  const loaded = all(/<(?:link|img|script)[^>]*(?:href|src)="([^"]+)"/g);
  assert.deepEqual(loaded, ["docs/icon.svg", "docs/palette.css", "docs/docs.css"]);
  assert.doesNotMatch(text, /<script|<style|<iframe| style=| on\w+=|javascript:/i);
});

test("texts of the contract are text", () => {
  const hostile = structuredClone(contract);
  const script = "<script>alert(1)</script>";
  hostile.info.title = script;
  hostile.info.description = `- a: ${script}\n\n\`${script}\``;
  hostile.paths["/v1/payments"].get.summary = script;
  hostile.paths["/v1/payments"].post.requestBody.content["application/json"].examples = {
    one: { value: { a: script } },
  };
  const made = page(hostile, "");
  assert.doesNotMatch(made, /<script/);
  assert.ok(made.includes("&lt;script&gt;"));
});
