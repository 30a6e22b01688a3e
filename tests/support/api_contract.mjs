// api/openapi.yaml as a judge of real answers.

import assert from "node:assert/strict";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const file = fileURLToPath(new URL("../../api/openapi.yaml", import.meta.url));
const name = "openapi.yaml";
const escaped = (step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"));

export class ApiContract {
  #document;
  #check;

  constructor() {
    this.#document = parse(readFileSync(file, "utf8"));
    this.#check = checkerOf(this.#document);
  }

  /**
   * Throws where the answer is none that the contract has for this request.
   * @param {string} method
   * @param {string} target path and query
   * @param {{status: number, headers: Headers, body: unknown}} answer
   */
  checkAnswer(method, target, { status, headers, body }) {
    const said = `${method} ${target}: ${status}`;
    const operation = this.#operation(method, target);
    assert.ok(operation, `${said}: the contract has no such operation`);
    const responses = this.#at([...operation, "responses"]);
    const found = [String(status), `${Math.floor(status / 100)}XX`, "default"].find((key) => responses.value[key]);
    assert.ok(found, `${said}: the contract has no such answer`);
    // Such an answer has no body.
    if (status === 304) return;
    const media = headers.get("content-type").split(";")[0];
    const content = this.#at([...responses.steps, found, "content", media]);
    assert.ok(content.value, `${said}: the contract has no ${media} here`);
    this.#check([...content.steps, "schema"], body, said);
  }

  /** Throws where a webhook's payload is none of the contract's. */
  checkEvent(event) {
    const content = this.#at(["webhooks", event.type, "post", "requestBody", "content", "application/json"]);
    assert.ok(content.value, `the contract has no webhook ${event.type}`);
    this.#check([...content.steps, "schema"], event, event.type);
  }

  #operation(method, target) {
    const { pathname } = new URL(target, "http://api");
    const template = Object.keys(this.#document.paths).find((path) =>
      new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(pathname),
    );
    const operation = template && this.#document.paths[template][method.toLowerCase()];
    return operation && ["paths", template, method.toLowerCase()];
  }

  /** Follows steps through the document, and each $ref on the way. */
  #at(steps) {
    let at = { steps: [], value: this.#document };
    for (const step of steps) {
      at = { steps: [...at.steps, step], value: at.value?.[step] };
      const reference = at.value?.$ref;
      if (reference) at = this.#at(reference.replace(/^#\//, "").split("/"));
    }
    return at;
  }
}

function checkerOf(document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema(document, name);
  return (steps, value, said) => {
    const reference = `${name}#/${steps.map(escaped).join("/")}`;
    const validate = ajv.getSchema(reference) ?? ajv.compile({ $ref: reference });
    assert.ok(validate(value), `${said}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 2)}`);
  };
}

/** @returns {(steps: string[], value: unknown, said: string) => void} throws where the value is not what the schema at
 *   this place of the contract says */
export const schemaChecker = () => checkerOf(parse(readFileSync(file, "utf8")));
