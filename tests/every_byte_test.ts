import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { displayPath } from "@snap/manifest/path";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { resolveSnapshot, tagSnapshot } from "@snap/snapshot/records";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { MemoryStore } from "@snap/store/memory";
import {
  NotFoundError,
  type ReadOptions,
  type ReadStore,
  type StoreEntry,
} from "@snap/store";

/** A store over a map, with one byte of one file changed. */
class FlippedStore implements ReadStore {
  /** The file that is changed. */
  name = "";
  readonly files: Map<string, Uint8Array> = new Map();
  #changed: Uint8Array = new Uint8Array(0);

  flip(name: string, at: number, bits: number): void {
    this.name = name;
    this.#changed = this.files.get(name)!.slice();
    this.#changed[at] ^= bits;
  }

  read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    const bytes = name === this.name ? this.#changed : this.files.get(name);
    if (bytes === undefined) return Promise.reject(new NotFoundError(name));
    const { offset = 0, length = bytes.length - offset } = options;
    if (offset + length > bytes.length) return Promise.reject(new RangeError());
    return Promise.resolve(bytes.slice(offset, offset + length));
  }

  size(name: string): Promise<number | undefined> {
    return Promise.resolve(this.files.get(name)?.length);
  }

  async *list(prefix: string): AsyncGenerator<StoreEntry[]> {
    yield [...this.files].filter(([name]) => name.startsWith(prefix))
      .map(([name, bytes]) => ({ name, size: bytes.length }));
  }
}

/** A directory with some of everything, as small as that goes. */
function makeSource(folder: string): void {
  Deno.mkdirSync(`${folder}/d/e`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/a`, "hello");
  Deno.writeTextFileSync(`${folder}/empty`, "");
  Deno.writeTextFileSync(`${folder}/d/x`, "#!/bin/sh\n", { mode: 0o755 });
  Deno.symlinkSync("../a", `${folder}/d/link`);
  // Above the largest chunk: a recipe with chunks and a run of zeros.
  const large = new Uint8Array(500_000).fill(65);
  large.fill(0, 200_000);
  Deno.writeFileSync(`${folder}/d/e/large`, large);
}

/** Saves it into memory. */
async function makeStore(): Promise<FlippedStore> {
  const folder = Deno.makeTempDirSync({ prefix: "every-byte-" });
  const memory = new MemoryStore();
  try {
    makeSource(folder);
    await initStore(memory, formatSettings(DEFAULT_SETTINGS));
    const snapshots = await openSnapshots(memory, { hasher: wasmHasher });
    const { record } = await save(snapshots, folder, { host: "here" });
    await tagSnapshot(snapshots, "main", record);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  const store = new FlippedStore();
  for await (const batch of memory.list("")) {
    for (const { name } of batch) {
      store.files.set(name, await memory.read(name));
    }
  }
  return store;
}

/** All that a reader can see of a store: what tag and latest name, with all bytes. */
async function readAll(store: ReadStore): Promise<Map<string, unknown>> {
  const snapshots = await openSnapshots(store, { hasher: wasmHasher });
  const seen = new Map<string, unknown>();
  try {
    const record = await resolveSnapshot(snapshots, "latest");
    seen.set("record", record);
    seen.set("tag", await resolveSnapshot(snapshots, "main"));
    const view = await View.open(snapshots, record);
    for await (const batch of view.walk().batches()) {
      for (const entry of batch) {
        const { kind, size, attributes, target, extras } = entry;
        const content = kind <= 2
          ? wasmHasher.idOf(await view.read(entry))
          : "";
        const path = displayPath(entry.path);
        seen.set(path, { kind, size, attributes, target, extras, content });
      }
    }
  } finally {
    await snapshots.refresh();
  }
  return seen;
}

Deno.test("no flipped byte of a store gives wrong bytes, and verify finds each that matters", async () => {
  const store = await makeStore();
  const expected = await readAll(store);
  strictEqual(expected.size, 9);
  let byteCount = 0;
  let readCount = 0;
  for (const [name, bytes] of store.files) {
    byteCount += bytes.length;
    for (let at = 0; at < bytes.length; at++) {
      store.flip(name, at, 1 << (at * 7 & 7));
      const where = `byte ${at} of ${name}`;
      const isFound = await verifyFinds(store);
      const seen = await readAll(store).catch(() => undefined);
      if (seen !== undefined) {
        readCount++;
        deepStrictEqual(seen, expected, where);
      }
      ok(isFound, `${where} was not found`);
    }
  }
  store.name = "";
  strictEqual(await verifyFinds(store), false);
  ok(byteCount > 10_000 && readCount > 0);
});

/** Whether verify reports damage, or the store cannot even be opened. */
async function verifyFinds(store: ReadStore): Promise<boolean> {
  try {
    const snapshots = await openSnapshots(store, { hasher: wasmHasher });
    const report = await verify(snapshots, { data: true });
    return report.damageCount > 0;
  } catch {
    return true;
  }
}
