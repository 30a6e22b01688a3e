// node tools/api-docs/generate.mjs: writes web/docs/docs.html anew, from api/openapi.yaml.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

import { page } from "./page.mjs";

const root = new URL("../../", import.meta.url);
const read = (file) => readFileSync(new URL(file, root), "utf8");

/** The file that is made, and what it has to hold. */
export const output = new URL("web/docs/docs.html", root);
export const make = () => page(parse(read("api/openapi.yaml")), read("web/theme/wordmark.svg"));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(output, make());
