import { createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 that nothing listens on: the preferred one if it is free.
 * @param {number} [preferred]
 * @returns {Promise<number>}
 */
export async function freePort(preferred) {
  return (preferred && (await tryPort(preferred))) || (await tryPort(0));
}

/** @returns {Promise<number | undefined>} the port, or undefined when it is taken */
function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const found = server.address().port;
      server.close(() => resolve(found));
    });
  });
}
