/**
 * The hasher that runs everywhere: a BLAKE3 kernel of four lanes in WebAssembly
 * SIMD.
 *
 * @module
 */

import type { Hasher } from "./hasher.ts";
import { KernelHasher } from "./kernel_hasher.ts";
import { wasmKernel } from "./wasm_kernel.ts";

/**
 * The portable hasher. The first hash makes its code ready, without waiting.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 *
 * const stream = wasmHasher.stream();
 * stream.update(new TextEncoder().encode("hel"));
 * stream.update(new TextEncoder().encode("lo"));
 * const id = stream.digest();
 * ```
 */
export const wasmHasher: Hasher = new KernelHasher("wasm", wasmKernel);
