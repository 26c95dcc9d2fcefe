import { deepEqual, ok, throws } from "node:assert/strict";
import { crc32 } from "node:zlib";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { UnsupportedVersionError } from "@snap/store";
import { setU32 } from "../bytes.ts";
import { type MadePack, makePack, TestFiles } from "../_testing.ts";
import { IndexSyntaxError } from "../errors.ts";
import type { Location } from "../location.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const packs = [
  makePack([[text("hello"), text("world")], [text("again")]]),
  makePack([[text("hello"), text("more")]], { seed: 2 }),
];

function locateAll(bytes: Uint8Array): Location[] {
  const files = new TestFiles();
  files.files.set(NAME, bytes);
  const index = files.open(0);
  return packs.flatMap(({ table }: MadePack) =>
    Array.from(
      { length: table.objectCount },
      (_, row) => index.locateAll(table.bytes, table.idStart(row), 1),
    ).flat()
  );
}

const first = new TestFiles();
const [{ name: NAME }] = first.addIndex(packs);
const BYTES = first.files.get(NAME) as Uint8Array;
const RIGHT = locateAll(BYTES);
const [PACK_PAGE, FRAME_PAGE, OBJECT_PAGE] = [4096, 8192, 12288];

Deno.test("every flipped bit of an index is noticed or does not matter", () => {
  for (let at = 0; at < BYTES.length; at++) {
    // Every bit of what is not zero, one bit of each of the rest.
    for (let bit = 0; bit < (BYTES[at] === 0 ? 1 : 8); bit++) {
      const bytes = BYTES.slice();
      bytes[at] ^= 1 << (BYTES[at] === 0 ? at % 8 : bit);
      try {
        deepEqual(locateAll(bytes), RIGHT, `byte ${at}`);
      } catch (error) {
        ok(error instanceof IndexSyntaxError, `byte ${at}: ${error}`);
      }
    }
  }
});

Deno.test("an index that is cut short is refused", () => {
  for (let size = 0; size < BYTES.length; size += 61) {
    throws(() => locateAll(BYTES.subarray(0, size)), IndexSyntaxError);
  }
  const longer = new Uint8Array(BYTES.length + 4096);
  longer.set(BYTES);
  throws(() => locateAll(longer), IndexSyntaxError);
});

/** An index with one number changed, and checksums that agree with it. */
function forge(at: number, value: number): Uint8Array {
  const bytes = BYTES.slice();
  setU32(bytes, at, value);
  if (at < 4096) {
    wasmHasher.hashInto(bytes.subarray(0, 128 + 4), bytes, 128 + 4);
  } else {
    const page = at - at % 4096;
    setU32(bytes, page + 4092, crc32(bytes.subarray(page, page + 4092)));
  }
  return bytes;
}

Deno.test("an index that lies is refused", () => {
  const cases: [string, number, number][] = [
    ["packs above the file", 72, 0xffffffff],
    ["frames above the file", 76, 0xffffffff],
    ["objects above the file", 80, 0xffffffff],
    ["replaced tables above the file", 84, 0xffffffff],
    ["time above 2^53", 92, 0xffffffff],
    ["first page elsewhere", 96, 8192],
    ["reserved bytes", 100, 1],
    ["fan-out of another page", 128, 1],
    ["pack size above 2 GiB", PACK_PAGE + 32, 0xfffffffe],
    ["pack too small for its frames", PACK_PAGE + 32, 80],
    ["frame in the header", FRAME_PAGE, 71],
    ["frame at the end of numbers", FRAME_PAGE, 0xfffffffe],
    ["stored size 0", FRAME_PAGE + 4, 0],
    ["stored size at the end of numbers", FRAME_PAGE + 4, 0xffffffff],
    ["plain size 0", FRAME_PAGE + 8, 0],
    ["plain size above 4 MiB", FRAME_PAGE + 8, (4 << 20) + 1 | 1 << 24],
    ["codec 3", FRAME_PAGE + 8, 10 | 3 << 24],
    ["pack that is not there", FRAME_PAGE + 16, 2],
    ["frame that is not there", OBJECT_PAGE + 36, 3],
    ["frame at the end of numbers", OBJECT_PAGE + 36, 0xffffffff],
    ["object past its frame", OBJECT_PAGE + 40, 0xfffffffe],
    ["object of size 0", OBJECT_PAGE + 44, 0],
    ["object larger than its frame", OBJECT_PAGE + 44, 0xffffffff],
  ];
  for (const [name, at, value] of cases) {
    throws(() => locateAll(forge(at, value)), IndexSyntaxError, name);
  }
});

Deno.test("an index that is whole may ask for a newer program", () => {
  for (const at of [8, 12]) {
    throws(() => locateAll(forge(at, 2)), UnsupportedVersionError);
  }
});
