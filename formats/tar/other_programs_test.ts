// Archives of GNU tar and bsdtar, and what these make of ours.
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { save } from "@snap/save";
import { View } from "@snap/snapshot/view";
import { restore } from "@snap/restore";
import {
  describeTree,
  isRoot,
  makeFullTree,
  TestFolder,
} from "../../tests/_test_trees.ts";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { exportTar } from "./export_tar.ts";
import { importTar } from "./import_tar.ts";
import { inPieces, joined } from "./_testing.ts";

const ignore = !isRoot;

function run(program: string, ...args: string[]): Uint8Array {
  const env = { PATH: Deno.env.get("PATH")!, LC_ALL: "C.UTF-8" };
  return execFileSync(program, args, {
    env,
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Exports a directory of the disk; the same twice. */
async function exported(path: string): Promise<Uint8Array> {
  const snapshots = await makeMemorySnapshots();
  const { record } = await save(snapshots, path);
  const view = await View.open(snapshots, record);
  const archives: Uint8Array[] = [];
  for (let round = 0; round < 2; round++) {
    const pieces: Uint8Array[] = [];
    const write = (bytes: Uint8Array) =>
      Promise.resolve(void pieces.push(bytes.slice()));
    const result = await exportTar(view, view.root, { write }, { snapshots });
    archives.push(joined(...pieces));
    strictEqual(result.byteCount, archives[round].length);
  }
  await snapshots[Symbol.asyncDispose]();
  strictEqual(Buffer.compare(archives[0], archives[1]), 0, "not reproducible");
  return archives[0];
}

/** Imports an archive, and restores it. */
async function unpacked(archive: Uint8Array, target: string): Promise<void> {
  const snapshots = await makeMemorySnapshots();
  const { record } = await importTar(snapshots, inPieces(archive, 99_991));
  const { errors } = await restore(snapshots, record, target);
  deepStrictEqual(errors, []);
  await snapshots[Symbol.asyncDispose]();
}

/**
 * All but times: bsdtar has its own way of writing fractions before 1970, and sets
 * no time of the root.
 */
function withoutTimes(root: string): string[] {
  return describeTree(root, { times: "none" })
    .filter((line) => !line.startsWith(". "));
}

Deno.test({
  name:
    "what is exported is what GNU tar, bsdtar and this program unpack: all that a restore brings back",
  ignore,
  fn: async () => {
    using folder = new TestFolder();
    const source = makeFullTree(folder, "source");
    const archive = await exported(source);
    writeFileSync(folder.at("a.tar"), archive);
    mkdirSync(folder.at("gnu"));
    const all = ["--xattrs", "--xattrs-include=*", "--acls"];
    run("tar", "-C", folder.at("gnu"), ...all, "-xpf", folder.at("a.tar"));
    const expected = describeTree(source);
    deepStrictEqual(describeTree(folder.at("gnu")), expected);
    await unpacked(archive, folder.at("own"));
    deepStrictEqual(describeTree(folder.at("own")), expected);
    mkdirSync(folder.at("bsd"));
    run("bsdtar", "-C", folder.at("bsd"), "-xpf", folder.at("a.tar"));
    deepStrictEqual(withoutTimes(folder.at("bsd")), withoutTimes(source));
  },
});

Deno.test({
  name: "what GNU tar packs in each of its formats is imported as it is",
  ignore,
  fn: async () => {
    using folder = new TestFolder();
    const source = makeFullTree(folder, "source");
    const expected = describeTree(source);
    const all = ["--xattrs", "--xattrs-include=*", "--acls", "-S"];
    for (const version of ["0.0", "0.1", "1.0"]) {
      const sparse = `--sparse-version=${version}`;
      const archive = run("tar", "-C", source, ...all, sparse, "-cf", "-", ".");
      const target = folder.at(`posix-${version}`);
      await unpacked(archive, target);
      deepStrictEqual(describeTree(target), expected, version);
    }
  },
});

Deno.test({
  name: "what bsdtar packs is imported as it is",
  ignore,
  fn: async () => {
    using folder = new TestFolder();
    const source = makeFullTree(folder, "source");
    const archive = run(
      "bsdtar",
      "-C",
      source,
      "--format=pax",
      "-cf",
      "-",
      ".",
    );
    await unpacked(archive, folder.at("target"));
    deepStrictEqual(withoutTimes(folder.at("target")), withoutTimes(source));
  },
});
