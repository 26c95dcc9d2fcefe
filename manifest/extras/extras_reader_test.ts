import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import {
  decodeExtras,
  encodeExtras,
  type ExtendedAttribute,
  type Extras,
  type ExtraValue,
} from "./extras.ts";
import { ExtrasReader } from "./extras_reader.ts";
import { encodeHoles } from "./holes.ts";
import { ABC_ID, utf8 } from "../testdata/golden.ts";

/** Reads all items again as the objects of `decodeExtras`. */
function readAll(bytes: Uint8Array): Extras {
  const reader = new ExtrasReader();
  reader.begin(bytes);
  const xattrs: ExtendedAttribute[] = [];
  let holes: ExtraValue | undefined;
  while (reader.next()) {
    const { size, valueStart, isInline } = reader;
    const content = bytes.subarray(
      valueStart,
      valueStart + (isInline ? size : 32),
    );
    const value = isInline ? { size, value: content } : { size, id: content };
    const name = bytes.subarray(reader.nameStart, reader.nameEnd);
    if (reader.isHoles) holes = value;
    else xattrs.push({ name, ...value });
  }
  return holes === undefined ? { xattrs } : { xattrs, holes };
}

Deno.test("ExtrasReader reads what decodeExtras decodes", () => {
  const holes = encodeHoles(Float64Array.of(2 ** 40, 2 ** 41));
  const bytes = encodeExtras({
    xattrs: [
      { name: utf8("a"), value: new Uint8Array(0), size: 0 },
      { name: utf8("b"), value: new Uint8Array(1024).fill(7), size: 1024 },
      { name: utf8("c"), size: 2 ** 40, id: ABC_ID },
      { name: new Uint8Array(255).fill(200), value: utf8("x"), size: 1 },
    ],
    holes: { value: holes, size: holes.length },
  });
  deepStrictEqual(readAll(bytes), decodeExtras(bytes));
});

Deno.test("ExtrasReader reads a list of holes by its id", () => {
  const bytes = encodeExtras({
    xattrs: [],
    holes: { size: 2 ** 53 - 1, id: ABC_ID },
  });
  deepStrictEqual(readAll(bytes), decodeExtras(bytes));
});

Deno.test("ExtrasReader has nothing to read at first", () => {
  strictEqual(new ExtrasReader().next(), false);
});

seededTest("ExtrasReader and decodeExtras agree", (prng) => {
  const xattrs = Array.from({ length: 1 + prng.below(8) }, (_, i) => {
    const size = prng.below(2) === 0 ? prng.below(1025) : 1025 + prng.u32();
    const name = utf8(`${i}`.padEnd(1 + prng.below(255), "n"));
    return size <= 1024
      ? { name, size, value: prng.bytes(size) }
      : { name, size, id: prng.bytes(32) };
  });
  const bytes = encodeExtras({ xattrs });
  deepStrictEqual(readAll(bytes), decodeExtras(bytes));
});
