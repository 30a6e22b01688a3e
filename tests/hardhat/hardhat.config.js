// Only `networks.node` counts for the command `node`. The rest of the chain is set by its options, and over
// JSON-RPC, in tests/support/hardhat.mjs.
export default {
  // Made at the start, and left empty: nothing is compiled here.
  paths: { artifacts: "../../build/hardhat" },
  networks: { node: { type: "edr-simulated", chainType: "l1" } },
};
