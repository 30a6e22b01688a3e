// Debian's nginx and HAProxy as ordinary processes in front of a server, with kept connections to it.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";

import { freePort } from "./ports.mjs";
import { Service } from "./process.mjs";
import { waitFor } from "./wait.mjs";

const programs = { nginx: "/usr/sbin/nginx", haproxy: "/usr/sbin/haproxy" };

// One process with one kept connection: the next request takes the connection of the one before, and with
// it whatever was left on it. Who sends half a request is given up soon.
const nginx = (port, target, directory, server) => `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr error;
events { worker_connections 128; }
http {
  log_format requests '$bytes_sent $upstream_status';
  access_log ${directory}/requests requests;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(" ")}
  client_header_timeout 1s;
  client_body_timeout 1s;
  lingering_timeout 1s;
  upstream gateway { server 127.0.0.1:${target}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    ${server}
    location / {
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }
  }
}
`;

const haproxy = (port, target, frontend) => `
global
  log stdout format raw local0
  nbthread 1
defaults
  mode http
  log global
  log-format "%ST %[srv_name]"
  timeout connect 5s
  timeout client 1s
  timeout server 20s
  timeout http-request 1s
  timeout http-keep-alive 1s
  option http-keep-alive
  option dontlognull
  http-reuse always
frontend in
  bind 127.0.0.1:${port} proto h1
  ${frontend}
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${target}
`;

/** What is put in front, by name: as they come, and with what they guard against let through. */
export const kinds = {
  nginx: { program: "nginx", config: (port, target, directory) => nginx(port, target, directory, "") },
  "nginx that passes bodies on as they come, and odd header names": {
    program: "nginx",
    config: (port, target, directory) =>
      nginx(
        port,
        target,
        directory,
        "proxy_request_buffering off; ignore_invalid_headers off; underscores_in_headers on;",
      ),
  },
  haproxy: { program: "haproxy", config: (port, target) => haproxy(port, target, "") },
  "haproxy that accepts invalid requests": {
    program: "haproxy",
    config: (port, target) => haproxy(port, target, "option accept-invalid-http-request"),
  },
};

export class Proxy {
  #service;
  #log;

  /**
   * @param {object} options
   * @param {string} options.kind a name of kinds
   * @param {number} options.target port of 127.0.0.1 that it passes requests on to
   * @param {string} options.directory for its configuration and its logs
   */
  static async start({ kind, target, directory }) {
    const { program, config } = kinds[kind];
    const file = programs[program];
    if (!existsSync(file)) throw new Error(`no ${file}: run scripts/install-packages test`);
    await mkdir(directory, { recursive: true });
    const proxy = new Proxy();
    proxy.port = await freePort();
    const settings = path.join(directory, `${program}.conf`);
    await writeFile(settings, config(proxy.port, target, directory));
    const output = path.join(directory, "log");
    proxy.#log = program === "nginx" ? path.join(directory, "requests") : output;
    const command = program === "nginx" ? [file, "-p", directory, "-c", settings] : [file, "-db", "-f", settings];
    proxy.#service = new Service(program, command, { log: output });
    try {
      await waitFor(`${program} to listen`, () => proxy.#listens(), { timeout: 15_000 });
    } catch (error) {
      await proxy.#service.kill();
      throw new Error(`${error.message} ${proxy.#service.tail()}`);
    }
    return proxy;
  }

  #listens() {
    this.#service.assertRunning();
    return new Promise((resolve) => {
      const socket = net.connect(this.port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  }

  /** What it has logged: requests that it answered, and those of them that the server answered. */
  counts() {
    const text = existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
    // "<bytes or status that was sent> <who answered>", the latter "-" where the proxy did by itself.
    const requests = [...text.matchAll(/^(-?\d+) (\S+)/gm)].filter(([, sent]) => Number(sent) > 0);
    return { answered: requests.length, passedOn: requests.filter(([, , by]) => by !== "-").length };
  }

  async stop() {
    await this.#service.stop({ signal: "SIGTERM", timeout: 5_000 });
  }
}
