// A disk that is full when the test says so, for one PostgreSQL.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { runOrThrow } from "./process.mjs";

const source = fileURLToPath(new URL("full_disk.c", import.meta.url));

export class FullDisk {
  #directory;

  constructor(directory) {
    this.#directory = directory;
  }

  static async prepare() {
    const disk = new FullDisk(await mkdtemp(path.join(tmpdir(), "sycee-disk-")));
    // The user whom PostgreSQL runs as must find the library and the flag.
    try {
      await chmod(disk.#directory, 0o755);
      await runOrThrow(["clang-19", "-shared", "-fPIC", "-O1", "-o", disk.#library, source, "-ldl"]);
      return disk;
    } catch (error) {
      await disk.remove();
      throw error;
    }
  }

  /** What PostgreSQL needs in its environment. */
  get env() {
    return { LD_PRELOAD: this.#library, SYCEE_FULL_DISK: this.#flag };
  }

  async fill() {
    await writeFile(this.#flag, "");
  }

  async makeRoom() {
    await rm(this.#flag, { force: true });
  }

  async remove() {
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #library() {
    return path.join(this.#directory, "full_disk.so");
  }

  get #flag() {
    return path.join(this.#directory, "full");
  }
}
