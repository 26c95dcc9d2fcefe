import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import type { NamedRecord } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import { MemoryStore } from "@snap/store/memory";
import { Prng } from "../../tests/_prng.ts";
import {
  latin,
  NO_TOTALS,
  noise,
  type TestDirectory,
  TestSnapshots,
} from "../../tests/_test_snapshots.ts";
import { measureSnapshots } from "./measure_snapshots.ts";
import { packsOf } from "./packs_of.ts";
import { sizesBy } from "./sizes_by.ts";

/** Chunks that large files have in common. */
const CHUNKS = [noise(700, 1), noise(900, 2), noise(800, 3), noise(600, 4)];

/** A tree of a few names and contents, so that trees have much in common. */
function someTree(prng: Prng, depth: number): TestDirectory {
  const tree: Record<string, TestDirectory[string]> = {};
  for (const name of ["a", "b", "c", "d"]) {
    const choice = prng.below(5);
    if (choice < 2) tree[name] = { file: `content ${prng.below(4)}` };
    if (choice === 2) {
      const from = prng.below(3);
      tree[name] = { chunks: [...CHUNKS.slice(from, from + 2), 100_000] };
    }
    if (choice === 3 && depth > 0) {
      tree[name] = { directory: someTree(prng, depth - 1) };
    }
  }
  return tree;
}

async function someSnapshots(seed: number, count: number): Promise<{
  readonly test: TestSnapshots;
  readonly snapshots: Snapshots<MemoryStore>;
  readonly records: readonly NamedRecord[];
}> {
  const test = new TestSnapshots();
  const prng = new Prng(seed);
  const records: NamedRecord[] = [];
  for (let i = 0; i < count; i++) {
    records.push(await test.save(someTree(prng, 3)));
  }
  return { test, snapshots: await test.open(), records };
}

Deno.test("what a record needs alone is what all need less what the others need", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { snapshots, records } = await someSnapshots(seed, 5);
    const all = await measureSnapshots(snapshots, records);
    strictEqual(all.snapshots.length, records.length);
    for (const { record, unique } of all.snapshots) {
      const others = records.filter((one) => one !== record);
      const { stored } = await measureSnapshots(snapshots, others);
      const message = `seed ${seed}`;
      strictEqual(
        unique.objectCount,
        all.stored.objectCount - stored.objectCount,
        message,
      );
      strictEqual(
        unique.plainByteCount,
        all.stored.plainByteCount - stored.plainByteCount,
        message,
      );
      const stays = all.stored.storedByteCount - stored.storedByteCount;
      ok(Math.abs(unique.storedByteCount - stays) <= 1, message);
    }
  }
});

Deno.test("measureSnapshots counts what is stored, each object and chunk once", async () => {
  const test = new TestSnapshots();
  const [x, y] = CHUNKS;
  const body = { totals: { ...NO_TOTALS, byteCount: 1000 } };
  const one = await test.save({
    big: { chunks: [x, y] },
    file: { file: "abc" },
    same: { directory: { file: { file: "abc" } } },
  }, body);
  const two = await test.save({ big: { chunks: [x, 5000, x] } }, body);
  const snapshots = await test.open();
  const told: number[][] = [];
  const usage = await measureSnapshots(snapshots, [one, two], {
    onProgress: (...done) => told.push(done),
  });
  strictEqual(usage.plainByteCount, 2000);
  strictEqual(usage.contentByteCount, x.length + y.length + 3);
  // Two chunks, "abc", two recipes, three trees, three pages.
  strictEqual(usage.stored.objectCount, 11);
  deepStrictEqual(
    usage.snapshots.map(({ unique }) => unique.objectCount),
    [7, 3],
  );
  deepStrictEqual(told, [[1, 4], [2, 4], [3, 4], [4, 4]]);
  // Nothing is compressed here.
  strictEqual(usage.stored.plainByteCount, usage.stored.storedByteCount);
});

Deno.test("a record is whole with the packs that it needs, and not with fewer", async () => {
  const { test, snapshots, records } = await someSnapshots(3, 6);
  const record = records[4];
  const packs = await packsOf(snapshots, record);
  ok(packs.length > 1 && packs.length < test.packs.length);
  const isWhole = async (names: readonly string[]): Promise<boolean> => {
    const store = new MemoryStore();
    for await (const batch of test.store.list("")) {
      for (const { name } of batch) {
        const isWanted = /^(config|snapshots)\//.test(name) ||
          names.includes(name);
        if (isWanted) await store.create(name, await test.store.read(name));
      }
    }
    await using copy = await openSnapshots(store, { hasher: wasmHasher });
    const report = await verify(copy, { data: true, records: [record] });
    // Nothing was copied of the index, which can be done without.
    return report.damages.every(({ subject }) => subject === "index");
  };
  const names = packs.map(({ packName }) => packName);
  strictEqual(await isWhole(names), true);
  for (const name of names) {
    strictEqual(await isWhole(names.filter((one) => one !== name)), false);
  }
  for (const { packSize, byteCount, objectCount } of packs) {
    ok(byteCount > 0 && byteCount < packSize && objectCount > 0);
  }
});

Deno.test("sizes by directory and type are those of the files, and growth is their difference", async () => {
  const test = new TestSnapshots();
  const before = await test.save({
    "a.ts": { file: "12345" },
    src: {
      directory: {
        "b.TS": { file: "123" },
        deep: { directory: { "c.md": { file: "1" } } },
      },
    },
    ".profile": { file: "1234567" },
    link: { link: "a.ts" },
  });
  const after = await test.save({
    "a.ts": { file: "1" },
    src: {
      directory: { deep: { directory: { "c.md": { file: "123456" } } } },
    },
    "caf\xe9": { directory: { x: { file: "12" } } },
    ".profile": { directory: { y: { file: "" } } },
  });
  const snapshots = await test.open();
  const reader = await snapshots.reader();
  const side = (record: NamedRecord) =>
    snapshotSide(reader, record, { attributes: false });
  const all = diffSnapshots.bind(undefined, undefined);
  const rows = async (
    changes: ReturnType<typeof all>,
    by: "directory" | "type",
    depth?: number,
  ) =>
    (await sizesBy(changes, { by, ...depth && { depth } }))
      .map(({ name, fileCount, byteCount }) => [name, fileCount, byteCount]);
  deepStrictEqual(await rows(all(side(before)), "directory"), [
    [".", 2, 12],
    ["src", 2, 4],
  ]);
  deepStrictEqual(await rows(all(side(before)), "directory", 2), [
    [".", 2, 12],
    ["src", 1, 3],
    ["src/deep", 1, 1],
  ]);
  deepStrictEqual(await rows(all(side(before)), "type"), [
    [".ts", 2, 8],
    ["", 1, 7],
    [".md", 1, 1],
  ]);
  const growth = () => diffSnapshots(side(before), side(after));
  deepStrictEqual(await rows(growth(), "directory"), [
    ["caf%E9", 1, 2],
    ["src", -1, 2],
    [".profile", 1, 0],
    [".", -1, -11],
  ]);
  deepStrictEqual(await rows(growth(), "type"), [
    [".md", 0, 5],
    ["", 1, -5],
    [".ts", -1, -7],
  ]);
});

Deno.test("more names than there is room for are one row", async () => {
  const test = new TestSnapshots();
  const names = Array.from({ length: 50 }, (_, i) => `f.${i}`);
  const record = await test.save(
    Object.fromEntries(names.map((name) => [name, { file: name }])),
  );
  const snapshots = await test.open();
  const side = snapshotSide(await snapshots.reader(), record, {
    attributes: false,
  });
  const how = { by: "type", rowsMax: 10 } as const;
  const rows = await sizesBy(diffSnapshots(undefined, side), how);
  strictEqual(rows.length, 11);
  strictEqual(rows.find(({ name }) => name === "(others)")?.fileCount, 40);
  strictEqual(
    rows.reduce((sum, { byteCount }) => sum + byteCount, 0),
    names.reduce((sum, name) => sum + latin(name).length, 0),
  );
});
