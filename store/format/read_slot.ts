import {
  DocumentSyntaxError,
  NotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "../errors.ts";
import type { ReadStore, StoreOptions } from "../store.ts";
import { readDocument } from "./read_document.ts";
import { type AnyTagSlot, decodeSlot } from "./tag_log.ts";

/** Which slot. */
export interface SlotPlace {
  /** The folder of the log. */
  readonly prefix: string;
  readonly number: number;
}

/** Reads a slot of a log, also one that is damaged; none where it is absent. */
export async function readSlot(
  store: ReadStore,
  { prefix, number }: SlotPlace,
  options?: StoreOptions,
  read: typeof readDocument = readDocument,
): Promise<AnyTagSlot | undefined> {
  const name = prefix + number;
  try {
    return decodeSlot(name, await read(store, name, options));
  } catch (error) {
    if (
      error instanceof DocumentSyntaxError ||
      error instanceof UnsupportedVersionError
    ) {
      return { number, damage: error };
    }
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/**
 * Reads a slot that another will follow: where it is damaged, the log goes on without
 * it for ever. So damage counts only if it is the same each time.
 */
export async function readSureSlot(
  store: ReadStore,
  place: SlotPlace,
  options?: StoreOptions,
): Promise<AnyTagSlot | undefined> {
  const slot = await readSlot(store, place, options);
  if (slot?.damage === undefined) return slot;
  return await readSlot(store, place, options, readTwice);
}

async function readTwice(
  store: ReadStore,
  name: string,
  options?: StoreOptions,
): Promise<Uint8Array> {
  const fresh = { ...options, isFresh: true };
  const first = await readDocument(store, name, fresh);
  const second = await readDocument(store, name, fresh);
  const isSame = first.length === second.length &&
    first.every((byte, i) => byte === second[i]);
  if (isSame) return second;
  throw new StoreError(
    `Cannot read ${name} as its bytes must be the same each time: found others`,
    { code: "EIO", action: "read", storeName: name },
  );
}
