// A root of Debian as debootstrap makes it, cut into ten layers.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { restore } from "@snap/restore";
import { debootstrap, lacksDebootstrap } from "../../tests/_debian.ts";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { describeTree, isRoot, TestFolder } from "../../tests/_test_trees.ts";
import { END, entry } from "../tar/_testing.ts";
import { imageOf } from "./_testing.ts";
import { importOci } from "./import_oci.ts";

const WAYS = [gzipSync, zstdCompressSync, (plain: Uint8Array) => plain];
/** Layers of files; one of directories is below them, two of changes above. */
const FILE_LAYERS = 7;
const KEPT = entry("etc/anew/kept", {}, "kept\n");

/** Has GNU tar pack some paths, and nothing that is below them. */
function packed(root: string, paths: readonly string[]): Uint8Array {
  const args = ["-C", root, "--xattrs", "--xattrs-include=*", "--format=posix"];
  return execFileSync(
    "tar",
    [...args, "--null", "--no-recursion", "-T", "-", "-cf", "-"],
    {
      input: paths.map((path) => `${path}\0`).join(""),
      maxBuffer: 1 << 30,
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
}

/** Cuts a root into layers: names of one file stay together, as a layer has links to its own files. */
function layersOf(root: string): Uint8Array[] {
  const text = execFileSync(
    "find",
    [root, "-mindepth", "1", "-printf", "%y %i %P\\0"],
    { encoding: "latin1", maxBuffer: 1 << 28 },
  );
  const directories: string[] = [];
  const files: string[][] = Array.from({ length: FILE_LAYERS }, () => []);
  for (const line of text.split("\0").slice(0, -1)) {
    const [, type, inode, path] = /^(.) (\d+) (.*)$/s.exec(line)!;
    if (type === "d") directories.push(path);
    else files[Number(inode) % FILE_LAYERS].push(path);
  }
  return [directories, ...files].map((paths) => packed(root, paths));
}

Deno.test({
  name:
    "ten layers of a root of Debian become that root, and each is read once",
  ignore: !isRoot || lacksDebootstrap(),
  async fn() {
    using folder = new TestFolder();
    const root = folder.at("root");
    debootstrap(root);
    mkdirSync(`${root}/etc/anew`);
    writeFileSync(`${root}/etc/anew/kept`, "kept\n");
    Deno.utimeSync(`${root}/etc/anew/kept`, 1, 1);
    const parts = layersOf(root).map((one) => [one]);
    parts.push([
      entry("etc/gone", {}, "1"),
      entry("usr/gone/too", {}, "2"),
      entry("etc/anew/old", {}, "3"),
      END,
    ]);
    parts.push([
      entry("etc/.wh.gone"),
      entry("usr/.wh.gone"),
      entry("etc/anew/.wh..wh..opq"),
      entry("none/.wh.none"),
      KEPT,
      END,
    ]);
    strictEqual(parts.length, 10);
    const layout = imageOf(parts, {
      compress: (plain, i) => WAYS[i % WAYS.length](plain),
    });
    const snapshots = await makeMemorySnapshots();
    const { record, totals } = await importOci(snapshots, layout);
    deepStrictEqual([...new Set(layout.reads.values())], [1]);
    ok(totals.entryCount > 3000, `${totals.entryCount} entries`);
    const { errors } = await restore(snapshots, record, folder.at("restored"));
    deepStrictEqual(errors, []);
    await snapshots[Symbol.asyncDispose]();
    const lines = (path: string): string[] =>
      // No layer names the root.
      describeTree(path).filter((line) => !line.startsWith(". "));
    deepStrictEqual(lines(folder.at("restored")), lines(root));
  },
});
