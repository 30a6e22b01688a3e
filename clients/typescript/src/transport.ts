// One request: its address, its timeout, and whether and when it is sent again.

import { SyceeError, errorOf } from "./error.js";
import { webcrypto } from "./webcrypto.js";

export interface SyceeOptions {
  /** Where the gateway is, such as https://pay.example.com. */
  url: string;
  /** As `sycee key create` prints it. Keep it on your server. */
  apiKey: string;
  /** Milliseconds for one attempt. 30,000 if not said. */
  timeout?: number;
  /** How often a request is sent again, where that is safe. 3 if not said. */
  retries?: number;
  /** Milliseconds that are waited at most before the next attempt: who asks for more gets the error. 30,000 if not said. */
  longestWait?: number;
  /** Instead of the platform's own. */
  fetch?: typeof globalThis.fetch;
}

export interface RequestOptions {
  /** Ends the request and the waits between its attempts. */
  signal?: AbortSignal;
  /** Milliseconds for one attempt. */
  timeout?: number;
}

/** For a request that creates something. */
export interface CreateOptions extends RequestOptions {
  /**
   * Names what is to be created, such as your order and its attempt: the same key never creates twice, also
   * when your own program starts anew in between. One is made up for each call if not given, which covers
   * the attempts of that call.
   */
  idempotencyKey?: string;
}

export interface Outgoing {
  method: string;
  path: string;
  query?: object | undefined;
  body?: unknown;
  accept?: string;
  /** Given or made up: the request may be sent again. */
  idempotencyKey?: string;
}

export interface Incoming {
  status: number;
  text: string;
}

const firstWait = 250;

export class Transport {
  readonly #base: string;
  readonly #authorization: string;
  readonly #options: Required<Omit<SyceeOptions, "url" | "apiKey">>;

  constructor({
    url,
    apiKey,
    timeout = 30_000,
    retries = 3,
    longestWait = 30_000,
    fetch = globalThis.fetch,
  }: SyceeOptions) {
    const base = new URL(url);
    if (!/^https?:$/.test(base.protocol) || base.username || base.password || base.search || base.hash) {
      throw new TypeError("url: must be such as https://pay.example.com");
    }
    if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new TypeError("apiKey: is empty, or has a character that no key has");
    if (!Number.isInteger(retries) || retries < 0 || retries > 20) throw new TypeError("retries: must be 0 to 20");
    this.#base = base.href.replace(/\/+$/, "");
    this.#authorization = `Bearer ${apiKey}`;
    // Browsers want fetch to be called as a function of nothing.
    this.#options = { timeout, retries, longestWait, fetch: (...request) => fetch(...request) };
  }

  /** @returns the answer that succeeded, after as many attempts as are safe */
  async send(request: Outgoing, options: RequestOptions = {}): Promise<Incoming> {
    const safe = request.method === "GET" || request.idempotencyKey !== undefined;
    for (let attempt = 0; ; ++attempt) {
      try {
        return await this.#attempt(request, options);
      } catch (error) {
        const again = safe && attempt < this.#options.retries && error instanceof SyceeError && mayPass(error);
        const wait = again ? waitBefore(attempt, error.retryAfter) : Infinity;
        if (wait > this.#options.longestWait) throw error;
        await pause(wait, options.signal);
      }
    }
  }

  async #attempt(request: Outgoing, { signal, timeout = this.#options.timeout }: RequestOptions): Promise<Incoming> {
    signal?.throwIfAborted();
    const ending = new AbortController();
    const abort = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      ending.abort();
    }, timeout);
    try {
      const response = await this.#options.fetch(this.#base + request.path + queryOf(request.query), {
        method: request.method,
        headers: this.#headers(request),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        // The API sends nobody elsewhere; the key must not follow who does.
        redirect: "manual",
        signal: ending.signal,
      });
      const text = await response.text();
      if (!response.ok) throw errorOf(response, text);
      return { status: response.status, text };
    } catch (error) {
      if (error instanceof SyceeError) throw error;
      if (late) throw new SyceeError(`no answer within ${timeout} ms`, { status: 0, code: "timeout", cause: error });
      signal?.throwIfAborted();
      throw new SyceeError("the gateway can't be reached", {
        status: 0,
        code: "connection_failed",
        cause: error,
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  #headers({ body, accept = "application/json", idempotencyKey }: Outgoing): Record<string, string> {
    return {
      accept,
      authorization: this.#authorization,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    };
  }
}

/** Another attempt may have another answer. */
function mayPass({ status, code }: SyceeError): boolean {
  if (code === "connection_failed" || code === "timeout" || code === "idempotency_key_in_use") return true;
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504;
}

/** Doubles, and differs from that of others who failed at the same time. */
function waitBefore(attempt: number, retryAfter = 0): number {
  const backoff = firstWait * 2 ** attempt;
  return Math.max(retryAfter * 1000, backoff / 2) + (Math.random() * backoff) / 2;
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

export async function newIdempotencyKey(): Promise<string> {
  const bytes = (await webcrypto()).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Fills the {names} of a path. */
export function fill(path: string, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name]);
    // As a part of a path, these would be taken away, and another endpoint be asked.
    if (/^\.{0,2}$/.test(value)) throw new TypeError(`${name}: ${JSON.stringify(value)} names nothing`);
    return encodeURIComponent(value);
  });
}

/** Lists repeat their name, objects become name[key]; what is undefined or null is left out. */
function queryOf(query: object = {}): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) for (const each of value) all.append(name, String(each));
    else if (typeof value === "object")
      for (const [key, each] of Object.entries(value)) all.append(`${name}[${key}]`, String(each));
    else all.append(name, String(value));
  }
  const text = all.toString();
  return text === "" ? "" : `?${text}`;
}
