import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { setU32 } from "../bytes.ts";
import { type MadePack, makePack } from "../_testing.ts";
import { PackSyntaxError } from "../errors.ts";
import {
  decodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_SIZE_MAX,
} from "./pack_footer.ts";
import { PackTable, readPackTable } from "./pack_table.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const pack = makePack([[text("hello"), text("world")], [text("again")]]);
const FRAMES_SIZE = 2 * 20;

/** Where the object row of a place in the first frame begins. */
function rowAt(offset: number): number {
  const { table } = pack;
  for (let row = 0; row < table.objectCount; row++) {
    if (table.frame(row) === 0 && table.offset(row) === offset) {
      return table.idStart(row);
    }
  }
  throw new RangeError(`Cannot find an object at ${offset}`);
}
const [OBJECT_AT_0, OBJECT_AT_5] = [rowAt(0), rowAt(5)];

function readBytes(bytes: Uint8Array): PackTable {
  const end = bytes.length - PACK_FOOTER_SIZE;
  const footer = decodePackFooter(
    bytes.subarray(Math.max(end, 0)),
    bytes.length,
  );
  const table = bytes.subarray(footer.tableOffset, end);
  return readPackTable(table, footer, wasmHasher);
}

/** A table with one number changed, read without its hash. */
function decodeWith(at: number, value: number): PackTable {
  const bytes = pack.table.bytes.slice();
  setU32(bytes, at, value);
  return PackTable.decode(bytes, pack.table);
}

Deno.test("every flipped bit of table and footer is noticed", () => {
  const { tableOffset } = pack.table;
  for (let at = tableOffset; at < pack.size; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = pack.bytes.slice();
      bytes[at] ^= 1 << bit;
      const isRole = at === pack.size - 16;
      try {
        readBytes(bytes);
        // Data or trees: both are a role, and no object depends on it.
        ok(isRole, `bit ${bit} of byte ${at}`);
      } catch (error) {
        ok(error instanceof PackSyntaxError, `bit ${bit} of byte ${at}`);
      }
    }
  }
});

Deno.test("a pack that is cut short is noticed", () => {
  for (let size = 0; size < pack.size; size++) {
    throws(() => readBytes(pack.bytes.subarray(0, size)), PackSyntaxError);
  }
});

Deno.test("PackTable.decode refuses a table that lies", () => {
  const cases: [string, number, number][] = [
    ["first frame above the header", 0, 71],
    ["first frame below the header", 0, 73],
    ["frame at the end of numbers", 20, 0xfffffffe],
    ["gap between frames", 20, pack.table.frameOffset(1) + 1],
    ["stored size 0", 4, 0],
    ["stored size above the pack", 4, 0xffffffff],
    ["plain size 0", 8, 0],
    ["plain size above 4 MiB", 8, (4 << 20) + 1 | 1 << 24],
    ["plain frame of another size", 8, 11],
    ["unknown codec", 8, 10 | 3 << 24],
    ["number of another pack", 16, 1],
    ["kind 0", FRAMES_SIZE + 32, 0],
    ["kind 5", FRAMES_SIZE + 32, 5],
    ["frame that is not there", FRAMES_SIZE + 36, 2],
    ["frame at the end of numbers", FRAMES_SIZE + 36, 0xffffffff],
    ["object past its frame", FRAMES_SIZE + 40, 6],
    ["object over its neighbour", OBJECT_AT_0 + 44, 6],
    ["object over a part of its neighbour", OBJECT_AT_5 + 40, 4],
    ["object at the end of numbers", FRAMES_SIZE + 40, 0xfffffffe],
    ["object of size 0", FRAMES_SIZE + 44, 0],
    ["object of the size of numbers", FRAMES_SIZE + 44, 0xffffffff],
    ["objects out of order", FRAMES_SIZE, 0xffffffff],
  ];
  for (const [name, at, value] of cases) {
    throws(() => decodeWith(at, value), PackSyntaxError, name);
  }
});

Deno.test("PackTable.decode refuses an object that stands there twice", () => {
  const bytes = pack.table.bytes.slice();
  bytes.copyWithin(FRAMES_SIZE + 48, FRAMES_SIZE, FRAMES_SIZE + 48);
  throws(() => PackTable.decode(bytes, pack.table), PackSyntaxError);
});

Deno.test("PackTable.decode takes two objects of the same bytes, and none of shared ones", () => {
  const bytes = pack.table.bytes.slice();
  // Both claim the first word: one of them lies, and its id says so.
  setU32(bytes, OBJECT_AT_5 + 40, 0);
  const table = PackTable.decode(bytes, pack.table);
  deepEqual([table.offset(0), table.offset(1), table.offset(2)], [0, 0, 0]);
  for (const [offset, size] of [[0, 4], [0, 6], [1, 4], [1, 5], [4, 1]]) {
    setU32(bytes, OBJECT_AT_5 + 40, offset);
    setU32(bytes, OBJECT_AT_5 + 44, size);
    throws(() => PackTable.decode(bytes, pack.table), {
      name: "PackSyntaxError",
      message: /objects of frame 0 share no bytes/,
    });
  }
  // Bytes between them are nobody's.
  setU32(bytes, OBJECT_AT_5 + 40, 6);
  setU32(bytes, OBJECT_AT_5 + 44, 1);
  PackTable.decode(bytes, pack.table);
});

Deno.test("decodePackFooter refuses counts that do not fit", () => {
  const footer = (change: (bytes: Uint8Array) => void, of: MadePack = pack) => {
    const bytes = of.bytes.slice(-PACK_FOOTER_SIZE);
    change(bytes);
    return () => decodePackFooter(bytes, of.size);
  };
  throws(footer((bytes) => setU32(bytes, 8, 0xffffffff)), PackSyntaxError);
  throws(footer((bytes) => setU32(bytes, 12, 0xffffffff)), PackSyntaxError);
  throws(footer((bytes) => setU32(bytes, 0, 0xfffffffe)), PackSyntaxError);
  throws(footer((bytes) => setU32(bytes, 48, 3)), PackSyntaxError);
  throws(footer((bytes) => setU32(bytes, 52, 1)), PackSyntaxError);
  const tableSize = pack.table.bytes.length;
  const largest = footer(
    (bytes) => setU32(bytes, 0, PACK_SIZE_MAX - PACK_FOOTER_SIZE - tableSize),
    {
      ...pack,
      size: PACK_SIZE_MAX,
      bytes: pack.bytes,
    },
  );
  equal(largest().objectCount, pack.table.objectCount);
  const whole = pack.bytes.slice(pack.size - PACK_FOOTER_SIZE);
  throws(() => decodePackFooter(whole, PACK_SIZE_MAX + 1), PackSyntaxError);
  throws(() => decodePackFooter(whole.subarray(1), pack.size), PackSyntaxError);
});

Deno.test("errors say where and what", () => {
  throws(() => decodeWith(FRAMES_SIZE + 36, 7), (error) => {
    ok(error instanceof PackSyntaxError);
    equal(error.offset, FRAMES_SIZE + 36);
    equal(
      error.message,
      "Cannot read pack table as frame of object 0 is below 2: found 7",
    );
    return true;
  });
});
