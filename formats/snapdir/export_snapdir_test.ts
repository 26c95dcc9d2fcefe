import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { type Id, idFromBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import {
  contentId,
  latin,
  TestSnapshots,
} from "../../tests/_test_snapshots.ts";
import { MemoryPool } from "./_testing.ts";
import { exportSnapdir } from "./export_snapdir.ts";
import { openFolderFiles } from "./folder_files.ts";
import { fileName, OBJECTS } from "./snapdir_files.ts";

const hasher = wasmHasher;

Deno.test("a snapshot with a name that snapdir cannot hold is not exported in part", async () => {
  const pool = new MemoryPool();
  const test = new TestSnapshots();
  const record = await test.save({ a: { file: "1" }, "z\n": { file: "2" } });
  const snapshots = await test.open();
  const reader = await snapshots.reader();
  await rejects(exportSnapdir(reader, record, pool.files, { hasher }), {
    name: "ExportError",
  });
  deepStrictEqual(await Array.fromAsync(pool.objects.list("")), []);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("a snapshot with a damaged file is exported without a manifest", async () => {
  const pool = new MemoryPool();
  const test = new TestSnapshots();
  const record = await test.save({
    a: { file: "good" },
    b: { id: contentId(latin("lost")), size: 4 },
  });
  const snapshots = await test.open();
  const reader = await snapshots.reader();
  await rejects(exportSnapdir(reader, record, pool.files, { hasher }), {
    name: "ObjectNotFoundError",
  });
  deepStrictEqual(await Array.fromAsync(pool.manifests.list("")), []);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("an export that is ended leaves no manifest", async () => {
  const pool = new MemoryPool();
  const test = new TestSnapshots();
  const record = await test.save({ a: { file: "1" }, b: { file: "2" } });
  const snapshots = await test.open();
  const reader = await snapshots.reader();
  const reason = new Error("ended");
  const control = new AbortController();
  const { signal } = control;
  const onProgress = () => control.abort(reason);
  await rejects(
    exportSnapdir(reader, record, pool.files, { hasher, signal, onProgress }),
    reason,
  );
  deepStrictEqual(await Array.fromAsync(pool.manifests.list("")), []);
  await snapshots[Symbol.asyncDispose]();
});

for (const kind of ["memory", "folder"]) {
  Deno.test(`an object that was cut off in a ${kind} is written anew`, async () => {
    using folder = new TemporaryFolder();
    const files = kind === "memory"
      ? new MemoryPool().files
      : await openFolderFiles(folder.join("pool"));
    const id = idFromBytes(contentId(latin("whole")));
    await write(files, id, latin("who"));
    const test = new TestSnapshots();
    const record = await test.save({ a: { file: "whole" } });
    const snapshots = await test.open();
    const reader = await snapshots.reader();
    const { newObjectCount } = await exportSnapdir(
      ...[reader, record, files, { hasher }] as const,
    );
    strictEqual(newObjectCount, 1);
    const pieces = await Array.fromAsync(
      files.read(fileName(OBJECTS, id), 5),
      (piece) => piece.slice(),
    );
    deepStrictEqual(pieces, [latin("whole")]);
    await snapshots[Symbol.asyncDispose]();
  });
}

Deno.test("a file that cannot be written whole leaves nothing in a folder", async () => {
  using folder = new TemporaryFolder();
  const files = await openFolderFiles(folder.path);
  const failure = new Error("no more");
  const pieces = async function* () {
    yield await Promise.resolve(latin("some"));
    throw failure;
  };
  await rejects(files.write(".objects/a/b", { size: 8, pieces }), failure);
  deepStrictEqual(readdirSync(folder.join(".objects", "a")), []);
});

Deno.test("a folder that is a file is an error, and no absence", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join(".objects"), "");
  mkdirSync(folder.join(".manifests/abc/abc/abc"), { recursive: true });
  const files = await openFolderFiles(folder.path);
  await rejects(files.size(".objects/a"), {
    name: "StoreError",
    code: "ENOTDIR",
  });
  deepStrictEqual(await Array.fromAsync(files.manifestIds()), []);
});

async function write(
  files: MemoryPool["files"],
  id: Id,
  bytes: Uint8Array,
): Promise<void> {
  const pieces = async function* () {
    yield await Promise.resolve(bytes);
  };
  await files.write(fileName(OBJECTS, id), { size: bytes.length, pieces });
}
