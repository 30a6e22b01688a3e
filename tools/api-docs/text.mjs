// Texts of the contract as HTML: paragraphs, lists, and `code`.

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escape = (value) => String(value).replace(/[&<>"]/g, (character) => escapes[character]);

export const slug = (text) => text.toLowerCase().replaceAll(/\W+/g, "-");

const inline = (text) => escape(text.trim()).replace(/`([^`]+)`/g, "<code>$1</code>");

/** @param {string} [text] */
export function prose(text) {
  if (!text) return "";
  return text
    .trim()
    .split(/\n\s*\n/)
    .flatMap(paragraphs)
    .join("");
}

/** A paragraph, and the list that may follow upon it. */
function paragraphs(block) {
  const begin = block.search(/^- /m);
  if (begin < 0) return [`<p>${inline(block)}</p>`];
  const before = block.slice(0, begin).trim();
  const items = block
    .slice(begin)
    .split(/^- /m)
    .slice(1)
    .map((item) => `<li>${inline(item).replace(/^([a-z_]+):/, "<code>$1</code>:")}</li>`);
  return [before ? `<p>${inline(before)}</p>` : "", `<ul>${items.join("")}</ul>`];
}

/** A heading that can be linked to. */
export function heading(level, id, title, code = false) {
  const text = code ? `<code>${escape(title)}</code>` : escape(title);
  return `<h${level} id="${id}"><a href="#${id}">${text}</a></h${level}>`;
}

/** A part of the table of contents. */
export function contents(title, entries) {
  const items = entries.map(
    ({ id, title, code }) => `<li><a href="#${id}">${code ? `<code>${escape(title)}</code>` : escape(title)}</a></li>`,
  );
  return `<p>${escape(title)}</p><ul>${items.join("")}</ul>`;
}
