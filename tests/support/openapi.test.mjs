// api/openapi.yaml itself: the rules of good contracts, and examples that are what they are examples of.

import { createConfig, lint } from "@redocly/openapi-core";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

import { schemaChecker } from "./api_contract.mjs";

const file = fileURLToPath(new URL("../../api/openapi.yaml", import.meta.url));
const contract = parse(readFileSync(file, "utf8"));

test("the contract breaks no rule of a good one", async () => {
  const config = await createConfig({
    extends: ["recommended-strict"],
    rules: {
      // It takes the alternatives of oneOf for a closed list of fields. All examples are checked below.
      "no-invalid-media-type-examples": "off",
      // The public keys are read without a key, and without anything that could be wrong.
      "operation-4xx-response": "off",
    },
  });
  const problems = await lint({ ref: file, config });
  assert.deepEqual(
    problems.map(({ message, location }) => `${location[0].pointer}: ${message}`),
    [],
  );
});

/** Each schema with an example beside it or in it: where it is, the schema's place, and the value. */
function* examples(at, steps = []) {
  if (typeof at !== "object" || at === null) return;
  const schema = at.schema ? [...steps, "schema"] : steps;
  const { examples: list } = at;
  if (Array.isArray(list)) {
    for (const value of list) yield { steps, schema: steps, value };
  } else if (at.schema && list) {
    for (const [name, example] of Object.entries(list)) {
      const { value } = example.$ref ? contract.components.examples[example.$ref.split("/").at(-1)] : example;
      yield { steps: [...steps, "examples", name], schema, value };
    }
  }
  for (const [name, below] of Object.entries(at)) {
    if (!["examples", "example", "const", "enum"].includes(name)) yield* examples(below, [...steps, name]);
  }
}

test("every example is what its schema says", () => {
  const check = schemaChecker();
  const seen = new Set();
  let count = 0;
  for (const { steps, schema, value } of examples(contract)) {
    check(schema, value, steps.join("/"));
    seen.add(JSON.stringify(value));
    count += 1;
  }
  assert.ok(count > 40, `${count} examples`);
  const unused = Object.entries(contract.components.examples).filter(
    ([, { value }]) => !seen.has(JSON.stringify(value)),
  );
  assert.deepEqual(
    unused.map(([name]) => name),
    [],
    "an example that nothing shows",
  );
});

test("a wrong example would be found", () => {
  const check = schemaChecker();
  const { value } = contract.components.examples.OpenPayment;
  const place = ["components", "schemas", "Payment"];
  check(place, value, "right");
  assert.throws(() => check(place, { ...value, amount: 50 }, "amount"), /amount/);
  assert.throws(() => check(place, { ...value, more: 1 }, "more"), /more/);
});

test("every operation is told of with an example of what it is sent and of what it answers", () => {
  // A receipt is long, and worth nothing where it is made up.
  const without = new Set(["getReceipt"]);
  const missing = [];
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const [method, { operationId, requestBody, responses }] of Object.entries(item)) {
      if (!operationId || without.has(operationId)) continue;
      const parts = [
        requestBody,
        ...Object.entries(responses)
          .filter(([status]) => status.startsWith("2"))
          .map(([, one]) => one),
      ];
      const json = parts.map((part) => part?.content?.["application/json"]).filter(Boolean);
      if (json.some((media) => !media.examples)) missing.push(`${method} ${path}`);
    }
  }
  assert.deepEqual(missing, []);
});
