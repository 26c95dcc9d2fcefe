import { deepStrictEqual } from "node:assert/strict";
import { Prng } from "../tests/_prng.ts";
import { type Blake3Kernel, BLOCK_SIZE, ROOT } from "./blake3_kernel.ts";
import { jsKernel } from "./js_kernel.ts";
import { wasmKernel } from "./wasm_kernel.ts";
import {
  referenceHash,
  referenceSubtree,
} from "./testdata/reference_blake3.ts";

const KERNELS = { WebAssembly: wasmKernel(), JavaScript: jsKernel() };
const content = new Prng(1).bytes(BLOCK_SIZE);

function subtree(
  kernel: Blake3Kernel,
  size: number,
  blockCount: number,
  flags: number,
): Uint8Array {
  kernel.input.set(content.subarray(0, size));
  kernel.hash(size, kernel.plain, blockCount, flags);
  return kernel.out.slice();
}

for (const [name, kernel] of Object.entries(KERNELS)) {
  Deno.test(`Blake3Kernel in ${name} hashes as the specification says`, () => {
    for (
      const size of [0, 1, 64, 65, 1024, 1025, 2500, 5120, 7169, BLOCK_SIZE]
    ) {
      const bytes = content.subarray(0, size);
      deepStrictEqual(
        subtree(kernel, size, 0, ROOT),
        referenceHash(bytes),
        `${size}`,
      );
    }
  });

  Deno.test(`Blake3Kernel in ${name} counts chunks beyond 32 bits`, () => {
    for (const size of [1, 1024, 4096, 7000]) {
      for (
        const blockCount of [1, 2 ** 26 - 1, 2 ** 26, 2 ** 26 + 3, 2 ** 37 - 1]
      ) {
        deepStrictEqual(
          subtree(kernel, size, blockCount, 0),
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

  Deno.test(`Blake3Kernel in ${name} keeps nothing of the call before`, () => {
    const expected = subtree(kernel, 100, 0, ROOT);
    subtree(kernel, BLOCK_SIZE, 5, 0);
    subtree(kernel, 7169, 0, ROOT);
    deepStrictEqual(subtree(kernel, 100, 0, ROOT), expected);
  });
}
