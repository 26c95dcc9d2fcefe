import { strictEqual } from "node:assert/strict";
import { noise } from "../../tests/_test_trees.ts";
import { Xxh64 } from "./xxh64.ts";

const encoder = new TextEncoder();

Deno.test("Xxh64 gives what the reference gives", () => {
  for (
    const [text, low32] of [
      ["", 0x51d8e999],
      ["a", 0xa98c6e5b],
      ["abc", 0xad770999],
      ["Nobody inspects the spammish repetition", 0x8a378bf1],
    ] as const
  ) {
    const hash = new Xxh64();
    hash.update(encoder.encode(text));
    strictEqual(hash.low32(), low32, text);
  }
});

Deno.test("Xxh64 gives what the reference gives for more than goes to the kernel at once", () => {
  const hash = new Xxh64();
  hash.update(Uint8Array.from({ length: 256 * 300 }, (_, i) => i));
  strictEqual(hash.low32(), 0x633cadab);
});

Deno.test("Xxh64 does not depend on the pieces", () => {
  const bytes = noise(300_001, 7);
  const whole = new Xxh64();
  whole.update(bytes);
  for (const size of [1, 31, 32, 33, 1000, 65_537]) {
    const hash = new Xxh64();
    for (let at = 0; at < bytes.length; at += size) {
      hash.update(bytes.subarray(at, at + size));
    }
    strictEqual(hash.low32(), whole.low32(), `${size}`);
  }
});
