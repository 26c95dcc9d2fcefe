import type { DiskError } from "@snap/disk";
import { idFromBytes } from "@snap/hash";
import { NotFoundError } from "@snap/store";
import type { ReadDirectoryOptions } from "./read_directory.ts";
import { DamagedEntryError } from "../errors.ts";

/** Turns damage of what an entry needs into an error of that entry. */
export function tolerateDamage(
  path: Uint8Array,
  options: {
    readonly onError: (error: DiskError) => void;
    readonly signal?: AbortSignal | undefined;
  },
): ReadDirectoryOptions {
  return {
    signal: options.signal,
    onDamage: (id, kind, error) => {
      const object = { path, id: idFromBytes(id), kind };
      const damage = { ...object, ...packNameOf(error) };
      options.onError(new DamagedEntryError(damage, error));
    },
  };
}

/** Names the pack that an error is about. */
function packNameOf(error: unknown): { packName?: string } {
  if (error instanceof NotFoundError) return { packName: error.storeName };
  if (!(error instanceof Error) || !("packName" in error)) return {};
  const { packName } = error;
  return typeof packName === "string" ? { packName } : {};
}
