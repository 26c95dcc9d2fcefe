import type { Hasher } from "@snap/hash";

/** Use of the hasher. */
export interface HasherNeed {
  /** Whether little is hashed, so that loading native code is not worth 15 ms. */
  readonly isLight?: boolean;
}

/**
 * Chooses the native hasher where it may be loaded, else the portable one. Asks
 * for nothing: a permission that was not given counts as refused.
 */
export async function chooseHasher(need: HasherNeed = {}): Promise<Hasher> {
  if (need.isLight) return await portableHasher();
  if (await likelyHasher() === "native") {
    try {
      const { nativeHasher } = await import("@snap/hash/native");
      return nativeHasher();
    } catch {
      // It is not installed, or not made for this machine.
    }
  }
  return await portableHasher();
}

/** Tells which hasher will be chosen, unless the native one turns out to be absent. */
export async function likelyHasher(): Promise<"native" | "wasm"> {
  const { allowed } = await import("@snap/posix");
  const mayLoad = allowed("ffi") && allowed("read") && allowed("sys");
  return mayLoad ? "native" : "wasm";
}

async function portableHasher(): Promise<Hasher> {
  const { wasmHasher } = await import("@snap/hash/wasm-hasher");
  return wasmHasher;
}
