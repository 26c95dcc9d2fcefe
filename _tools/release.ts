// Prepares a release: one version everywhere, and the changelog. It needs no network
// and touches no git: docs/RELEASING.md has the steps around it.
//
//     deno task release patch|minor|major|VERSION
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPackages, readText, ROOT } from "./workspace.ts";

/** What makes a release. */
export interface ReleaseOptions {
  /** Which number to raise, or the version itself. */
  readonly to: string;
  /** The day, as the changelog has it: `2026-11-20`. */
  readonly day: string;
}

/** A file to write. */
interface Edit {
  readonly path: string;
  readonly text: string;
}

const VERSION_FILE = "cli/version.ts";
const CHANGES = "changes";

/**
 * Writes the version into every package and where the program prints it, and the
 * changes into the changelog. Nothing is written if anything is amiss.
 *
 * @param options What to release.
 * @returns The version.
 * @throws {Error} If there are no changes, or the version is taken, or a file has
 * not the form that is expected.
 */
export function release({ to, day }: ReleaseOptions): string {
  const before = currentVersion();
  const version = nextVersion(before, to);
  const files = changeFiles();
  const edits = [
    changelogEdit(files, `${version} (${day})`),
    replaceEdit(VERSION_FILE, `VERSION = "${before}"`, version),
    ...readPackages().map(({ folder }) =>
      replaceEdit(
        `${folder}/deno.json`,
        `"version": "${before}"`,
        version,
      )
    ),
  ];
  for (const { path, text } of edits) writeFileSync(join(ROOT, path), text);
  for (const file of files) rmSync(join(ROOT, CHANGES, file));
  return version;
}

/** The version that the program prints. */
function currentVersion(): string {
  const text = readText(VERSION_FILE);
  const [, version] = /VERSION = "(\d+\.\d+\.\d+)"/.exec(text) ?? [];
  if (version !== undefined) return version;
  throw new Error(
    `Cannot find the version as ${VERSION_FILE} has another form`,
  );
}

/**
 * Tells the version after another.
 *
 * @param before The version, three numbers.
 * @param to Which of them to raise: `major`, `minor` or `patch`; or a version.
 * @returns The version, three numbers.
 * @throws {RangeError} If `to` is neither, or a version below `before`.
 */
export function nextVersion(before: string, to: string): string {
  const numbers = before.split(".").map(Number);
  const raised = ["major", "minor", "patch"].indexOf(to);
  if (raised >= 0) {
    return numbers.map((number, i) =>
      i < raised ? number : i === raised ? number + 1 : 0
    ).join(".");
  }
  const isVersion = /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(to);
  if (isVersion && to.localeCompare(before, "en", { numeric: true }) >= 0) {
    return to;
  }
  throw new RangeError(
    `Cannot release as patch, minor, major or a version from ${before} on is needed: found ${to}`,
  );
}

function changeFiles(): string[] {
  const files = readdirSync(join(ROOT, CHANGES))
    .filter((name) => name.endsWith(".md") && name !== "README.md").sort();
  if (files.length > 0) return files;
  throw new Error(`Cannot release as ${CHANGES}/ has no change`);
}

/** Puts the changes above those of the release before. */
function changelogEdit(files: string[], heading: string): Edit {
  const path = "CHANGELOG.md";
  const text = readText(path);
  const [version] = heading.split(" ");
  if (text.includes(`\n## ${version} `)) {
    throw new Error(`Cannot release ${version} as ${path} has it already`);
  }
  const [, title, rest] = /^(# .*\n)\n?([^]*)$/.exec(text)!;
  const items = files.map((file) => {
    const change = readText(join(CHANGES, file)).trim();
    return `- ${change.replaceAll("\n", "\n  ")}\n`;
  });
  const parts = [title, `## ${heading}\n`, items.join("")];
  if (rest !== "") parts.push(rest);
  return { path, text: parts.join("\n") };
}

/** Replaces the version that stands once within a text of a file. */
function replaceEdit(
  path: string,
  found: string,
  version: string,
): Edit {
  const text = readText(path);
  if (text.split(found).length !== 2) {
    throw new Error(`Cannot release as ${path} needs one ${found}`);
  }
  const replaced = found.replace(/\d+\.\d+\.\d+/, version);
  return { path, text: text.replace(found, replaced) };
}

if (import.meta.main) {
  const day = new Date().toISOString().slice(0, 10);
  try {
    console.log(release({ to: Deno.args[0] ?? "", day }));
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
