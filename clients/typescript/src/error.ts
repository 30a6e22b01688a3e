import type { Schemas } from "./contract.js";

export type FieldError = Schemas["FieldError"];

/**
 * The codes of the contract; and those that are said here, where no answer of the API came:
 * `connection_failed`, `timeout`, `unexpected_answer`, and `http_413` and the like where a server in front
 * answered, or the API's own before any endpoint.
 */
export type ErrorCode =
  Schemas["Problem"]["code"] | "connection_failed" | "timeout" | "unexpected_answer" | `http_${number}`;

export interface ErrorFacts {
  status: number;
  code: ErrorCode;
  errors?: FieldError[];
  requestId?: string | undefined;
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** A request that did not succeed. Decide by `code`; the message is for people. */
export class SyceeError extends Error {
  override readonly name = "SyceeError";
  /** Of HTTP; 0 where no answer came. */
  readonly status: number;
  readonly code: ErrorCode;
  /** Which fields were wrong; empty where it was not about fields. */
  readonly errors: readonly FieldError[];
  /** Names the request in the gateway's log. */
  readonly requestId: string | undefined;
  /** Seconds that the gateway asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { status, code, errors = [], requestId, retryAfter, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/** What an answer that is no success says. */
export function errorOf(response: Response, text: string): SyceeError {
  const problem = problemOf(text);
  const field = <K extends keyof Schemas["Problem"]>(name: K) => problem?.[name];
  const detail = field("detail") ?? field("title");
  const message = detail ? `${response.status}: ${detail}` : `the gateway answered ${response.status}`;
  return new SyceeError(message, {
    status: response.status,
    code: field("code") ?? `http_${response.status}`,
    errors: field("errors") ?? [],
    requestId: field("request_id") ?? response.headers.get("request-id") ?? undefined,
    retryAfter: secondsOf(response.headers.get("retry-after")),
  });
}

function problemOf(text: string): Partial<Schemas["Problem"]> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // a page of a proxy
  }
}

/** Retry-After has seconds, or a date. */
export function secondsOf(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}
