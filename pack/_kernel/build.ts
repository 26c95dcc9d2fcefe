/**
 * Compiles the kernels of this package:
 * `deno run -A pack/_kernel/build.ts` writes `pack/_lz4_wasm.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import asc from "npm:assemblyscript@0.28.20/asc";

const source = new URL("./lz4.as", import.meta.url);
const target = new URL("../_lz4_wasm.ts", import.meta.url);
let wasm = new Uint8Array();
const { error, stderr } = await asc.main([
  "lz4.as.ts",
  ...["--outFile", "lz4.wasm", "-O3", "--converge", "--noAssert"],
  ...["--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory"],
  ...["--memoryBase", "131072", "--initialMemory", "16"],
  // 4 MiB plain twice, and what is between them.
  ...["--maximumMemory", "160"],
], {
  readFile: (name: string) => name === "lz4.as.ts" ? readFileSync(source, "utf8") : null,
  writeFile: (name: string, bytes: string | Uint8Array) => {
    if (name === "lz4.wasm") wasm = bytes as Uint8Array<ArrayBuffer>;
  },
  listFiles: () => [],
});
if (error) throw new Error(stderr.toString(), { cause: error });

writeFileSync(
  target,
  `// Compiled from _kernel/lz4.as by _kernel/build.ts.
// deno-fmt-ignore-file

/** WebAssembly module of the LZ4 kernel, ${wasm.length} bytes, in base64. */
export const LZ4_WASM: string =
${wasm.toBase64().replace(/.{1,96}/g, '  "$&" +\n').replace(/ \+\n$/, ";\n")}`,
);
console.log(`${wasm.length} bytes`);
