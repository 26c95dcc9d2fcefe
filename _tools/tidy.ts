// Checks of the repository as text, for tests/tidy_test.ts. Each takes what it
// looks at and returns its problems, so that a canary can plant a fault.
import { constants } from "node:fs";
import type { DocEntry } from "./deno_doc.ts";
import type { Package } from "./workspace.ts";

/** A file of the repository. */
export interface TextFile {
  /** The path below the root. */
  readonly path: string;
  /** The whole text. */
  readonly text: string;
}

/** Programs and their parts: `cli` is run, not imported. */
const PROGRAMS = ["cli"];

/** An entry point is a file, or the `mod.ts` of a folder, of its name. */
export function entryPointProblems(
  { folder, exports }: Package,
  paths: readonly string[],
): string[] {
  return Object.entries(exports).flatMap(([entry, file]) => {
    if (!paths.includes(`${folder}/${file.slice(2)}`)) {
      return [`${folder}/deno.json names ${file}, which is not there`];
    }
    if (file.includes("/_")) return [`${folder}: ${file} is private`];
    const name = file.replace(/^\.\/|(\/mod)?\.ts$/g, "")
      .replaceAll("_", "-");
    return entry === (name === "mod" ? "." : `./${name}`)
      ? []
      : [`${folder}: ${file} is named "${entry}", not "./${name}"`];
  });
}

/** `mod.ts` re-exports each entry point, or its comment says the entry point's name. */
export function frontDoorProblems(
  { folder, name, exports }: Package,
  modText: string,
): string[] {
  return Object.entries(exports).filter(([entry, file]) =>
    entry !== "." && !PROGRAMS.includes(folder) &&
    !modText.includes(`"${file}"`) &&
    !modText.includes(name + entry.slice(1))
  ).map(([entry]) =>
    `${folder}/mod.ts neither re-exports nor mentions ${name}${entry.slice(1)}`
  );
}

/** The first comment of an entry point is that of the module, and says what it is for. */
export function commentProblems({ file, comment }: DocEntry): string[] {
  const isModule = comment.tags?.some(({ kind }) => kind === "module");
  if (!isModule) return [`${file} has no comment with @module`];
  return comment.doc?.trim() ? [] : [`${file} does not say what it is for`];
}

/** All packages have one version. */
export function versionProblems(packages: readonly Package[]): string[] {
  const versions = new Set(packages.map(({ version }) => version));
  return versions.size > 1
    ? [`versions differ: ${[...versions].join(" and ")}`]
    : [];
}

/** Flags and types of files differ between machines: they come from `node:fs`. */
export function flagProblems({ path, text }: TextFile): string[] {
  const names = Object.keys(constants).filter((name) => /^(O|S)_/.test(name));
  const redefined = new RegExp(`\\b(${names.join("|")})\\b[^=:;]*[=:] *[0-9]`);
  const named = /\b(const )?[A-Z]+_[A-Z_0-9]+\b[^=:]*[=:]/;
  return text.split("\n").flatMap((line, i) => {
    if (/^\s*(\/\/|\*|\/\*)/.test(line)) return [];
    const found = redefined.exec(line);
    if (found) {
      return [`${path}:${i + 1} writes ${found[1]}: node:fs knows it`];
    }
    return /\b0o?[0-7]{5,}\b/.test(line) && !named.test(line)
      ? [`${path}:${i + 1} has a nameless octal number`]
      : [];
  });
}

/** A document begins with its title and has no other. */
export function titleProblems({ path, text }: TextFile): string[] {
  const titles = withoutCode(text).match(/^# .+$/gm) ?? [];
  return titles.length === 1 && text.startsWith("# ")
    ? []
    : [`${path} has ${titles.length} titles, or does not begin with its title`];
}

/** Nothing speaks of the machine or the state that it was made in. */
export function wordProblems({ path, text }: TextFile): string[] {
  const banned =
    /(?<![\w.])\/work\/|\/tmp\/contract|\bFIX(?:ME)\b|\bTO(?:DO)\b/g;
  return [...text.matchAll(banned)].map(([word]) => `${path} says ${word}`);
}

/** Relative links lead to a file that is there, and to a heading in it. */
export function linkProblems(
  { path, text }: TextFile,
  read: (path: string) => string | undefined,
): string[] {
  const problems: string[] = [];
  for (const [, link] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue;
    const { pathname, hash } = new URL(link, `file:///${path}`);
    const target = decodeURIComponent(pathname.slice(1));
    const found = read(target);
    if (found === undefined) problems.push(`${path} links to ${link}`);
    else if (hash !== "" && !headingsOf(found).includes(hash.slice(1))) {
      problems.push(`${path} links to ${link}: no such heading`);
    }
  }
  return problems;
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```$/gms, "");
}

function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-")
  );
}

/** No file imports itself by way of others, types included: "go to definition" leads down. */
export function cycleProblems(files: readonly TextFile[]): string[] {
  const imports = new Map(
    files.map(({ path, text }) => [path, importsOf(path, text)]),
  );
  return [...imports.keys()].flatMap((path) => {
    const seen = new Set<string>();
    const rest = [...imports.get(path)!];
    for (let next; (next = rest.pop()) !== undefined;) {
      if (next === path) return [`${path} imports itself by way of others`];
      if (seen.has(next)) continue;
      seen.add(next);
      rest.push(...imports.get(next) ?? []);
    }
    return [];
  });
}

function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/^(?:im|ex)port\b[^;]*? from "(\.[^"]+)";/gm);
  return Array.from(
    found,
    ([, link]) => new URL(link, `file:///${path}`).pathname.slice(1),
  );
}

/** Files that a document names are there. */
export function fileProblems(
  { path, text }: TextFile,
  folders: readonly string[],
  isThere: (path: string) => boolean,
): string[] {
  const named = text.matchAll(/`([a-z_]+)(\/[a-z0-9_/]+\.ts)`/g);
  return Array.from(named, ([, folder, file]) => [folder, folder + file])
    .filter(([folder, file]) => folders.includes(folder) && !isThere(file))
    .map(([, file]) => `${path} names ${file}, which is not there`);
}
