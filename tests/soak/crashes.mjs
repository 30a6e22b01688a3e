// Kills the service so many times under load with reorgs: scripts/soak.

import { parseArgs } from "node:util";

import { Crashes, worldOptions } from "../support/crashes.mjs";
import { World } from "../support/world.mjs";

const { values } = parseArgs({ options: { kills: { type: "string" }, seed: { type: "string" } } });
const kills = Number(values.kills ?? 300);
const seed = Number(values.seed ?? 1);
if (!(kills >= 1 && kills <= 100_000) || !Number.isSafeInteger(seed)) {
  console.error("usage: scripts/soak [--kills N] [--seed N]");
  process.exit(2);
}

const started = Date.now();
const seconds = () => Math.round((Date.now() - started) / 1000);
const world = await World.start(worldOptions);
let failure;
try {
  const crashes = new Crashes(world, seed);
  let told = 0;
  while (crashes.counts.kills < kills) {
    await crashes.round();
    if (crashes.counts.kills < told + 10) continue;
    told = crashes.counts.kills;
    console.log(`${told} kills in ${seconds()} s: the books verified each time, and agree with the chain`);
  }
  await crashes.finish();
  const rows = await Promise.all(
    ["payments", "authorizations", "clearings", "settlements", "reversals", "withdrawals"].map(async (table) => [
      table,
      await world.count(table),
    ]),
  );
  console.log(JSON.stringify({ seed, ...crashes.counts, rows: Object.fromEntries(rows), seconds: seconds() }));
} catch (error) {
  failure = error;
  console.error(`seed ${seed}: ${error.stack}\n${world.sycee.tail(60)}`);
} finally {
  await world.stop();
}
process.exit(failure ? 1 : 0);
