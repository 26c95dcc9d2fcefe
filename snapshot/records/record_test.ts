import { deepEqual, equal, throws } from "node:assert/strict";
import type { Id } from "@snap/hash";
import { formatTime } from "@snap/manifest/time";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { encodeDocument } from "@snap/store/format";
import {
  decodeRecord,
  encodeRecord,
  formatRecordName,
  parseRecordName,
  parseTime,
  type SnapshotRecord,
} from "./record.ts";

const TREE = "1".repeat(64) as Id;
const PAGE = "2".repeat(64) as Id;
const NAME = {
  tree: TREE,
  record: "3".repeat(64) as Id,
  writer: "4".repeat(32),
};
const ENVELOPE = {
  saveId: new Uint8Array(16).fill(0xab),
  salt: new Uint8Array(32).fill(1),
};

const RECORD: SnapshotRecord = {
  tree: TREE,
  page: PAGE,
  time: "2026-11-20T05:46:18.123456789Z",
  startTime: "2026-11-20T05:46:17.000000000Z",
  host: "host",
  user: "user",
  source: "/a/b%FF",
  message: "hello",
  totals: {
    entryCount: 1,
    fileCount: 2,
    directoryCount: 3,
    byteCount: Number.MAX_SAFE_INTEGER,
    xattrCount: 5,
    hardLinkCount: 6,
    holeCount: 7,
  },
  unreadable: { count: 100, first: ["x", "y"] },
  changed: { count: 0, first: [] },
  fidelity: "full",
  program: "snap 1",
};

Deno.test("decodeRecord reads what encodeRecord wrote", () => {
  const bytes = encodeRecord(RECORD, ENVELOPE);
  deepEqual(decodeRecord(NAME, bytes), {
    ...RECORD,
    record: NAME.record,
    writer: NAME.writer,
    saveId: "ab".repeat(16),
  });
  const { message: _, ...silent } = RECORD;
  equal(decodeRecord(NAME, encodeRecord(silent, ENVELOPE)).message, undefined);
});

Deno.test("encodeRecord gives another id with another salt", () => {
  const salt = new Uint8Array(32).fill(2);
  const other = encodeRecord(RECORD, { ...ENVELOPE, salt });
  const one = encodeRecord(RECORD, ENVELOPE);
  equal(wasmHasher.idOf(one) === wasmHasher.idOf(other), false);
});

Deno.test("decodeRecord keeps fields that it does not know", () => {
  const later = { ...RECORD, later: { a: 1 } };
  const read = decodeRecord(NAME, encodeRecord(later, ENVELOPE));
  deepEqual((read as unknown as typeof later).later, { a: 1 });
});

/** Encodes a record of which some fields are others. */
function damaged(fields: Record<string, unknown>): Uint8Array {
  const body = { ...RECORD, ...fields } as unknown as Record<string, unknown>;
  return encodeDocument({ kind: "RECD", ...ENVELOPE, body });
}

Deno.test("decodeRecord refuses fields that are wrong, by name", () => {
  const bad: Record<string, unknown>[] = [
    { tree: PAGE },
    { page: "2".repeat(63) },
    { page: 7 },
    { time: null },
    { time: "yesterday" },
    { startTime: "2026-13-20T05:46:18.000000000Z" },
    { startTime: "2026-12-20T05:46:18Z" },
    { host: 1 },
    { source: ["/a"] },
    { tree: {} },
    { tree: { toString: 1 } },
    { message: 123 },
    { message: null },
    { user: 1 },
    { program: undefined },
    { fidelity: "some" },
    { unreadable: { count: -1, first: [] } },
    { unreadable: { count: 1, first: [{}] } },
    { changed: [] },
    { totals: [] },
    { totals: { ...RECORD.totals, holeCount: undefined } },
    { totals: { ...RECORD.totals, holeCount: -1 } },
    { totals: undefined },
    { totals: { ...RECORD.totals, byteCount: 1.5 } },
    { totals: { ...RECORD.totals, byteCount: "1" } },
    { unreadable: undefined },
    { unreadable: { count: 1 } },
    { changed: { count: "1", first: [] } },
  ];
  for (const fields of bad) {
    throws(() => decodeRecord(NAME, damaged(fields)), {
      name: /SyntaxError$/,
      message: /^Cannot /,
    }, JSON.stringify(fields));
  }
});

Deno.test("decodeRecord refuses any bit that is flipped", () => {
  const bytes = encodeRecord(RECORD, ENVELOPE);
  for (let i = 0; i < bytes.length; i++) {
    const copy = bytes.slice();
    copy[i] ^= 1 << (i % 8);
    throws(() => decodeRecord(NAME, copy), Error, `byte ${i}`);
  }
  for (const size of [0, 1, 71, 72, bytes.length - 1]) {
    throws(() => decodeRecord(NAME, bytes.subarray(0, size)), SyntaxError);
  }
});

Deno.test("parseRecordName reads names of records and no others", () => {
  const name = formatRecordName(NAME);
  equal(name, `snapshots/${TREE}-${NAME.record}-${NAME.writer}`);
  deepEqual(parseRecordName(name), NAME);
  const bad = [
    "",
    name.slice(1),
    `${name}0`,
    name.slice(0, -1),
    name.slice(0, -33),
    name.replace("-", "_"),
    name.replace(/1/g, "A"),
    `x/${name}`,
    `${name}\n`,
  ];
  for (const text of bad) equal(parseRecordName(text), undefined, text);
});

Deno.test("parseTime reads what formatTime wrote, before 1970 too", () => {
  const times: [sec: number, ns: number, text: string][] = [
    [0, 0, "1970-01-01T00:00:00.000000000Z"],
    [1_795_153_578, 123_456_789, "2026-11-20T05:46:18.123456789Z"],
    [-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"],
    [-2_208_988_800, 1, "1900-01-01T00:00:00.000000001Z"],
    [253_402_300_799, 5, "9999-12-31T23:59:59.000000005Z"],
  ];
  for (const [sec, ns, text] of times) {
    equal(formatTime(sec, ns), text);
    deepEqual(parseTime(text), { sec, ns });
  }
});

Deno.test("parseTime takes fewer digits, and refuses what is no time in UTC", () => {
  deepEqual(parseTime("1970-01-01T00:00:01Z"), { sec: 1, ns: 0 });
  deepEqual(parseTime("1970-01-01T00:00:01.5Z"), { sec: 1, ns: 500_000_000 });
  const bad = [
    "",
    "now",
    "1970-01-01",
    "1970-01-01T00:00:01",
    "1970-01-01T00:00:01+01:00",
    "1970-01-01T00:00:01.Z",
    "1970-01-01T00:00:01.1234567890Z",
    "1970-02-31T25:00:01Z",
    "1970-01-01T00:00:01Z\n",
  ];
  for (const text of bad) {
    throws(() => parseTime(text), SyntaxError, JSON.stringify(text));
  }
});
