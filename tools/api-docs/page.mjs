// Makes the page of the API's documentation of api/openapi.yaml: one file of HTML that needs no script, and
// nothing from elsewhere.

import { bodyOf, exampleOf, resolve, schemaTable, typeOf } from "./schemas.mjs";
import { contents, escape, heading, prose, slug } from "./text.mjs";

const methods = ["get", "post", "patch", "put", "delete"];

/** @param {object} contract api/openapi.yaml, parsed @param {string} wordmark an SVG */
export function page(contract, wordmark) {
  const groups = contract.tags.map((tag) => ({ ...tag, operations: operationsOf(contract, tag.name) }));
  const events = Object.entries(contract.webhooks).map(([type, { post }]) => ({ type, ...post }));
  const schemas = Object.keys(contract.components.schemas)
    .filter((name) => hasParts(contract, name))
    .sort();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(contract.info.title)}</title>
<link rel="icon" href="docs/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="docs/palette.css">
<link rel="stylesheet" href="docs/docs.css">
</head>
<body>
<header class="top"><a class="skip" href="#content">Skip to the content</a>${wordmark.trim()}</header>
<div class="columns">
<nav aria-label="Contents" tabindex="0">
${contents(
  "Overview",
  overview.map(([id, title]) => ({ id, title })),
)}
${groups
  .map(({ name, operations }) =>
    contents(
      name,
      operations.map((each) => ({ id: each.operationId, title: each.summary })),
    ),
  )
  .join("\n")}
${contents(
  "Webhooks",
  events.map(({ type, operationId }) => ({ id: operationId, title: type, code: true })),
)}
${contents(
  "Schemas",
  schemas.map((name) => ({ id: `schema-${name}`, title: name, code: true })),
)}
</nav>
<main id="content">
${introduction(contract)}
${groups.map((group) => groupSection(contract, group)).join("\n")}
${webhookSection(contract, events)}
<section class="group" aria-labelledby="schemas">
${heading(2, "schemas", "Schemas")}
${schemas.map((name) => schemaSection(contract, name)).join("\n")}
</section>
</main>
</div>
</body>
</html>
`;
}

const overview = [
  ["start", "Start"],
  ["errors", "Errors"],
  ["repeating", "Sending a request again"],
  ["pages", "Lists and pages"],
];

function introduction(contract) {
  const { info, components } = contract;
  const codes = components.schemas.Problem.properties.code.enum;
  const key = components.parameters.IdempotencyKey;
  return `<section class="group" aria-labelledby="start">
<h1 id="start">${escape(info.title)}</h1>
<p class="facts">Version ${escape(info.version)} · <a href="openapi.yaml">openapi.yaml</a>, OpenAPI ${escape(contract.openapi)}</p>
${prose(info.description)}
${prose(`A request names its key: \`Authorization: Bearer sk_live_…\`. ${components.securitySchemes.apiKey.description}`)}
${heading(2, "errors", "Errors")}
${prose(components.schemas.Problem.description)}
<p>The codes:</p>
<ul class="codes">${codes.map((code) => `<li><code>${escape(code)}</code></li>`).join("")}</ul>
<p class="facts">Body: <a class="schema" href="#schema-Problem">Problem</a></p>
${heading(2, "repeating", "Sending a request again")}
<p>Where an operation takes the header <code>Idempotency-Key</code>, a request may be sent again without doing anything twice.</p>
${prose(key.description)}
${heading(2, "pages", "Lists and pages")}
<p>A list is answered page by page. <code>next_cursor</code> of a page is the <code>after</code> of the next;
<code>has_more</code> says whether there is one.</p>
</section>`;
}

function operationsOf(contract, tag) {
  return Object.entries(contract.paths).flatMap(([path, item]) =>
    methods
      .filter((method) => item[method]?.tags.includes(tag))
      .map((method) => ({ ...item[method], method, path, shared: item.parameters ?? [] })),
  );
}

function groupSection(contract, { name, description, operations }) {
  return `<section class="group" aria-labelledby="${slug(name)}">
${heading(2, slug(name), name)}
${prose(description)}
${operations.map((operation) => operationSection(contract, operation)).join("\n")}
</section>`;
}

function operationSection(contract, operation) {
  const {
    operationId,
    summary,
    description,
    method,
    path,
    shared,
    parameters = [],
    requestBody,
    responses,
  } = operation;
  const all = [...shared, ...parameters].map((each) => resolve(contract, each));
  const body = requestBody && bodyOf(contract, requestBody);
  return `<article aria-labelledby="${operationId}">
${heading(3, operationId, summary)}
<p class="call"><span class="method ${method}">${method.toUpperCase()}</span> <code>${escape(path).replace(/\{\w+\}/g, "<var>$&</var>")}</code></p>
${prose(description)}
${operation.security?.length === 0 ? "<p>Needs no key.</p>" : ""}
${all.length > 0 ? `<h4>Parameters</h4>\n${parameterTable(contract, all)}` : ""}
${body ? `<h4>Body</h4>\n${schemaTable(contract, body.schema)}\n${example(`Body of: ${summary}`, body.examples)}` : ""}
<h4>Answers</h4>
${Object.entries(responses)
  .map(([status, response]) => answer(contract, summary, status, resolve(contract, response)))
  .join("\n")}
</article>`;
}

function parameterTable(contract, parameters) {
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<div><dt><code>${escape(name)}</code> <span class="type">${typeOf(contract, schema)}</span>
<span class="place">${place === "path" ? "in the path" : place === "query" ? "in the query" : "header"}</span>${required && place !== "path" ? ' <span class="must">required</span>' : ""}</dt>
<dd>${prose(description ?? resolve(contract, schema).description)}</dd></div>`,
  );
  return `<dl class="fields">${rows.join("\n")}</dl>`;
}

function answer(contract, summary, status, response) {
  const body = bodyOf(contract, response);
  const good = status.startsWith("2");
  const inside = [
    prose(response.description),
    body?.name ? `<p class="facts">Body: <a class="schema" href="#schema-${body.name}">${body.name}</a></p>` : "",
    ...Object.entries(response.headers ?? {})
      .map(([name, header]) => [name, resolve(contract, header)])
      .filter(([name]) => !["Request-Id", "Cache-Control"].includes(name))
      .map(
        ([name, { description }]) =>
          `<p>Header <code>${escape(name)}</code>${description ? `: ${escape(description)}` : ""}</p>`,
      ),
    good && body && !hasParts(contract, body.name) ? schemaTable(contract, body.schema) : "",
    body ? example(`${status}: ${summary}`, body.examples) : "",
  ];
  return `<details class="answer"${good ? " open" : ""}><summary><span class="status ${good ? "good" : "bad"}">${escape(status)}</span>
<span class="short">${escape(firstSentence(response.description))}</span></summary>${inside.join("")}</details>`;
}

const firstSentence = (text) => /^.*?[.:;](?=\s|$)/s.exec(text.trim())?.[0].replace(/[.:;]$/, "") ?? text.trim();

function example(label, examples) {
  const [first] = examples;
  if (first === undefined) return "";
  const text = typeof first === "string" ? escape(first.trimEnd()) : colored(JSON.stringify(first, null, 2));
  // What may be scrolled must be reached by the keyboard.
  return `<pre tabindex="0" role="region" aria-label="Example. ${escape(label)}"><code>${text}</code></pre>`;
}

/** Names and texts of JSON apart from each other. */
const colored = (text) => escape(text).replace(/^( *)(&quot;.*?&quot;)(: )/gm, "$1<b>$2</b>$3");

function webhookSection(contract, events) {
  const headers = events[0].parameters.map((each) => resolve(contract, each));
  const articles = events.map(({ operationId, type, summary, description, requestBody }) => {
    const body = bodyOf(contract, requestBody);
    return `<article aria-labelledby="${operationId}">
${heading(3, operationId, type, true)}
<p>${escape(summary)}.</p>
${prose(description)}
${body.name ? `<p class="facts">Body: <a class="schema" href="#schema-${body.name}">${body.name}</a></p>` : ""}
${example(type, body.examples)}
</article>`;
  });
  return `<section class="group" aria-labelledby="what-webhooks-tell">
${heading(2, "what-webhooks-tell", "What webhooks tell")}
<p>A POST to your server, signed by the rules of Standard Webhooks. Verify the bytes as they came, before you parse them, and
answer with a status of 200 to 299: anything else, or no answer, is a failure, and the webhook is sent again.</p>
<h3 id="webhook-headers">Headers</h3>
${parameterTable(
  contract,
  headers.map((each) => ({ ...each, in: "header", required: false })),
)}
${articles.join("\n")}
</section>`;
}

/** Schemas of one plain value are told where they are used. */
function hasParts(contract, name) {
  const schema = contract.components.schemas[name];
  return schema !== undefined && Boolean(schema.properties || schema.allOf || schema.oneOf);
}

function schemaSection(contract, name) {
  const schema = contract.components.schemas[name];
  return `<article aria-labelledby="schema-${name}">
${heading(3, `schema-${name}`, name, true)}
${prose(schema.description)}
${schemaTable(contract, schema)}
${example(name, exampleOf(schema))}
</article>`;
}
