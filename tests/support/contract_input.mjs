// api/openapi.yaml as a source of requests: what each operation takes, and what nobody should send it.

import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const file = fileURLToPath(new URL("../../api/openapi.yaml", import.meta.url));
const contract = parse(readFileSync(file, "utf8"));
const name = "openapi.yaml";

const ajv = new Ajv2020({ strict: false });
addFormats(ajv);
ajv.addSchema(contract, name);

const escaped = (step) => encodeURIComponent(String(step).replaceAll("~", "~0").replaceAll("/", "~1"));

/** Follows steps through the contract, and each $ref on the way. */
function at(steps) {
  let found = { steps: [], value: contract };
  for (const step of steps) {
    found = { steps: [...found.steps, step], value: found.value?.[step] };
    const reference = found.value?.$ref;
    if (reference) found = at(reference.replace(/^#\//, "").split("/"));
  }
  return found;
}
const resolved = (schema) => (schema?.$ref ? at(schema.$ref.replace(/^#\//, "").split("/")).value : schema);

/** @returns {(value: unknown) => boolean} */
const judgeOf = (steps) => ajv.getSchema(`${name}#/${at(steps).steps.map(escaped).join("/")}`);

/** The operations, with what a request of each is made of. */
export const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
  Object.keys(item)
    .filter((method) => item[method].operationId)
    .map((method) => operationOf(path, method)),
);

/** Whether what is under this path can be deleted. */
export const isDeletable = (path) =>
  operations.some(
    (one) => one.method === "DELETE" && new RegExp(`^${one.path.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(path),
  );

/** All scopes that an operation asks for. */
export const allScopes = [...new Set(operations.flatMap(({ scopes }) => scopes))];

function operationOf(path, method) {
  const { operationId: id, responses, security = contract.security } = contract.paths[path][method];
  const places = [["paths", path, "parameters"], ["paths", path, method, "parameters"]];
  const indices = (place) => Object.keys(at(place).value ?? []);
  const parameters = places.flatMap((place) => indices(place).map((index) => parameterOf([...place, index])));
  return {
    ...{ id, path, method: method.toUpperCase(), statuses: Object.keys(responses) },
    scopes: security.flatMap(({ apiKey }) => apiKey ?? []),
    inPath: parameters.filter((one) => one.in === "path"),
    inQuery: parameters.filter((one) => one.in === "query"),
    body: bodyOf(["paths", path, method, "requestBody", "content", "application/json"]),
    isStreamed: at(["paths", path, method, "responses", "200", "content", "text/event-stream"]).value !== undefined,
  };
}

function parameterOf(steps) {
  const { steps: place, value } = at(steps);
  const schema = resolved(value.schema);
  return {
    ...{ name: value.name, in: value.in, required: value.required ?? false, schema },
    /** The name of its schema, which says of what it is the id. */
    kind: value.schema.$ref?.split("/").at(-1),
    example: value.example ?? schema.examples?.[0] ?? schema.default,
    isMap: value.style === "deepObject",
    /** @param {string} text */
    allows: (text) => judgeOf([...place, "schema"])(valueOf(schema, text)),
  };
}

function bodyOf(steps) {
  const { steps: place, value } = at(steps);
  if (!value) return undefined;
  const examples = Object.values(value.examples).map((example) => resolved(example).value);
  const { anyOf, oneOf } = resolved(value.schema);
  return {
    ...{ examples, places: placesOf(value.schema), allows: judgeOf([...place, "schema"]) },
    hasChoice: Boolean(anyOf ?? oneOf),
  };
}

/** What a parameter's text says. */
function valueOf({ type }, text) {
  if (type === "object") return { key: text };
  return type === "integer" && /^-?[0-9]+$/.test(text) ? Number(text) : text;
}

/** Where a body can have a value. @returns {{path: (string | number)[], isMap: boolean, isText: boolean}[]} */
function placesOf(schema, path = []) {
  const { type, pattern, format, properties = {}, additionalProperties: more, items, ...rest } = resolved(schema);
  const below = [
    ...Object.entries(properties),
    ...(typeof more === "object" ? [["key", more]] : []),
    ...(items ? [[0, items]] : []),
  ];
  const isText = [type].flat().includes("string") && !pattern && !format;
  const here = { path, isMap: typeof more === "object", isText };
  const alternatives = [rest.allOf, rest.anyOf, rest.oneOf].flatMap((list) => list ?? []);
  const found = [
    here,
    ...below.flatMap(([step, one]) => placesOf(one, [...path, step])),
    ...alternatives.flatMap((one) => placesOf(one, path)),
  ];
  return [...new Map(found.map((place) => [pointerOf(place.path), place])).values()];
}

/** RFC 6901. */
export function pointerOf(path) {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The body as JSON with this JSON at a place. */
export function jsonWith(body, path, json) {
  const mark = "the place";
  return JSON.stringify(put(body, path, mark)).replace(JSON.stringify(mark), () => json);
}

/** The body as JSON without the field at a place. */
export const jsonWithout = (body, path) => JSON.stringify(put(body, path, undefined));

function put(into, [step, ...rest], value) {
  if (step === undefined) return value;
  const copy = Array.isArray(into) || typeof step === "number" ? [...(into ?? [])] : { ...into };
  copy[step] = put(copy[step], rest, value);
  return copy;
}

/** Text that something behind the API could take for more than text. */
export const hostileTexts = [
  ...["\u0000", "a\u0000b", "\r\nSet-Cookie: a=b", "\u001b[2J", "\u007f", "\u202emoc.elpmaxe\u2066"],
  ...["\ufeff", "\uffff", "😀", " "],
  ...["'; DROP TABLE payments; --", "\\'; SELECT pg_sleep(9)", "{1,2}", "\\x00", "$1", "%s%n%1$s"],
  ...["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;&#0;", "javascript:alert(1)", "]]>"],
  ...["{{7*7}}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "$(id)", "`id`", "../../../../etc/passwd", "=1+1"],
  ...["http://127.0.0.1:1/"],
  ...["null", "true", "-1", "0", "1e400", "0x10", "9223372036854775808", "9".repeat(400), "*", "%00", "a/b~c"],
];

/** Longer than any field, and short enough for a body. */
const longText = "x".repeat(60_000);

/** JSON that can be read, of each type and at each edge. */
export const hostileJson = [
  ...["null", "true", "false", "0", "-0", "-1", "1.5", "1e2", "1e300", "9007199254740993", "9223372036854775807"],
  ...["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1".repeat(300)],
  ...['""', "[]", "{}", "[null]", "[[[[]]]]", '{"key":{"key":1}}', '[{"key":"value"}]', '{"":""}', '["*","*"]'],
  ...[...hostileTexts, longText].map((text) => JSON.stringify(text)),
];

/** What has the grammar of JSON and no value that could be kept. */
export const unreadableJson = [
  ...["1e400", "-1e400", "9".repeat(400)],
  ...[`${"[".repeat(200)}${"]".repeat(200)}`, `${'{"a":'.repeat(200)}1${"}".repeat(200)}`],
  ...['"\\ud800"', '"\\udc00\\ud800"', '"a\\ud83d"', '{"\\ud800":"a"}'],
];

/** A string that is nearly the right one. */
export const nearMisses = (right) =>
  [
    ...[`${right} `, ` ${right}`, `${right}\n`, `${right}\u0000`, right.slice(1), right.slice(2), right.slice(0, -1)],
    ...[right.toUpperCase(), `${right}${right}`, `${right}'--`, `${right}<b>`, `${right}{{7*7}}`],
  ].map((text) => JSON.stringify(text));
