import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import {
  INDEX_OPTIONS,
  type MadePack,
  makePack,
  mergeTables,
  Random,
  randomPacks,
  TestFiles,
} from "../_testing.ts";
import { IndexSyntaxError } from "../errors.ts";
import { buildIndex } from "./index_builder.ts";
import type { BuiltIndex, IndexOptions } from "./index_table_writer.ts";
import type { IndexFiles } from "../index/index_files.ts";
import { indexIdOf } from "../file_name.ts";
import { decodeIndexHead } from "../index/index_table.ts";
import { PackSet } from "../index/pack_set.ts";

/** Merges all tables that are there, and keeps the new ones beside them. */
function mergeAll(
  files: TestFiles,
  options: Partial<IndexOptions> = {},
): BuiltIndex[] {
  const tables = files.open().index.tables;
  const { readAt } = files;
  let parts: Uint8Array[] = [];
  const sink = {
    write: (bytes: Uint8Array) => void parts.push(bytes.slice()),
    end: ({ name, size }: BuiltIndex) => {
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      equal(at, size);
      parts = [];
      files.files.set(name, bytes);
    },
  };
  const settings = { ...INDEX_OPTIONS, ...options, readAt };
  return mergeTables({ files: tables }, sink, settings);
}

/** What an index says of every object, as text. */
function contentOf(index: IndexFiles, packs: readonly MadePack[]): string[] {
  const lines = new Set<string>();
  for (const { table } of packs) {
    for (let row = 0; row < table.objectCount; row++) {
      const [at, kind] = [table.idStart(row), table.kind(row)];
      for (const location of index.locateAll(table.bytes, at, kind)) {
        // Numbers within the index are others in another one.
        const { packId, ...rest } = location;
        const place = { ...rest, packNumber: 0, frameKey: 0, objectKey: 0 };
        lines.add(
          `${table.idBytes(row).toHex()} ${packId.toHex()} ${
            JSON.stringify(place)
          }`,
        );
      }
    }
  }
  return [...lines].sort();
}

function rowsOf(bytes: Uint8Array): Uint8Array {
  const { objectCount, replaces } = decodeIndexHead(
    bytes,
    bytes.length,
    wasmHasher,
  );
  const size = 128 + 4 * Math.ceil(objectCount / 85) + replaces.length + 32;
  return bytes.subarray(Math.ceil(size / 4096) * 4096);
}

Deno.test("merging tables gives the rows of one built at once", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const packs = randomPacks(seed, { count: 2 + seed * 3, shared: 20 });
    const files = new TestFiles();
    const random = new Random(seed);
    for (let start = 0; start < packs.length;) {
      // Some packs stand in two tables.
      const end = start + 1 + random.below(5);
      files.addIndex(packs.slice(Math.max(0, start - random.below(3)), end));
      start = end;
    }
    const count = files.files.size;
    const before = contentOf(files.open(), packs);
    const [merged, ...others] = mergeAll(files);
    equal(others.length, 0);
    const [expected] = buildIndex(packs, INDEX_OPTIONS);
    const bytes = files.files.get(merged.name) as Uint8Array;
    deepEqual(rowsOf(bytes), rowsOf(expected.bytes));
    const { replaces } = decodeIndexHead(bytes, bytes.length, wasmHasher);
    equal(replaces.length / 32, count);
    const index = files.open();
    equal(index.index.tables.length, count + 1);
    deepEqual(new Set(contentOf(index, packs)), new Set(before));
    equal(
      [...index.packs()].length,
      packs.length,
      "replaced tables are not read",
    );
  }
});

Deno.test("merging splits by id, and merges what was split", () => {
  const packs = randomPacks(4, { count: 120, shared: 60 });
  const files = new TestFiles();
  for (let at = 0; at < packs.length; at += 30) {
    files.addIndex(packs.slice(at, at + 30));
  }
  const before = contentOf(files.open(), packs);
  const parts = mergeAll(files, { sizeMax: 16 * 4096 });
  ok(parts.length >= 3);
  const replaced = parts.map(({ name, size }) => {
    const bytes = files.files.get(name) as Uint8Array;
    return decodeIndexHead(bytes, size, wasmHasher).replaces.length;
  });
  equal(replaced.pop(), 4 * 32, "the last table replaces");
  ok(replaced.every((size) => size === 0), "the others do not yet");
  deepEqual(contentOf(files.open(), packs), before);
  for (const name of [...files.files.keys()]) {
    if (!parts.some((part) => part.name === name)) files.files.delete(name);
  }
  deepEqual(contentOf(files.open(), packs), before);
  const [whole] = mergeAll(files);
  const [expected] = buildIndex(packs, INDEX_OPTIONS);
  deepEqual(
    rowsOf(files.files.get(whole.name) as Uint8Array),
    rowsOf(expected.bytes),
  );
});

Deno.test("merging leaves out packs that are gone", () => {
  const packs = randomPacks(3, { count: 10, shared: 20 });
  const files = new TestFiles();
  files.addIndex(packs.slice(0, 5));
  files.addIndex(packs.slice(5));
  const left = packs.slice(2, 8);
  const [merged] = mergeAll(files, { present: PackSet.from(left) });
  const [expected] = buildIndex(left, INDEX_OPTIONS);
  deepEqual(
    rowsOf(files.files.get(merged.name) as Uint8Array),
    rowsOf(expected.bytes),
  );
  const [none] = mergeAll(files, { present: new PackSet() });
  equal(none.objectCount, 0);
  equal([...files.open().packs()].length, 0);
});

Deno.test("a table that replaces tables that are gone is read", () => {
  const packs = randomPacks(3, { count: 2 });
  const files = new TestFiles();
  files.addIndex(packs);
  const [merged] = mergeAll(files);
  for (const name of [...files.files.keys()]) {
    if (name !== merged.name) files.files.delete(name);
  }
  const { table } = packs[0];
  ok(files.open().locate(table.bytes, table.idStart(0), 1));
});

Deno.test("index tables do not depend on the order of packs", () => {
  const packs = randomPacks(6, { count: 9, shared: 10 });
  const [one] = buildIndex(packs, INDEX_OPTIONS);
  const [two] = buildIndex(packs.toReversed(), INDEX_OPTIONS);
  deepEqual(one.id, two.id);
  deepEqual(one.id, indexIdOf(one.name));
});

Deno.test("tables of one build have salts of their own", () => {
  const packs = randomPacks(5, { count: 100 });
  const tables = buildIndex(packs, { ...INDEX_OPTIONS, sizeMax: 16 * 4096 });
  const salts = tables.map(({ bytes, size }) =>
    decodeIndexHead(bytes, size, wasmHasher).salt.toHex()
  );
  ok(tables.length > 1);
  equal(new Set(salts).size, tables.length);
});

Deno.test("no packs make no table", () => {
  equal(buildIndex([], INDEX_OPTIONS).length, 0);
});

Deno.test("packs without objects stay in the index", () => {
  const files = new TestFiles();
  files.addIndex([makePack([]), makePack([], { seed: 2 })]);
  equal([...files.open().packs()].length, 2);
});

Deno.test("merging refuses a damaged table", () => {
  const packs = randomPacks(3, { count: 4 });
  const files = new TestFiles();
  const [{ name, size }] = files.addIndex(packs);
  const bytes = files.files.get(name) as Uint8Array;
  for (let page = 4096; page < size; page += 4096) {
    bytes[page + 50] ^= 4;
    throws(() => mergeAll(files), (error) => {
      ok(error instanceof IndexSyntaxError);
      equal(error.tableName, name);
      return true;
    });
    bytes[page + 50] ^= 4;
  }
});

Deno.test("a table that cannot be read is replaced by one of its packs", () => {
  const packs = randomPacks(3, { count: 4 });
  const files = new TestFiles();
  const [{ name }] = files.addIndex(packs);
  const before = contentOf(files.open(), packs);
  const damaged = files.files.get(name) as Uint8Array;
  damaged[damaged.length - 4000] ^= 1;
  throws(() => contentOf(files.open(), packs), (error) => {
    ok(error instanceof IndexSyntaxError);
    equal(error.tableName, name);
    return true;
  });
  const parts: Uint8Array[] = [];
  const sink = {
    write: (bytes: Uint8Array) => void parts.push(bytes.slice()),
    end: (table: BuiltIndex) => {
      files.files.set(table.name, new Uint8Array(parts.flatMap((p) => [...p])));
    },
  };
  const { readAt } = files;
  const options = {
    ...INDEX_OPTIONS,
    readAt,
    salt: new Uint8Array(32).fill(7),
  };
  equal(mergeTables({ packs, replaced: [name] }, sink, options).length, 1);
  deepEqual(contentOf(files.open(), packs), before);
});
