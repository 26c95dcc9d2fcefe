// Copies the workspace under the names that it is published by.
import { dirname, join } from "node:path";
import { mkdirSync, writeFileSync } from "node:fs";
import { listFiles, readPackages, readText } from "./workspace.ts";

/** What the packages and the command are called where they are published. */
export interface Names {
  /** The scope of the packages, `@` and a name. */
  readonly scope: string;
  /** The command that they install. */
  readonly command: string;
  /** The address of the repository, once there is one. */
  readonly repository?: string;
}

/** The names that the sources use, whatever they are published by. */
const SOURCE_NAMES: Names = { scope: "@snap", command: "snap" };

/**
 * Reads `names.json`.
 *
 * @returns The names.
 */
export function readNames(): Names {
  return JSON.parse(readText("names.json"));
}

/**
 * Copies what `deno publish` and `deno pack` need: the members of the workspace,
 * without tests, and what the root says of all.
 *
 * @param folder Where to, an empty folder.
 * @param names The names to write instead of those of the sources.
 */
export async function stageWorkspace(
  folder: string,
  names: Names,
): Promise<void> {
  const members = readPackages().map((one) => `${one.folder}/`);
  const config = JSON.parse(readText("deno.json"));
  // The plugin of `deno lint` stays behind.
  delete config.lint;
  write(join(folder, "deno.json"), JSON.stringify(config, null, 2));
  for (const path of await listFiles()) {
    const isMember = members.some((member) => path.startsWith(member)) &&
      !/_test\.ts$|\/(testdata|_kernel)\//.test(path);
    if (!isMember && path !== "deno.lock") continue;
    write(join(folder, path), renamed(path, readText(path), names));
  }
}

/** Writes names into a file of the sources. */
function renamed(path: string, text: string, names: Names): string {
  const scoped = text.replaceAll(`${SOURCE_NAMES.scope}/`, `${names.scope}/`);
  if (path !== "cli/product.ts") return scoped;
  const line = (command: string): string => `COMMAND = "${command}";`;
  if (!scoped.includes(line(SOURCE_NAMES.command))) {
    throw new Error(`Cannot name the command as ${path} has another form`);
  }
  return scoped.replace(line(SOURCE_NAMES.command), line(names.command));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
