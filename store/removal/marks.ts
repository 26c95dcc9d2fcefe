/**
 * Marks of removal: saves whose records do not count, packs that are damaged.
 *
 * @module
 */
import { encodeDocument } from "../format/document.ts";
import { timeText } from "../format/fields.ts";
import type { ReadStore, StoreOptions, WriteStore } from "../store.ts";

/** The folder of marks of packs that are damaged. */
export const BAD_PREFIX = "gc/bad/";
/** The folder of marks of saves whose records do not count. */
export const VOIDS_PREFIX = "gc/void/";

/** Options of whoever sets a mark. */
export interface MarkOptions extends StoreOptions {
  /** Save id of the run that sets it, 16 bytes. */
  readonly saveId: Uint8Array;
}

/** Options of {@linkcode markBadPack}. */
export interface BadPackOptions extends MarkOptions {
  /** What is wrong with the pack, for people. */
  readonly reason: string;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Lists the saves whose records do not count. Who lists records lists these after them.
 *
 * @returns Their save ids, 32 hex digits each.
 * @throws {StoreError} If the store fails.
 */
export async function listVoidSaves(
  store: ReadStore,
  options?: StoreOptions,
): Promise<Set<string>> {
  return await listMarks(store, VOIDS_PREFIX, options);
}

/**
 * Marks a save as void. The mark stays for ever.
 *
 * @param save Its save id, 32 hex digits.
 * @param round Number of the step `final` that says so.
 * @param options Who marks it.
 * @throws {StoreError} If the store fails.
 */
export async function createVoid(
  store: WriteStore,
  save: string,
  round: number,
  options: MarkOptions,
): Promise<void> {
  await createMark(store, VOIDS_PREFIX + save, { round }, options);
}

/**
 * Lists the packs that are known to be damaged.
 *
 * @returns Their ids, 64 hex digits each.
 * @throws {StoreError} If the store fails.
 */
export async function listBadPacks(
  store: ReadStore,
  options?: StoreOptions,
): Promise<Set<string>> {
  return await listMarks(store, BAD_PREFIX, options);
}

/**
 * Marks a pack as damaged: what lies in it is stored anew by whoever has it.
 *
 * @param pack Its id, 64 hex digits.
 * @param options Who marks it, and why.
 * @throws {StoreError} If the store fails.
 */
export async function markBadPack(
  store: WriteStore,
  pack: string,
  options: BadPackOptions,
): Promise<void> {
  const { reason, now = Date.now } = options;
  const body = { time: timeText(now()), reason };
  await createMark(store, BAD_PREFIX + pack, body, options);
}

async function createMark(
  store: WriteStore,
  name: string,
  body: Record<string, unknown>,
  { saveId, signal }: MarkOptions,
): Promise<void> {
  const bytes = encodeDocument({ kind: "GCLG", saveId, body });
  await store.create(name, bytes, { signal });
}

async function listMarks(
  store: ReadStore,
  prefix: string,
  options: StoreOptions | undefined,
): Promise<Set<string>> {
  const marks = new Set<string>();
  for await (const batch of store.list(prefix, options)) {
    for (const { name } of batch) marks.add(name.slice(prefix.length));
  }
  return marks;
}
