/**
 * Builds `xxh64_wasm.ts` from `xxh64.as`. With `--check` writes nothing and fails
 * if the file is not what the source builds.
 *
 * Run: `deno run --no-lock -A formats/compress/_kernel/build.ts`
 *
 * @module
 */

import { buildKernel } from "../../../_tools/_kernel/build_kernel.ts";

await buildKernel({
  name: "XXH64",
  source: new URL("xxh64.as", import.meta.url),
  target: new URL("../xxh64_wasm.ts", import.meta.url),
  // The sums, and 64 KiB behind them.
  args: ["--memoryBase=64", "--initialMemory=2", "--maximumMemory=2"],
});
