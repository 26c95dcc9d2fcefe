/**
 * Builds `lz4_wasm.ts` from `lz4.as`. With `--check` writes nothing and fails
 * if the file is not what the source builds.
 *
 * Run: `deno run --no-lock -A pack/codec/_kernel/build.ts`
 *
 * @module
 */

import { buildKernel } from "../../../_tools/_kernel/build_kernel.ts";

await buildKernel({
  name: "LZ4",
  source: new URL("lz4.as", import.meta.url),
  target: new URL("../lz4_wasm.ts", import.meta.url),
  args: [
    "--memoryBase=131072",
    "--initialMemory=16",
    // 4 MiB stored and 4 MiB plain, the table, and what lies between.
    "--maximumMemory=160",
  ],
});
