import { decodeBase64 } from "./base64.ts";
import { Blake3Kernel, type KernelCode } from "./blake3_kernel.ts";
import { BLAKE3_WASM } from "./blake3_wasm.ts";

let kernel: Blake3Kernel | undefined;

/** The one kernel in WebAssembly of this thread, compiled when first asked for. */
export function wasmKernel(): Blake3Kernel {
  if (kernel !== undefined) return kernel;
  const module = new WebAssembly.Module(decodeBase64(BLAKE3_WASM));
  const { exports } = new WebAssembly.Instance(module);
  return kernel = new Blake3Kernel(exports as unknown as KernelCode);
}
