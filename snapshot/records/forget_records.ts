import { hexOf, type Id, ID_SIZE, idFromBytes, parseId } from "@snap/hash";
import { formatTime } from "@snap/manifest/time";
import type { PruneStore, ReadStore, StoreOptions } from "@snap/store";
import { encodeDocument } from "@snap/store/format";
import { SideBySide } from "../verify/side_by_side.ts";
import {
  formatRecordName,
  parseRecordName,
  type RecordFile,
  RECORDS_PREFIX,
} from "./record.ts";

/** The folder of marks of records that are not to come back. */
const FORGOTTEN_PREFIX = "forgotten/";

/** Options of {@linkcode forgetRecords}. */
export interface ForgetRecordsOptions extends StoreOptions {
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Where random bytes come from. */
  readonly random?: (size: number) => Uint8Array;
}

/**
 * Lists the records that a store has forgotten, also those whose removal was
 * interrupted, so that they are there still.
 *
 * @param store The store.
 * @param options What ends the wait.
 * @returns Their ids.
 * @throws {StoreError} If the store fails.
 */
export async function listForgotten(
  store: ReadStore,
  options: StoreOptions = {},
): Promise<Set<Id>> {
  const forgotten = new Set<Id>();
  for await (const batch of store.list(FORGOTTEN_PREFIX, options)) {
    for (const { name } of batch) {
      forgotten.add(parseId(name.slice(FORGOTTEN_PREFIX.length)));
    }
  }
  return forgotten;
}

/**
 * Sees that records may be removed: who may write and not remove learns it before
 * anything is done.
 *
 * @param store The store.
 * @param options Random bytes, what ends the wait.
 * @throws {StoreError} If the store fails, or does not let anything be removed.
 */
export async function checkRemovable(
  store: PruneStore,
  options: ForgetRecordsOptions = {},
): Promise<void> {
  const { random = randomBytes, signal } = options;
  const tree = idFromBytes(random(ID_SIZE), 0);
  const file = { tree, record: tree, writer: hexOf(random(16)) };
  await store.remove(formatRecordName(file), { signal });
}

/**
 * Marks records as forgotten, so that no copy brings them back, and removes every
 * file of them. What was interrupted is finished when it is done once more.
 *
 * @param store The store.
 * @param records Ids of the records.
 * @param options Clock, random bytes, what ends the wait.
 * @throws {StoreError} If the store fails, or nothing may be removed from it: then nothing was written.
 */
export async function forgetRecords(
  store: PruneStore,
  records: Iterable<Id>,
  options: ForgetRecordsOptions = {},
): Promise<void> {
  const wanted = new Set(records);
  if (wanted.size === 0) return;
  const { now = Date.now, random = randomBytes, signal } = options;
  const files: RecordFile[] = [];
  for await (const batch of store.list(RECORDS_PREFIX, { signal })) {
    for (const { name } of batch) {
      const file = parseRecordName(name);
      if (file !== undefined && wanted.has(file.record)) files.push(file);
    }
  }
  if (files.length > 0) await checkRemovable(store, options);
  const marked = await listForgotten(store, { signal });
  const ms = now();
  const time = formatTime(Math.floor(ms / 1000), ms % 1000 * 1_000_000);
  await forAll(wanted.difference(marked), async (id) => {
    const saveId = random(16);
    const bytes = encodeDocument({ kind: "GCLG", saveId, body: { time } });
    await store.create(FORGOTTEN_PREFIX + id, bytes, { signal });
  });
  await store.sync([FORGOTTEN_PREFIX], { signal });
  await forAll(files, async (file) => {
    await store.remove(formatRecordName(file), { signal });
  });
}

/** Does the same for all, many at once; whatever is under way when one fails is waited for. */
async function forAll<T>(
  all: Iterable<T>,
  run: (one: T) => Promise<void>,
): Promise<void> {
  const work = new SideBySide(true);
  try {
    for (const one of all) await work.add(0, () => run(one));
    await work.finish();
  } finally {
    await work.settled();
  }
}

function randomBytes(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}
