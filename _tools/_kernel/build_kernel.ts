/**
 * Builds a kernel of WebAssembly from AssemblyScript, for the build programs of the
 * packages.
 *
 * @module
 */

// Named here and not in the root deno.json, so that nobody who uses the package
// downloads a compiler.
import * as asc from "npm:assemblyscript@0.28.20/asc";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const LINE_SIZE = 76;

/** A kernel, and the module that holds it. */
export interface Kernel {
  /** Its name, as in `The LZ4 kernel`. */
  readonly name: string;
  /** The source. */
  readonly source: URL;
  /** The module that is written. */
  readonly target: URL;
  /** Arguments of the compiler, beside those of all kernels. */
  readonly args: readonly string[];
}

/**
 * Writes the module of a kernel. With `--check` writes nothing and fails if the module
 * is not what the source builds.
 */
export async function buildKernel(kernel: Kernel): Promise<void> {
  const { source, target, name } = kernel;
  const text = render(await compile(kernel), name);
  if (!process.argv.includes("--check")) return writeFileSync(target, text);
  if (readFileSync(target, "utf8") === text) return;
  throw new Error(
    `Cannot accept ${target.pathname} as it must be what ${source.pathname} builds: run build.ts`,
  );
}

async function compile(
  { source, args }: Kernel,
): Promise<Uint8Array<ArrayBuffer>> {
  const written = new Map<string, Uint8Array>();
  const text = readFileSync(source, "utf8");
  const { error, stderr } = await asc.main([
    "kernel.ts",
    ...["--outFile=kernel.wasm", "-O3", "--converge", "--noAssert"],
    ...["--runtime=stub", "--enable=simd", "--use=abort="],
    ...args,
  ], {
    readFile: (name) => name === "kernel.ts" ? text : null,
    writeFile: (name, content) => void written.set(name, content as Uint8Array),
    listFiles: () => [],
  });
  if (error !== null) throw new Error(stderr.toString(), { cause: error });
  return new Uint8Array(written.get("kernel.wasm")!);
}

function render(wasm: Uint8Array<ArrayBuffer>, name: string): string {
  const digits = wasm.toBase64();
  const lines = digits.match(new RegExp(`.{1,${LINE_SIZE}}`, "g"))!;
  return `// Built by _kernel/build.ts from _kernel/${name.toLowerCase()}.as. Do not edit.
// deno-fmt-ignore-file

/** The ${name} kernel, a WebAssembly module of ${wasm.length} bytes, in base64. */
export const ${name}_WASM: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}
