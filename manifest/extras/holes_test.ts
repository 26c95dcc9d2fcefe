import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import { decodeHoles, encodeHoles } from "./holes.ts";
import { hex } from "../testdata/golden.ts";

const KIB = 1024;

Deno.test("encodeHoles writes gaps and sizes", () => {
  const bytes = encodeHoles(Float64Array.of(0, 64 * KIB, 128 * KIB, 2 ** 40));
  deepStrictEqual(bytes, hex("00 808004 808004 808080808020"));
  deepStrictEqual(
    decodeHoles(bytes),
    Float64Array.of(0, 64 * KIB, 128 * KIB, 2 ** 40),
  );
});

Deno.test("encodeHoles joins holes that touch and drops those below 64 KiB", () => {
  const holes = Float64Array.of(
    0,
    4096,
    8192,
    60000,
    68192,
    5536,
    200000,
    65535,
    400000,
    65536,
  );
  deepStrictEqual(
    decodeHoles(encodeHoles(holes)),
    Float64Array.of(8192, 65536, 400000, 65536),
  );
  strictEqual(encodeHoles(Float64Array.of(5, 65535)).length, 0);
  strictEqual(encodeHoles(new Float64Array(0)).length, 0);
});

Deno.test("encodeHoles refuses holes that do not ascend", () => {
  throws(() => encodeHoles(Float64Array.of(1)), /pairs: found 1/);
  throws(() => encodeHoles(Float64Array.of(-1, 65536)), RangeError);
  throws(() => encodeHoles(Float64Array.of(0, 0)), RangeError);
  throws(() => encodeHoles(Float64Array.of(0, 65537, 65536, 65536)), /hole 1/);
  throws(() => encodeHoles(Float64Array.of(0, 2 ** 53)), /2\^53 - 1/);
});

Deno.test("decodeHoles refuses lists that encodeHoles does not write", () => {
  const refused: [string, RegExp][] = [
    ["", /must have one: found none/],
    ["00", /end within its bytes/],
    ["00 808080", /end within its bytes/],
    ["00 ffff03", /at least 65536 bytes: found 65535/],
    ["00 808004 00 808004", /must not touch: hole 1/],
    ["00 80808000", /shortest form/],
    ["01 ffffffffffffff0f", /end at most at 2\^53 - 1/],
  ];
  for (const [digits, reason] of refused) {
    throws(() => decodeHoles(hex(digits)), reason);
  }
});

seededTest("decodeHoles reads what encodeHoles wrote", (prng) => {
  const holes = new Float64Array(2 * (1 + prng.below(50)));
  let end = 0;
  for (let at = 0; at < holes.length; at += 2) {
    holes[at] = end + 1 + prng.below(2 ** 32) * (1 + prng.below(1000));
    holes[at + 1] = 64 * KIB + prng.below(2 ** 32) * (1 + prng.below(1000));
    end = holes[at] + holes[at + 1];
  }
  deepStrictEqual(decodeHoles(encodeHoles(holes)), holes);
});
