// JSON Schemas of the contract as HTML: what a value is, and the table of an object's fields.

import { escape, prose } from "./text.mjs";

const prefix = "#/components/schemas/";

/** What a $ref stands for; what is said beside it comes first. */
export function resolve(contract, value) {
  if (!value?.$ref) return value ?? {};
  const { $ref, ...beside } = value;
  const found = $ref
    .replace(/^#\//, "")
    .split("/")
    .reduce((at, step) => at?.[step], contract);
  if (found === undefined) throw new Error(`${$ref} leads nowhere`);
  return { ...resolve(contract, found), ...beside };
}

const nameOf = (schema) => (schema?.$ref?.startsWith(prefix) ? schema.$ref.slice(prefix.length) : undefined);

/** The JSON of a body or an answer: its schema, the schema's name, and examples. */
export function bodyOf(contract, { content }) {
  const [media] = Object.values(content ?? {});
  if (!media) return undefined;
  const named = media.schema.allOf?.find(nameOf) ?? media.schema;
  const examples = Object.values(media.examples ?? {}).map((each) => resolve(contract, each).value);
  return { schema: media.schema, name: nameOf(named), examples };
}

export const exampleOf = (schema) => (schema.properties ? (schema.examples ?? []) : []);

/** All fields of an object, of the schemas that it is made of as well. */
function fieldsOf(contract, schema) {
  const { allOf = [], properties = {}, required = [] } = resolve(contract, schema);
  const parts = allOf.map((part) => fieldsOf(contract, part));
  const must = new Set([...parts.flatMap((part) => [...part.must]), ...required]);
  const fields = new Map(parts.flatMap((part) => [...part.fields]));
  for (const [name, field] of Object.entries(properties)) {
    // A schema may only narrow what another one describes.
    fields.set(name, fields.has(name) ? { ...fields.get(name), ...field } : field);
  }
  return { fields, must };
}

/** The fields of an object, or what kinds of it there are. */
export function schemaTable(contract, schema) {
  const { fields, must } = fieldsOf(contract, schema);
  if (fields.size === 0) return "";
  const rows = [...fields].map(([name, field]) => fieldRow(contract, name, field, must.has(name)));
  return `<dl class="fields">${rows.join("\n")}</dl>`;
}

function fieldRow(contract, name, field, must) {
  const described = field.description ?? (isPlain(contract, field) ? resolve(contract, field).description : undefined);
  const below = partsOf(contract, field);
  return `<div><dt><code>${escape(name)}</code> <span class="type">${typeOf(contract, field)}</span>${must ? "" : ' <span class="may">may be left out</span>'}</dt>
<dd>${prose(described)}${below ? `<details><summary>Its fields</summary>${below}</details>` : ""}</dd></div>`;
}

/** Fields of an object that has no name of its own. */
function partsOf(contract, field) {
  const inner = field.type === "array" ? field.items : field;
  if (nameOf(inner)) return "";
  return inner?.properties ? schemaTable(contract, inner) : "";
}

function isPlain(contract, schema) {
  const { properties, allOf, oneOf, anyOf } = resolve(contract, schema);
  return !(properties || allOf || oneOf || anyOf);
}

/** What a value is, in a few words of HTML. */
export function typeOf(contract, schema) {
  const name = nameOf(schema);
  if (name && !isPlain(contract, schema)) return `<a class="schema" href="#schema-${name}">${name}</a>`;
  const one = resolve(contract, schema);
  const choices = one.oneOf ?? one.anyOf;
  if (choices) return choices.map((choice) => typeOf(contract, choice)).join(" or ");
  if (one.const !== undefined) return `<code>${escape(JSON.stringify(one.const))}</code>`;
  if (one.enum) return one.enum.map((value) => `<code>${escape(JSON.stringify(value))}</code>`).join(" or ");
  const types = [one.type ?? "any"].flat().map((type) => (type === "array" ? listOf(contract, one) : type));
  return [types.join(" or "), ...limitsOf(one)].filter(Boolean).join(", ");
}

const listOf = (contract, { items }) => `list of ${items ? typeOf(contract, items) : "any"}`;

function limitsOf(schema) {
  const {
    format,
    minimum,
    maximum,
    minLength,
    maxLength,
    maxItems,
    maxProperties,
    pattern,
    default: otherwise,
    examples,
  } = schema;
  const said = [];
  if (format) said.push(escape(format));
  if (minimum !== undefined && maximum !== undefined && maximum < 1e15) said.push(`${minimum} to ${maximum}`);
  else if (minimum !== undefined) said.push(`at least ${minimum}`);
  if (minLength > 1) said.push(`at least ${minLength} characters`);
  if (maxLength) said.push(`at most ${maxLength} characters`);
  if (maxItems) said.push(`at most ${maxItems}`);
  if (maxProperties) said.push(`at most ${maxProperties} entries`);
  if (otherwise !== undefined) said.push(`${escape(JSON.stringify(otherwise))} if not given`);
  if (examples?.length) said.push(`such as <code>${escape(examples[0])}</code>`);
  else if (pattern && !format) said.push(`<code class="pattern">${escape(pattern)}</code>`);
  return said;
}
