import {
  deepStrictEqual,
  notStrictEqual,
  strictEqual,
  throws,
} from "node:assert/strict";
import { seededTest } from "../tests/_prng.ts";
import {
  compareBytes,
  equalBytes,
  type Id,
  ID_SIZE,
  idFromBytes,
  idToBytes,
  isId,
  parseId,
} from "./id.ts";

const ID = "00ff10a9".repeat(8);

Deno.test("isId() accepts 64 lower-case hexadecimal digits and nothing else", () => {
  strictEqual(isId(ID), true);
  strictEqual(isId("0123456789abcdef".repeat(4)), true);
  const refused = [
    "",
    ID.slice(1),
    ID + "0",
    ID.toUpperCase(),
    ID.slice(1) + "g",
    ID.slice(1) + "/",
    ID.slice(1) + ":",
    ID.slice(1) + "`",
    ID.slice(1) + "０",
    ID.slice(1) + "\n",
    " " + ID.slice(1),
  ];
  for (const text of refused) strictEqual(isId(text), false, text);
});

Deno.test("parseId() returns the text", () => {
  strictEqual(parseId(ID), ID);
});

Deno.test("parseId() throws what it found", () => {
  throws(() => parseId("ABC"), {
    name: "SyntaxError",
    message:
      'Cannot parse id as it needs 64 lower-case hexadecimal digits: found "ABC"',
  });
});

Deno.test("parseId() does not repeat a long text in its message", () => {
  throws(
    () => parseId("a".repeat(100_000)),
    (error: Error) =>
      error instanceof SyntaxError && error.message.length < 200,
  );
});

Deno.test("idFromBytes() reads at an offset", () => {
  const bytes = new Uint8Array(40).fill(0xee);
  bytes.set([0x00, 0x9f, 0xf0], 5);
  strictEqual(idFromBytes(bytes, 5), "009ff0" + "ee".repeat(29));
  strictEqual(idFromBytes(bytes, 8), "ee".repeat(32));
});

Deno.test("idFromBytes() throws where 32 bytes do not follow", () => {
  const bytes = new Uint8Array(40);
  for (const offset of [9, 40, -1, NaN]) {
    throws(() => idFromBytes(bytes, offset), RangeError, `${offset}`);
  }
  throws(() => idFromBytes(new Uint8Array(31)), {
    name: "RangeError",
    message: "Cannot read id as it needs 32 bytes at 0: found 31 bytes in all",
  });
});

Deno.test("idToBytes() throws for what is neither an id nor its bytes", () => {
  throws(() => idToBytes(new Uint8Array(31)), RangeError);
  throws(() => idToBytes(5 as unknown as Id), {
    name: "TypeError",
    message: "Cannot use number as id: it is no Uint8Array",
  });
});

Deno.test("idToBytes() throws for a text that only claims to be an id", () => {
  throws(() => idToBytes(ID.toUpperCase() as Id), SyntaxError);
  throws(() => parseId(5 as unknown as string), {
    name: "TypeError",
    message: "Cannot parse id as text must be a string: found number",
  });
});

seededTest("idToBytes() undoes idFromBytes()", (prng) => {
  const bytes = prng.bytes(ID_SIZE);
  const id = idFromBytes(bytes);
  strictEqual(
    id,
    [...bytes].map((b) => b.toString(16).padStart(2, "0")).join(""),
  );
  deepStrictEqual(idToBytes(id), bytes);
  const copy = idToBytes(bytes);
  deepStrictEqual(copy, bytes);
  notStrictEqual(copy, bytes);
});

Deno.test("equalBytes() compares runs, not arrays", () => {
  const a = Uint8Array.of(1, 2, 3, 4);
  const b = Uint8Array.of(9, 9, 2, 3, 5);
  strictEqual(equalBytes(a, 1, b, 2, 2), true);
  strictEqual(equalBytes(a, 1, b, 2, 3), false);
  strictEqual(equalBytes(a, 0, b, 0, 0), true);
  strictEqual(equalBytes(a, 0, b, 2, 1), false);
});

Deno.test("compareBytes() orders by bytes, the shorter first", () => {
  const ordered = [[], [0], [0, 0], [1], [1, 0], [127], [128], [255], [255, 1]]
    .map((bytes) => Uint8Array.from(bytes));
  ordered.forEach((a, i) =>
    ordered.forEach((b, j) =>
      strictEqual(Math.sign(compareBytes(a, b)), Math.sign(i - j))
    )
  );
});
