import type { HasherName } from "@snap/hash";
import { chooseHasher } from "./choose_hasher.ts";

/** Implementations in use: they decide speed and fidelity, never an id. */
export interface Backends {
  readonly hasher: HasherName;
  /** Native decoders; none where portable code serves. */
  readonly decoders: readonly string[];
  /** Calls that read and write files. */
  readonly files: "posix" | "node:fs";
}

/** Finds out what runs here. */
export async function findBackends(): Promise<Backends> {
  const hasher = await chooseHasher();
  const [{ posix }, { nativeDecoders }] = await Promise.all([
    import("@snap/posix"),
    import("@snap/posix/decoders"),
  ]);
  return {
    hasher: hasher.name,
    decoders: Object.values(nativeDecoders).flatMap(({ name }) => name ?? []),
    files: posix === undefined ? "node:fs" : "posix",
  };
}
