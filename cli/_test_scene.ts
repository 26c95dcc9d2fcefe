/** A small tree to save, for the tests of commands. */
import { strictEqual } from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { posix } from "@snap/posix";
import { AT_FDCWD, O_CREAT, O_WRONLY } from "@snap/posix/constants";
import { type Outcome, type RunOptions, Sandbox } from "./_testing.ts";

const TEXT = new TextEncoder();

/** A folder with a small tree in `tree`, and a store in `store` once it is made. */
export class Scene extends Sandbox {
  constructor() {
    super();
    mkdirSync(this.at("tree", "sub", "empty"), { recursive: true });
    writeFileSync(this.at("tree", "a.ts"), "alpha\n");
    writeFileSync(this.at("tree", "sub", "b.ts"), "beta\n");
    writeFileSync(this.at("tree", "sub", "100%"), "all\n");
    symlinkSync("a.ts", this.at("tree", "link"));
    const name = TEXT.encode(this.at("tree", "sub", "n??\0"));
    name.set([0xff, 0x0a], name.length - 3);
    const fd = posix!.openAt(AT_FDCWD, name, O_CREAT | O_WRONLY, 0o644);
    posix!.write(fd, TEXT.encode("bytes\n"));
    posix!.close(fd);
  }

  async snap(
    args: readonly string[],
    options?: RunOptions,
  ): Promise<Outcome> {
    return await this.run(["--store", this.at("store"), ...args], options);
  }

  /** Runs what must succeed without a word, and returns its stdout. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.snap(args);
    // What latest is, is told always.
    strictEqual(stderr.replace(/^latest.* is .*\n/gm, ""), "");
    strictEqual(code, 0);
    return stdout;
  }

  /** Makes the store and saves the tree, tagged `main`. */
  async saved(): Promise<string> {
    await this.ok("init");
    return (await this.ok("save", "tree", "-t", "main", "--workers", "0"))
      .trim();
  }
}
