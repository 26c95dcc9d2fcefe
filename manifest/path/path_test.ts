import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";
import {
  displayPath,
  escapeInvisible,
  joinPath,
  parsePath,
  pathToText,
  splitPath,
} from "./path.ts";
import { hex, utf8 } from "../testdata/golden.ts";

Deno.test("joinPath puts a slash between, but for the root", () => {
  deepStrictEqual(joinPath(utf8(""), utf8("a")), utf8("a"));
  deepStrictEqual(joinPath(utf8("a"), utf8("b/c")), utf8("a/b/c"));
});

Deno.test("joinPath returns bytes of its own", () => {
  const name = utf8("a");
  joinPath(utf8(""), name)[0] = 0;
  deepStrictEqual(name, utf8("a"));
});

Deno.test("splitPath drops empty names and keeps dots", () => {
  const split = (path: string) =>
    splitPath(utf8(path)).map((name) => displayPath(name));
  deepStrictEqual(split(""), []);
  deepStrictEqual(split("/"), []);
  deepStrictEqual(split("a"), ["a"]);
  deepStrictEqual(split("//a///b/../c/."), ["a", "b", "..", "c", "."]);
});

Deno.test("displayPath and pathToText escape what is not text", () => {
  const cases: [string, string, string][] = [
    ["", "", ""],
    ["612f62", "a/b", "a/b"],
    ["25", "%25", "%25"],
    ["00091f7f", "%00%09%1F%7F", "%00%09%1F%7F"],
    ["c3a9e282acf09f9880", "é€😀", "é€😀"],
    ["61ff62", "a%FFb", "a%FFb"],
    ["c0af", "%C0%AF", "%C0%AF"],
    ["e0809f", "%E0%80%9F", "%E0%80%9F"],
    ["eda080", "%ED%A0%80", "%ED%A0%80"],
    ["f4908080", "%F4%90%80%80", "%F4%90%80%80"],
    ["e282", "%E2%82", "%E2%82"],
    ["e28261", "%E2%82a", "%E2%82a"],
    ["efbbbf61", "\ufeffa", "%EF%BB%BFa"],
    ["c285", "\u0085", "%C2%85"],
    ["c2a0", "\u00a0", "\u00a0"],
    ["e280ae", "\u202e", "%E2%80%AE"],
    ["e280a8", "\u2028", "%E2%80%A8"],
    ["e281a6", "\u2066", "%E2%81%A6"],
    ["d89c", "\u061c", "%D8%9C"],
    ["e2808b", "\u200b", "%E2%80%8B"],
    ["e2808d", "\u200d", "%E2%80%8D"],
    ["e281a0", "\u2060", "%E2%81%A0"],
    ["c2ad", "\u00ad", "%C2%AD"],
    ["e385a4", "\u3164", "%E3%85%A4"],
    ["f3a08181", "\u{e0041}", "%F3%A0%81%81"],
    ["e29da4efb88f", "❤\ufe0f", "❤\ufe0f"],
    ["65cc81", "e\u0301", "e\u0301"],
  ];
  for (const [bytes, text, shown] of cases) {
    strictEqual(pathToText(hex(bytes)), text, bytes);
    strictEqual(displayPath(hex(bytes)), shown, bytes);
    deepStrictEqual(parsePath(text), hex(bytes), bytes);
    deepStrictEqual(parsePath(shown), hex(bytes), bytes);
  }
});

Deno.test("escapeInvisible leaves text that can be seen, also a percent sign", () => {
  strictEqual(escapeInvisible("50% of é€😀"), "50% of é€😀");
  strictEqual(escapeInvisible("a\x1b[2J\n\u200b"), "a%1B[2J%0A%E2%80%8B");
});

Deno.test("displayPath reads shared memory", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(3));
  bytes.set(utf8("a\nb"));
  strictEqual(displayPath(bytes), "a%0Ab");
  strictEqual(displayPath(bytes.subarray(0, 1)), "a");
});

Deno.test("parsePath refuses what nothing wrote", () => {
  for (
    const [text, offset] of [["%", 0], ["a%4", 1], ["%4g", 0], [
      "ab%ff",
      2,
    ]] as const
  ) {
    throws(() => parsePath(text), (error: unknown) => {
      ok(error instanceof ManifestSyntaxError);
      strictEqual(error.offset, offset);
      return true;
    });
  }
  throws(() => parsePath("\ud800"), /surrogate/);
});

seededTest(
  "parsePath reads what displayPath and pathToText wrote, any bytes",
  (prng) => {
    const bytes = prng.bytes(prng.below(60));
    const some = bytes.map((byte) =>
      prng.below(3) === 0 ? byte : prng.pick([0x25, 0xc2, 0xe2, 0x80, 0xae])
    );
    for (const path of [bytes, some]) {
      deepStrictEqual(parsePath(displayPath(path)), path);
      deepStrictEqual(parsePath(pathToText(path)), path);
    }
  },
);

seededTest("pathToText leaves valid text without controls as it is", (prng) => {
  const text = String.fromCodePoint(
    ...Array.from({ length: prng.below(30) }, () => {
      const point = 0x26 + prng.below(0x10ffda);
      return (point >= 0xd800 && point <= 0xdfff) || point === 0x7f
        ? 0x61
        : point;
    }),
  );
  strictEqual(pathToText(utf8(text)), text);
});
