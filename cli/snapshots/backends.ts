import { chooseHasher } from "./choose_hasher.ts";

/** What runs here: it decides speed and fidelity, never an id. */
export interface Backends {
  /** What hashes. */
  readonly hasher: "native" | "wasm";
  /** What decodes in mounts and in workers of a restore; nothing where that is portable code. */
  readonly decoders: readonly string[];
  /** What reads and writes files. */
  readonly files: "posix" | "node:fs";
}

/**
 * Finds out what runs here.
 *
 * @returns The hasher, the decoders, and how files are read and written.
 */
export async function findBackends(): Promise<Backends> {
  const hasher = await chooseHasher();
  const [{ posix }, { nativeDecoders }] = await Promise.all([
    import("@snap/posix"),
    import("@snap/posix/decoders"),
  ]);
  return {
    hasher: hasher.name,
    decoders: Object.values(nativeDecoders).map(({ name }) => name),
    files: posix === undefined ? "node:fs" : "posix",
  };
}
