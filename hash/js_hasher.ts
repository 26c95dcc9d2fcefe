/**
 * The hasher in plain JavaScript, for places that forbid to compile WebAssembly: a
 * page by its policy, a worker at the edge. It is many times slower than
 * `wasmHasher`.
 *
 * @module
 */

import type { Hasher } from "./hasher.ts";
import { jsKernel } from "./js_kernel.ts";
import { KernelHasher } from "./kernel_hasher.ts";

/**
 * The hasher without native code and WebAssembly.
 *
 * @example
 * ```ts
 * import { jsHasher } from "@snap/hash/js-hasher";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode("hello");
 * equal(jsHasher.idOf(bytes), wasmHasher.idOf(bytes));
 * ```
 */
export const jsHasher: Hasher = new KernelHasher("js", jsKernel);
