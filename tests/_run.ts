// Running programs, for the tests of what is published.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../_tools/workspace.ts";

/** What a program answered. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a program runs. */
export interface RunOptions {
  readonly cwd: string;
  /** The environment, but for `PATH`; nothing else is handed down. */
  readonly env: Record<string, string>;
}

/** What finding certificates and packages needs, where a machine has its own. */
const HANDED_DOWN =
  /^(PATH|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|DENO_CERT|DENO_TLS_CA_STORE|https?_proxy|no_proxy|NPM_CONFIG_REGISTRY)$/i;

/** Runs a program to its end. */
export async function run(
  command: readonly string[],
  { cwd, env }: RunOptions,
): Promise<Outcome> {
  const kept = Object.entries(Deno.env.toObject())
    .filter(([name]) => HANDED_DOWN.test(name));
  const [program, ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    clearEnv: true,
    env: { ...Object.fromEntries(kept), NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Runs a program that has to succeed, and gives what it said. */
export async function runWell(
  command: readonly string[],
  options: RunOptions,
): Promise<Outcome> {
  const outcome = await run(command, options);
  if (outcome.code === 0) return outcome;
  throw new Error(`${command.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
}

/** Gives the only command of the README that matches, without its comment. */
export function readmeCommand(pattern: RegExp): string {
  const blocks = readFileSync(`${ROOT}README.md`, "utf8")
    .matchAll(/^```sh\n([^]*?)^```$/gm);
  const lines = [...blocks].flatMap(([, text]) => text.split("\n"))
    .filter((line) => pattern.test(line));
  if (lines.length === 1) return lines[0].replace(/ +#.*$/, "");
  throw new Error(`Cannot find one command like ${pattern} in the README`);
}

/** The cache of this Deno, for programs that have no home. */
export function denoFolder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? "", ".cache");
  return Deno.env.get("DENO_DIR") ?? join(cache, "deno");
}

/** What the user has set for npm, such as the registry of all that is not ours. */
export function userSettings(): string {
  const path = Deno.env.get("npm_config_userconfig") ??
    join(Deno.env.get("HOME") ?? "", ".npmrc");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
