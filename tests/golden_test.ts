// The golden stores: what a released version wrote is read for ever.
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { ObjectKind, PackRole } from "@snap/pack";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { listTags, tagLog } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { type FileStore, openFileStore } from "@snap/store/file";
import {
  describeGolden,
  folderWithXattrs,
  GOLDEN_CONTENTS,
  GOLDEN_NAMES,
  GOLDEN_SUMS,
  GOLDEN_TAG,
  GOLDEN_XATTRS,
  goldenFolder,
  goldenSums,
  goldenVersions,
  isFull,
  portableLines,
  ZEROS,
} from "./_golden.ts";
import { ROOT } from "../_tools/workspace.ts";
import { makeGolden } from "./_make_golden.ts";
import { makeMemorySnapshots, open, TemporaryFolder } from "./_snapshots.ts";

/** A golden store, where it lies, and what it is to say. */
interface GoldenStore {
  readonly name: string;
  readonly path: string;
  readonly manifest: string;
}

/** Lists the stores of all versions. */
function goldenStores(): GoldenStore[] {
  return goldenVersions().flatMap((version) =>
    GOLDEN_NAMES.map((name) => ({
      name: `${version}/${name}`,
      path: join(goldenFolder(version), name),
      manifest: readManifest(version),
    }))
  );
}

function readManifest(version: string): string {
  return readFileSync(join(goldenFolder(version), "manifest.txt"), "utf8");
}

/** Opens a golden store where it lies: reading makes no file and no folder. */
async function openGolden(path: string): Promise<Snapshots<FileStore>> {
  return await open(await openFileStore(path));
}

function latin(path: string): Uint8Array {
  return Buffer.from(path, "latin1");
}

/** Reads the role out of the footer of a pack. */
function roleOf(path: string): number {
  const bytes = readFileSync(path);
  return bytes.readUInt32LE(bytes.length - 16);
}

/** Lists the data packs of a golden store, each with its id. */
function dataPacks(folder: string, name: string): string[] {
  return goldenSums(folder).filter((sum) => {
    const path = sum.slice(66);
    return path.startsWith(`${name}/packs/`) &&
      roleOf(join(folder, path)) === PackRole.data;
  });
}

Deno.test("every released version has golden files", () => {
  const released = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8")
    .matchAll(/^## (\S+)/gm);
  const versions = goldenVersions();
  for (const [, version] of released) ok(versions.includes(version), version);
  ok(versions.length > 0);
});

for (const version of goldenVersions()) {
  Deno.test(`golden files are those that ${version} wrote`, () => {
    const folder = goldenFolder(version);
    const sums = readFileSync(join(folder, GOLDEN_SUMS), "utf8");
    deepEqual(goldenSums(folder), sums.trimEnd().split("\n"));
  });
}

for (const { name, path, manifest } of goldenStores()) {
  Deno.test(`golden store ${name} has the records, trees and pages of the manifest`, async () => {
    await using snapshots = await openGolden(path);
    equal(await describeGolden(snapshots), manifest);
    const [second, first] = await snapshots.records();
    equal(first.tree, second.tree);
    notEqual(first.page, second.page);
    notEqual(first.record, second.record);
  });

  Deno.test(`golden store ${name} has the content of every file`, async () => {
    await using snapshots = await openGolden(path);
    for (const record of await snapshots.records()) {
      const view = await View.open(snapshots, record);
      for (const [path, bytes] of GOLDEN_CONTENTS) {
        const entry = await view.lookup(latin(path));
        ok(Buffer.from(bytes).equals(await view.read(entry!)), path);
      }
      const text = await view.lookup(latin("text"));
      const { xattrs } = text!.extras!;
      deepEqual(
        xattrs.map(({ name }) => Buffer.from(name).toString()),
        [...GOLDEN_XATTRS.keys()],
      );
      for (const [i, value] of [...GOLDEN_XATTRS.values()].entries()) {
        deepEqual(await view.readExtra(xattrs[i]), value);
      }
    }
  });

  Deno.test(`golden store ${name} gives ranges across its run of zeros`, async () => {
    await using snapshots = await openGolden(path);
    const [record] = await snapshots.records();
    const view = await View.open(snapshots, record);
    const entry = (await view.lookup(latin("large")))!;
    const bytes = GOLDEN_CONTENTS.get("large")!;
    const { start, end } = ZEROS;
    for (const offset of [0, start - 5000, start - 1, start, start + 5000]) {
      for (const to of [start + 5001, end - 1, end, end + 5000, 300_000]) {
        const read = await view.read(entry, { offset, length: to - offset });
        deepEqual(read, bytes.subarray(offset, to), `${offset} to ${to}`);
      }
    }
    const reader = await snapshots.reader();
    const recipe = RecipeNode.decode(
      await reader.readObject(entry.idBytes, ObjectKind.recipe),
      wasmHasher,
    );
    equal(recipe.level, 0);
    ok(recipe.count > 3, `${recipe.count} rows`);
    const zeros = recipe.rowAt(start + 10_000);
    equal(recipe.rowKind(zeros), RecipeRowKind.zeros);
    ok(recipe.size(zeros) > 250_000);
  });

  Deno.test(`golden store ${name} has a tag with two entries`, async () => {
    await using snapshots = await openGolden(path);
    const [second, first] = await snapshots.records();
    const entryOf = (number: number, { tree, record, time }: typeof first) => ({
      number,
      time,
      name: { tree, record },
    });
    const log = await Array.fromAsync(tagLog(snapshots, GOLDEN_TAG));
    deepEqual(log.flat(), [entryOf(2, second), entryOf(1, first)]);
    const tag = { tag: GOLDEN_TAG, ...entryOf(2, second) };
    deepEqual(await listTags(snapshots), [tag]);
  });

  Deno.test(`golden store ${name} is sound`, async () => {
    await using snapshots = await openGolden(path);
    const report = await verify(snapshots, { data: true });
    deepEqual(report.damages, []);
    equal(report.damageCount, 0);
    equal(report.recordCount, 2);
    equal(report.packCount, 4);
    equal(report.missingPackCount + report.orphanPackCount, 0);
  });

  Deno.test({
    name: `golden store ${name} is restored to what it was saved from`,
    ignore: !isFull(),
    async fn() {
      using folder = folderWithXattrs()!;
      await using snapshots = await openGolden(path);
      const records = (await snapshots.records()).reverse();
      for (const [number, record] of records.entries()) {
        const target = folder.join(`${number}`);
        const { errors, fidelity } = await restore(snapshots, record, target);
        deepEqual(errors, []);
        equal(fidelity, "full");
        await using again = await makeMemorySnapshots();
        const saved = await save(again, target);
        equal(saved.id, record.tree);
        deepEqual(saved.record.totals, record.totals);
        deepEqual(
          portableLines(await describeGolden(again), 0),
          portableLines(manifest, number),
        );
        const [text, hard] = ["text", "dir/hard"].map((path) =>
          statSync(join(target, path))
        );
        deepEqual([text.ino, text.nlink], [hard.ino, 2]);
      }
    },
  });
}

Deno.test({
  name: "saving what the golden stores hold writes the golden data packs",
  ignore: !isFull(),
  async fn() {
    const newest = goldenVersions().at(-1)!;
    using folder = folderWithXattrs()!;
    const to = folder.join("golden");
    mkdirSync(to);
    await makeGolden(to, folder.join("source"));
    equal(dataPacks(to, "none").length, 2);
    // A pack is named after its bytes; a new release of Zstandard may write others.
    deepEqual(dataPacks(to, "none"), dataPacks(goldenFolder(newest), "none"));
    const manifest = readManifest(newest);
    const text = readFileSync(join(to, "manifest.txt"), "utf8");
    for (const number of [0, 1]) {
      deepEqual(portableLines(text, number), portableLines(manifest, number));
    }
  },
});

Deno.test("golden files are never made over others", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  await rejects(
    makeGolden(goldenFolder(goldenVersions()[0]), source),
    /never made twice/,
  );
});
