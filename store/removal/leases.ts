/**
 * The leases of a store, and who holds them.
 *
 * @module
 */
import { nodeModule } from "../node_module.ts";
import { DocumentSyntaxError, NotFoundError } from "../errors.ts";
import { decodeNamed } from "../format/document_form.ts";
import { readDocument } from "../format/read_document.ts";
import { checkSaveId } from "../hex.ts";
import type { ReadStore, StoreOptions } from "../store.ts";

/** The folder of leases. */
export const LEASES_PREFIX = "leases/";

const ENTRY = /^leases\/([0-9a-f]{32})\/(?:(end)|0|([1-9]\d{0,15}))$/;

/** What the names of a lease say. */
export interface LeaseState {
  /** The last number: of a renewal, or 0. */
  readonly number: number;
  /** Whether nobody needs to wait for it: it has ended, or its start is gone. */
  readonly isOver: boolean;
}

/** The holder of a lease, for people. */
export interface LeaseHolder {
  /** When it began: RFC 3339, UTC, nanoseconds. */
  readonly time: string;
  /** Where it runs. */
  readonly host: string;
  /** Which program it is. */
  readonly program: string;
  /** What it does. */
  readonly action: string;
}

/** Options of {@linkcode listLeases}. */
export interface ListLeasesOptions extends StoreOptions {
  /** Only this lease. */
  readonly saveId?: string;
  /** Whether an end counts only if the run itself has written it: its entries are read. */
  readonly checksEnds?: boolean;
}

/**
 * Lists the leases of a store.
 *
 * @returns By save id, 32 hex digits.
 * @throws {StoreError} If the store fails.
 */
export async function listLeases(
  store: ReadStore,
  options: ListLeasesOptions = {},
): Promise<Map<string, LeaseState>> {
  const leases = new Map<string, LeaseState>();
  const started = new Set<string>(), ended = new Set<string>();
  for await (const name of entries(store, options)) {
    const [, saveId, end, digits = "0"] = name;
    const number = Math.max(leases.get(saveId)?.number ?? 0, Number(digits));
    if (end !== undefined) ended.add(saveId);
    else if (digits === "0") started.add(saveId);
    const isOver = ended.has(saveId) || !started.has(saveId);
    leases.set(saveId, { number, isOver });
  }
  if (options.checksEnds !== true) return leases;
  for (const saveId of ended) {
    if (!started.has(saveId) || await isEndOf(store, saveId, options)) continue;
    leases.set(saveId, { ...leases.get(saveId)!, isOver: false });
  }
  return leases;
}

/** Whether the run of a lease has written its end: whoever may only add to a store can name any. */
async function isEndOf(
  store: ReadStore,
  saveId: string,
  options: StoreOptions,
): Promise<boolean> {
  const read = (entry: string) =>
    readEntry(store, `${LEASES_PREFIX}${saveId}/${entry}`, options);
  try {
    const { endHash } = await read("0");
    // Of runs of programs that knew no key.
    if (endHash === undefined) return true;
    const { key } = await read("end");
    return typeof key === "string" && hashOfKey(key) === endHash;
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    if (error instanceof DocumentSyntaxError) return false;
    throw error;
  }
}

/**
 * Hashes the key of an end.
 *
 * @param key 32 hex digits.
 * @returns 64 hex digits.
 */
export function hashOfKey(key: string): string {
  const { createHash } = nodeModule("node:crypto");
  return createHash("sha256").update(key).digest("hex");
}

/**
 * Reads who holds a lease.
 *
 * @param saveId Save id of the run, 32 hex digits.
 * @returns The holder, or undefined if the start of the lease is gone.
 * @throws {DocumentSyntaxError} If it is damaged.
 * @throws {UnsupportedVersionError} If it needs a newer program.
 * @throws {StoreError} If the store fails.
 */
export async function readLease(
  store: ReadStore,
  saveId: string,
  options?: StoreOptions,
): Promise<LeaseHolder | undefined> {
  checkSaveId(saveId);
  try {
    const body = await readEntry(store, `${LEASES_PREFIX}${saveId}/0`, options);
    const { time, host, program, action } = body as unknown as LeaseHolder;
    return { time, host, program, action };
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/**
 * Reads all save ids under which the run of a lease writes. Who settles suspects
 * reads them after the step `suspects`: a run that names one later reads the round
 * after that, finds itself suspected, and writes nothing under it.
 *
 * @param saveId Save id of the run, 32 hex digits.
 * @returns That one, and the others.
 * @throws {DocumentSyntaxError} If an entry of the lease is damaged.
 * @throws {UnsupportedVersionError} If an entry needs a newer program.
 * @throws {StoreError} If the store fails.
 */
export async function readSaveIds(
  store: ReadStore,
  saveId: string,
  options?: StoreOptions,
): Promise<Set<string>> {
  const saveIds = new Set([saveId]);
  const read = new Set<string>();
  let isNew = true;
  // What was removed while it was to be read has a later one, which has its ids.
  while (isNew) {
    isNew = false;
    for await (const [name, , end] of entries(store, { ...options, saveId })) {
      if (end !== undefined || read.has(name)) continue;
      isNew = true;
      read.add(name);
      for (const one of await readOthers(store, name, options)) {
        saveIds.add(one);
      }
    }
  }
  return saveIds;
}

async function readOthers(
  store: ReadStore,
  name: string,
  options: StoreOptions | undefined,
): Promise<readonly string[]> {
  try {
    const { saveIds } = await readEntry(store, name, options);
    return (saveIds ?? []) as readonly string[];
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

async function readEntry(
  store: ReadStore,
  name: string,
  options: StoreOptions | undefined,
): Promise<Record<string, unknown>> {
  return decodeNamed(name, await readDocument(store, name, options)).body;
}

/** The names of entries: all of it, the save id, `end` or nothing, the number or nothing. */
async function* entries(
  store: ReadStore,
  { saveId, signal }: ListLeasesOptions,
): AsyncGenerator<RegExpExecArray> {
  if (saveId !== undefined) checkSaveId(saveId);
  const prefix = saveId === undefined
    ? LEASES_PREFIX
    : `${LEASES_PREFIX}${saveId}/`;
  for await (const batch of store.list(prefix, { signal })) {
    for (const { name } of batch) {
      const found = ENTRY.exec(name);
      if (found !== null) yield found;
    }
  }
}
