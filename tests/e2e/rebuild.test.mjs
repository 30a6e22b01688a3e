// `sycee rebuild`: the books derived again from the chain, the payments and the decisions of persons say the
// same as those that were kept; what somebody has changed by hand in them is named.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { runOrThrow } from "../support/process.mjs";
import { binary, secretFile } from "../support/sycee.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

const patient = { timeout: 60_000 };
const hour = 3_600;

let world;
let databases = 0;
const payments = {};

before(async () => {
  world = await World.start();
  Object.assign(world, await world.addMerchant({ name: "With fees" }));
  await world.sycee.cli("fee", "set", world.merchant.id, "--basis-points", "100", "--fixed", "30", "--maximum", "200");
});
after(async () => world?.stop());

async function rebuild() {
  const into = await world.postgres.createDatabase(`rebuilt_${(databases += 1)}`);
  return { into, ...(await world.sycee.command("rebuild", "--into", into)) };
}

const differences = (stdout) => stdout.split("\n").filter((line) => line.startsWith("DIFFERS: "));

async function exceptionsOf(payment) {
  const found = async () => {
    const answer = await world.api("GET", `/v1/exceptions?payment=${payment.id}`);
    return answer.body.data.length > 0 && answer.body.data;
  };
  return waitFor("an exception", found);
}

async function decide(payment, decision) {
  const [exception] = await exceptionsOf(payment);
  const body = { reason: `as ${payment.reference} asked`, ...decision };
  const answer = await world.api("POST", `/v1/exceptions/${exception.id}/resolve`, { body });
  assert.equal(answer.status, 200, answer.text);
}

async function sendFrom(payment, amount) {
  const { client } = world.chain;
  await client.impersonateAccount({ address: payment.deposit_address });
  await client.setBalance({ address: payment.deposit_address, value: 10n ** 18n });
  await world.token.transfer(payment.deposit_address, world.payer, world.token.units(amount));
}

/** Runs with a change made behind the back of every trigger, and takes it back. */
async function tampered(change, back, check) {
  const behind = (sql) => world.sql(`SET session_replication_role = replica; ${sql}`);
  await behind(change);
  try {
    check(await rebuild());
  } finally {
    await behind(back);
  }
}

test("before anything is paid there is nothing that could differ", async () => {
  const { code, stdout, stderr } = await rebuild();
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^0 payment\(s\) and 0 decision\(s\) derived again: the books agree\.$/m);
});

test("payments of every kind, decisions of every kind, reorgs and withdrawals come out the same", async () => {
  const { chain } = world;
  for (const name of ["exact", "split", "over", "twice", "under", "late", "moved", "gone", "swept", "helped", "short"]) {
    const expires = ["under", "late", "short"].includes(name) ? { expires_in: hour } : {};
    payments[name] = await world.createPayment({ reference: name, ...expires });
  }
  await world.pay(payments.exact);
  await world.pay(payments.split, "20");
  await world.pay(payments.split, "30");
  await world.pay(payments.over, "70");
  await world.pay(payments.twice);
  await world.pay(payments.twice);
  await world.pay(payments.swept);
  await world.pay(payments.under, "12.5");
  await world.pay(payments.short, "49");
  await world.pay(payments.gone);
  await world.expectStatus(payments.gone, "authorized");
  await chain.reorg(1);
  const { transactionHash } = await world.pay(payments.moved);
  await world.expectStatus(payments.moved, "authorized");
  await chain.reorg(1, [{ raw: await chain.rawTransaction(transactionHash), offset: 0 }]);
  await world.settle(payments.moved, patient);
  await world.settle(payments.swept, patient);
  await sendFrom(payments.swept, "50");

  // 20 are over: 12 help another payment, 4 are kept, 3 are promised back, and 1 stays on the desk.
  await world.pay(payments.helped, "38");
  await world.expectStatus(payments.helped, "partially_paid");
  await decide(payments.over, { kind: "credit", target_payment: payments.helped.id, amount: "12" });
  await decide(payments.over, { kind: "write_off", amount: "4" });
  await decide(payments.over, { kind: "refund", amount: "3" });
  await world.settle(payments.helped, patient);

  await chain.client.increaseTime({ seconds: 2 * hour });
  await chain.mine(1);
  await world.pay(payments.late);
  await chain.mine(world.confirmations + 1);
  await world.expectStatus(payments.short, "expired", patient);
  await decide(payments.short, { kind: "accept" });
  await world.expectStatus(payments.short, "settled", patient);
  assert.equal((await exceptionsOf(payments.late))[0].reason, "late");
  assert.equal((await exceptionsOf(payments.under))[0].reason, "underpaid");
  assert.equal((await exceptionsOf(payments.twice))[0].reason, "already_paid");
  await chain.mine(world.confirmations + 1);
  await world.caughtUp(patient);
  await world.verifyBooks();

  const { code, stdout, stderr, into } = await rebuild();
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^Chain 31337: \d+ transfer\(s\) at deposit addresses in the blocks 0 to \d+\.$/m);
  assert.match(stdout, /^2 payment\(s\) took their transfers in the order of the books/m);
  assert.match(stdout, /^11 payment\(s\) and 4 decision\(s\) derived again: the books agree\.$/m);

  // The new books are books: they are right in themselves, and have as much in them.
  const name = into.match(/rebuilt_\d+/)[0];
  const config = path.join(world.sycee.directory, `${name}.toml`);
  const settings = await readFile(world.sycee.config, "utf8");
  await writeFile(config, settings.replace(/^url = .*dbname.*$/m, `url = ${JSON.stringify(into)}`));
  const { stdout: verified } = await runOrThrow([binary, "--config", config, "verify"]);
  assert.match(verified, /^Right: /);
  const settlements = await world.postgres.query("SELECT count(*) FROM settlements", name);
  assert.equal(Number(settlements), await world.count("settlements"));
  assert.equal(Number(verified.match(/(\d+) record/)[1]) > 0, true);
});

test("what is not final is left out on both sides, and said so", async () => {
  payments.pending = await world.createPayment({ reference: "pending", expires_in: 86_400 });
  await world.pay(payments.pending);
  await world.expectStatus(payments.pending, "authorized");
  const { code, stdout } = await rebuild();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^Of 1 payment\(s\) only the transfers were compared: they have one that is not final\.$/m);
  await world.settle(payments.pending);
  await world.caughtUp(patient);
});

async function post(target, body, status) {
  const answer = await world.api("POST", target, { body });
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

async function payFees() {
  const { merchant: operators, key } = await world.addMerchant({ name: "The operator" });
  await world.sycee.cli("fee", "recipient", operators.id);
  const [invoice] = await world.sycee.json("fee", "invoice", world.merchant.id);
  const { body: payment } = await world.sycee.request("GET", `/v1/payments/${invoice.id}`, { key });
  await world.pay(payment);
  await world.chain.mine(world.confirmations + 1);
  await waitFor("the fees to be paid", async () => {
    const { invoices } = await world.sycee.json("fee", "statement", world.merchant.id);
    return invoices[0].paid_record !== null;
  });
}

async function loseAll(payment) {
  await world.token.administer("addBlackList", payment.deposit_address);
  await world.token.administer("destroyBlackFunds", payment.deposit_address);
  const found = await waitFor("the difference", async () => {
    const [difference] = JSON.parse(await world.sycee.cli("difference", "list", "--json"));
    return difference;
  });
  await world.chain.mine(world.confirmations + 1);
  await world.caughtUp(patient);
  const password = await secretFile(path.join(world.directory, "anna"), () => "the password of anna");
  await world.sycee.cli("operator", "create", "--name", "anna", "--password-file", password);
  const decided = ["--operator", "anna", "--password-file", password, "--reason", "destroyed by the issuer"];
  await world.sycee.cli("difference", "book-loss", found.id, ...decided);
}

test("refunds that were paid and canceled, fees that were paid, and a loss come out the same", async () => {
  const { chain, token } = world;
  const before = (await rebuild()).stdout.match(/^(\d+) payment\(s\) and (\d+) decision\(s\)/m);
  await payFees();
  const shopper = "0x00000000000000000000000000000000000051ac";
  const [, , wallet] = await chain.accounts();
  await token.mint(wallet, token.units("100"));
  for (const name of ["refunded", "lost"]) {
    payments[name] = await world.createPayment({ reference: name });
    await world.pay(payments[name]);
    await world.settle(payments[name], patient);
  }
  const promise = { payment: payments.refunded.id, recipient: shopper, reason: "it did not fit" };
  const paid = await post("/v1/refunds", { ...promise, amount: "20" }, 201);
  const canceled = await post("/v1/refunds", { ...promise, amount: "5" }, 201);
  const { transactionHash } = await token.transfer(wallet, shopper, token.units("20"));
  await world.caughtUp(patient);
  await post(`/v1/refunds/${paid.id}/report`, { transaction_hash: transactionHash }, 200);
  await post(`/v1/refunds/${canceled.id}/cancel`, { reason: "the shopper keeps it" }, 200);
  await loseAll(payments.lost);
  await chain.mine(world.confirmations + 1);
  await waitFor("the refund to be paid", async () => {
    const { body } = await world.api("GET", `/v1/refunds/${paid.id}`);
    return body.status === "paid";
  });
  await world.caughtUp(patient);
  await world.verifyBooks();

  const { code, stdout, stderr } = await rebuild();
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^1 payment\(s\) of fees follow from invoices that are settled\.$/m);
  // The invoice is a payment, too; two promises, how each ended, and the loss.
  const [all, decided] = [Number(before[1]) + 3, Number(before[2]) + 5];
  const line = `${all} payment(s) and ${decided} decision(s) derived again: the books agree.`;
  assert.ok(stdout.split("\n").includes(line), stdout);
});

test("the service may be away", async () => {
  await world.sycee.stop(); // it would find what is changed below by itself, and freeze the address
  const { code, stdout } = await rebuild();
  assert.equal(code, 0, stdout);
});

/** How many rows each table has. */
const rowsOf = async (database) =>
  world.postgres.query(
    `SELECT string_agg(t.tablename || ' ' || (xpath('/row/c/text()', query_to_xml(
       format('SELECT count(*) AS c FROM %I.%I', t.schemaname, t.tablename), false, true, '')))[1]::text, ', '
       ORDER BY t.tablename) FROM pg_tables t WHERE t.schemaname = 'public'`,
    database,
  );

test("the books' own database, and one that holds anything, are refused and not written to", async () => {
  const before = await rowsOf("sycee");
  assert.match(before, /, merchants [1-9]\d*, /);
  const own = await world.sycee.command("rebuild", "--into", world.postgres.connection("sycee"));
  assert.equal(own.code, 2);
  assert.match(own.stderr, /^sycee: into: names the database of the books themselves$/m);
  assert.equal(await rowsOf("sycee"), before);
  const used = await world.postgres.createDatabase("used");
  await world.postgres.query("CREATE TABLE mine (a int); INSERT INTO mine VALUES (1)", "used");
  const refused = await world.sycee.command("rebuild", "--into", used);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^sycee: into: the database is not empty: there is public\.mine$/m);
  assert.equal(await rowsOf("used"), "mine 1");
  const nonsense = await world.sycee.command("rebuild", "--into", "host=");
  assert.notEqual(nonsense.code, 0);
  assert.equal(await rowsOf("sycee"), before);
});

const ofPayment = (table, name) =>
  `FROM ${table} t JOIN payments p USING (merchant_id, payment_id) WHERE p.reference = '${name}'`;

for (const [what, table, name, change, back, expected] of [
  ["an amount", "authorizations", "exact", "amount = amount + 1", "amount = amount - 1",
    /in: the books say 50000001, .*; rebuilt, 50000000,/],
  ["a fee", "clearings", "exact", "fee = fee + 5, net = net - 5", "fee = fee - 5, net = net + 5",
    /fee 800005, net .*; rebuilt, .*fee 800000,/],
  ["what was applied", "clearings", "over", "gross = gross + 7, net = net + 7", "gross = gross - 7, net = net - 7",
    /gross 50000007, .*; rebuilt, .*gross 50000000,/],
  ["a reason", "unapplied_receipts", "late", "reason = 'underpaid'", "reason = 'late'",
    /\(underpaid\); rebuilt, .*\(late\)/],
  ["what left", "withdrawals", "swept", "amount = amount - 1", "amount = amount + 1",
    /out: the books say 49999999; rebuilt, 50000000/],
]) {
  test(`${what} that was changed by hand is named`, async () => {
    const place = await world.sql(`SELECT format('%L, %s', t.merchant_id, t.seq) ${ofPayment(table, name)}`);
    const set = (changed) => `UPDATE ${table} SET ${changed} WHERE (merchant_id, seq) = (${place})`;
    await tampered(set(change), set(back), ({ code, stdout }) => {
      assert.equal(code, 1, stdout);
      const [first, ...others] = differences(stdout);
      assert.ok(first.startsWith(`DIFFERS: ${payments[name].id}, chain 31337, transaction 0x`), stdout);
      assert.match(first, expected);
      assert.deepEqual(others, []);
    });
  });
}

test("a transfer that was given to another payment is named at both", async () => {
  const uuid = (name) => world.sql(`SELECT payment_id FROM payments WHERE reference = '${name}'`);
  const [from, to] = [await uuid("exact"), await uuid("gone")];
  const place = await world.sql(
    `SELECT format('%L, %s', merchant_id, seq) FROM authorizations WHERE payment_id = '${from}'`,
  );
  const move = (target) =>
    `UPDATE authorizations SET payment_id = '${target}' WHERE (merchant_id, seq) = (${place})`;
  await tampered(move(to), move(from), ({ code, stdout }) => {
    assert.equal(code, 1, stdout);
    const named = differences(stdout).map((line) => line.split(", ")[0].slice("DIFFERS: ".length));
    assert.deepEqual(named.sort(), [payments.exact.id, payments.gone.id].sort());
  });
});

test("a loss and a payment of fees that say more than there was are named", async () => {
  const more = (table, by) => `UPDATE ${table} SET amount = amount ${by}`;
  await tampered(more("token_losses", "+ 1"), more("token_losses", "- 1"), ({ code, stdout }) => {
    assert.equal(code, 1, stdout);
    assert.match(stdout, /lost at its address on chain 31337, .*: the books say 50000001; rebuilt, nothing$/m);
  });
  await tampered(more("fee_payments", "+ 1"), more("fee_payments", "- 1"), ({ code, stdout }) => {
    assert.equal(code, 1, stdout);
    const [first] = differences(stdout);
    assert.match(first, /, fee_payment \d+ of \d+ by the invoice pay_.*: is refused when rebuilt: its invoice is over/);
  });
});

test("a forged deposit address and a forged balance are named", async () => {
  const address = await world.sql("SELECT deposit_address FROM payments WHERE reference = 'gone'");
  const set = (to) => `UPDATE payments SET deposit_address = '${to}' WHERE reference = 'gone'`;
  await tampered(set(`\\x${"ab".repeat(20)}`), set(address), ({ code, stdout }) => {
    assert.equal(code, 1, stdout);
    const [only, ...others] = differences(stdout);
    assert.deepEqual(others, []);
    assert.ok(only.includes(`${payments.gone.id}, deposit address of index `), stdout);
    assert.ok(only.includes(`the merchant's key, ${payments.gone.deposit_address}`), stdout);
  });
  const more = (by) => `UPDATE account_balances SET balance = balance ${by} WHERE account = 'operator_fee'`;
  await tampered(more("+ 1"), more("- 1"), ({ code, stdout }) => {
    assert.equal(code, 1, stdout);
    assert.match(differences(stdout).join("\n"), /account operator_fee: the books say \d+; rebuilt, \d+$/);
  });
  const { code, stdout } = await rebuild();
  assert.equal(code, 0, stdout); // everything was taken back
});

test("without the chain's nodes nothing is compared, and nothing agrees", async () => {
  await world.chain.stop();
  const { code, stdout, stderr } = await rebuild();
  assert.equal(code, 1);
  assert.doesNotMatch(stdout, /agree/);
  assert.match(stderr, /^sycee: /m);
});
