import { NotFoundError, StoreError } from "@snap/store";

/**
 * Tells errors of one object or its pack, after which others can be read, from
 * a store that fails and from mistakes of this program.
 */
export function isObjectFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError) return false;
  return !(error instanceof StoreError) || error.code === "SHORT";
}

/** Names the pack that an error is about. */
export function packNameOf(error: unknown): { packName?: string } {
  if (error instanceof NotFoundError) return { packName: error.storeName };
  if (!(error instanceof Error) || !("packName" in error)) return {};
  const { packName } = error;
  return typeof packName === "string" ? { packName } : {};
}
