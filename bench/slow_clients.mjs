// Whether slow clients slow down the others: `bench/run slow-clients`. Starts PostgreSQL, a local chain and the
// service on these cores; wrk asks it alone and beside 2,000 slow connections, in turns. The last line of the output is
// the figures.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { runOrThrow } from "../tests/support/process.mjs";
import { waitFor } from "../tests/support/wait.mjs";
import { World } from "../tests/support/world.mjs";
import { ask, connections, creation, reading } from "./wrk.mjs";

const seconds = Number(process.env.SYCEE_BENCH_SECONDS ?? 4); // of each phase
const pairs = 3;
const wanted = 2000;
const reserve = connections + 36; // for those that are measured and for ourselves
const program = fileURLToPath(new URL("slow_connections.py", import.meta.url));
// Those that the server ends within ten seconds, so that a phase sees it: an idle connection may stay for thirty.
const soonDropped = ["header", "body", "unread"];

/** The slow connections, as long as it runs. */
class SlowConnections {
  #child;
  #ended;
  #seen = [];

  constructor(port, count) {
    this.#child = spawn("python3", [program, "hold", `${port}`, `${count}`], { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = new Promise((resolve) => this.#child.once("exit", resolve));
    createInterface(this.#child.stdout).on("line", (line) => this.#seen.push(JSON.parse(line)));
  }

  get open() {
    assert.equal(this.#child.exitCode, null, "the slow connections have ended");
    return this.#seen.at(-1)?.open ?? 0;
  }

  /** How many of a kind the server has dropped. */
  dropped(kind) {
    return this.#seen.reduce((sum, { dropped }) => sum + dropped[kind], 0);
  }

  /** What it was like from now until the function that is returned is called. */
  watch() {
    const from = this.#seen.length;
    return () => {
      const seen = this.#seen.slice(from);
      const sum = (count) => seen.reduce((total, one) => total + count(one), 0);
      return {
        lowest: Math.min(...seen.map(({ lowest }) => lowest)),
        refused: sum(({ refused }) => refused),
        dropped: sum(({ dropped }) => Object.values(dropped).reduce((a, b) => a + b)),
      };
    };
  }

  async end() {
    this.#child.stdin.end();
    await this.#ended;
  }
}

/** The connections that are open and that the service has accepted, by the system's word. */
async function acceptedBy({ port }) {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await readFile("/proc/net/tcp", "utf8")).trim().split("\n").slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return fields.filter(([, at, , state, , , , , , inode]) => at.endsWith(local) && state === "01" && inode !== "0").length;
}

const emptied = (sycee) =>
  waitFor("the service to have none of the slow connections left", async () => (await acceptedBy(sycee)) < reserve / 10);

/** How many slow connections the service has room for beside the others. */
async function roomFor({ sycee }) {
  const limits = await readFile(`/proc/${sycee.pid}/limits`, "utf8");
  const files = Number(/^Max open files +(\d+)/m.exec(limits)[1]);
  assert.ok(files > wanted + 2 * reserve, `the service may open ${files} files: raise ulimit -n`);
  const probe = ["python3", program, "room", `${sycee.port}`, `${wanted + reserve}`];
  const room = Number((await runOrThrow(probe)).stdout);
  await emptied(sycee);
  return Math.min(wanted, room - reserve);
}

/** The good clients beside so many slow ones. */
async function beside(count, { sycee }, good) {
  const slow = new SlowConnections(sycee.port, count);
  try {
    const isSteady = () => slow.open === count && soonDropped.every((kind) => slow.dropped(kind) > 0);
    await waitFor("the service to drop the first of the slow connections", isSteady);
    const held = await acceptedBy(sycee);
    const told = slow.watch();
    const measured = await good();
    const { lowest, refused, dropped } = told();
    assert.equal(refused, 0, "slow connections were refused");
    // The service has as many as we think: but for those that it ends or accepts just now.
    const now = await acceptedBy(sycee);
    assert.ok(Math.min(held, now) >= 0.98 * count, `${held} and ${now} of ${count} connections at the service`);
    return { ...measured, held: Math.min(lowest, held, now), dropped };
  } finally {
    await slow.end();
    await emptied(sycee);
  }
}

async function measure(world, directory) {
  const room = await roomFor(world);
  assert.ok(room > 0, "the server has no room for slow connections");
  await ask(world, directory, seconds, creation); // warms up, and makes what is read
  const requests = [creation, await reading(world)];
  const good = () => ask(world, directory, seconds, ...requests);
  const phases = [];
  for (let i = 0; i < pairs; ++i) {
    const quiet = await good();
    const loaded = await beside(room, world, good);
    console.error(JSON.stringify({ quiet, loaded }));
    phases.push({ quiet, loaded });
  }
  return phases;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const world = await World.start({ settings: { api: { requests_per_minute: 100_000_000 } } });
const directory = await mkdtemp(path.join(tmpdir(), "sycee-bench-slow-clients-"));
try {
  const phases = await measure(world, directory);
  const of = (figure) => median(phases.map(figure));
  console.log(
    JSON.stringify({
      p99_ratio: Number(of(({ quiet, loaded }) => loaded.p99_ms / quiet.p99_ms).toFixed(2)),
      p99_ms: of(({ loaded }) => loaded.p99_ms),
      p99_quiet_ms: of(({ quiet }) => quiet.p99_ms),
      per_s: of(({ loaded }) => loaded.per_s),
      per_s_quiet: of(({ quiet }) => quiet.per_s),
      slow_connections: Math.min(...phases.map(({ loaded }) => loaded.held)),
      slow_connections_wanted: wanted,
      dropped_per_s: Math.round(of(({ loaded }) => loaded.dropped / seconds)),
      connections,
    }),
  );
} finally {
  await world.stop();
  await rm(directory, { recursive: true, force: true });
}
