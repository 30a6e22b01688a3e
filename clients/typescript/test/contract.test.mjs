// The client beside api/openapi.yaml: its types are those of the contract, and it has each operation.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

import { Gateway, json } from "./gateway.mjs";

const folder = fileURLToPath(new URL("..", import.meta.url));
const contract = parse(readFileSync(new URL("../../../api/openapi.yaml", import.meta.url), "utf8"));

test("src/schema.ts is what `npm run generate` makes of the contract", () => {
  const script = JSON.parse(readFileSync(`${folder}package.json`, "utf8")).scripts.generate;
  const command = `${script.replace(/ --output \S+/, "")} 2>/dev/null`;
  const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));
  const made = execFileSync("sh", ["-c", command], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  assert.ok(made.includes("export interface paths"));
  assert.ok(
    made.trim() === readFileSync(`${folder}src/schema.ts`, "utf8").trim(),
    "run `npm run generate` in clients/typescript",
  );
});

// How each operation is called. Whoever adds one to the contract adds a method to the client, and a line here.
const calls = {
  createPayment: (sycee) => sycee.payments.create({}),
  listPayments: (sycee) => sycee.payments.list(),
  getPayment: (sycee) => sycee.payments.get("x"),
  updatePayment: (sycee) => sycee.payments.update("x", {}),
  createQuote: (sycee) => sycee.quotes.create({ amount: "46.00", currency: "EUR" }),
  simulatePayment: (sycee) => sycee.testPayments.simulate("x", { outcome: "paid" }),
  cancelPayment: (sycee) => sycee.payments.cancel("x", {}),
  listPaymentEvents: (sycee) => sycee.payments.events("x"),
  listEvents: (sycee) => sycee.events.list(),
  getEvent: (sycee) => sycee.events.get("x"),
  getRate: (sycee) => sycee.rates.get({ currency: "EUR" }),
  createWebhookEndpoint: (sycee) => sycee.webhookEndpoints.create({}),
  listWebhookEndpoints: (sycee) => sycee.webhookEndpoints.list(),
  getWebhookEndpoint: (sycee) => sycee.webhookEndpoints.get("x"),
  updateWebhookEndpoint: (sycee) => sycee.webhookEndpoints.update("x", {}),
  deleteWebhookEndpoint: (sycee) => sycee.webhookEndpoints.delete("x"),
  rotateWebhookSecret: (sycee) => sycee.webhookEndpoints.rotateSecret("x", {}),
  testWebhookEndpoint: (sycee) => sycee.webhookEndpoints.test("x"),
  redeliverFailedWebhooks: (sycee) => sycee.webhookEndpoints.redeliverFailed("x", {}),
  listWebhookDeliveries: (sycee) => sycee.webhookEndpoints.deliveries("x"),
  getWebhookDelivery: (sycee) => sycee.webhookDeliveries.get("x"),
  redeliverWebhook: (sycee) => sycee.webhookDeliveries.redeliver("x"),
  getReceipt: (sycee) => sycee.payments.receipt("x"),
  getSigningKeys: (sycee) => sycee.signingKeys.get(),
  listExceptions: (sycee) => sycee.exceptions.list(),
  getException: (sycee) => sycee.exceptions.get("x"),
  resolveException: (sycee) => sycee.exceptions.resolve("x", {}),
  createRefund: (sycee) => sycee.refunds.create({}),
  listRefunds: (sycee) => sycee.refunds.list(),
  getRefund: (sycee) => sycee.refunds.get("x"),
  nameRefundRecipient: (sycee) => sycee.refunds.nameRecipient("x", {}),
  reportRefund: (sycee) => sycee.refunds.report("x", {}),
  cancelRefund: (sycee) => sycee.refunds.cancel("x", {}),
  listFeeInvoices: (sycee) => sycee.feeInvoices.list(),
  getStatement: (sycee) => sycee.statements.get("x"),
  listStatementLines: (sycee) => sycee.statements.lines("x"),
  listStatementBatches: (sycee) => sycee.statements.batches("x"),
  getTotals: (sycee) => sycee.totals.get(),
};

const methods = ["get", "post", "patch", "put", "delete"];
const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
  methods.filter((method) => item[method]).map((method) => ({ method, path, ...item[method] })),
);
const keyed = ({ parameters = [] }) => parameters.some(({ $ref }) => $ref?.endsWith("/IdempotencyKey"));

let gateway;
before(async () => {
  gateway = await Gateway.start();
  gateway.answers = [json(200, {})];
});
after(() => gateway.stop());

test("the contract has no operation without a call here", () => {
  assert.deepEqual(Object.keys(calls).sort(), operations.map(({ operationId }) => operationId).sort());
});

for (const operation of operations) {
  test(`${operation.operationId} asks what the contract says`, async () => {
    gateway.asked = [];
    await calls[operation.operationId]?.(gateway.client());
    const [asked] = gateway.asked;
    assert.equal(asked?.method, operation.method.toUpperCase());
    assert.equal(asked.url.split("?")[0], operation.path.replace(/\{\w+\}/g, "x"));
    assert.equal("idempotency-key" in asked.headers, keyed(operation));
    assert.equal(asked.body !== "", operation.requestBody !== undefined);
  });
}
