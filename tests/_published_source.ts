// A tree with what people have, for the tests of what is published.
import { equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { noise } from "./_snapshots.ts";

const RULES = "# What is left out\n*.log\n!kept.log\n/cache/\n[0-1]/x[!1]\n";
/** What the rules leave out. */
const LEFT_OUT = /\.log$|^\/cache\/|^\/[01]\/xa$/;
const VALUE = "a value";

/** Makes the tree: many files, one in parts, rule files, attributes, a link. */
export function makeSource(path: string): void {
  const write = (name: string, text: string | Uint8Array): void =>
    writeFileSync(join(path, name), text);
  mkdirSync(join(path, "empty"), { recursive: true });
  mkdirSync(join(path, "cache"));
  for (let i = 0; i < 400; i++) {
    mkdirSync(join(path, `${i % 7}`), { recursive: true });
    write(`${i % 7}/${i}`, noise(i * 9, i + 1));
  }
  // Enough for the lane, in which all threads cut one file.
  write("large", noise(34_000_000, 1));
  write("text", "some text\n".repeat(10_000));
  write("run", "#!/bin/sh\n");
  chmodSync(join(path, "run"), 0o755);
  symlinkSync("text", join(path, "link"));
  write(".snapignore", RULES);
  write("5/.snapignore", "!deep.log\n");
  for (const name of ["a.log", "cache/a", "0/xa", "3/b.log"]) write(name, name);
  for (const name of ["kept.log", "0/x1", "5/deep.log"]) write(name, name);
  for (const name of ["text", "3", "3/3"]) {
    const words = ["-n", "user.note", "-v", VALUE, join(path, name)];
    execFileSync("setfattr", words);
  }
}

/** Looks at the extended attributes of a restored copy. */
export function checkXattrs(copy: string): void {
  for (const name of ["text", "3", "3/3"]) {
    const words = ["-n", "user.note", "--only-values", join(copy, name)];
    const said = execFileSync("getfattr", words, { stdio: "pipe" });
    equal(said.toString(), VALUE, name);
  }
}

/** The content of a folder, by path; the `tmp` of a store has chance in it. */
export function filesBelow(path: string): Map<string, string> {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\/tmp$/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(entries.map((one) => [
    one.slice(path.length),
    wasmHasher.idOf(readFileSync(one)),
  ]));
}

/** What a snapshot of the tree has of it. */
export function keptBelow(source: string): Map<string, string> {
  const kept = /\/(kept|deep)\.log$/;
  const all = [...filesBelow(source)];
  return new Map(
    all.filter(([name]) => kept.test(name) || !LEFT_OUT.test(name)),
  );
}
