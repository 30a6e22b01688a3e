// What the generated types of the contract (schema.ts) say of a path, a method and an event. Nothing here
// names an endpoint: a new one needs `npm run generate` alone, and a method in client.ts to be called by.

import type { components, paths, webhooks } from "./schema.js";

export type Schemas = components["schemas"];

export type Method = "get" | "post" | "patch" | "delete";
type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;

/** The paths that know this method. */
export type PathsOf<M extends Method> = {
  [P in keyof paths]: [NonNullable<Operation<P, M>>] extends [never] ? never : P;
}[keyof paths];

type Parameters<O> = O extends { parameters: infer T } ? T : never;
type Named<T, K extends string> = T extends { [key in K]: infer V }
  ? V
  : T extends { [key in K]?: infer V }
    ? V
    : never;

export type PathValues<P extends keyof paths> = Named<Named<paths[P], "parameters">, "path">;
export type Query<P extends keyof paths, M extends Method> = NonNullable<Named<Parameters<Operation<P, M>>, "query">>;
export type Body<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody: { content: { "application/json": infer B } } }
    ? B
    : Operation<P, M> extends { requestBody?: { content: { "application/json": infer B } } }
      ? B
      : never;

type Content<R> = R extends { content: { "application/json": infer B } } ? B : never;
/** What a request is answered with where it succeeds. */
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R }
    ? { [S in keyof R]: S extends 200 | 201 | 202 ? Content<R[S]> : S extends 204 ? undefined : never }[keyof R]
    : never;

type HeaderOf<O> = NonNullable<Named<Parameters<O>, "header">>;
type TakesKey<P extends keyof paths> = [HeaderOf<Operation<P, "post">>] extends [never]
  ? false
  : "Idempotency-Key" extends keyof HeaderOf<Operation<P, "post">>
    ? true
    : false;
/** Where the contract takes an Idempotency-Key, so that a request may be sent again. */
export type RepeatablePaths = { [P in PathsOf<"post">]: TakesKey<P> extends true ? P : never }[PathsOf<"post">];

/** The paths that answer with pages. */
export type ListPaths = {
  [P in PathsOf<"get">]: Answer<P, "get"> extends PageOf<unknown> ? P : never;
}[PathsOf<"get">];
export interface PageOf<Item> {
  object: "list";
  data: Item[];
  has_more: boolean;
  next_cursor: string | null;
}
export type ItemOf<P extends ListPaths> = Answer<P, "get"> extends { data: (infer Item)[] } ? Item : never;

type EventBody<W> = W extends { post: { requestBody: { content: { "application/json": infer B } } } } ? B : never;
/** A webhook's payload. `type` says which one it is, and so what `data` has. */
export type WebhookEvent = { [T in keyof webhooks]: EventBody<webhooks[T]> & { type: T } }[keyof webhooks];
