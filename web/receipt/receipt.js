import { checkReceipt } from "./receipt_check.js";

const byId = (id) => document.getElementById(id);
const published = new Set(JSON.parse(byId("receipt").dataset.keys));

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function factsOf({ facts, checkpoint }) {
  const list = document.createElement("dl");
  list.className = "facts";
  const row = (name, value, tag = "code") => {
    const line = document.createElement("div");
    const shown = document.createElement("dd");
    shown.append(element(tag, String(value)));
    line.append(element("dt", name), shown);
    list.append(line);
  };
  row("Amount, base units", facts.amount_base_units);
  row("Token", facts.token);
  row("Chain", facts.chain_id);
  row("Transaction", facts.transaction_hash);
  row("Block", facts.block_number);
  row("From", facts.sender);
  row("To", facts.recipient);
  row("Authorized", facts.authorized_at, "span");
  row("Cleared", facts.cleared_at, "span");
  row("Settled", facts.settled_at, "span");
  row("Gross, fee, net", `${facts.gross_base_units}, ${facts.fee_base_units}, ${facts.net_base_units}`);
  row("Checkpoint", `${checkpoint.number}, ${new Date(checkpoint.made_at).toISOString()}`, "span");
  row("Signed by", checkpoint.public_key);
  return list;
}

function say(state, title, ...details) {
  const said = byId("said");
  said.dataset.state = state;
  said.replaceChildren(element("h2", title), ...details);
  said.hidden = false;
}

async function check(text) {
  if (!globalThis.crypto?.subtle) {
    say("wrong", "This browser can't check it here", element("p", "It hashes only on pages that came over HTTPS. `sycee receipt verify` checks a receipt without a browser."));
    return;
  }
  let receipt;
  try {
    receipt = JSON.parse(text);
  } catch {
    say("wrong", "Not a receipt", element("p", "It is not JSON: paste or drop the whole file."));
    return;
  }
  try {
    const transfers = await checkReceipt(receipt);
    const unknown = transfers.filter(({ checkpoint }) => !published.has(checkpoint.public_key));
    const key =
      unknown.length === 0
        ? "The signing key is one that this gateway published when the page was loaded."
        : "But this gateway has published no such signing key: whose it is, is not proved.";
    say(
      unknown.length === 0 ? "right" : "unknown",
      unknown.length === 0 ? "Right" : "Right, by an unknown key",
      element("p", `It proves what was booked of payment ${receipt.payment} by the time of the checkpoint. ${key}`),
      ...transfers.map(factsOf),
    );
  } catch (error) {
    say("wrong", "Wrong", element("p", error.message));
  }
}

const input = byId("text");
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  check(input.value);
});
byId("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  input.value = await file.text();
  check(input.value);
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  input.value = file ? await file.text() : event.dataTransfer.getData("text");
  check(input.value);
});
