import { deepStrictEqual } from "node:assert/strict";
import { Prng } from "../tests/_prng.ts";
import { Blake3Kernel, BLOCK_SIZE, ROOT } from "./blake3_kernel.ts";
import {
  referenceHash,
  referenceSubtree,
} from "./testdata/reference_blake3.ts";

const kernel = new Blake3Kernel();
const content = new Prng(1).bytes(BLOCK_SIZE);

function subtree(size: number, blockCount: number, flags: number): Uint8Array {
  kernel.input.set(content.subarray(0, size));
  kernel.hash(size, kernel.plain, blockCount, flags);
  return kernel.out.slice();
}

Deno.test("Blake3Kernel hashes as the specification says", () => {
  for (const size of [0, 1, 64, 65, 1024, 1025, 2500, 5120, 7169, BLOCK_SIZE]) {
    const bytes = content.subarray(0, size);
    deepStrictEqual(subtree(size, 0, ROOT), referenceHash(bytes), `${size}`);
  }
});

Deno.test("Blake3Kernel counts chunks beyond 32 bits", () => {
  for (const size of [1, 1024, 4096, 7000]) {
    for (
      const blockCount of [1, 2 ** 26 - 1, 2 ** 26, 2 ** 26 + 3, 2 ** 37 - 1]
    ) {
      deepStrictEqual(
        subtree(size, blockCount, 0),
        referenceSubtree(
          content.subarray(0, size),
          BigInt(blockCount) * 64n,
          0,
        ),
        `${size} bytes after ${blockCount} blocks`,
      );
    }
  }
});

Deno.test("Blake3Kernel keeps nothing of the call before", () => {
  const expected = subtree(100, 0, ROOT);
  subtree(BLOCK_SIZE, 5, 0);
  subtree(7169, 0, ROOT);
  deepStrictEqual(subtree(100, 0, ROOT), expected);
});
