// Makes _zero_values.ts: the BLAKE3 of zeros by sub-tree. It takes minutes.
//
//   deno run --no-lock -A hash/_kernel/zeros.ts
import { BLOCK_SIZE } from "../blake3_kernel.ts";
import { wasmKernel } from "../wasm_kernel.ts";

/** Blocks of 64 KiB in a sub-tree: 256 MiB. */
const BLOCKS = 4096;
/** Sub-trees that are known: 256 GiB. */
const COUNT = 1024;
const LINE_SIZE = 152;

const kernel = wasmKernel();
kernel.input.fill(0);
const values = new Uint8Array(32 * COUNT);
for (let i = 0; i < COUNT; i++) {
  const stack: Uint8Array[] = [];
  for (let k = 0; k < BLOCKS; k++) {
    kernel.hash(BLOCK_SIZE, kernel.plain, i * BLOCKS + k, 0);
    for (let n = k + 1; n % 2 === 0; n /= 2) {
      kernel.left.set(stack.pop()!);
      kernel.join(kernel.plain, 0);
    }
    stack.push(kernel.out.slice());
  }
  values.set(stack[0], 32 * i);
}
const text = btoa(String.fromCharCode(...values));
const lines: string[] = [];
for (let at = 0; at < text.length; at += LINE_SIZE) {
  lines.push(text.slice(at, at + LINE_SIZE));
}
const path = new URL("../zero_values.ts", import.meta.url);
Deno.writeTextFileSync(
  path,
  `// Made by _kernel/zeros.ts: do not edit.

// deno-fmt-ignore-file

/** Blocks of 64 KiB in a sub-tree of which the chaining value is known. */
export const ZERO_SUBTREE_BLOCKS: number = ${BLOCKS};

/** Chaining values of the first ${COUNT} sub-trees of content that is all zeros, in base64. */
export const ZERO_VALUES: string = \`
${lines.join("\n")}
\`;
`,
);
