import type { Hasher, HasherName } from "@snap/hash";
import { hasherNamed } from "@snap/hash/named";

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
  if (!need.isLight && await likelyHasher() === "native") {
    try {
      return await hasherNamed("native");
    } catch {
      // It is not installed, or not made for this machine.
    }
  }
  return await hasherNamed("wasm");
}

/** Tells which hasher will be chosen, unless the native one turns out to be absent. */
export async function likelyHasher(): Promise<HasherName> {
  const { allowed } = await import("@snap/posix");
  const mayLoad = allowed("ffi") && allowed("read") && allowed("sys");
  return mayLoad ? "native" : "wasm";
}
