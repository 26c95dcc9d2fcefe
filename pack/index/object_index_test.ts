import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import {
  BytesSink,
  idOf,
  INDEX_OPTIONS,
  type MadePack,
  makePack,
  mergeTables,
  randomPacks,
  TestFiles,
  writerOptions,
} from "../_testing.ts";
import { IndexSyntaxError } from "../errors.ts";
import { buildIndex } from "../index_writer/index_builder.ts";
import type { IndexFiles } from "./index_files.ts";
import { FrameBuilder } from "../write/frame_builder.ts";
import { ObjectKind } from "../object_kind.ts";
import { PackWriter } from "../write/pack_writer.ts";
import { PackSet } from "./pack_set.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Every object of the packs is found, in a pack that holds it so. */
function checkAll(index: IndexFiles, packs: readonly MadePack[]): void {
  for (const pack of packs) {
    const { table } = pack;
    for (let row = 0; row < table.objectCount; row++) {
      const ids = table.bytes;
      const copies = index.locateAll(ids, table.idStart(row), table.kind(row));
      const own = copies.find(({ packId }) => idEquals(packId, pack.id));
      ok(own, "copy in this pack");
      const frame = table.frame(row);
      deepEqual(
        [own.frameOffset, own.storedSize, own.plainSize, own.crc, own.codecTag],
        [
          table.frameOffset(frame),
          table.storedSize(frame),
          table.plainSize(frame),
          table.crc(frame),
          table.codecTag(frame),
        ],
      );
      equal(own.offset, table.offset(row));
      equal(own.size, table.size(row));
      equal(own.packSize, pack.size);
      ok(index.locate(ids, table.idStart(row), table.kind(row)));
    }
  }
}

function idEquals(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

Deno.test("index golden bytes", () => {
  const packs = [
    makePack([[text("hello"), text("world")], [text("again")]]),
    makePack([[text("hello"), text("more")]], { seed: 2 }),
  ];
  const [table] = buildIndex(packs, INDEX_OPTIONS);
  deepEqual(table.id, idOf(table.bytes));
  equal(table.size, 4 * 4096);
  equal(
    wasmHasher.idOf(table.bytes),
    "ba678b8c5386c0a57154e45241ed7cf88a84fb1c0276975e716cb90e70e173d6",
  );
});

Deno.test("ObjectIndex finds every object", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const packs = randomPacks(seed, {
      count: 1 + seed % 7,
      shared: seed % 3 * 5,
    });
    const files = new TestFiles();
    files.addIndex(packs);
    const index = files.open();
    checkAll(index, packs);
    equal(index.locate(idOf(text("absent")), 0, 1), undefined);
    equal(
      index.locate(packs[0].table.bytes, packs[0].table.idStart(0), 3),
      undefined,
    );
    equal([...index.packs()].length, packs.length);
  }
});

Deno.test("ObjectIndex finds objects across tables split by id", () => {
  const packs = randomPacks(5, { count: 100, shared: 50 });
  const files = new TestFiles();
  const tables = files.addIndex(packs, { sizeMax: 16 * 4096 });
  ok(tables.length > 2);
  ok(tables.every(({ size }) => size <= 16 * 4096));
  checkAll(files.open(), packs);
});

Deno.test("ObjectIndex ignores packs that are not present", () => {
  const one = makePack([[text("a"), text("b")]]);
  const two = makePack([[text("b"), text("c")]], { seed: 2 });
  const files = new TestFiles();
  files.addIndex([one, two]);
  const index = files.open();
  index.index.setPresentPacks(PackSet.from([two]));
  equal(index.locate(idOf(text("a")), 0, 1), undefined);
  deepEqual(index.locate(idOf(text("b")), 0, 1)?.packId, two.id);
  index.index.setPresentPacks(
    PackSet.from([{ id: two.id, size: two.size - 1 }]),
  );
  equal(index.locate(idOf(text("c")), 0, 1), undefined);
  index.index.setPresentPacks(undefined);
  ok(index.locate(idOf(text("a")), 0, 1));
});

Deno.test("ObjectIndex puts bad packs last", () => {
  const one = makePack([[text("a"), text("b")]]);
  const two = makePack([[text("b"), text("c")]], { seed: 2 });
  const files = new TestFiles();
  files.addIndex([one]);
  files.addIndex([two]);
  const index = files.open();
  const b = idOf(text("b"));
  const first = index.locate(b, 0, 1);
  ok(first);
  index.index.markBad(first.packId);
  const second = index.locate(b, 0, 1);
  ok(second && !idEquals(second.packId, first.packId));
  deepEqual(
    index.locateAll(b, 0, 1).map(({ packName }) => packName),
    [second.packName, first.packName],
  );
  index.index.markBad(second.packId);
  ok(index.locate(b, 0, 1), "the only copies are still read");
  ok(index.locate(idOf(text("a")), 0, 1));
  ok(index.locate(idOf(text("c")), 0, 1));
});

Deno.test("ObjectIndex works with the smallest cache", () => {
  const packs = randomPacks(9, { count: 40, shared: 100 });
  const files = new TestFiles();
  for (const pack of packs) files.addIndex([pack]);
  checkAll(files.open(0), packs);
});

Deno.test("ObjectIndex refuses a page that is damaged", () => {
  const packs = randomPacks(2, { count: 2 });
  const files = new TestFiles();
  const [{ name, size }] = files.addIndex(packs);
  files.files.get(name)![size - 100] ^= 1;
  const index = files.open();
  throws(() => checkAll(index, packs), IndexSyntaxError);
});

Deno.test("ObjectIndex looks into a table no more that is gone", () => {
  const one = makePack([[text("hello")]]);
  const other = makePack([[text("world")]], { seed: 2 });
  const files = new TestFiles();
  const [first] = files.addIndex([one], { salt: new Uint8Array(32).fill(1) });
  const sink = new BytesSink();
  const sources = { packs: [one, other], replaced: [first.name] };
  const { readAt } = files;
  const [second] = mergeTables(
    sources,
    { write: (bytes) => sink.write(bytes), end() {} },
    { ...INDEX_OPTIONS, readAt },
  );
  files.files.set(second.name, sink.bytes());
  const index = files.open();
  const keyOf = (word: string) =>
    index.locate(idOf(text(word)), 0, 1)?.frameKey;
  equal(index.index.packCount, 3);
  deepEqual([keyOf("hello"), keyOf("world")].sort(), [1, 2]);
  // What the table that is gone has replaced counts again, under its old number.
  index.index.dropTable(1);
  deepEqual([keyOf("hello"), keyOf("world")], [0, undefined]);
  index.index.dropTable(0);
  equal(keyOf("hello"), undefined);
});

Deno.test("ObjectIndex finds objects across pages whose ids begin alike", () => {
  const frame = new FrameBuilder();
  const ids: Uint8Array[] = [];
  const add = (
    writer: PackWriter,
    prefix: number,
    from: number,
    to: number,
  ) => {
    for (let i = from; i < to; i++) {
      const id = new Uint8Array(32).fill(prefix, 0, 4);
      id[30] = i >> 8;
      id[31] = i;
      ids.push(id);
      frame.add(text("x"), id, 0, ObjectKind.content);
    }
    writer.addFrame(frame.plain(), frame.rows);
    frame.clear();
  };
  // Two packs hold the same ids: their rows stand side by side, and go on to the next page.
  const packs = [1, 2].map((seed) => {
    const settings = writerOptions({ seed });
    const writer = new PackWriter(settings);
    for (const [prefix, count] of [[3, 10], [5, 200], [7, 84]]) {
      add(writer, prefix, 0, count);
    }
    return writer.finish();
  });
  const files = new TestFiles();
  const [{ name }] = files.addIndex(packs);
  for (const cacheSize of [0, 4 << 20]) {
    const index = files.open(cacheSize);
    for (const id of ids) equal(index.locateAll(id, 0, 1).length, 2);
    for (const [prefix, last] of [[3, 10], [5, 200], [7, 84], [5, 0xffff]]) {
      const id = new Uint8Array(32).fill(prefix, 0, 4);
      id[30] = last >> 8;
      id[31] = last;
      equal(index.locate(id, 0, 1), undefined);
      equal(index.locate(ids[prefix], 0, 3), undefined);
    }
    for (const prefix of [2, 4, 6, 8]) {
      equal(index.locate(new Uint8Array(32).fill(prefix), 0, 1), undefined);
    }
  }
  const { head } = files.open().index.tables.find((one) => one.name === name)!;
  ok(head.fanOut.filter((prefix) => prefix === 0x05050505).length >= 4);
});
