import { chooseHasher } from "./choose_hasher.ts";

/** What runs here: it decides speed and fidelity, never an id. */
export interface Backends {
  /** What hashes. */
  readonly hasher: "native" | "wasm";
  /** What reads and writes files. */
  readonly files: "posix" | "node:fs";
}

/**
 * Finds out what runs here.
 *
 * @returns The hasher, and how files are read and written.
 */
export async function findBackends(): Promise<Backends> {
  const hasher = await chooseHasher();
  const { posix } = await import("@snap/posix/posix");
  return {
    hasher: hasher.name,
    files: posix === undefined ? "node:fs" : "posix",
  };
}
