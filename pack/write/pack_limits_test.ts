// Limits of packs and of index tables: met exactly, and passed by one.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { Hasher } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { encodeHeader } from "@snap/store";
import { PageCache } from "../index/page_cache.ts";
import {
  INDEX_OPTIONS,
  type MadePack,
  TestFiles,
  writerOptions,
} from "../_testing.ts";
import { IndexSyntaxError, PackSyntaxError } from "../errors.ts";
import { FrameBuilder } from "./frame_builder.ts";
import {
  decodeIndexHead,
  encodeIndexHead,
  INDEX_PAGE_SIZE,
  INDEX_SIZE_MAX,
  type IndexHead,
  readIndexHeadSize,
  ROWS_PER_PAGE,
} from "../index/index_table.ts";
import { isPageRequest } from "../location.ts";
import { replacedTables } from "../index/index_file.ts";
import { COPIES_MAX } from "../index/object_index.ts";
import {
  decodePackFooter,
  encodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
  PACK_SIZE_MAX,
} from "./pack_footer.ts";
import { lz4Codec } from "../codec/lz4_codec.ts";
import { PackWriter } from "./pack_writer.ts";

/** A pack of one frame whose objects have any ids that a test wants. */
function packOfIds(ids: readonly Uint8Array[], seed = 1): MadePack {
  const settings = writerOptions({ seed });
  const writer = new PackWriter(settings);
  const frame = new FrameBuilder();
  for (const id of ids) frame.add(Uint8Array.of(seed), id, 0, 1);
  writer.addFrame(frame.plain(), frame.rows);
  return { ...writer.finish(), bytes: settings.sink.bytes() };
}

/** An id that begins with four bytes and ends with a number. */
function idWith(prefix: number, number: number): Uint8Array {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, prefix, true);
  new DataView(id.buffer).setUint32(28, number);
  return id;
}

/** Hashes tables, and leaves out what would take seconds: the bytes of a pack. */
const quickHasher: Hasher = {
  ...wasmHasher,
  hashInto: (...args) => wasmHasher.hashInto(...args),
  stream: () => {
    const stream = wasmHasher.stream();
    stream.update = () => stream;
    return stream;
  },
} as Hasher;

Deno.test("a pack has at most 2 GiB less one byte, table and footer included", () => {
  const rest = PACK_HEADER_SIZE + 20 + 48 + PACK_FOOTER_SIZE;
  // Of pages that nobody touches.
  const large = new Uint8Array(PACK_SIZE_MAX - rest + 1);
  for (const more of [0, 1]) {
    const stored = large.subarray(0, PACK_SIZE_MAX - rest + more);
    const settings = {
      ...writerOptions(),
      sink: { write() {} },
      codec: { ...lz4Codec, compress: () => stored },
      hasher: quickHasher,
    };
    const writer = new PackWriter(settings);
    const frame = new FrameBuilder();
    frame.add(Uint8Array.of(1), idWith(1, 1), 0, 1);
    const add = () => writer.addFrame(frame.plain(), frame.rows);
    if (more === 1) throws(add, RangeError);
    else {
      add();
      equal(writer.finish().size, PACK_SIZE_MAX);
    }
  }
});

Deno.test("PackWriter counts what it has written, and writes nothing before the first frame", () => {
  const settings = writerOptions();
  const writer = new PackWriter(settings);
  equal(settings.sink.bytes().length, 0);
  equal(writer.size, PACK_HEADER_SIZE);
  const frame = new FrameBuilder();
  for (let i = 0; i < 3; i++) frame.add(Uint8Array.of(i), idWith(i, 0), 0, 1);
  for (let frames = 1; frames <= 2; frames++) {
    writer.addFrame(frame.plain(), frame.rows);
    equal(writer.frameCount, frames);
    equal(writer.objectCount, 3 * frames);
    equal(writer.size, settings.sink.bytes().length);
  }
  equal(writer.finish().size, settings.sink.bytes().length);
  throws(() => writer.finish(), TypeError);
});

Deno.test("PackWriter takes a stored frame only with its own checksum", () => {
  const stored = Uint8Array.of(1, 2, 3);
  const frame = new FrameBuilder();
  frame.add(stored, idWith(1, 1), 0, 1);
  const crc = crc32(stored);
  for (const [said, isGood] of [[crc, true], [crc + 1, false], [0, false]]) {
    const settings = writerOptions();
    const writer = new PackWriter(settings);
    const place = { plainSize: 3, codecTag: 0, crc: Number(said) };
    const add = () => writer.addStoredFrame(stored, place, frame.rows);
    if (isGood) {
      add();
      equal(writer.finish().table.crc(0), crc);
    } else {
      throws(add, PackSyntaxError);
      equal(writer.objectCount, 0, "it is as it was");
      equal(settings.sink.bytes().length, 0);
    }
  }
});

Deno.test("a footer is read up to the largest pack, its table from the header on", () => {
  const footer = {
    frameCount: 0,
    objectCount: 0,
    tableHash: new Uint8Array(32),
    role: 1 as const,
  };
  const cases: [number, number, boolean][] = [
    [PACK_HEADER_SIZE, PACK_HEADER_SIZE + PACK_FOOTER_SIZE, true],
    [PACK_HEADER_SIZE - 1, PACK_HEADER_SIZE - 1 + PACK_FOOTER_SIZE, false],
    [PACK_SIZE_MAX - PACK_FOOTER_SIZE, PACK_SIZE_MAX, true],
    [PACK_SIZE_MAX + 1 - PACK_FOOTER_SIZE, PACK_SIZE_MAX + 1, false],
    [100, 100 + PACK_FOOTER_SIZE + 1, false],
    [100, 100 + PACK_FOOTER_SIZE - 1, false],
  ];
  for (const [tableOffset, size, isGood] of cases) {
    const bytes = encodePackFooter({ ...footer, tableOffset });
    const read = () => decodePackFooter(bytes, size);
    if (isGood) equal(read().tableOffset, tableOffset);
    else throws(read, PackSyntaxError, `${tableOffset} of ${size}`);
  }
});

Deno.test("objects are found across index pages that begin with equal prefixes", () => {
  for (
    const count of [
      1,
      ROWS_PER_PAGE - 1,
      ROWS_PER_PAGE,
      ROWS_PER_PAGE + 1,
      4 * ROWS_PER_PAGE,
    ]
  ) {
    // Some before, many of one prefix, some after: pages begin anywhere in it.
    for (const before of [0, 1, ROWS_PER_PAGE - 1, ROWS_PER_PAGE]) {
      const ids = [
        ...Array.from({ length: before }, (_, i) => idWith(5, 2 * i)),
        ...Array.from({ length: count }, (_, i) => idWith(7, 2 * i)),
        ...Array.from({ length: 3 }, (_, i) => idWith(9, 2 * i)),
      ];
      const files = new TestFiles();
      files.addIndex([packOfIds(ids)]);
      const index = files.open();
      for (const id of ids) {
        ok(index.locate(id, 0, 1), `${before} ${count} ${id.toHex()}`);
        equal(index.locateAll(id, 0, 1).length, 1);
        equal(index.locate(id, 0, 2), undefined);
      }
      for (const prefix of [4, 5, 6, 7, 8, 9, 10]) {
        for (
          const number of [
            1,
            2 * count - 1,
            2 * count + 1,
            2 * before + 1,
            2 ** 32 - 1,
          ]
        ) {
          const absent = idWith(prefix, number);
          equal(index.locate(absent, 0, 1), undefined);
          deepEqual(index.locateAll(absent, 0, 1), []);
        }
      }
    }
  }
});

Deno.test("copies of an object are found across pages, up to 64", () => {
  for (const count of [2, COPIES_MAX - 1, COPIES_MAX, COPIES_MAX + 1]) {
    for (const before of [0, ROWS_PER_PAGE - 1, ROWS_PER_PAGE - count + 1]) {
      const first = packOfIds([
        ...Array.from({ length: before }, (_, i) => idWith(5, i)),
        idWith(7, 1),
        idWith(7, 2),
      ]);
      const packs = Array.from(
        { length: count - 1 },
        (_, i) => packOfIds([idWith(7, 1)], i + 2),
      );
      const files = new TestFiles();
      files.addIndex([first, ...packs]);
      const index = files.open();
      const expected = Math.min(count, COPIES_MAX);
      const copies = index.locateAll(idWith(7, 1), 0, 1);
      equal(new Set(copies.map(({ packName }) => packName)).size, expected);
      equal(copies.length, expected);
      equal(index.locateAll(idWith(7, 2), 0, 1).length, 1);
      index.index.markBad(copies[0].packId);
      const again = index.locateAll(idWith(7, 1), 0, 1);
      equal(again.length, expected);
      deepEqual(again.at(-1)?.packId, copies[0].packId);
    }
  }
});

Deno.test("packs are numbered across tables, and no number is past the end", () => {
  const files = new TestFiles();
  const packs = [1, 2, 3].map((seed) => packOfIds([idWith(seed, 1)], seed));
  files.addIndex(packs.slice(0, 2));
  files.addIndex(packs.slice(2), { salt: new Uint8Array(32).fill(1) });
  const index = files.open();
  const names = [...index.packs()].map(({ packName }) => packName);
  equal(new Set(names).size, 3);
  equal(index.index.packCount, 3);
  for (const number of [-1, 3, NaN]) {
    throws(() => index.index.packAt(number), RangeError);
  }
});

Deno.test("ObjectIndex takes a page of exactly its size", () => {
  const id = idWith(1, 1);
  const files = new TestFiles();
  files.addIndex([packOfIds([id])]);
  const { index } = files.open();
  const request = index.locate(id, 0, 1);
  ok(isPageRequest(request));
  const longer = new Uint8Array(INDEX_PAGE_SIZE + 1);
  files.readAt(request.name, request.offset, longer.subarray(0, -1));
  throws(() => index.give(request, longer), /needs 4096 bytes/);
  throws(() => index.give(request, longer.subarray(0, -2)), /needs 4096 bytes/);
  index.give(request, longer.subarray(0, -1));
  ok(isPageRequest(index.locate(id, 0, 1)), "the next page");
});

Deno.test("PageCache keeps a page that was used since the last round", () => {
  const cache = new PageCache(3);
  const page = new Uint8Array(INDEX_PAGE_SIZE);
  const held = (number: number) => cache.find(0, number) >= 0;
  for (const number of [1, 2, 3]) cache.put(0, number, page);
  cache.put(0, 4, page); // All were used: the first goes.
  equal(held(1), false);
  ok(held(3));
  cache.put(0, 5, page);
  equal(held(2), false, "was not used since");
  ok(held(3) && held(4) && held(5));
  cache.put(0, 4, page.slice().fill(9));
  deepEqual(
    cache.bytes[cache.find(0, 4)],
    0,
    "a page that is there is not put again",
  );
  ok(held(3) && held(5));
});

Deno.test("PageCache tells tables apart, also the first pages from the last", () => {
  const cache = new PageCache(8);
  const pageOf = (value: number) => new Uint8Array(INDEX_PAGE_SIZE).fill(value);
  const last = 2 ** 20 - 1;
  cache.put(0, last, pageOf(1));
  cache.put(1, 0, pageOf(2));
  cache.put(1, last, pageOf(3));
  const valueAt = (table: number, number: number) =>
    cache.bytes[cache.find(table, number)];
  deepEqual([valueAt(0, last), valueAt(1, 0), valueAt(1, last)], [1, 2, 3]);
  equal(cache.find(0, 0), -1);
  equal(cache.find(2, 0), -1);
});

function headOf(fields: Partial<IndexHead>): IndexHead {
  const { saveId, salt, timeMs } = INDEX_OPTIONS;
  const counts = { packCount: 0, frameCount: 0, objectCount: 0 };
  const none = { replaces: new Uint8Array(0), fanOut: new Uint32Array(0) };
  return { saveId, salt, timeMs, ...counts, ...none, ...fields };
}

Deno.test("the head of an index table keeps to its limits", () => {
  const ids = (...numbers: number[]) => {
    const all = new Uint8Array(32 * numbers.length);
    numbers.forEach((number, i) => all.set(idWith(number, 0), 32 * i));
    return all;
  };
  const cases: [string, Partial<IndexHead>, boolean][] = [
    ["the latest time", { timeMs: Number.MAX_SAFE_INTEGER }, true],
    ["a time past it", { timeMs: 2 ** 53 }, false],
    ["tables in order", { replaces: ids(1, 2, 3) }, true],
    ["a table twice", { replaces: ids(1, 2, 2) }, false],
    ["tables out of order", { replaces: ids(2, 1) }, false],
    ["pages that begin alike", {
      objectCount: 86,
      fanOut: Uint32Array.of(7, 7),
    }, true],
    [
      "pages out of order",
      { objectCount: 86, fanOut: Uint32Array.of(7, 6) },
      false,
    ],
  ];
  for (const [title, fields, isGood] of cases) {
    const head = headOf(fields);
    const bytes = encodeIndexHead(head, wasmHasher);
    const size = bytes.length + INDEX_PAGE_SIZE * head.fanOut.length;
    const read = () => decodeIndexHead(bytes, size, wasmHasher);
    if (isGood) deepEqual(read(), head, title);
    else throws(read, IndexSyntaxError, title);
    throws(
      () => decodeIndexHead(bytes.subarray(0, -1), size, wasmHasher),
      IndexSyntaxError,
    );
    throws(
      () => readIndexHeadSize(bytes.subarray(0, 127), size),
      IndexSyntaxError,
    );
    equal(readIndexHeadSize(bytes.subarray(0, 128), size), bytes.length);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    if (isGood) deepEqual(decodeIndexHead(longer, size, wasmHasher), head);
  }
  const bytes = encodeIndexHead(headOf({}), wasmHasher);
  throws(() => readIndexHeadSize(bytes, INDEX_SIZE_MAX), /0 objects need/);
  throws(() => readIndexHeadSize(bytes, INDEX_SIZE_MAX + 1), /at most/);
});

Deno.test("a table that says it replaces itself counts", () => {
  const head = headOf({ replaces: new Uint8Array(64).fill(0xab, 0, 32) });
  const name = `index/${"ab".repeat(32)}`;
  deepEqual([...replacedTables([{ name, size: 1, head }])], [
    `index/${"00".repeat(32)}`,
  ]);
});

Deno.test("the header of an index table is checked also where its checksum is right", () => {
  const { saveId, salt } = INDEX_OPTIONS;
  const bytes = encodeIndexHead(headOf({}), wasmHasher);
  bytes.set(encodeHeader({ kind: "PACK", saveId, salt }));
  wasmHasher.hashInto(bytes.subarray(0, 128), bytes, 128);
  const size = bytes.length;
  throws(() => readIndexHeadSize(bytes, size), IndexSyntaxError);
  throws(() => decodeIndexHead(bytes, size, wasmHasher), IndexSyntaxError);
});
