import type {
  Answer,
  Body,
  ItemOf,
  ListPaths,
  Method,
  PageOf,
  PathValues,
  PathsOf,
  Query,
  RepeatablePaths,
} from "./contract.js";
import { SyceeError } from "./error.js";
import { Listing } from "./listing.js";
import { Transport, fill, newIdempotencyKey } from "./transport.js";
import type { CreateOptions, Outgoing, RequestOptions, SyceeOptions } from "./transport.js";

type Values = Record<string, string>;

/**
 * A gateway, seen by one merchant.
 *
 * A request that only reads, or that has an idempotency key, is sent again by itself where the network or
 * the gateway failed for the moment. Every other one is sent once.
 */
export class Sycee {
  readonly #transport: Transport;

  constructor(options: SyceeOptions) {
    this.#transport = new Transport(options);
  }

  readonly payments = {
    create: (payment: Body<"/v1/payments", "post">, options?: CreateOptions) =>
      this.#create("/v1/payments", {}, payment, options),
    get: (id: string, options?: RequestOptions) => this.#get("/v1/payments/{id}", { id }, {}, options),
    list: (query?: Query<"/v1/payments", "get">, options?: RequestOptions) =>
      this.#list("/v1/payments", {}, query, options),
    /** Its description and metadata. */
    update: (id: string, change: Body<"/v1/payments/{id}", "post">, options?: CreateOptions) =>
      this.#create("/v1/payments/{id}", { id }, change, options),
    cancel: (id: string, reason: Body<"/v1/payments/{id}/cancel", "post"> = {}, options?: CreateOptions) =>
      this.#create("/v1/payments/{id}/cancel", { id }, reason, options),
    events: (id: string, query?: Query<"/v1/payments/{id}/events", "get">, options?: RequestOptions) =>
      this.#get("/v1/payments/{id}/events", { id }, query ?? {}, options),
    /** `receipt_pending` (503) until a checkpoint has the payment: try again after `retryAfter` seconds. */
    receipt: (id: string, options?: RequestOptions) => this.#get("/v1/payments/{id}/receipt", { id }, {}, options),
  };

  /** Everything that webhooks tell: ask for what is `after` the `next_after` of the page before. */
  readonly events = {
    list: (query?: Query<"/v1/events", "get">, options?: RequestOptions) =>
      this.#get("/v1/events", {}, query ?? {}, options),
    get: (id: string, options?: RequestOptions) => this.#get("/v1/events/{id}", { id }, {}, options),
  };

  /** A price, locked: create a payment of the quote's `id` while it lasts. */
  readonly quotes = {
    create: (price: Body<"/v1/quotes", "post">, options?: CreateOptions) =>
      this.#create("/v1/quotes", {}, price, options),
  };

  readonly rates = {
    get: (query: Query<"/v1/rates", "get">, options?: RequestOptions) => this.#get("/v1/rates", {}, query, options),
  };

  /** With a test key: what becomes of a test payment. */
  readonly testPayments = {
    simulate: (id: string, outcome: Body<"/v1/test/payments/{id}/simulate", "post">, options?: CreateOptions) =>
      this.#create("/v1/test/payments/{id}/simulate", { id }, outcome, options),
  };

  readonly exceptions = {
    get: (id: string, options?: RequestOptions) => this.#get("/v1/exceptions/{id}", { id }, {}, options),
    list: (query?: Query<"/v1/exceptions", "get">, options?: RequestOptions) =>
      this.#list("/v1/exceptions", {}, query, options),
    resolve: (id: string, decision: Body<"/v1/exceptions/{id}/resolve", "post">, options?: CreateOptions) =>
      this.#create("/v1/exceptions/{id}/resolve", { id }, decision, options),
  };

  readonly refunds = {
    create: (refund: Body<"/v1/refunds", "post">, options?: CreateOptions) =>
      this.#create("/v1/refunds", {}, refund, options),
    get: (id: string, options?: RequestOptions) => this.#get("/v1/refunds/{id}", { id }, {}, options),
    list: (query?: Query<"/v1/refunds", "get">, options?: RequestOptions) =>
      this.#list("/v1/refunds", {}, query, options),
    nameRecipient: (id: string, recipient: Body<"/v1/refunds/{id}/recipient", "post">, options?: CreateOptions) =>
      this.#create("/v1/refunds/{id}/recipient", { id }, recipient, options),
    report: (id: string, report: Body<"/v1/refunds/{id}/report", "post">, options?: CreateOptions) =>
      this.#create("/v1/refunds/{id}/report", { id }, report, options),
    cancel: (id: string, reason: Body<"/v1/refunds/{id}/cancel", "post">, options?: CreateOptions) =>
      this.#create("/v1/refunds/{id}/cancel", { id }, reason, options),
  };

  /** Create and rotateSecret show the secret, which nothing else does. */
  readonly webhookEndpoints = {
    create: (endpoint: Body<"/v1/webhook-endpoints", "post">, options?: CreateOptions) =>
      this.#create("/v1/webhook-endpoints", {}, endpoint, options),
    get: (id: string, options?: RequestOptions) => this.#get("/v1/webhook-endpoints/{id}", { id }, {}, options),
    list: (options?: RequestOptions) => this.#list("/v1/webhook-endpoints", {}, undefined, options),
    update: (id: string, change: Body<"/v1/webhook-endpoints/{id}", "post">, options?: CreateOptions) =>
      this.#create("/v1/webhook-endpoints/{id}", { id }, change, options),
    delete: (id: string, options?: RequestOptions) =>
      this.request("delete", "/v1/webhook-endpoints/{id}", { values: { id }, ...options }),
    rotateSecret: (
      id: string,
      overlap: Body<"/v1/webhook-endpoints/{id}/rotate-secret", "post"> = {},
      options?: CreateOptions,
    ) => this.#create("/v1/webhook-endpoints/{id}/rotate-secret", { id }, overlap, options),
    test: (id: string, options?: CreateOptions) =>
      this.#create("/v1/webhook-endpoints/{id}/test", { id }, undefined as never, options),
    redeliverFailed: (
      id: string,
      since: Body<"/v1/webhook-endpoints/{id}/redeliver-failed", "post">,
      options?: CreateOptions,
    ) => this.#create("/v1/webhook-endpoints/{id}/redeliver-failed", { id }, since, options),
    deliveries: (
      id: string,
      query?: Query<"/v1/webhook-endpoints/{id}/deliveries", "get">,
      options?: RequestOptions,
    ) => this.#list("/v1/webhook-endpoints/{id}/deliveries", { id }, query, options),
  };

  readonly webhookDeliveries = {
    get: (id: string, options?: RequestOptions) => this.#get("/v1/webhook-deliveries/{id}", { id }, {}, options),
    redeliver: (id: string, options?: CreateOptions) =>
      this.#create("/v1/webhook-deliveries/{id}/redeliver", { id }, undefined as never, options),
  };

  readonly feeInvoices = {
    list: (query?: Query<"/v1/fee-invoices", "get">, options?: RequestOptions) =>
      this.#list("/v1/fee-invoices", {}, query, options),
  };

  /** `period`: a day (2026-11-25) or a month (2026-11) of UTC. */
  readonly statements = {
    get: (period: string, query?: Omit<Query<"/v1/statements/{period}", "get">, "format">, options?: RequestOptions) =>
      this.#get("/v1/statements/{period}", { period }, { ...query, format: "json" }, options),
    /** All lines, as the text of a file. */
    csv: (period: string, query?: Omit<Query<"/v1/statements/{period}", "get">, "format">, options?: RequestOptions) =>
      this.#csv("/v1/statements/{period}", { period }, query, options),
    lines: (period: string, query?: Query<"/v1/statements/{period}/lines", "get">, options?: RequestOptions) =>
      this.#list("/v1/statements/{period}/lines", { period }, query, options),
    batches: (period: string, query?: Query<"/v1/statements/{period}/batches", "get">, options?: RequestOptions) =>
      this.#list("/v1/statements/{period}/batches", { period }, query, options),
  };

  readonly totals = {
    get: (query?: Omit<Query<"/v1/totals", "get">, "format">, options?: RequestOptions) =>
      this.#get("/v1/totals", {}, { ...query, format: "json" }, options),
    csv: (query?: Omit<Query<"/v1/totals", "get">, "format">, options?: RequestOptions) =>
      this.#csv("/v1/totals", {}, query, options),
  };

  readonly signingKeys = {
    get: (options?: RequestOptions) => this.#get("/.well-known/sycee-signing-keys", {}, {}, options),
  };

  /** Any endpoint of the contract, by its path. Not sent again unless it only reads. */
  async request<M extends Method, P extends PathsOf<M>>(
    method: M,
    path: P,
    {
      values,
      ...request
    }: {
      values?: PathValues<P>;
      query?: Query<P, M>;
      body?: Body<P, M>;
    } & RequestOptions = {},
  ): Promise<Answer<P, M>> {
    const { query, body, ...options } = request;
    return this.#json<Answer<P, M>>(
      { method: method.toUpperCase(), path: fill(path, (values ?? {}) as Values), query, body },
      options,
    );
  }

  #get<P extends PathsOf<"get">>(path: P, values: Values, query: Query<P, "get"> | object, options?: RequestOptions) {
    return this.#json<Answer<P, "get">>({ method: "GET", path: fill(path, values), query }, options);
  }

  async #csv(path: PathsOf<"get">, values: Values, query?: object, options?: RequestOptions): Promise<string> {
    const request = { method: "GET", path: fill(path, values), query: { ...query, format: "csv" }, accept: "text/csv" };
    return (await this.#transport.send(request, options)).text;
  }

  #list<P extends ListPaths>(path: P, values: Values, query?: Query<P, "get">, options?: RequestOptions) {
    type Page = Answer<P, "get"> & PageOf<ItemOf<P>>;
    const filled = fill(path, values);
    return new Listing<ItemOf<P>, Page>((after) =>
      this.#json<Page>(
        { method: "GET", path: filled, query: after === undefined ? query : { ...query, after } },
        options,
      ),
    );
  }

  /** A POST for which the contract takes an idempotency key. */
  async #create<P extends RepeatablePaths>(
    path: P,
    values: Values,
    body: Body<P, "post">,
    options: CreateOptions = {},
  ) {
    const { idempotencyKey = await newIdempotencyKey(), ...rest } = options;
    return this.#json<Answer<P, "post">>({ method: "POST", path: fill(path, values), body, idempotencyKey }, rest);
  }

  async #json<T>(request: Outgoing, options?: RequestOptions): Promise<T> {
    const { status, text } = await this.#transport.send(request, options);
    if (status === 204) return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new SyceeError("the gateway's answer is not JSON", { status, code: "unexpected_answer", cause });
    }
  }
}
