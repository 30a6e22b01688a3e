export { Sycee } from "./client.js";
export { SyceeError } from "./error.js";
export type { ErrorCode, FieldError } from "./error.js";
export { WebhookVerificationError, WebhookVerifier, verifyWebhook } from "./webhook.js";
export type { WebhookHeaders, WebhookVerifierOptions } from "./webhook.js";
export type { Listing } from "./listing.js";
export type { CreateOptions, RequestOptions, SyceeOptions } from "./transport.js";
export type { Schemas, WebhookEvent } from "./contract.js";
export type { components, operations, paths, webhooks } from "./schema.js";

import type { Schemas } from "./contract.js";

export type Payment = Schemas["Payment"];
export type PaymentStatus = Schemas["PaymentStatus"];
export type Refund = Schemas["Refund"];
export type PaymentException = Schemas["Exception"];
export type Receipt = Schemas["Receipt"];
export type Statement = Schemas["Statement"];
