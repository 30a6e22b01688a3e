// Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), the symmetric signatures of it.

import type { WebhookEvent } from "./contract.js";
import { webcrypto } from "./webcrypto.js";

export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/** The webhook is not one of the gateway's, or too old to be believed. Answer with 400. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
}

export interface WebhookVerifierOptions {
  /** Seconds that the time of sending may be off, both ways. 300 if not said. */
  tolerance?: number;
}

const mostSignatures = 20;

export class WebhookVerifier {
  readonly #keys: Promise<CryptoKey[]>;
  readonly #tolerance: number;

  /** @param secrets one (whsec_…), or several of which any will do, such as while one is replaced */
  constructor(secrets: string | readonly string[], { tolerance = 300 }: WebhookVerifierOptions = {}) {
    const all = [secrets].flat().map(decodeSecret);
    if (all.length === 0) throw new TypeError("secrets: there is none");
    this.#tolerance = tolerance;
    this.#keys = Promise.all(all.map(importKey));
    this.#keys.catch(() => {}); // whoever verifies gets it
  }

  /**
   * Says what the webhook says, or throws WebhookVerificationError.
   * @param body the bytes as they came, before anything parsed them
   */
  async verify(body: string | Uint8Array, headers: WebhookHeaders, now = new Date()): Promise<WebhookEvent> {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const id = header(headers, "webhook-id");
    const timestamp = header(headers, "webhook-timestamp");
    if (!/^\d{1,15}$/.test(timestamp)) throw new WebhookVerificationError("webhook-timestamp is no time");
    if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > this.#tolerance) {
      throw new WebhookVerificationError("webhook-timestamp is too far from now");
    }
    const signed = concatenated(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
    if (!(await this.#anyFits(header(headers, "webhook-signature"), signed))) {
      throw new WebhookVerificationError("no signature fits");
    }
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as WebhookEvent;
    } catch {
      throw new WebhookVerificationError("the body is not JSON");
    }
  }

  async #anyFits(signatures: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { subtle } = await webcrypto();
    const keys = await this.#keys;
    for (const signature of signatures.split(" ").slice(0, mostSignatures)) {
      const bytes = signature.startsWith("v1,") ? decodeBase64(signature.slice(3)) : undefined;
      if (bytes === undefined) continue;
      // verify() compares in constant time.
      for (const key of keys) if (await subtle.verify("HMAC", key, bytes, signed)) return true;
    }
    return false;
  }
}

/** The same for a single webhook. */
export function verifyWebhook(
  secrets: string | readonly string[],
  body: string | Uint8Array,
  headers: WebhookHeaders,
  options?: WebhookVerifierOptions,
): Promise<WebhookEvent> {
  return new WebhookVerifier(secrets, options).verify(body, headers);
}

function header(headers: WebhookHeaders, name: string): string {
  const one =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (typeof one !== "string" || one === "") throw new WebhookVerificationError(`${name} is not there once`);
  return one;
}

function decodeSecret(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ""));
  // The secret itself stays out of the message.
  if (bytes === undefined || bytes.length < 24)
    throw new TypeError("secrets: must be whsec_ and base64 of at least 24 bytes");
  return bytes;
}

async function importKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return (await webcrypto()).subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const decoded = atob(text);
  // Only one spelling of the same bytes is taken: the last letter may have bits that mean nothing.
  return btoa(decoded) === text ? Uint8Array.from(decoded, (character) => character.charCodeAt(0)) : undefined;
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
