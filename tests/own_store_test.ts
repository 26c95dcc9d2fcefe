// Stores of one's own: those of the examples hold what a store has to hold, and a save and a restore.
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { hexOf } from "@snap/hash";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { NotFoundError, type PruneStore, StoreError } from "@snap/store";
import { type Blobs, BlobStore } from "@snap/store/blob-store";
import { initStore } from "@snap/store/format";
import { adoptFile, spoolPathOf } from "@snap/store/owner";
import { testStore } from "@snap/store/testing";
import {
  type Bucket,
  openBucketStore,
} from "../examples/stores/bucket_store.ts";
import { openSqliteStore } from "../examples/stores/sqlite_store.ts";
import { Prng } from "./_prng.ts";
import { open, TemporaryFolder } from "./_snapshots.ts";

const PAGE_SIZE = 100;

/** A bucket that answers as R2 does. */
class FakeBucket implements Bucket {
  readonly #objects = new Map<string, Uint8Array>();

  head(key: string) {
    const bytes = this.#objects.get(key);
    return Promise.resolve(bytes ? { size: bytes.length } : null);
  }

  async get(key: string, { range }: Parameters<Bucket["get"]>[1]) {
    const bytes = this.#objects.get(key);
    if (bytes === undefined) return null;
    const { offset, length = bytes.length } = range;
    if (offset >= bytes.length) throw new Error("get: range (10039)");
    const { buffer } = bytes.slice(offset, offset + length);
    return await Promise.resolve({
      arrayBuffer: () => Promise.resolve(buffer),
    });
  }

  put(key: string, bytes: Uint8Array, { onlyIf }: { onlyIf: Headers }) {
    strictEqual(onlyIf.get("if-none-match"), "*");
    if (this.#objects.has(key)) return Promise.resolve(null);
    this.#objects.set(key, new Uint8Array(bytes));
    return Promise.resolve({ key });
  }

  list({ prefix, cursor = "" }: Parameters<Bucket["list"]>[0]) {
    const objects = [...this.#objects].sort()
      .filter(([key]) => key.startsWith(prefix) && key > cursor)
      .map(([key, { length }]) => ({ key, size: length }));
    const page = objects.slice(0, PAGE_SIZE);
    return Promise.resolve({
      objects: page,
      ...(objects.length > PAGE_SIZE ? { cursor: page.at(-1)!.key } : {}),
    });
  }

  delete(key: string) {
    this.#objects.delete(key);
    return Promise.resolve();
  }
}

const stores: Readonly<Record<string, (folder: string) => PruneStore>> = {
  "a store in SQLite": (folder) => openSqliteStore(`${folder}/snaps.db`),
  "a store in a bucket": () => openBucketStore(new FakeBucket()),
};

for (const [name, openStore] of Object.entries(stores)) {
  testStore(name, () => {
    const folder = new TemporaryFolder();
    return Promise.resolve({
      store: openStore(folder.path),
      [Symbol.asyncDispose]: () => Promise.resolve(folder[Symbol.dispose]()),
    });
  });

  Deno.test(`${name} holds what was saved, and leaves no file behind`, async () => {
    using folder = new TemporaryFolder();
    const bytes = new Prng(1).bytes(3_000_000);
    mkdirSync(folder.join("source/sub"), { recursive: true });
    writeFileSync(folder.join("source/large"), bytes);
    writeFileSync(folder.join("source/sub/hello"), "hello");
    const store = openStore(folder.path);
    await initStore(store, { packSizeTarget: 2 ** 20 });
    await using snapshots = await open(store);
    const { record, saveId } = await save(snapshots, folder.join("source"));
    await restore(snapshots, record, folder.join("copy"));
    deepStrictEqual(
      new Uint8Array(readFileSync(folder.join("copy/large"))),
      bytes,
    );
    strictEqual(readFileSync(folder.join("copy/sub/hello"), "utf8"), "hello");
    const left = readdirSync(tmpdir()).filter((one) =>
      one.includes(hexOf(saveId))
    );
    deepStrictEqual(left, []);
  });
}

/** Blobs that hold five bytes, except for what a test says. */
function blobStore(blobs: Partial<Blobs>): BlobStore {
  return new BlobStore({
    size: () => 5,
    read: () => new Uint8Array(5),
    list: () => [],
    create: () => true,
    remove: () => {},
    ...blobs,
  });
}

Deno.test("what a store of one's own throws is a failure and no absence", async () => {
  const fail = (): never => {
    throw new NotFoundError("config/1");
  };
  const store = blobStore({
    size: fail,
    read: fail,
    list: fail,
    create: fail,
    remove: fail,
  });
  const calls = [
    store.size("config/1"),
    store.read("config/1"),
    store.create("config/1", new Uint8Array(1)),
    store.remove("config/1"),
    store.list("").next(),
  ];
  for (const call of calls) {
    await rejects(
      call,
      (error) =>
        error instanceof StoreError && error.cause instanceof NotFoundError,
    );
  }
  const full = Object.assign(new Error("No space left"), { code: "ENOSPC" });
  const create = (): Promise<boolean> => Promise.reject(full);
  await rejects(blobStore({ create }).create("config/1", new Uint8Array(1)), {
    name: "StoreError",
    code: "ENOSPC",
    message: "Cannot create config/1: No space left",
  });
});

Deno.test("a signal that ends a store of one's own is its reason", async () => {
  const reason = new Error("enough");
  const end = new AbortController();
  const read = (): never => {
    end.abort(reason);
    throw new Error("aborted");
  };
  await rejects(
    blobStore({ read }).read("config/1", { signal: end.signal }),
    reason,
  );
});

Deno.test("bytes that were not asked for are an error", async () => {
  const read = () => new Uint8Array(9);
  await rejects(blobStore({ read }).read("config/1", { length: 3 }), {
    name: "StoreError",
  });
});

Deno.test("a file that cannot be read creates nothing, and a save id is no path", async () => {
  const store = blobStore({
    create: () => {
      throw new Error("created");
    },
  });
  await rejects(
    adoptFile(store, { name: "packs/ab/one", path: "/none/at/all" }),
    { code: "ENOENT", action: "adopt" },
  );
  await rejects(async () => await spoolPathOf(store, "../x"), RangeError);
});
