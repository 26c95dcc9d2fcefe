import { ok, strictEqual, throws } from "node:assert/strict";
import { AttributePage } from "./attribute_page.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";
import { GOLDEN_PAGE, hex } from "../testdata/golden.ts";

const ROWS = 3;
const MTIME_SEC = 64 + 32;
const CTIME_SEC = MTIME_SEC + 8 * ROWS;
const MTIME_NS = CTIME_SEC + 16 * ROWS;
const CTIME_NS = MTIME_NS + 4 * ROWS;
const OWNER = CTIME_NS + 8 * ROWS;
const MODE = OWNER + 4 * ROWS;
const OWNERS = MODE + 4 * ROWS;
const OWNER_NAMES = OWNERS + 2 * 16;
const EXTRA_ROWS = OWNER_NAMES + 8;
const EXTRA_ENDS = EXTRA_ROWS + 8;
const EXTRAS = EXTRA_ENDS + 8;

/** Writes hexadecimal digits over the golden page. */
function patched(
  offset: number,
  digits: string,
  bytes = GOLDEN_PAGE,
): Uint8Array {
  const patched = bytes.slice();
  patched.set(hex(digits), offset);
  return patched;
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
  Deno.test(`AttributePage refuses ${damage}`, () => {
    throws(() => AttributePage.decode(bytes()), (error: unknown) => {
      ok(error instanceof ManifestSyntaxError);
      ok(/^Cannot read [a-z ]+ as /.test(error.message), error.message);
      ok(reason.test(error.message), error.message);
      strictEqual(error.offset, offset);
      return true;
    });
  });
}

refuses(
  "no bytes",
  () => new Uint8Array(0),
  /header needs 64 bytes: found 0/,
  0,
);
refuses(
  "a header without its last byte",
  () => GOLDEN_PAGE.subarray(0, 63),
  /found 63/,
  63,
);
refuses("another magic", () => patched(0, "41545432"), /ATT1/, 0);
refuses(
  "reserved bytes that are not 0",
  () => patched(28, "01"),
  /reserved/,
  28,
);
refuses(
  "a million rows in 64 bytes",
  () => joined(hex("41545431 40420f00"), new Uint8Array(56)),
  /its 1000000 rows need 44000064 bytes: found 64/,
  64,
);
refuses(
  "counts that sum to more than 32 bits",
  () =>
    joined(
      hex("41545431 ffffffff feffffff ffffffff ffffffff ffffffff ffffffff"),
      hex("00".repeat(36)),
    ),
  /need 438086664122 bytes/,
  64,
);
refuses(
  "a missing byte",
  () => GOLDEN_PAGE.subarray(0, -1),
  /need 305 bytes: found 304/,
  304,
);
refuses(
  "trailing bytes",
  () => joined(GOLDEN_PAGE, hex("00")),
  /found 306/,
  305,
);
refuses("no rows", () => patched(4, "00"), /row for the directory itself/, 4);
refuses(
  "more page ids than entries",
  () => patched(8, "03"),
  /room for 2 .*: found 3/,
  8,
);
refuses(
  "more owners than rows",
  () => patched(12, "04"),
  /at most as many owners/,
  12,
);
refuses(
  "more extras than rows",
  () => patched(20, "04"),
  /at most as many extras/,
  20,
);

const FAR = "0000000000002000";
refuses(
  "a time at 2^53 seconds",
  () => patched(MTIME_SEC, FAR),
  /within 2\^53 - 1/,
  MTIME_SEC,
);
refuses(
  "a time at -2^53 seconds",
  () => patched(CTIME_SEC + 16, "000000000000e0ff"),
  /within 2\^53 - 1/,
  CTIME_SEC + 16,
);
refuses(
  "10^9 nanoseconds in mtime",
  () => patched(MTIME_NS, "00ca9a3b"),
  /below 10\^9/,
  MTIME_NS,
);
refuses(
  "10^9 nanoseconds in ctime",
  () => patched(CTIME_NS, "00ca9a3b"),
  /below 10\^9/,
  CTIME_NS,
);
refuses(
  "a mode of 13 bits",
  () => patched(MODE, "0010"),
  /12 bits: found row 0/,
  MODE,
);

refuses(
  "owners out of order",
  () => patched(OWNER, "01000000 00000000"),
  /first row/,
  OWNER,
);
refuses(
  "an owner that is not there",
  () => patched(OWNER + 8, "02"),
  /first row/,
  OWNER + 8,
);
refuses(
  "an owner no row has",
  () => patched(OWNER + 4, "00"),
  /have 1 owners: found 2/,
  OWNERS,
);
refuses(
  "an owner twice",
  () => {
    const bytes = patched(OWNERS + 16, "e8030000 64000000 0b000000 10000000");
    const names = hex("616e6e7573657273");
    return joined(
      patched(16, "10", bytes).subarray(0, EXTRA_ROWS),
      names,
      GOLDEN_PAGE.subarray(EXTRA_ROWS),
    );
  },
  /no owner may repeat: found owner 1/,
  OWNERS + 16,
);
refuses(
  "names of owners that overlap",
  () => patched(OWNERS + 24, "07"),
  /follow/,
  OWNERS + 24,
);
refuses(
  "a user name past its group name",
  () => patched(OWNERS + 8, "09"),
  /follow/,
  OWNERS + 8,
);
refuses(
  "names past the owner names",
  () => patched(OWNERS + 28, "09"),
  /follow/,
  OWNERS + 24,
);
refuses(
  "bytes after the owner names",
  () =>
    joined(
      patched(16, "09").subarray(0, EXTRA_ROWS),
      hex("61"),
      GOLDEN_PAGE.subarray(EXTRA_ROWS),
    ),
  /8 bytes of names: found 9/,
  EXTRA_ROWS,
);

refuses(
  "extras of rows out of order",
  () => patched(EXTRA_ROWS, "03"),
  /ascend/,
  EXTRA_ROWS,
);
refuses(
  "extras of a row twice",
  () => patched(EXTRA_ROWS + 4, "00"),
  /ascend/,
  EXTRA_ROWS + 4,
);
refuses(
  "extras of a row that is not there",
  () => patched(EXTRA_ROWS + 4, "03"),
  /be rows/,
  EXTRA_ROWS + 4,
);
refuses(
  "empty extras",
  () => patched(EXTRA_ENDS, "00"),
  /must have an item/,
  EXTRAS,
);
refuses(
  "extras past their end",
  () => patched(EXTRA_ENDS + 4, "16"),
  /within/,
  EXTRA_ENDS + 4,
);
refuses(
  "extras that end before they begin",
  () => patched(EXTRA_ENDS + 4, "09"),
  /within/,
  EXTRA_ENDS + 4,
);
refuses(
  "extras that nobody has",
  () => {
    return joined(patched(24, "16"), hex("00"));
  },
  /have 21 bytes of extras: found 22/,
  EXTRAS + 21,
);
refuses(
  "an item cut short by the end of its row",
  () => patched(EXTRA_ENDS, "09"),
  /found 0/,
  EXTRAS + 9,
);
refuses(
  "an unknown tag",
  () => patched(EXTRAS, "05"),
  /1 to 4: found 5/,
  EXTRAS,
);
refuses(
  "tag 0",
  () => patched(EXTRAS + 10, "00"),
  /1 to 4: found 0/,
  EXTRAS + 10,
);
