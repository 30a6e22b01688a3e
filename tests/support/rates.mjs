// Sources of rates, for tests: a price feed on the local chain, and a JSON document over HTTP.

import { createServer } from "node:http";
import { encodeFunctionData } from "viem";

import { contract } from "./contracts.mjs";

const seconds = () => BigInt(Math.floor(Date.now() / 1_000));

/** A feed with Chainlink's interface. Values are bigints in units of its decimals. */
export class Feed {
  /** @param {import("./chain.mjs").Chain} chain */
  static async deploy(chain, pair, decimals, value) {
    const feed = new Feed();
    feed.chain = chain;
    feed.address = await chain.deploy("MockFeed", [pair, decimals, value, seconds()]);
    return feed;
  }

  /** A new round; `age`: how many seconds ago it was made. */
  async update(value, { age = 0 } = {}) {
    const [from] = await this.chain.accounts();
    const { abi } = await contract("MockFeed");
    const args = [value, seconds() - BigInt(age)];
    const data = encodeFunctionData({ abi, functionName: "update", args });
    await this.chain.success(await this.chain.send({ from, to: this.address, data }));
  }
}

/** Serves one JSON document, whose text the test sets. */
export class RateDocument {
  static async serve(text) {
    const document = new RateDocument();
    document.text = text;
    document.status = 200;
    document.requests = 0;
    document.server = createServer((request, response) => {
      document.requests += 1;
      response.writeHead(document.status, { "content-type": "application/json" }).end(document.text);
    });
    await new Promise((resolve) => document.server.listen(0, "127.0.0.1", resolve));
    return document;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}/latest`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
