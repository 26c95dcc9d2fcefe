import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { decodeExtras, encodeExtras } from "./extras.ts";
import { encodeHoles } from "./holes.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";
import { ABC_ID, hex, utf8 } from "../testdata/golden.ts";

const ID = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

Deno.test("encodeExtras writes attributes by name, then holes", () => {
  const holes = encodeHoles(Float64Array.of(4096, 65536));
  const bytes = encodeExtras({
    xattrs: [
      { name: utf8("b"), value: utf8("xy"), size: 2 },
      { name: utf8("c"), size: 1025, id: ABC_ID },
      { name: utf8("a"), value: new Uint8Array(0), size: 0 },
    ],
    holes: { value: holes, size: holes.length },
  });
  deepStrictEqual(
    bytes,
    hex(
      `01 01 61 00 | 01 01 62 02 7879 | 02 01 63 8108 ${ID} | 03 05 8020 808004`
        .replaceAll("|", ""),
    ),
  );
  const { xattrs, holes: list } = decodeExtras(bytes);
  deepStrictEqual(xattrs.map(({ name }) => name), [
    utf8("a"),
    utf8("b"),
    utf8("c"),
  ]);
  deepStrictEqual(xattrs[2], { name: utf8("c"), size: 1025, id: ABC_ID });
  deepStrictEqual(list, { value: holes, size: 5 });
});

Deno.test("encodeExtras keeps values up to 1024 bytes in place", () => {
  const extras = {
    xattrs: [{
      name: utf8("a"),
      value: new Uint8Array(1024).fill(7),
      size: 1024,
    }],
  };
  const bytes = encodeExtras(extras);
  strictEqual(bytes.length, 1 + 1 + 1 + 2 + 1024);
  deepStrictEqual(decodeExtras(bytes), extras);
});

Deno.test("encodeExtras writes a large hole list by its id", () => {
  const extras = { xattrs: [], holes: { size: 2 ** 53 - 1, id: ABC_ID } };
  const bytes = encodeExtras(extras);
  deepStrictEqual(bytes, hex(`04 ffffffffffffff0f ${ID}`));
  deepStrictEqual(decodeExtras(bytes), extras);
});

Deno.test("encodeExtras writes nothing for nothing", () => {
  strictEqual(encodeExtras({ xattrs: [] }).length, 0);
});

Deno.test("encodeExtras refuses what extras cannot hold", () => {
  const value = new Uint8Array(0);
  const one = (
    xattr: {
      name: Uint8Array;
      size: number;
      value?: Uint8Array;
      id?: Uint8Array;
    },
  ) => encodeExtras({ xattrs: [xattr] });
  throws(() => one({ name: utf8(""), value, size: 0 }), RangeError);
  throws(() => one({ name: utf8("a\0"), value, size: 0 }), RangeError);
  throws(
    () => one({ name: utf8("a".repeat(256)), value, size: 0 }),
    RangeError,
  );
  throws(() => one({ name: utf8("a"), value, size: 1 }), RangeError);
  throws(
    () => one({ name: utf8("a"), value: new Uint8Array(1025), size: 1025 }),
    RangeError,
  );
  throws(() => one({ name: utf8("a"), id: ABC_ID, size: 10 }), RangeError);
  throws(() => one({ name: utf8("a"), id: value, size: 1025 }), RangeError);
  throws(() => one({ name: utf8("a"), id: ABC_ID, size: 2 ** 53 }), RangeError);
  const twice = { name: utf8("a"), value, size: 0 };
  throws(
    () => encodeExtras({ xattrs: [twice, twice] }),
    /each name must stand once/,
  );
  throws(
    () => encodeExtras({ xattrs: [], holes: { value: hex("01"), size: 1 } }),
    SyntaxError,
  );
});

/** Registers a test that extras are refused for a reason, at an offset. */
function refuses(
  damage: string,
  digits: string,
  reason: RegExp,
  offset: number,
): void {
  Deno.test(`decodeExtras refuses ${damage}`, () => {
    throws(() => decodeExtras(hex(digits)), (error: unknown) => {
      ok(error instanceof ManifestSyntaxError);
      ok(reason.test(error.message), error.message);
      strictEqual(error.offset, offset);
      return true;
    });
  });
}

refuses("no items", "", /must have an item: found none/, 0);
refuses("an unknown tag", "05", /1 to 4: found 5/, 0);
refuses("names out of order", "01016200 01016100", /ascend/, 6);
refuses("a name twice", "01016100 01016100", /never repeat/, 6);
refuses("an empty name", "010000", /1 to 255 bytes: found 0/, 2);
refuses("a name of 256 bytes", `018002 ${"61".repeat(256)} 00`, /found 256/, 3);
refuses("NUL in a name", "0102610000", /NUL/, 3);
refuses("a name past the end", "010261", /within its bytes/, 1);
refuses("a value past the end", "0101610261", /needs 2 bytes: found 1/, 4);
refuses("no value", "010161", /end within its bytes/, 3);
refuses(
  "a value of 1025 bytes in place",
  `0101618108 ${"00".repeat(1025)}`,
  /found 1025/,
  3,
);
refuses(
  "a value of 1024 bytes as content",
  `0201618008 ${ID}`,
  /found 1024/,
  3,
);
refuses(
  "half an id",
  `0201618108 ${ID.slice(2)}`,
  /needs 32 bytes: found 31/,
  5,
);
refuses("holes twice", "0304 00808004 0304 00808004", /nothing may follow/, 6);
refuses(
  "an attribute after the holes",
  "0304 00808004 01016100",
  /nothing may follow/,
  6,
);
refuses("an empty hole list", "0300", /must have one/, 2);
refuses("a hole list by id of 1024 bytes", `048008 ${ID}`, /found 1024/, 1);
refuses("a hole list that is cut", "0303 008080 ", /end within/, 3);
refuses(
  "a size that is not in its shortest form",
  "0101618000",
  /shortest form/,
  3,
);
refuses(
  "a size of 2^53",
  `020161 8080808080808010 ${ID}`,
  /at most 2\^53 - 1/,
  3,
);
refuses(
  "a size of nine bytes",
  `020161 808080808080808001 ${ID}`,
  /at most 2\^53 - 1/,
  3,
);
