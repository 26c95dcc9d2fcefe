import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { noise } from "../../tests/_snapshots.ts";
import { readSnapshot } from "../../tests/_snapshots.ts";
import {
  changed,
  END,
  entry,
  imported,
  joined,
  latinBytes,
  pax,
  refused,
} from "./_testing.ts";

Deno.test("a path that leads out of the archive leaves no record", async () => {
  const out = /^Cannot import .*: its path (leads out|is absolute)/;
  for (
    const path of ["../a", "a/../../b", "a/..", "..", "/etc/passwd", "//a"]
  ) {
    await refused(joined(entry(path), END), out);
    await refused(joined(pax(["path", path]), entry("a"), END), out);
  }
  const sparse: [string, string][] = [
    ["GNU.sparse.name", "../a"],
    ["GNU.sparse.size", "0"],
  ];
  await refused(joined(pax(...sparse), entry("a"), END), out);
});

Deno.test("a link that leads out is kept as it is, but nothing is put behind it", async () => {
  const link = (target: string) => entry("l", { type: "2", linkName: target });
  for (const target of ["/etc", "..", "a/../../b"]) {
    await imported(joined(link(target), END));
    const under = joined(entry("a/"), link(target), entry("l/x"), END);
    await refused(under, /^Cannot import l\/x: its path leads out/);
  }
  const circle = joined(link("l"), entry("l/x"), END);
  await refused(circle, /links on the way lead in a circle; byte 512 /);
  const inside = await imported(
    joined(entry("d/e/"), link("d/../d/e"), entry("l/x", {}, "x"), END),
  );
  const { snapshots, record } = inside;
  const listing = await readSnapshot(snapshots, record);
  deepStrictEqual([...listing.keys()], ["", "d", "d/e", "d/e/x", "l"]);
});

Deno.test("a hard link to what is not in the archive before it is refused", async () => {
  const link = (target: string) => entry("l", { type: "1", linkName: target });
  const none =
    /^Cannot import l: it is a link to a, which is not in the archive before it; byte 0 /;
  await refused(joined(link("a"), entry("a"), END), none);
  await refused(joined(link("../a"), END), /leads out/);
  await refused(joined(link("/a"), END), /is absolute/);
  await refused(
    joined(entry("a/"), link("a"), END),
    /a directory has one name/,
  );
});

Deno.test("an archive that ends at any block but the last leaves no record", async () => {
  const whole = joined(
    pax(["mtime", "1.5"], ["SCHILY.xattr.user.a", "b"]),
    entry("a", {}, "x".repeat(1025)),
    entry("d/", { type: "5" }),
    entry("l", { type: "2", linkName: "a" }),
    END,
  );
  for (let size = 0; size < whole.length - 512; size += 512) {
    const message = size === 0
      ? /^Cannot read archive as it is empty; byte 0 of the archive$/
      : /(ends too early|archive ends in it); byte \d+ of the archive$/;
    await refused(whole.subarray(0, size), message);
    if (size > 0) await refused(whole.subarray(0, size - 1), message);
  }
  // All entries are there, and the first block of the end.
  strictEqual((await imported(whole.subarray(0, -512))).totals.entryCount, 3);
});

Deno.test("a byte that is not what the sum of its header says leaves no record", async () => {
  const whole = joined(entry("abc", {}, "content"), END);
  for (let at = 0; at < 512; at += 7) {
    const other = whole.slice();
    other[at] ^= 0x15;
    await refused(
      other,
      /the sum of a header is not that of its bytes; byte 0 /,
    );
  }
});

Deno.test("sizes that lie are refused", async () => {
  const large = changed(entry("a", {}, "1"), 124, "77777777777\0");
  await refused(joined(large, END), /^Cannot read a as the archive ends in it/);
  const negative = new Uint8Array(12).fill(0xff);
  const below = changed(entry("a"), 124, negative);
  await refused(joined(below, END), /^Cannot read a as its size is below 0/);
  const huge = changed(
    entry("a"),
    124,
    Uint8Array.of(0x80, 9, 9, 9, 9, 9, 9, 9),
  );
  await refused(
    joined(huge, END),
    /a header holds what is no number; byte 124 /,
  );
  const text = changed(entry("a"), 124, "12x4");
  await refused(joined(text, END), /a header holds what is no number/);
  const number = /its pax record size is no number/;
  for (const size of ["-1", "1e3", "", "99999999999999999"]) {
    if (size === "") continue;
    await refused(joined(pax(["size", size]), entry("a"), END), number);
  }
  const lies = joined(pax(["size", "9000000000000000"]), entry("a"), END);
  await refused(lies, /^Cannot read a as the archive ends in it/);
});

Deno.test("pax records that lie, never end, or are for nothing are refused", async () => {
  const record = /a pax record is not what its length says; byte (512|521) /;
  for (
    const text of [
      "9 a=b\n",
      "5 a=b\n",
      "6 a=bc",
      "99999999999 a=b\n",
      "x",
      "6 a b\n\n",
      "7 =abc\n",
      "0 a=b\n",
      "9 path=a\n5 x\n",
    ]
  ) {
    const bytes = joined(entry("p", { type: "x" }, text), entry("a"), END);
    await refused(bytes, record);
  }
  const endless = entry("p", { type: "x" }, "x".repeat(100));
  const lying = changed(endless, 124, "77777777777\0");
  await refused(
    joined(lying, END),
    /the records before an entry have 33554432 bytes at most/,
  );
  await refused(joined(pax(["mtime", "1"]), END), /ends before the entry/);
  const time = joined(pax(["mtime", "1.2.3"]), entry("a"), END);
  await refused(
    time,
    /^Cannot read a as its pax record mtime is no time; byte 1024 /,
  );
  const name = changed(entry("n", { type: "L" }, "a"), 124, "77777777777\0");
  await refused(joined(name, END), /a name 1048576/);
});

Deno.test("maps of holes that do not fit their data are refused", async () => {
  const map = /the map of a file with holes does not fit its data/;
  const of = (...records: [string, string][]) =>
    joined(
      pax(["GNU.sparse.size", "100"], ...records),
      entry("a", {}, "12345678"),
      END,
    );
  await imported(of(["GNU.sparse.map", "0,4,90,4"]));
  for (
    const bad of ["0,4", "0,4,2,4", "98,8", "0,4,90", "4,4,0,4", "a,b", "0,9"]
  ) await refused(of(["GNU.sparse.map", bad]), map);
  const runs = (...numbers: string[]): [string, string][] =>
    numbers.map((number, i) => [
      i % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes",
      number,
    ]);
  await imported(of(...runs("0", "4", "50", "4")));
  await refused(of(...runs("0", "4", "50")), map);
  await refused(of(["GNU.sparse.numbytes", "8"]), map);
  const first = (text: string) =>
    joined(
      pax(["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"], [
        "GNU.sparse.realsize",
        "100",
      ]),
      entry(
        "a",
        {},
        joined(latinBytes(text.padEnd(512, "\0")), latinBytes("12345678")),
      ),
      END,
    );
  await imported(first("1\n3\n8\n"));
  for (
    const bad of [
      "1\n3\n9\n",
      "99999999\n",
      "x\n",
      "\n",
      "1\n3\n8",
      "2\n3\n8\n",
    ]
  ) {
    await refused(first(bad), map);
  }
});

Deno.test("types that are not known, and parts of other volumes, are refused", async () => {
  await refused(
    joined(entry("a", { type: "M" }), END),
    /^Cannot read a as it goes on from another volume/,
  );
  await refused(
    joined(entry("a", { type: "Z" }), END),
    /its type is none that is known: found Z/,
  );
  await refused(joined(entry("a", { type: "\x1b" }), END), /found %1B/);
});

Deno.test("names that no snapshot can have are refused", async () => {
  const long = "n".repeat(256);
  await refused(
    joined(pax(["path", long]), entry("a"), END),
    /a name must have 1 to 255 bytes/,
  );
  await refused(
    joined(pax(["path", "a\0b"]), entry("a"), END),
    /a name must not contain NUL/,
  );
  const deep = "d/".repeat(100_000);
  await refused(
    joined(pax(["path", `${deep}x`]), entry("a"), END),
    /directories nest more than 1024 deep/,
  );
  await refused(
    joined(entry("l", { type: "2" }), END),
    /a target must have 1 to 4095 bytes/,
  );
  await refused(
    joined(entry("."), END),
    /only a directory can be the root/,
  );
  const attribute = pax([`SCHILY.xattr.${long}`, "1"]);
  await refused(
    joined(attribute, entry("a"), END),
    /the name of an extended attribute must have/,
  );
  const acl = pax(["SCHILY.acl.access", "user:nobody-here:rwx"]);
  await refused(joined(acl, entry("a"), END), /is no list of rights/);
  const owner = pax(["uid", "4294967296"]);
  await refused(
    joined(owner, entry("a"), END),
    /the number of its owner must be 0 to 4294967295/,
  );
});

Deno.test("what stands behind the end is refused, zeros are not", async () => {
  const whole = joined(entry("a"), END, new Uint8Array(8192));
  await imported(whole);
  const at = whole.length;
  await refused(
    joined(whole, entry("b"), END),
    new RegExp(`something stands behind its end; byte ${at} `),
  );
});

Deno.test("what is compressed is read to its end: a damaged or cut end leaves no record", async () => {
  const plain = joined(entry("a", {}, noise(300_000, 5)), END);
  for (
    const [name, bytes] of [["gzip", gzipSync(plain)], [
      "zstd",
      withSum(plain),
    ]] as const
  ) {
    strictEqual(
      (await imported(bytes, { pieceSize: 1000 })).totals.fileCount,
      1,
    );
    for (const size of [bytes.length - 1, bytes.length >> 1, 20]) {
      await refused(
        bytes.subarray(0, size),
        new RegExp(`cannot be decompressed by ${name}|archive ends in it`),
      );
      const cut = { pieceSize: size };
      strictEqual((await imported(bytes, cut)).totals.fileCount, 1);
    }
    const other = Uint8Array.from(bytes);
    other[other.length >> 1] ^= 1;
    await refused(other, new RegExp(`cannot be decompressed by ${name}`));
  }
  await refused(
    joined(latinBytes("BZh9"), new Uint8Array(600)),
    /it is compressed by bzip2/,
  );
});

Deno.test("an archive of another digest leaves no record", async () => {
  const whole = joined(entry("a"), END);
  const { sha256 } = await imported(whole);
  await imported(whole, { sha256: sha256.toUpperCase() });
  await refused(joined(entry("b"), END), /its SHA-256 is to be/, { sha256 });
});

/** A frame of zstd with a sum. */
function withSum(plain: Uint8Array): Uint8Array {
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(plain, { params });
}
