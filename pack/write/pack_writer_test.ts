import { deepEqual, equal, throws } from "node:assert/strict";
import type { Hasher } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { crc32 } from "node:zlib";
import { idOf, makePack, Random, writerOptions } from "../_testing.ts";
import { FrameBuilder } from "./frame_builder.ts";
import { lz4Codec } from "../codec/lz4_codec.ts";
import { CodecTag } from "../codec/codec.ts";
import { ObjectKind } from "../object_kind.ts";
import {
  decodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_SIZE_MAX,
} from "./pack_footer.ts";
import { readPackTable } from "./pack_table.ts";
import { PackWriter } from "./pack_writer.ts";
import { zstdCodec } from "../codec/zstd_codec.ts";
import { codecOf } from "../codec/codecs.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

Deno.test("PackWriter golden bytes", () => {
  const pack = makePack([[text("hello"), text("world")], [text("again")]]);
  equal(pack.size, pack.bytes.length);
  deepEqual(pack.id, idOf(pack.bytes));
  equal(
    wasmHasher.idOf(pack.bytes),
    "7e9b70124e2cd2d2fe5bf15784b3fe705f40aad0f536f9c37ff0d8202074c8a0",
  );
});

Deno.test("PackWriter keeps every object under every codec", () => {
  const random = new Random(3);
  for (const codec of [lz4Codec, zstdCodec({ level: 1 })]) {
    const frames: Uint8Array[][] = [];
    for (let i = 0; i < 40; i++) {
      const frame: Uint8Array[] = [];
      for (let j = 0; j <= random.below(30); j++) {
        const plain = new Uint8Array(1 + random.below(3000));
        plain.set(random.bytes(Math.min(plain.length, 20)));
        frame.push(plain);
      }
      frames.push(frame);
    }
    const { bytes, size } = makePack(frames, { codec });
    const footer = decodePackFooter(
      bytes.subarray(size - PACK_FOOTER_SIZE),
      size,
    );
    const end = size - PACK_FOOTER_SIZE;
    const table = readPackTable(
      bytes.subarray(footer.tableOffset, end),
      footer,
      wasmHasher,
    );
    for (const plain of frames.flat()) {
      const row = table.find(idOf(plain), 0, 1);
      const frame = table.frame(row);
      const out = new Uint8Array(table.plainSize(frame));
      const start = table.frameOffset(frame);
      const stored = bytes.subarray(start, start + table.storedSize(frame));
      codecOf(table.codecTag(frame)).decompress(stored, out);
      const offset = table.offset(row);
      deepEqual(out.slice(offset, offset + table.size(row)), plain);
    }
    equal(table.find(idOf(frames[0][0]), 0, 3), -1);
  }
});

Deno.test("PackWriter drops the second of two equal objects", () => {
  const pack = makePack([[text("one")], [text("one"), text("two")]]);
  equal(pack.table.objectCount, 2);
  equal(pack.table.frame(pack.table.find(idOf(text("one")), 0, 1)), 0);
});

Deno.test("PackWriter refuses use after an error", () => {
  const options = writerOptions();
  const writer = new PackWriter({
    ...options,
    sink: {
      write() {
        throw new Error("full");
      },
    },
  });
  const frame = new FrameBuilder();
  frame.add(text("a"), idOf(text("a")), 0, 1);
  throws(() => writer.addFrame(frame.plain(), frame.rows), /full/);
  throws(() => writer.addFrame(frame.plain(), frame.rows), TypeError);
  throws(() => writer.finish(), TypeError);
});

Deno.test("PackWriter that refuses a stored frame goes on without it", () => {
  const parts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array) => void parts.push(bytes.slice()) };
  const writer = new PackWriter({
    ...{ ...writerOptions(), sink, hasher: wasmHasher },
  });
  const frame = new FrameBuilder();
  const stored = text("some bytes");
  const id = new Uint8Array(32);
  wasmHasher.hashInto(stored, id);
  frame.add(stored, id, 0, ObjectKind.content);
  const place = { plainSize: stored.length, codecTag: CodecTag.none };
  const add = (crc: number): void =>
    writer.addStoredFrame(stored, { ...place, crc }, frame.rows);
  throws(() => add(crc32(stored) ^ 1), /its CRC is/);
  add(crc32(stored));
  equal(writer.finish().table.frameCount, 1);
});

Deno.test("PackWriter refuses rows outside their frame", () => {
  const frame = new FrameBuilder();
  frame.add(text("abc"), idOf(text("abc")), 0, 1);
  throws(
    () => new PackWriter(writerOptions()).addFrame(text("ab"), frame.rows),
    RangeError,
  );
  throws(
    () =>
      new PackWriter(writerOptions()).addFrame(new Uint8Array(0), frame.rows),
    RangeError,
  );
  frame.clear();
  throws(
    () => new PackWriter(writerOptions()).addFrame(text("ab"), frame.rows),
    RangeError,
  );
});

Deno.test("PackWriter finishes a pack without frames", () => {
  const pack = makePack([]);
  equal(pack.size, 72 + PACK_FOOTER_SIZE);
  decodePackFooter(pack.bytes.subarray(72), pack.size);
});

/** Hashes nothing of what is streamed: the name of a pack of 2 GiB takes a while. */
const namelessHasher: Hasher = {
  name: "wasm",
  hashInto: wasmHasher.hashInto.bind(wasmHasher),
  deriveInto: wasmHasher.deriveInto.bind(wasmHasher),
  idOf: wasmHasher.idOf.bind(wasmHasher),
  stream: () => Object.assign(wasmHasher.stream(), { update() {} }),
  sparseStream: wasmHasher.sparseStream.bind(wasmHasher),
  deriveStream: wasmHasher.deriveStream.bind(wasmHasher),
};

Deno.test("PackWriter fills a pack up to its largest size, and not by a byte more", () => {
  const frame = new FrameBuilder();
  frame.add(text("hello"), idOf(text("hello")), 0, ObjectKind.content);
  const place = (stored: Uint8Array) => ({
    plainSize: 5,
    codecTag: CodecTag.zstd,
    crc: crc32(stored),
  });
  const sink = { write() {} };
  const hasher = namelessHasher;
  const writer = new PackWriter({ ...writerOptions(), sink, hasher });
  const part = new Uint8Array(128 << 20);
  const partPlace = place(part);
  const count = 15;
  for (let i = 0; i < count; i++) {
    writer.addStoredFrame(part, partPlace, frame.rows);
  }
  // Each frame has a row for itself and one for its object until the table is made.
  const rows = (count + 1) * (20 + 48);
  const rest = PACK_SIZE_MAX - 72 - count * part.length - rows - 64;
  const last = part.subarray(0, rest);
  throws(
    () => {
      const larger = part.subarray(0, rest + 1);
      const other = new PackWriter({ ...writerOptions(), sink, hasher });
      for (let i = 0; i < count; i++) {
        other.addStoredFrame(part, partPlace, frame.rows);
      }
      other.addStoredFrame(larger, place(larger), frame.rows);
    },
    (error) =>
      error instanceof RangeError &&
      /have 2147483648 bytes, more than 2147483647/.test(error.message),
  );
  writer.addStoredFrame(last, place(last), frame.rows);
  const { size, table } = writer.finish();
  // An object that comes again has one row.
  equal(size, PACK_SIZE_MAX - count * 48);
  equal(table.frameCount, count + 1);
});
