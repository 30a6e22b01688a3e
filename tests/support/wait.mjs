// Waiting for a condition, always with a deadline.

/** @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Polls until `probe` returns something truthy and returns that. A probe that throws counts as "not yet";
 * its last error is told when the time is up.
 * @template T
 * @param {string} what what is waited for, for the error message
 * @param {() => T | Promise<T>} probe
 * @param {{timeout?: number, interval?: number}} [options] milliseconds
 * @returns {Promise<T>}
 */
export async function waitFor(what, probe, { timeout = 30_000, interval = 50 } = {}) {
  const deadline = Date.now() + timeout;
  let lastError;
  for (;;) {
    try {
      const result = await probe();
      if (result) return result;
      lastError = undefined;
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      lastError = error;
    }
    if (Date.now() >= deadline) {
      const reason = lastError ? `: ${lastError.message}` : "";
      throw new Error(`waited ${timeout / 1000} s in vain for ${what}${reason}`);
    }
    await pause(interval);
  }
}

/** Thrown by a probe when waiting longer is pointless, as when the process waited for has ended. */
export class GiveUp extends Error {}
