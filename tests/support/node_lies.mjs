// What a node may say that is not so. A lie is
//   methods   whose answers it may change; all if not given. "eth_subscription" stands for heads that are pushed.
//   answer    (call, {ask, real, fire}) => {result} or {error}
//   heads     (head, {real, fire}) => the heads to push instead of this one
// `ask` passes a call on and returns its answer, `real` asks the node for a result, whatever other lies there are.
// A lie calls fire() when it has something untrue to say, and only then; where that returns false, it is honest.

import { createHash } from "node:crypto";
import { encodeEventTopics, erc20Abi, numberToHex, pad } from "viem";

/** Which parameter names the block. */
const blockParameters = {
  eth_getBlockByNumber: 0,
  eth_getBlockByHash: 0,
  eth_getBlockReceipts: 0,
  eth_call: 1,
  eth_getBalance: 1,
  eth_getCode: 1,
  eth_getTransactionCount: 1,
  eth_getStorageAt: 2,
};
const tips = ["latest", "pending", "safe", "finalized"];
const hex = (number) => `0x${number.toString(16)}`;
const isHash = (reference) => reference?.length === 66;

/** A hash of nothing, always the same for the same words. */
const madeUpHash = (...words) => `0x${createHash("sha256").update(words.join(" ")).digest("hex")}`;

/** What a call says of its block: a number, a hash, a name such as "latest", or {blockHash} or {blockNumber}. */
const referenceOf = ({ method, params }) => params[blockParameters[method]] ?? "latest";

function withReference(call, reference) {
  const params = [...call.params];
  params[blockParameters[call.method]] = reference;
  return { ...call, params };
}

/** @returns the block without its transactions' bodies, null if there is none */
async function blockAt(reference, real) {
  const { blockHash, blockNumber } = reference;
  const hash = blockHash ?? (isHash(reference) ? reference : undefined);
  if (hash) return real("eth_getBlockByHash", hash, false);
  return real("eth_getBlockByNumber", blockNumber ?? reference, false);
}

const headNumber = async (real) => Number(await real("eth_blockNumber"));

/** The number that a block of a range stands for, which may be above the head. */
async function numberAt(reference, real) {
  return tips.includes(reference) ? Number((await blockAt(reference, real))?.number) : Number(reference);
}

const earlier = (number, blocks) => Math.max(0, number - blocks);

/** Pushes the head of so many blocks before instead, with the same fields. */
function pushEarlier(blocks) {
  return async (head, { real, fire }) => {
    const number = Number(head.number);
    if (number === 0 || !fire()) return [head];
    const block = await blockAt(hex(earlier(number, blocks)), real);
    return [Object.fromEntries(Object.keys(head).map((key) => [key, block[key]]))];
  };
}

export function rpcError(code, message) {
  return {
    answer: async (call, { ask, fire }) => (fire() ? { error: { code, message } } : ask(call)),
  };
}

/** @param {(result: any, call: {method: string, params: any[]}) => any} change undefined leaves the answer as it is */
export function rewrite(change) {
  return {
    async answer(call, { ask, fire }) {
      const answer = await ask(call);
      if (answer.error) return answer;
      const told = await change(structuredClone(answer.result), call);
      return told !== undefined && fire() ? { result: told } : answer;
    },
  };
}

export function chainId(id) {
  const told = { eth_chainId: hex(id), net_version: String(id) };
  return {
    methods: Object.keys(told),
    answer: async (call, { ask, fire }) => (fire() ? { result: told[call.method] } : ask(call)),
  };
}

export function emptyLogs() {
  return {
    methods: ["eth_getLogs"],
    async answer(call, { ask, fire }) {
      const answer = await ask(call);
      return answer.result?.length > 0 && fire() ? { result: [] } : answer;
    },
  };
}

/** @param {number} index of the log in the answer; negative: from the end */
export function omitLog(index) {
  return {
    methods: ["eth_getLogs", "eth_getBlockReceipts"],
    async answer(call, { ask, fire }) {
      const answer = await ask(call);
      if (!answer.result) return answer;
      const lists = call.method === "eth_getLogs" ? [answer.result] : answer.result.map(({ logs }) => logs);
      const log = lists.flat().at(index);
      if (!log || !fire()) return answer;
      const list = lists.find((some) => some.includes(log));
      list.splice(list.indexOf(log), 1);
      return answer;
    },
  };
}

/** The lie stays the same: one block has the log, however often it is asked for. */
export function madeUpLog({ token, to, units, block, from = `0x${"1".repeat(40)}` }) {
  let home = block;

  async function makeUp({ hash, number, transactions }, real) {
    const others = await real("eth_getLogs", { blockHash: hash });
    return {
      address: token.toLowerCase(),
      topics: encodeEventTopics({ abi: erc20Abi, eventName: "Transfer", args: { from, to } }),
      data: pad(numberToHex(units)),
      blockHash: hash,
      blockNumber: number,
      transactionHash: madeUpHash("transaction", hash, to),
      transactionIndex: hex(transactions.length),
      logIndex: hex(others.length),
      removed: false,
    };
  }

  /** The block that the log is in, of those that the call is about; none if it is about others. */
  async function placeIn(call, real) {
    const [filter] = call.params;
    if (call.method !== "eth_getLogs") return blockAt(referenceOf(call), real);
    if (filter.blockHash) return blockAt(filter.blockHash, real);
    const range = [filter.fromBlock, filter.toBlock].map((reference) => numberAt(reference ?? "latest", real));
    const [first, last] = await Promise.all(range);
    const number = home ?? last;
    return number >= first && number <= last ? blockAt(hex(number), real) : undefined;
  }

  return {
    methods: ["eth_getLogs", "eth_getBlockReceipts"],
    async answer(call, { ask, real, fire }) {
      const answer = await ask(call);
      const place = answer.result && (await placeIn(call, real));
      if (!place) return answer;
      const log = await makeUp(place, real);
      const number = Number(place.number);
      const isLogs = call.method === "eth_getLogs";
      if ((home ?? number) !== number || (isLogs && !passes(call.params[0], log)) || !fire()) return answer;
      home = number;
      if (!isLogs) return { result: [...answer.result, receiptOf(log, from)] };
      const later = answer.result.findIndex(({ blockNumber }) => Number(blockNumber) > number);
      answer.result.splice(later < 0 ? answer.result.length : later, 0, log);
      return answer;
    },
  };
}

/** Whether a filter lets the log through. */
function passes({ address, topics = [] }, log) {
  const addresses = [address ?? []].flat().map((each) => each.toLowerCase());
  const isWanted = (wanted, value) => wanted.length === 0 || wanted.includes(value);
  return (
    isWanted(addresses, log.address) && topics.every((wanted, at) => isWanted([wanted ?? []].flat(), log.topics[at]))
  );
}

function receiptOf(log, from) {
  const { transactionHash, transactionIndex, blockHash, blockNumber, address } = log;
  return {
    ...{ transactionHash, transactionIndex, blockHash, blockNumber, from, to: address, contractAddress: null },
    ...{ type: "0x2", status: "0x1", gasUsed: "0x5208", cumulativeGasUsed: "0x5208", effectiveGasPrice: "0x1" },
    logsBloom: `0x${"00".repeat(256)}`, // as little as the header's has it
    logs: [log],
  };
}

/** A node that is late: all its tips are so many blocks behind, and it has not heard of what is above them. */
export function lag(blocks) {
  async function laterLogs(call, tip, { ask, real, fire }) {
    const [filter, ...rest] = call.params;
    if (filter.blockHash) {
      const block = await blockAt(filter.blockHash, real);
      return block && Number(block.number) > tip && fire() ? unknownBlock(call) : ask(call);
    }
    const range = [filter.fromBlock ?? "latest", filter.toBlock ?? "latest"];
    const [first, last] = await Promise.all(range.map((reference) => numberAt(reference, real)));
    const seen = (number, reference) => (tips.includes(reference) ? earlier(number, blocks) : number);
    const from = seen(first, range[0]);
    const to = Math.min(seen(last, range[1]), tip);
    if ((from === first && to === last) || !fire()) return ask(call);
    if (from > to) return { result: [] };
    return ask({ ...call, params: [{ ...filter, fromBlock: hex(from), toBlock: hex(to) }, ...rest] });
  }

  return {
    async answer(call, { ask, real, fire }) {
      const head = await headNumber(real);
      const tip = earlier(head, blocks);
      if (tip === head) return ask(call);
      if (call.method === "eth_blockNumber") return fire() ? { result: hex(tip) } : ask(call);
      if (call.method === "eth_getLogs") return laterLogs(call, tip, { ask, real, fire });
      if (!(call.method in blockParameters)) {
        const answer = await ask(call);
        return Number(answer.result?.blockNumber) > tip && fire() ? { result: null } : answer;
      }
      const reference = referenceOf(call);
      const block = await blockAt(reference === "pending" ? "latest" : reference, real);
      const number = Number(block?.number);
      if (!tips.includes(reference)) return number > tip && fire() ? unknownBlock(call) : ask(call);
      return number > 0 && fire() ? ask(withReference(call, hex(earlier(number, blocks)))) : ask(call);
    },

    heads: pushEarlier(blocks),
  };
}

/** As a node says it that has not heard of a block. */
function unknownBlock({ method }) {
  const isNull = ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts"].includes(method);
  return isNull ? { result: null } : { error: { code: -32000, message: "unknown block" } };
}

/** The head is told to be so many blocks earlier, while the blocks above it are still there. */
export function headBack(blocks) {
  return {
    methods: ["eth_blockNumber", "eth_getBlockByNumber", "eth_subscription"],
    async answer(call, { ask, real, fire }) {
      if (call.method === "eth_getBlockByNumber" && referenceOf(call) !== "latest") return ask(call);
      const head = await headNumber(real);
      if (head === 0 || !fire()) return ask(call);
      const told = hex(earlier(head, blocks));
      return call.method === "eth_blockNumber" ? { result: told } : ask(withReference(call, told));
    },

    heads: pushEarlier(blocks),
  };
}

/**
 * @param {(tips: {head: number, finalized: number}) => number} tell
 *   the number of the block to tell; above the head, a made-up one
 */
export function finalized(tell) {
  return {
    methods: Object.keys(blockParameters),
    async answer(call, { ask, real, fire }) {
      if (referenceOf(call) !== "finalized") return ask(call);
      const [head, truth] = await Promise.all([blockAt("latest", real), blockAt("finalized", real)]);
      const told = tell({ head: Number(head.number), finalized: Number(truth.number) });
      if (told === Number(truth.number) || !fire()) return ask(call);
      if (told <= Number(head.number) || call.method !== "eth_getBlockByNumber") {
        return ask(withReference(call, hex(told)));
      }
      const [hash, parentHash] = [told, told - 1].map((number) => madeUpHash("block", number));
      return { result: { ...head, number: hex(told), hash, parentHash } };
    },
  };
}

/** Answers for the parent of the block that was asked for. */
export function otherBlock() {
  return {
    methods: ["eth_getBlockByHash"],
    async answer(call, { ask, real, fire }) {
      const [filter, ...rest] = call.params;
      const isLogs = call.method === "eth_getLogs";
      const reference = isLogs ? filter.blockHash : referenceOf(call);
      const block = reference && (await blockAt(reference, real));
      const parent = block && (await blockAt(block.parentHash, real));
      if (!parent || !fire()) return ask(call);
      if (isLogs) return ask({ ...call, params: [{ ...filter, blockHash: parent.hash }, ...rest] });
      return ask(withReference(call, isHash(reference) ? parent.hash : parent.number));
    },
  };
}

export function duplicateHeads() {
  return {
    methods: ["eth_subscription"],
    heads: async (head, { fire }) => (fire() ? [head, head] : [head]),
  };
}
