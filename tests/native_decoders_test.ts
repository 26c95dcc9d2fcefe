// Decoders of the operating system against the portable ones.
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  CodecTag,
  decodeFrame,
  type FrameDecoders,
  FrameSyntaxError,
  lz4Codec,
  parseCodec,
  zstdCodec,
} from "@snap/pack/codecs";
import { DamageError, type Location, ObjectKind } from "@snap/pack";
import { ObjectReader } from "@snap/pack/read";
import { SharedFrameCache } from "@snap/pack/cache";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { nativeDecoders, nativeEncoders } from "@snap/posix/decoders";
import { type Prng, seededTest } from "./_prng.ts";

const GUARD = 4096;
const CODECS = [lz4Codec, zstdCodec({ level: 3 })];

/** Text with repetitions, and some bytes that do not compress. */
function makePlain(prng: Prng): Uint8Array {
  const plain = prng.bytes(1 + prng.below(prng.pick([40, 3000, 150_000])));
  for (let at = prng.below(60); at < plain.length;) {
    const period = 1 + prng.below(prng.pick([2, 9, 300, 40_000]));
    const end = Math.min(at + prng.below(400), plain.length);
    for (; at < end; at++) if (at >= period) plain[at] = plain[at - period];
    at += prng.below(50);
  }
  return plain;
}

function mutate(prng: Prng, stored: Uint8Array): Uint8Array {
  const bytes = stored.slice(0, stored.length - prng.pick([0, 0, 0, 1, 9]));
  for (let count = prng.below(4); count > 0 && bytes.length > 0; count--) {
    bytes[prng.below(bytes.length)] = prng.below(256);
  }
  return bytes;
}

/** Decodes between guards; `undefined` where it is refused. */
function decode(
  tag: number,
  stored: Uint8Array,
  size: number,
  decoders: FrameDecoders,
): Uint8Array | undefined {
  const memory = new Uint8Array(
    new SharedArrayBuffer(size + 2 * GUARD),
  ).fill(0xa5);
  const before = stored.slice();
  let isTaken = true;
  try {
    decodeFrame(tag, stored, memory.subarray(GUARD, GUARD + size), decoders);
  } catch (error) {
    ok(error instanceof FrameSyntaxError, String(error));
    isTaken = false;
  }
  ok(memory.subarray(0, GUARD).every((byte) => byte === 0xa5));
  ok(memory.subarray(GUARD + size).every((byte) => byte === 0xa5));
  deepEqual(stored, before);
  return isTaken ? memory.slice(GUARD, GUARD + size) : undefined;
}

seededTest("the system's decoders read what the codecs write", (prng) => {
  for (const codec of CODECS) {
    const plain = makePlain(prng);
    const stored = codec.compress(plain)?.slice();
    if (stored === undefined) continue;
    const native = nativeDecoders[codec.tag === CodecTag.lz4 ? "lz4" : "zstd"];
    const out = new Uint8Array(plain.length);
    if (native.name) equal(native.decode(stored, out), plain.length);
    deepEqual(decode(codec.tag, stored, plain.length, nativeDecoders), plain);
  }
}, { roundCount: 200 });

seededTest(
  "the system's decoders take what the portable ones take, and write nowhere else",
  (prng) => {
    for (const codec of CODECS) {
      const plain = makePlain(prng);
      const stored = codec.compress(plain)?.slice();
      if (stored === undefined) continue;
      const size = plain.length + prng.pick([0, 0, 0, 0, -1, 1, 200]);
      const bytes = mutate(prng, stored);
      const portable = decode(codec.tag, bytes, size, {});
      const native = decode(codec.tag, bytes, size, nativeDecoders);
      // A library may take more, such as liblz4 a match at distance 0.
      if (portable !== undefined) deepEqual(native, portable);
    }
  },
  { roundCount: 3000 },
);

/** Where a frame of one object lies, as an index says. */
function locate(
  tag: CodecTag,
  storedSize: number,
  plainSize: number,
): Location {
  return {
    packNumber: 0,
    packId: new Uint8Array(32),
    packName: "packs/test",
    packSize: storedSize,
    role: 0,
    objectKey: 0,
    frameKey: 0,
    frameOffset: 0,
    storedSize,
    plainSize,
    codecTag: tag,
    crc: 0,
    offset: 0,
    size: plainSize,
    kind: ObjectKind.content,
  };
}

seededTest(
  "an object that the system's decoders give is the right one, and damage is told in the same words",
  (prng) => {
    for (const codec of CODECS) {
      const plain = makePlain(prng);
      const stored = codec.compress(plain)?.slice();
      if (stored === undefined) continue;
      const id = new Uint8Array(32);
      wasmHasher.hashInto(plain, id);
      const bytes = mutate(prng, stored);
      const location = locate(codec.tag, bytes.length, plain.length);
      // Both by the system's decoders and without: damage is told in the same words.
      const told = [nativeDecoders, {}].map((decoders) => {
        const cache = SharedFrameCache.create({ sizeMax: 1 << 20 });
        const reader = new ObjectReader({
          cache,
          hasher: wasmHasher,
          decoders,
        });
        try {
          deepEqual(reader.decode(location, bytes, id, 0).slice(), plain);
          return "";
        } catch (error) {
          ok(error instanceof DamageError, String(error));
          return error.message;
        } finally {
          reader.release();
        }
      });
      equal(told[0], told[1]);
    }
  },
  { roundCount: 300 },
);

seededTest("blocks of liblz4 are read without it", (prng) => {
  const codec = parseCodec("lz4", nativeEncoders);
  const plain = makePlain(prng);
  const stored = codec.compress(plain)?.slice();
  if (stored === undefined) return;
  ok(stored.length < plain.length);
  deepEqual(decode(codec.tag, stored, plain.length, {}), plain);
}, { roundCount: 400 });
