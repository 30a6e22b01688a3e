// Compiled by `npm run check`, never run: what the types let a shop write, and what not.

import { Sycee, SyceeError, WebhookVerifier } from "../src/index.js";
import type { Payment, WebhookEvent } from "../src/index.js";

const sycee = new Sycee({ url: "https://pay.example", apiKey: "sk_live_x" });

export async function payments(): Promise<void> {
  const payment = await sycee.payments.create({ amount: "50.00", currency: "USD" }, { idempotencyKey: "order-7" });
  const checkout: string = payment.checkout_url;
  // @ts-expect-error: money is never a number
  await sycee.payments.create({ amount: 50, currency: "USD" });
  const open = await sycee.payments.create({ minimum_amount: "5.00", currency: "USD" });
  open.amount satisfies string | null;
  // @ts-expect-error: there is no price without an amount
  await sycee.payments.create({ currency: "USD" });
  // @ts-expect-error: a word that the contract does not know
  await sycee.payments.create({ amount: "50.00", currency: "USD", refrence: checkout });

  const page = await sycee.payments.list({ limit: 5 });
  const first: Payment | undefined = page.data[0];
  for await (const each of sycee.payments.list()) each.deposit_address satisfies string;
  // @ts-expect-error: a query that the contract does not know
  sycee.payments.list({ limits: 5 });
  if (first?.status === "cleared") first.transfers[0]?.amount satisfies string | undefined;
  // @ts-expect-error: a status that does not exist
  if (first?.status === "payed") return;
}

export async function others(): Promise<void> {
  const refund = await sycee.refunds.create({ payment: "pay_1", recipient: "0x1", reason: "returned" });
  // @ts-expect-error: it may wait for an operator
  refund.status;
  if (refund.object === "refund") refund.status satisfies "frozen" | "reported" | "paid" | "canceled";
  await sycee.refunds.cancel("ref_1_2", { reason: "kept" }, { idempotencyKey: "x" });
  for await (const line of sycee.statements.lines("2026-11")) line.type satisfies string;
  const totals = await sycee.request("get", "/v1/totals", { query: { from: "2026-11-01" } });
  totals.object satisfies "totals";
  await sycee.request("get", "/v1/refunds/{id}", { values: { id: "ref_1_2" } });
  // @ts-expect-error: the path is not in the contract
  await sycee.request("get", "/v1/nothing");
}

export async function webhooks(body: Uint8Array, headers: Headers): Promise<void> {
  const event: WebhookEvent = await new WebhookVerifier("whsec_x").verify(body, headers);
  if (event.type === "payment.reversed") event.data.goods_may_be_released satisfies boolean;
  // @ts-expect-error: only that event has it
  event.data.goods_may_be_released;
  // @ts-expect-error: no such event
  if (event.type === "payment.paid") return;
}

export function errors(error: unknown): string | undefined {
  if (!(error instanceof SyceeError)) throw error;
  if (error.code === "invalid_request") return error.errors[0]?.field;
  // @ts-expect-error: no such code
  if (error.code === "invalid") return undefined;
  return error.requestId;
}
