/**
 * Builds `_lz4_wasm.ts` from `lz4.as`. With `--check` writes nothing and fails
 * if the file is not what the source builds.
 *
 * Run: `deno run --no-lock -A pack/codec/_kernel/build.ts`
 *
 * @module
 */

// Named here and not in the root deno.json, so that nobody who uses the package
// downloads a compiler.
// deno-lint-ignore snap/import-direction
import * as asc from "npm:assemblyscript@0.28.20/asc";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const SOURCE = new URL("lz4.as", import.meta.url);
const TARGET = new URL("../lz4_wasm.ts", import.meta.url);
const LINE_SIZE = 76;

async function compile(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const written = new Map<string, Uint8Array>();
  const { error, stderr } = await asc.main([
    "lz4.ts",
    "--outFile=lz4.wasm",
    "-O3",
    "--converge",
    "--noAssert",
    "--runtime=stub",
    "--enable=simd",
    "--use=abort=",
    "--memoryBase=131072",
    "--initialMemory=16",
    // 4 MiB stored and 4 MiB plain, the table, and what lies between.
    "--maximumMemory=160",
  ], {
    readFile: (name) => name === "lz4.ts" ? source : null,
    writeFile: (name, content) => void written.set(name, content as Uint8Array),
    listFiles: () => [],
  });
  if (error !== null) throw new Error(stderr.toString(), { cause: error });
  return new Uint8Array(written.get("lz4.wasm")!);
}

function render(wasm: Uint8Array<ArrayBuffer>): string {
  const digits = wasm.toBase64();
  const lines = digits.match(new RegExp(`.{1,${LINE_SIZE}}`, "g"))!;
  return `// Built by _kernel/build.ts from _kernel/lz4.as. Do not edit.
// deno-fmt-ignore-file

/** The LZ4 kernel, a WebAssembly module of ${wasm.length} bytes, in base64. */
export const LZ4_WASM: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}

const text = render(await compile(readFileSync(SOURCE, "utf8")));
if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, "utf8") !== text) {
  throw new Error(
    "Cannot accept _lz4_wasm.ts as it must be what lz4.as builds: run build.ts",
  );
}
