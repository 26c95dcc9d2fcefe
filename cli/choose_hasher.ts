import type { Hasher } from "@snap/hash/hasher";

/**
 * Chooses the native hasher where it may be loaded, else the portable one. Asks
 * for nothing: a permission that was not given counts as refused.
 *
 * @returns The hasher.
 */
export async function chooseHasher(): Promise<Hasher> {
  const { allowed } = await import("@snap/posix/allowed");
  if (allowed("ffi") && allowed("read") && allowed("sys")) {
    try {
      const { nativeHasher } = await import("@snap/hash/native");
      return nativeHasher();
    } catch {
      // It is not installed, or not made for this machine.
    }
  }
  const { wasmHasher } = await import("@snap/hash/wasm-hasher");
  return wasmHasher;
}
