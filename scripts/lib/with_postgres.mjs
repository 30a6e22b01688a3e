import { spawn } from "node:child_process";
import { constants } from "node:os";

import { Postgres } from "../../tests/support/postgres.mjs";

const command = process.argv.slice(2);
if (command.length === 0 || command[0] === "--help") {
  console.log("usage: scripts/with-postgres COMMAND [ARGUMENT...]");
  process.exit(command.length === 0 ? 2 : 0);
}

let child;
let received;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    received = signal;
    // Ctrl-C in a terminal has reached the command already, and a second one does no harm.
    child?.kill(signal);
  });
}

/** @returns {Promise<number>} the exit code, 128 + n after a signal as shells do */
function runCommand(database) {
  return new Promise((resolve, reject) => {
    child = spawn("setpriv", ["--pdeathsig", "TERM", ...command], {
      stdio: "inherit",
      env: { ...process.env, SYCEE_TEST_DATABASE: database },
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

let exitCode = 1;
try {
  const postgres = await Postgres.startTemporary();
  try {
    const database = await postgres.createDatabase("sycee_test");
    exitCode = received ? 128 + constants.signals[received] : await runCommand(database);
  } finally {
    await postgres.destroy();
  }
} catch (error) {
  console.error(`scripts/with-postgres: ${error.message}`);
}
process.exit(exitCode);
