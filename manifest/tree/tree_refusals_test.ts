import { ok, strictEqual, throws } from "node:assert/strict";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";
import { EMPTY_ID, GOLDEN_TREE, hex } from "../testdata/golden.ts";
import { Tree } from "./tree.ts";

const COUNT = 7;
const VALUES = 16 + 32 * COUNT;
const ENDS = 16 + 40 * COUNT;
const KINDS = 16 + 44 * COUNT;
const NAMES = 16 + 45 * COUNT;
const TARGETS = NAMES + 7;

/** Writes hexadecimal digits over the golden tree. */
function patched(offset: number, digits: string): Uint8Array {
  const bytes = GOLDEN_TREE.slice();
  bytes.set(hex(digits), offset);
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Registers a test that bytes are refused for a reason, at an offset. */
function refuses(
  damage: string,
  bytes: () => Uint8Array,
  reason: RegExp,
  offset: number,
): void {
  Deno.test(`Tree refuses ${damage}`, () => {
    throws(() => Tree.decode(bytes()), (error: unknown) => {
      ok(error instanceof ManifestSyntaxError && error instanceof SyntaxError);
      ok(error.message.startsWith("Cannot read tree as "), error.message);
      ok(reason.test(error.message), error.message);
      strictEqual(error.offset, offset);
      return true;
    });
  });
}

refuses(
  "no bytes",
  () => new Uint8Array(0),
  /header needs 16 bytes: found 0/,
  0,
);
refuses("half a header", () => GOLDEN_TREE.subarray(0, 10), /found 10/, 10);
refuses("another magic", () => patched(0, "54524532"), /TRE1/, 0);
refuses(
  "a million rows in sixteen bytes",
  () => hex("54524531 40420f00 00000000 00000000"),
  /its 1000000 rows need 45000016 bytes: found 16/,
  16,
);
refuses(
  "counts that sum to more than 32 bits",
  () => hex("54524531 ffffffff ffffffff ffffffff"),
  /need 201863462881 bytes/,
  16,
);
refuses(
  "a missing byte",
  () => GOLDEN_TREE.subarray(0, -1),
  /need 342 bytes: found 341/,
  341,
);
refuses(
  "trailing bytes",
  () => joined(GOLDEN_TREE, hex("00")),
  /found 343/,
  342,
);
refuses(
  "names out of order",
  () => patched(NAMES, "6461"),
  /must ascend/,
  NAMES + 1,
);
refuses(
  "a name twice",
  () => patched(NAMES, "6161"),
  /never repeat/,
  NAMES + 1,
);
refuses(
  "a name after its longer self",
  () => {
    const bytes = patched(NAMES, "61616164");
    bytes.set(hex("02000000 03000000 04000000"), ENDS);
    return bytes;
  },
  /must ascend/,
  NAMES + 2,
);
refuses("the name .", () => patched(NAMES, "2e"), /"\." or "\.\."/, NAMES);
refuses(
  "the name ..",
  () => {
    const bytes = patched(NAMES, "2e2e");
    bytes.set(hex("02000000"), ENDS);
    return bytes;
  },
  /"\." or "\.\."/,
  NAMES,
);
refuses("a slash in a name", () => patched(NAMES, "2f"), /slash/, NAMES);
refuses("NUL in a name", () => patched(NAMES + 6, "00"), /NUL/, NAMES + 6);
refuses(
  "an empty name",
  () => patched(ENDS, "00000000"),
  /1 to 255 bytes/,
  NAMES,
);
refuses(
  "an empty name in the middle",
  () => patched(ENDS + 4, "01"),
  /1 to 255/,
  NAMES + 1,
);
refuses(
  "a name that ends before it begins",
  () => patched(ENDS + 8, "01"),
  /after it/,
  ENDS + 8,
);
refuses(
  "a name past the names",
  () => patched(ENDS + 24, "08"),
  /within the names/,
  ENDS + 24,
);
refuses(
  "an end of a name at 2^32 - 1",
  () => patched(ENDS, "ffffffff"),
  /within/,
  ENDS,
);
refuses(
  "bytes between the names and the targets",
  () => {
    return joined(
      patched(8, "08").subarray(0, TARGETS),
      hex("62"),
      GOLDEN_TREE.subarray(TARGETS),
    );
  },
  /7 bytes of names: found 8/,
  TARGETS,
);
refuses(
  "a name of 256 bytes",
  () => {
    return joined(
      hex("54524531 01000000 00010000 00000000"),
      new Uint8Array(40),
      hex("00010000 05"),
      new Uint8Array(256).fill(0x61),
    );
  },
  /1 to 255 bytes/,
  61,
);

refuses(
  "kind 0",
  () => patched(KINDS + 4, "00"),
  /a kind must be 1 to 7/,
  KINDS + 4,
);
refuses(
  "kind 8",
  () => patched(KINDS + 4, "08"),
  /a kind must be 1 to 7/,
  KINDS + 4,
);
refuses(
  "a size of 2^53",
  () => patched(VALUES, "0000000000002000"),
  /at most 2\^53 - 1/,
  VALUES,
);
refuses(
  "a size of 2^64 - 1",
  () => patched(VALUES, "ffffffffffffffff"),
  /2\^53/,
  VALUES,
);
refuses(
  "an empty file with another id",
  () => patched(16 + 64, "ae"),
  /id of nothing/,
  80,
);
refuses(
  "the id of nothing for a file of 3 bytes",
  () => {
    const bytes = GOLDEN_TREE.slice();
    bytes.set(EMPTY_ID, 16);
    return bytes;
  },
  /id of nothing/,
  16,
);
refuses(
  "a directory with a value",
  () => patched(VALUES + 8, "01"),
  /value 0/,
  VALUES + 8,
);
refuses(
  "a fifo with a value",
  () => patched(VALUES + 39, "80"),
  /value 0/,
  VALUES + 32,
);
for (
  const [row, what] of ["link", "fifo", "character device", "block device"]
    .entries()
) {
  const at = 16 + 32 * (3 + row);
  refuses(
    `an id of a ${what}`,
    () => patched(at + 31, "01"),
    /have an id/,
    at + 28,
  );
}

refuses(
  "a gap before a target",
  () => patched(VALUES + 24, "01"),
  /without gaps/,
  VALUES + 24,
);
refuses(
  "a gap after the targets",
  () => patched(VALUES + 28, "03"),
  /have 3 bytes/,
  TARGETS + 3,
);
refuses(
  "a target past the targets",
  () => patched(VALUES + 28, "05"),
  /within/,
  VALUES + 28,
);
refuses(
  "an empty target",
  () => patched(VALUES + 28, "00"),
  /1 to 4095/,
  TARGETS,
);
refuses("NUL in a target", () => patched(TARGETS + 1, "00"), /NUL/, TARGETS);
refuses(
  "a target of 4096 bytes",
  () => {
    return joined(
      hex("54524531 01000000 01000000 00100000"),
      new Uint8Array(36),
      hex("00100000 01000000 04 61"),
      new Uint8Array(4096).fill(0x62),
    );
  },
  /1 to 4095 bytes/,
  62,
);
refuses(
  "a target shared by two links",
  () => {
    const bytes = patched(KINDS + 4, "04");
    bytes.set(hex("0000000004000000"), VALUES + 32);
    return bytes;
  },
  /row order without gaps/,
  VALUES + 32,
);
