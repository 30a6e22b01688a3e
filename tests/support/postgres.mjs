// A private PostgreSQL cluster in a folder of its own, reached over a Unix socket only.
//
// PostgreSQL refuses to run as root, so root runs it in one of three ways, chosen when the cluster is made
// and remembered beside it, because the owner of its files differs:
//   drop       as Debian's user postgres, where that user can reach the folder;
//   namespace  in a user namespace that shows root as postgres: works below folders of mode 0700;
//   elsewhere  as postgres, with the data below /var/lib/sycee-dev, where namespaces are forbidden.
// An ordinary user runs it directly.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";

import { Service, run, runOrThrow } from "./process.mjs";
import { GiveUp, pause, waitFor } from "./wait.mjs";

const programs = "/usr/lib/postgresql/15/bin";
const role = "sycee";
/** Those of createRole() that may connect. */
const lesserRoles = ["sycee_service", "sycee_auditor"];
// sockaddr_un holds 107 characters, of which PostgreSQL needs some for the name of the socket.
const longestSocketFolder = 90;
// After kill -9 the old postmaster may not be reaped yet, or its children may still be ending.
const leftovers = /lock file "postmaster.pid" already exists|pre-existing shared memory block/;

/** What to put before a command so that it runs as a user whom PostgreSQL accepts. */
const launchers = {
  direct: [],
  drop: ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"],
  namespace: ["unshare", "--user", "--map-user=postgres", "--map-group=postgres"],
};

export class Postgres {
  #directory;
  #home;
  #mode;
  #settings;
  #env;
  #service;

  constructor(directory, { mode, home }, settings, env) {
    this.#directory = directory;
    this.#mode = mode;
    this.#home = home;
    this.#settings = settings;
    this.#env = env;
  }

  /**
   * Makes the cluster in `directory` if there is none, and starts it.
   * @param {object} options
   * @param {string} options.directory
   * @param {Record<string, string>} [options.settings] as in postgresql.conf
   * @param {string[]} [options.initdb] more options for making the cluster
   * @param {Record<string, string>} [options.env] more of the server's environment
   */
  static async start({ directory, settings = {}, initdb = [], env = {} }) {
    if (!existsSync(`${programs}/initdb`)) {
      throw new Error(`PostgreSQL 15 is not installed (no ${programs}/initdb): run scripts/install-packages demo`);
    }
    const postgres = new Postgres(directory, await prepare(directory, initdb), settings, env);
    await postgres.restart();
    return postgres;
  }

  /** The same in a new temporary folder; destroy() removes it. */
  static async startTemporary(options = {}) {
    const directory = await mkdtemp(path.join(tmpdir(), "sycee-postgres-"));
    try {
      // Not flushing the new cluster saves seconds on a busy disk; the server itself flushes as usual.
      return await Postgres.start({ ...options, directory, initdb: ["--no-sync"] });
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** A connection string for libpq, and so for psql and libpqxx; of the superuser if no user is given. */
  connection(database = "postgres", user = role) {
    const parts = { host: this.#socketFolder(), port: "5432", dbname: database, user };
    return Object.entries(parts)
      .map(([key, value]) => `${key}=${quote(value)}`)
      .join(" ");
  }

  /** @returns {Promise<string>} the connection string of the database, which is made if it doesn't exist */
  async createDatabase(name) {
    const found = await this.query(`SELECT 1 FROM pg_database WHERE datname = '${name}'`);
    if (!found) await this.query(`CREATE DATABASE "${name}"`);
    return this.connection(name);
  }

  /** A role that may log in and owns nothing, made if it doesn't exist. */
  async createRole(name) {
    const found = await this.query(`SELECT 1 FROM pg_roles WHERE rolname = '${name}'`);
    if (!found) await this.query(`CREATE ROLE "${name}" LOGIN`);
    return name;
  }

  async dropDatabase(name) {
    await this.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  }

  /** Runs SQL with psql; returns rows as lines and columns parted by `|`. */
  async query(sql, database = "postgres") {
    const psql = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", this.connection(database)];
    return (await runOrThrow(psql, { input: sql })).stdout.trimEnd();
  }

  get pid() {
    return this.#service.pid;
  }

  /** Resolves when the server has ended, for whatever reason. */
  get ended() {
    return this.#service.ended;
  }

  /** Starts the server again after stop() or kill(). */
  async restart() {
    const deadline = Date.now() + 10_000;
    for (;;) {
      this.#service = this.#launch();
      try {
        await waitFor("PostgreSQL to accept connections", () => this.#accepts(), { timeout: 60_000 });
        return;
      } catch (error) {
        const retry = error instanceof GiveUp && leftovers.test(this.#service.tail(6));
        if (!retry || Date.now() > deadline) {
          await this.stop();
          throw error;
        }
        await pause(200);
      }
    }
  }

  /** Ends open sessions and stops cleanly. */
  async stop() {
    return this.#service.stop({ signal: "SIGINT" });
  }

  /** SIGKILL to the postmaster, as a crash: recovery follows at restart(). */
  async kill() {
    return this.#service.kill();
  }

  /** Stops the server and removes the folder. */
  async destroy() {
    await this.stop();
    if (this.#home !== this.#directory) await rm(this.#home, { recursive: true, force: true });
    await rm(this.#directory, { recursive: true, force: true });
  }

  #launch() {
    const settings = {
      listen_addresses: "",
      unix_socket_directories: this.#socketFolder(),
      ...this.#settings,
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    const server = [`${programs}/postgres`, "-D", path.join(this.#home, "data"), ...options];
    return new Service("PostgreSQL", server, {
      log: path.join(this.#directory, "postgres.log"),
      cwd: "/",
      env: { ...process.env, ...this.#env },
      launcher: launchers[this.#mode],
      orphanSignal: "INT",
    });
  }

  async #accepts() {
    this.#service.assertRunning();
    return (await run(["pg_isready", "-q", "-d", this.connection()])).code === 0;
  }

  /** The folder of the socket; a name in the abstract namespace where the folder's name can't be used. */
  #socketFolder() {
    if (this.#home.length <= longestSocketFolder && !/[",]/.test(this.#home)) return this.#home;
    return `@sycee-${digest(this.#home)}`;
  }
}

/** Decides how to run, and makes the cluster when there is none. */
async function prepare(directory, initdb) {
  await mkdir(directory, { recursive: true });
  const memory = path.join(directory, "cluster.json");
  if (existsSync(memory)) {
    const cluster = JSON.parse(await readFile(memory, "utf8"));
    const asRoot = cluster.mode !== "direct";
    if (asRoot !== isRoot()) {
      const maker = asRoot ? "root" : "an ordinary user";
      throw new Error(`the PostgreSQL cluster in ${directory} was made by ${maker}: run as ${maker}, or remove it`);
    }
    const known = { mode: cluster.mode, home: cluster.home ?? directory };
    await writeAccess(known);
    return known;
  }
  const cluster = await choose(directory);
  await initialize(cluster, initdb);
  await writeAccess(cluster);
  const home = cluster.home === directory ? undefined : cluster.home;
  await writeFile(memory, `${JSON.stringify({ mode: cluster.mode, home })}\n`);
  return cluster;
}

async function choose(directory) {
  if (!isRoot()) {
    await chmod(directory, 0o700);
    return { mode: "direct", home: directory };
  }
  if (await giveTo("postgres", directory)) return { mode: "drop", home: directory };
  await chown(directory, 0, 0);
  if (await canWrite("namespace", directory)) return { mode: "namespace", home: directory };
  const home = `/var/lib/sycee-dev/${digest(directory)}`;
  await mkdir(home, { recursive: true });
  if (await giveTo("postgres", home)) return { mode: "drop", home };
  throw new Error(`found no way to run PostgreSQL as root in ${directory}: run as an ordinary user`);
}

async function initialize({ mode, home }, options) {
  const data = path.join(home, "data");
  await rm(data, { recursive: true, force: true }); // an initdb that was cut short
  const initdb = [
    ...[...launchers[mode], `${programs}/initdb`, "-D", data, "-U", role, "--auth=peer", "--data-checksums"],
    ...["--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions", ...options],
  ];
  await runOrThrow(initdb, { cwd: "/" });
}

async function writeAccess({ home }) {
  const data = path.join(home, "data");
  // Who may connect is decided by the user of the operating system: there is no password to keep.
  const users = new Set(["root", "postgres", userInfo().username]);
  const map = [...users].flatMap((user) => [role, ...lesserRoles].map((name) => `sycee "${user}" ${name}\n`));
  await writeFile(path.join(data, "pg_hba.conf"), "local all all peer map=sycee\n");
  await writeFile(path.join(data, "pg_ident.conf"), map.join(""));
}

/** @returns whether the user can use the folder, which then belongs to it */
async function giveTo(user, directory) {
  const ids = await Promise.all(["-u", "-g"].map((flag) => runOrThrow(["id", flag, user])));
  await chown(directory, ...ids.map((id) => Number(id.stdout)));
  await chmod(directory, 0o700);
  return canWrite("drop", directory);
}

const canWrite = async (mode, directory) => (await run([...launchers[mode], "test", "-w", directory])).code === 0;
const isRoot = () => process.getuid() === 0;
const digest = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);
const quote = (value) => (/^[\w@./-]+$/.test(value) ? value : `'${value.replace(/[\\']/g, "\\$&")}'`);
