// Prints the id of each file, as b3sum does:
// deno run -A examples/b3sum.ts FILE...
import { createReadStream } from "node:fs";
import process from "node:process";
import type { Hasher } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";

/** Native code where it may be loaded; both give the same ids. */
async function chooseHasher(): Promise<Hasher> {
  try {
    const { nativeHasher } = await import("@snap/hash/native");
    return nativeHasher();
  } catch {
    return wasmHasher;
  }
}

const hash = (await chooseHasher()).stream();
for (const path of process.argv.slice(2)) {
  hash.reset();
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  console.log(`${hash.digest()}  ${path}`);
}
