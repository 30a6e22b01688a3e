// Request smuggling: whatever two servers could read differently, sycee alone refuses and closes; and behind a
// proxy that keeps its connections, everybody gets their own answers and no other.

import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";

import { Proxy, kinds } from "../support/proxies.mjs";
import { Tap, exchange } from "../support/raw_http.mjs";
import { corpus } from "../support/smuggling_corpus.mjs";
import { waitFor } from "../support/wait.mjs";
import { World } from "../support/world.mjs";

let world, hidden, payments, next;

before(async () => {
  world = await World.start();
  hidden = await world.createPayment({ reference: "hidden" });
  payments = [];
  for (let number = 0; number < 7; ++number) payments.push(await world.createPayment());
  next = 0;
});

after(async () => {
  await world?.stop();
});

const read = ({ id }, key, more = "") =>
  `GET /v1/payments/${id} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer ${key}\r\n${more}\r\n`;

/** A request that closes the connection, and whose answer is no other's: each reads another payment than the last. */
function marker() {
  const payment = payments[next++ % payments.length];
  return { payment, bytes: read(payment, world.key, "Connection: close\r\n") };
}

const idOf = ({ status, body }) => (status === 200 && body.startsWith('{"id"') ? JSON.parse(body).id : undefined);

/** A request on a new connection must have one answer, its own. */
async function assertOwnAnswer(port, said) {
  const { payment, bytes } = marker();
  const answers = await exchange(port, bytes);
  assert.deepEqual(answers.map(idOf), [payment.id], `${said}: the next request got ${JSON.stringify(answers)}`);
}

const cases = () => corpus(read(hidden, world.key), world.key);

test("sycee alone refuses what is ambiguous, closes, and answers everything else", async () => {
  const { port } = world.sycee;
  let refused = 0;
  for (const { name, bytes, alone } of cases()) {
    const { payment, bytes: markerBytes } = marker();
    const answers = await exchange(port, bytes + markerBytes);
    const statuses = answers.map(({ status }) => status);
    if (Array.isArray(alone)) {
      assert.deepEqual(statuses, [...alone, 200], name);
      assert.equal(idOf(answers.at(-1)), payment.id, name);
    } else {
      assert.deepEqual(statuses, [alone], name);
      assert.equal(answers[0].headers.connection, "close", name);
      // Of the server itself: no endpoint has seen the request.
      assert.equal(JSON.parse(answers[0].body).type, "about:blank", name);
      refused += 1;
    }
    await assertOwnAnswer(port, name);
  }
  assert.ok(refused > 80);
});

/** Sends everything through the proxy; throws where answers and requests are not the same number, or not each other's. */
async function assaults(proxy, tap, all) {
  for (const { name, bytes } of all) {
    const before = proxy.counts().answered;
    const answers = await exchange(proxy.port, bytes + marker().bytes, { http09: name === "HTTP/0.9" });
    await settled(`${name}: as many answers as requests`, () => [proxy.counts().answered - before, answers.length]);
    for (let probes = 0; probes < 2; ++probes) await assertOwnAnswer(proxy.port, name);
  }
  await settled("the server to have answered what was passed on", () => [
    tap.answers().length,
    proxy.counts().passedOn,
  ]);
}

/** Waits until both numbers are the same: a proxy writes its log behind the answer. */
async function settled(what, numbers) {
  const same = () => new Set(numbers()).size === 1;
  await waitFor(what, same, { timeout: 5_000, interval: 5 }).catch((error) => {
    throw new Error(`${error.message}: ${numbers().join(" and ")}`);
  });
}

async function withProxy(kind, target, work) {
  const tap = await Tap.start(target);
  try {
    const directory = await mkdtemp(path.join(world.directory, "proxy-"));
    const proxy = await Proxy.start({ kind, target: tap.port, directory });
    try {
      await work(proxy, tap);
    } finally {
      await proxy.stop();
    }
  } finally {
    await tap.stop();
  }
}

for (const kind of Object.keys(kinds)) {
  test(`behind ${kind}, everybody gets their own answers`, async () => {
    await withProxy(kind, world.sycee.port, async (proxy, tap) => {
      await assaults(proxy, tap, cases());
      // Else nothing that was left on a connection could have reached the next request.
      const { connections } = tap;
      assert.ok(connections * 2 < proxy.counts().passedOn, `${connections} connections`);
    });
  });
}

/** A server that takes bodies for requests. */
async function foolishServer() {
  const server = net.createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      text += data.toString("latin1");
      const requests = text.split("\r\n\r\n");
      text = requests.pop();
      for (const request of requests) {
        const id = /^\S+ \/v1\/payments\/(\w+)/.exec(request)?.[1] ?? "none";
        const body = JSON.stringify({ id });
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

for (const kind of ["nginx", "haproxy"]) {
  test(`a server behind ${kind} that is fooled is found out`, async () => {
    const server = await foolishServer();
    try {
      await withProxy(kind, server.address().port, async (proxy, tap) => {
        const body = cases().filter(({ name }) => name === "a hidden request as a body");
        assert.equal(body.length, 1);
        await assert.rejects(assaults(proxy, tap, body), /the server to have answered what was passed on: 5 and 4/);
      });
    } finally {
      server.close();
    }
  });
}
