import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import * as fs from "node:fs";
import { DamageError } from "@snap/pack";
import { save } from "@snap/save";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import { View } from "@snap/snapshot/view";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { noise, saveTree, TestFolder } from "../../tests/_test_trees.ts";
import { compressedSink } from "../compress/compressed_sink.ts";
import { exportTar } from "./export_tar.ts";
import { joined } from "./_testing.ts";

const LARGE = noise(9_000_000, 3);

/** Files of all sizes, one with holes, and so many bytes that workers are started. */
function makeTree(folder: TestFolder): string {
  for (let i = 0; i < 600; i++) {
    folder.file(`source/small/${i}`, noise(1 + 37 * i, i));
  }
  folder.file("source/empty", "");
  folder.file("source/middle", noise(3_000_000, 1));
  folder.file("source/large", LARGE);
  const holes = fs.openSync(folder.at("source/holes"), "w");
  fs.writeSync(holes, noise(5_000_000, 2), 0, 5_000_000, 1 << 20);
  fs.writeSync(holes, noise(70_000, 4), 0, 70_000, 40 << 20);
  fs.ftruncateSync(holes, 50 << 20);
  fs.closeSync(holes);
  fs.linkSync(folder.at("source/large"), folder.at("source/other"));
  return folder.at("source");
}

/** Exports all of a snapshot. */
async function exported(
  snapshots: Snapshots,
  record: NamedRecord,
  workers: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => void pieces.push(bytes.slice());
  const view = await View.open(snapshots, record);
  await exportTar(view, view.root, { write }, { snapshots, workers });
  return joined(...pieces);
}

/** Flips a byte where a store without compression holds bytes; copies are left. */
function damage(store: string, bytes: Uint8Array): void {
  for (const name of fs.readdirSync(`${store}/packs`, { recursive: true })) {
    const path = `${store}/packs/${name}`;
    if (!fs.statSync(path).isFile()) continue;
    const pack = fs.readFileSync(path);
    const at = pack.indexOf(bytes);
    if (at < 0) continue;
    pack[at + 10] ^= 1;
    fs.chmodSync(path, 0o600);
    fs.writeFileSync(path, pack);
    return;
  }
  throw new Error("Cannot damage store: no pack holds the bytes");
}

Deno.test("exportTar() writes the same archive with workers, without, and out of a store that is far away", async () => {
  using folder = new TestFolder();
  const source = makeTree(folder);
  const { snapshots, record } = await saveTree(source, folder.at("store"));
  const archives = [
    await exported(snapshots, record, 0),
    await exported(snapshots, record, 2),
  ];
  await snapshots[Symbol.asyncDispose]();
  // No program may open the files of a store in memory.
  const far = await makeMemorySnapshots();
  const saved = await save(far, source);
  archives.push(await exported(far, saved.record, 2));
  await far[Symbol.asyncDispose]();
  strictEqual(Buffer.compare(archives[0], archives[1]), 0, "with workers");
  strictEqual(Buffer.compare(archives[0], archives[2]), 0, "far away");
});

for (const workers of [0, 1]) {
  Deno.test(`exportTar() ends where content is damaged, with ${workers} workers`, async () => {
    using folder = new TestFolder();
    const { snapshots, record } = await saveTree(
      makeTree(folder),
      folder.at("store"),
      { codec: "none" },
    );
    damage(folder.at("store"), noise(1 + 37 * 300, 300));
    await rejects(exported(snapshots, record, workers), DamageError);
    await snapshots[Symbol.asyncDispose]();
  });

  Deno.test(`exportTar() takes the sound one of two copies, with ${workers} workers`, async () => {
    using folder = new TestFolder();
    const source = makeTree(folder);
    const one = folder.at("store"), two = folder.at("other");
    const made = await saveTree(source, one, { codec: "none" });
    await made.snapshots[Symbol.asyncDispose]();
    const again = await saveTree(source, two, { codec: "none" });
    await again.snapshots[Symbol.asyncDispose]();
    damage(one, LARGE.subarray(0, 100));
    for (const name of ["packs", "index"]) {
      fs.cpSync(`${two}/${name}`, `${one}/${name}`, {
        ...{ recursive: true, force: false },
      });
    }
    const { store } = made.snapshots;
    const snapshots = await openSnapshots(store, { hasher: wasmHasher });
    const archive = await exported(snapshots, made.record, workers);
    await snapshots[Symbol.asyncDispose]();
    strictEqual(archive.length > LARGE.length, true);
  });
}

Deno.test("exportTar() ends its workers where the sink fails, or a signal comes", async () => {
  using folder = new TestFolder();
  const { snapshots, record } = await saveTree(
    makeTree(folder),
    folder.at("store"),
  );
  const view = await View.open(snapshots, record);
  const full = new Error("full");
  const failing = { write: () => Promise.reject(full) };
  const options = { snapshots, workers: 1 };
  await rejects(exportTar(view, view.root, failing, options), full);
  const over = new AbortController();
  const stopping = { write: () => void over.abort(full) };
  const { signal } = over;
  const stopped = exportTar(view, view.root, stopping, { ...options, signal });
  await rejects(stopped, full);
  await snapshots[Symbol.asyncDispose]();
});

for (const compression of ["gzip", "zstd"] as const) {
  Deno.test(`compressedSink() writes the same ${compression} with workers and without`, async () => {
    const plain = new Uint8Array(25_000_000);
    plain.set(LARGE, 3_000_000);
    const made = await Promise.all([0, 1, 3].map(async (workers) => {
      const pieces: Uint8Array[] = [];
      const write = (bytes: Uint8Array) => void pieces.push(bytes.slice());
      const sink = compressedSink(compression, { write }, { workers });
      for (let at = 0; at < plain.length; at += 999_983) {
        await sink.write(plain.subarray(at, at + 999_983));
      }
      const digest = await sink.finish();
      await sink[Symbol.asyncDispose]();
      return [digest, joined(...pieces).length] as const;
    }));
    deepStrictEqual(made[1], made[0]);
    deepStrictEqual(made[2], made[0]);
    strictEqual(made[0][0].byteCount, made[0][1]);
  });
}
