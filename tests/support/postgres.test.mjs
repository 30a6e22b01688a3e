import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Postgres } from "./postgres.mjs";
import { run } from "./process.mjs";

const withPostgres = fileURLToPath(new URL("../../scripts/with-postgres", import.meta.url));

// Folder names that need quoting, or whose socket's name would be too long.
for (const name of ["plain", "two words", "it's", 'a,"b', "x".repeat(100)]) {
  test(`a cluster in the folder ${name.slice(0, 20)}: crash, recovery, second start`, async () => {
    const parent = await mkdtemp(path.join(tmpdir(), "sycee-pg-"));
    await chmod(parent, 0o755);
    const directory = path.join(parent, name);
    try {
      let postgres = await Postgres.start({ directory, initdb: ["--no-sync"] });
      await postgres.createDatabase("sycee");
      await postgres.createDatabase("sycee");
      await postgres.query("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)", "sycee");
      await postgres.kill();
      await postgres.restart();
      assert.equal(await postgres.query("SELECT count(*) FROM t", "sycee"), "1000");
      await postgres.stop();
      postgres = await Postgres.start({ directory });
      assert.equal(await postgres.query("SELECT count(*) FROM t", "sycee"), "1000");
      const settings = ["data_checksums", "fsync", "lc_collate", "listen_addresses"];
      const shown = await postgres.query(settings.map((setting) => `SHOW ${setting};`).join("\n"));
      assert.deepEqual(shown.split("\n"), ["on", "on", "C.UTF-8"]); // the last one is empty
      await postgres.destroy();
      assert.ok(!existsSync(directory));
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  });
}

test("scripts/with-postgres passes on the exit code and leaves nothing behind", async () => {
  const sql = "SELECT 40 + 2, current_setting('unix_socket_directories')";
  const script = `psql -XAt "$SYCEE_TEST_DATABASE" -c "${sql}"; exit 7`;
  const result = await run([withPostgres, "bash", "-c", script]);
  const [answer, folder] = result.stdout.trim().split("|");
  assert.equal(answer, "42");
  assert.equal(result.code, 7);
  assert.ok(!existsSync(folder));
});

test("scripts/with-postgres: a command that doesn't exist", async () => {
  assert.equal((await run([withPostgres, "no-such-command"])).code, 127);
});
