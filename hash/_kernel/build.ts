/**
 * Builds `_blake3_wasm.ts` from `blake3.as`. With `--check` writes nothing and
 * fails if the file is not what the source builds.
 *
 * Run: `deno run --no-lock -A hash/_kernel/build.ts`
 *
 * @module
 */

// Named here and not in the root deno.json, so that nobody who uses the package
// downloads a compiler.
// deno-lint-ignore snap/import-direction
import * as asc from "npm:assemblyscript@0.28.20/asc";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { expandRounds } from "./expand_rounds.ts";

const SOURCE = new URL("blake3.as", import.meta.url);
const TARGET = new URL("../blake3_wasm.ts", import.meta.url);
const LINE_SIZE = 76;

async function compile(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const written = new Map<string, Uint8Array>();
  const { error, stderr } = await asc.main([
    "blake3.ts",
    "--outFile=blake3.wasm",
    "-O3",
    "--noAssert",
    "--runtime=stub",
    "--enable=simd",
    "--use=abort=",
    "--initialMemory=2",
    "--maximumMemory=2",
    "--memoryBase=131072",
  ], {
    readFile: (name) => name === "blake3.ts" ? source : null,
    writeFile: (name, content) => void written.set(name, content as Uint8Array),
    listFiles: () => [],
  });
  if (error !== null) throw new Error(stderr.toString(), { cause: error });
  return new Uint8Array(written.get("blake3.wasm")!);
}

function moduleText(wasm: Uint8Array): string {
  const text = btoa(String.fromCharCode(...wasm));
  const lines = text.match(new RegExp(`.{1,${LINE_SIZE}}`, "g"))!;
  return `// Made by _kernel/build.ts from _kernel/blake3.as: do not edit.

// deno-fmt-ignore-file

/** The BLAKE3 kernel, ${wasm.length} bytes of WebAssembly in base64. */
export const BLAKE3_WASM: string = \`
${lines.join("\n")}
\`;
`;
}

const built = moduleText(
  await compile(expandRounds(readFileSync(SOURCE, "utf8"))),
);
if (!process.argv.includes("--check")) {
  writeFileSync(TARGET, built);
} else if (readFileSync(TARGET, "utf8") !== built) {
  console.error("_blake3_wasm.ts is not what blake3.as builds");
  process.exitCode = 1;
}
