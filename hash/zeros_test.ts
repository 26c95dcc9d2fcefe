import { ok, strictEqual, throws } from "node:assert/strict";
import { BLOCK_SIZE } from "./blake3_kernel.ts";
import { wasmKernel } from "./wasm_kernel.ts";
import { ZERO_SUBTREE_BLOCKS, zeroSubtree } from "./zero_subtrees.ts";
import { type Hasher, type HashStream, TREE_CONTEXT } from "./hasher.ts";
import { idFromBytes } from "./id.ts";
import { nativeHasher } from "./native.ts";
import { wasmHasher } from "./wasm_hasher.ts";

const HASHERS: readonly Hasher[] = [wasmHasher, nativeHasher()];
const SUBTREE = ZERO_SUBTREE_BLOCKS * BLOCK_SIZE;
/** Sub-trees that are known. */
const KNOWN = 1024;

/** Adds all zeros; how many calls it took. */
function addZeros(stream: HashStream, size: number): number {
  let calls = 0;
  for (let left = size; left > 0; calls++) left -= stream.updateZeros(left);
  return calls;
}

/** What `b3sum` prints for bytes `x`, zeros, then bytes `y`. */
const B3SUMS: readonly [
  before: number,
  zeros: number,
  behind: number,
  id: string,
][] = [
  [
    0,
    1073741824,
    0,
    "94b4ec39d8d42ebda685fbb5429e8ab0086e65245e750142c1eea36a26abc24d",
  ],
  [
    100,
    1500000000,
    77,
    "16a7b61af00c6f3c3b41f31c45091b39de129f538ce01c3f1e289e5401546da8",
  ],
  [
    300000000,
    805306368,
    1,
    "6c06984aac847c709a7bc6835c65b38cb362178a7d33885d7be581489369582c",
  ],
  [
    0,
    42949672960,
    3,
    "795da3b3cd3e6876edba1f48f7125a570f7508beebc5fc2f5a46d3c84bd789b1",
  ],
];

const SIZES = [0, 1, 63, 1024, 65_535, 65_536, 65_537, 131_072, 200_000];

for (const hasher of HASHERS) {
  Deno.test(`updateZeros is update with zeros: ${hasher.name}`, () => {
    const streams = [
      hasher.stream(),
      hasher.sparseStream(),
      hasher.deriveStream(TREE_CONTEXT),
    ];
    for (const stream of streams) {
      for (const before of SIZES) {
        for (const zeros of [...SIZES, 1_048_576, 1_200_000, 2_097_153]) {
          for (const behind of [0, 1, 65_536]) {
            const bytes = new Uint8Array(before + zeros + behind).fill(7);
            bytes.fill(0, before, before + zeros);
            stream.reset();
            stream.update(bytes);
            const expected = stream.digest();
            stream.reset();
            stream.update(bytes.subarray(0, before));
            addZeros(stream, zeros);
            // What was asked for meanwhile changes nothing.
            stream.digest();
            stream.update(bytes.subarray(before + zeros));
            strictEqual(
              stream.digest(),
              expected,
              `${before} + ${zeros} + ${behind}`,
            );
          }
        }
      }
    }
  });

  Deno.test(`updateZeros refuses what is no size: ${hasher.name}`, () => {
    for (const size of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      throws(() => hasher.stream().updateZeros(size), RangeError);
    }
    strictEqual(hasher.stream().updateZeros(0), 0);
  });

  Deno.test(`a sparse stream names gigabytes of zeros as b3sum does, in no time: ${hasher.name}`, () => {
    for (const [before, zeros, behind, id] of B3SUMS) {
      const stream = hasher.sparseStream();
      stream.update(new Uint8Array(before).fill(120));
      const calls = addZeros(stream, zeros);
      stream.update(new Uint8Array(behind).fill(121));
      strictEqual(stream.digest(), id, `${before} + ${zeros} + ${behind}`);
      // At most the two ends are hashed, 1 MiB a call.
      ok(calls <= 2 * SUBTREE / 2 ** 20 + 4, `${calls} calls`);
    }
  });
}

Deno.test("the sub-trees of zeros that are known are what the kernel makes of zeros", () => {
  const kernel = wasmKernel();
  const last = KNOWN - 1;
  strictEqual(zeroSubtree(1), undefined);
  strictEqual(zeroSubtree(KNOWN * ZERO_SUBTREE_BLOCKS), undefined);
  for (const number of [0, last]) {
    kernel.input.fill(0);
    const stack: Uint8Array[] = [];
    const first = number * ZERO_SUBTREE_BLOCKS;
    for (let k = 0; k < ZERO_SUBTREE_BLOCKS; k++) {
      kernel.hash(BLOCK_SIZE, kernel.plain, first + k, 0);
      for (let n = k + 1; n % 2 === 0; n /= 2) {
        kernel.left.set(stack.pop()!);
        kernel.join(kernel.plain, 0);
      }
      stack.push(kernel.out.slice());
    }
    strictEqual(idFromBytes(zeroSubtree(first)!), idFromBytes(stack[0]));
  }
});
