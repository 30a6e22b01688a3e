// A short run of what scripts/soak does at length.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Crashes, worldOptions } from "../support/crashes.mjs";
import { World } from "../support/world.mjs";

test("kill -9 under load with reorgs: the books verify each time, and agree with the chain", async () => {
  const world = await World.start(worldOptions);
  try {
    const crashes = new Crashes(world, 1);
    for (let i = 0; i < 6; i += 1) await crashes.round();
    await crashes.finish();
    assert.ok(crashes.counts.transfers > 0 && crashes.counts.reorgs > 0, JSON.stringify(crashes.counts));
  } finally {
    await world.stop();
  }
});
