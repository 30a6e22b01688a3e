// Child processes that never outlive their parent.

import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

import { GiveUp } from "./wait.mjs";

const nameOf = (code, signal) => (signal ? `signal ${signal}` : `exit code ${code}`);

/**
 * A long-running child. It gets its own session, so that Ctrl-C in the terminal reaches only the parent,
 * which stops its children in order; and the kernel signals it when the parent dies, however that happens.
 */
export class Service {
  #child;
  #log;
  #stopping = false;

  /**
   * @param {string} name for messages
   * @param {string[]} command program and arguments
   * @param {object} options
   * @param {string} options.log file that its output is appended to
   * @param {NodeJS.ProcessEnv} [options.env]
   * @param {string} [options.cwd]
   * @param {string[]} [options.launcher] a command that changes the user and then runs the rest
   * @param {string} [options.orphanSignal] what it gets when the parent dies
   */
  constructor(name, command, { log, env = process.env, cwd, launcher = [], orphanSignal = "TERM" }) {
    this.name = name;
    this.#log = log;
    const output = openSync(log, "a", 0o600);
    // After the launcher, because a change of user clears the signal.
    const [program, ...rest] = [...launcher, "setpriv", "--pdeathsig", orphanSignal, ...command];
    this.#child = spawn(program, rest, {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    /** @type {Promise<{code: number | null, signal: string | null, text: string}>} */
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve({ code: null, signal: null, text: error.message }));
      this.#child.once("exit", (code, signal) => resolve({ code, signal, text: nameOf(code, signal) }));
    });
    this.ended.then(() => (this.running = false));
    this.running = true;
  }

  get pid() {
    return this.#child.pid;
  }

  /** True once stop() or kill() was called: its end is then no surprise. */
  get stopping() {
    return this.#stopping;
  }

  /** For probes of waitFor(): gives up when the process has ended. */
  assertRunning() {
    if (!this.running) throw new GiveUp(`${this.name} ended at its start. ${this.tail()}`);
  }

  /** The end of its log, for error messages. */
  tail(lines = 25) {
    const text = readFileSync(this.#log, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
    return `The end of ${this.#log}:\n${text}`;
  }

  /** Asks it to end, and kills it when it has not after `timeout` ms. Returns how it ended. */
  async stop({ signal = "SIGTERM", timeout = 15_000 } = {}) {
    this.#stopping = true;
    if (this.running) this.#child.kill(signal);
    await Promise.race([this.ended, pauseUnref(timeout)]);
    if (this.running) {
      this.#child.kill("SIGKILL");
      const end = await this.ended;
      return { ...end, text: `${end.text}, after it ignored ${signal} for ${timeout / 1000} s` };
    }
    return this.ended;
  }

  /** SIGKILL: nothing is flushed, nothing is closed. */
  async kill() {
    this.#stopping = true;
    this.#child.kill("SIGKILL");
    return this.ended;
  }
}

function pauseUnref(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/**
 * Runs a command to its end and collects what it prints.
 * @param {string[]} command
 * @param {{input?: string, env?: NodeJS.ProcessEnv, cwd?: string, timeout?: number}} [options]
 * @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string}>}
 */
export function run(command, { input = "", env = process.env, cwd, timeout = 120_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { env, cwd, timeout, killSignal: "SIGKILL" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.stdin.on("error", () => {}); // it may end without reading its input
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Like run(), but anything else than exit code 0 is an error that shows what the command said. */
export async function runOrThrow(command, options) {
  const result = await run(command, options);
  if (result.code !== 0) {
    const said = `${result.stderr}${result.stdout}`.trim();
    throw new Error(`${command.join(" ")}: ${nameOf(result.code, result.signal)}\n${said}`);
  }
  return result;
}
