import { decodeNamed, decodeSlot, readDocument } from "@snap/store/format";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { DamageLog } from "./damage_log.ts";
import { fileDamageOf } from "./damage_of.ts";
import { RECORDS_PREFIX } from "../records/record.ts";
import { listRecordNames } from "../records/records.ts";

const SORTS = [
  { prefix: "config/", subject: "config" },
  { prefix: "tags/", subject: "tag" },
  { prefix: "forgotten/", subject: "removal" },
  { prefix: "gc/", subject: "removal" },
  { prefix: "leases/", subject: "lease" },
] as const;

/** Checks every small document: that it is there and sound, and names a record. */
export async function verifyDocuments(
  store: ReadStore,
  log: DamageLog,
  options: StoreOptions,
): Promise<void> {
  const records = new Set<string>(
    (await listRecordNames(store, options)).map((one) => one.record),
  );
  for (const { prefix, subject } of SORTS) {
    /** By folder: the numbers of its documents. */
    const numbers = new Map<string, number[]>();
    for await (const batch of store.list(prefix, options)) {
      for (const { name } of batch) {
        const end = name.lastIndexOf("/") + 1;
        const folder = name.slice(0, end);
        const number = Number(name.slice(end));
        if (Number.isSafeInteger(number)) {
          const own = numbers.get(folder) ?? [];
          own.push(number);
          numbers.set(folder, own);
        }
        try {
          const bytes = await readDocument(store, name, options);
          if (subject === "tag") checkTag(name, bytes, records, log);
          else decodeNamed(name, bytes);
        } catch (error) {
          options.signal?.throwIfAborted();
          const damage = fileDamageOf(error, subject, name);
          if (damage === undefined) throw error;
          log.add(damage);
        }
      }
    }
    // Of leases and steps of removal the lower numbers may go.
    if (subject !== "config" && subject !== "tag") continue;
    for (const [folder, own] of numbers) addGaps(folder, own, subject, log);
  }
}

/** Checks a slot of a tag; tells where its record is gone. */
function checkTag(
  storeName: string,
  bytes: Uint8Array,
  records: ReadonlySet<string>,
  log: DamageLog,
): void {
  const { tree, record } = decodeSlot(storeName, bytes).entry;
  if (records.has(record)) return;
  const gone = `${RECORDS_PREFIX}${tree}-${record}`;
  log.add({
    subject: "record",
    reason: "missing",
    storeName: gone,
    message: `Cannot find ${gone}, which ${storeName} names`,
  });
}

/** Tells of numbers that are gone, however many. */
function addGaps(
  folder: string,
  numbers: readonly number[],
  subject: "config" | "tag",
  log: DamageLog,
): void {
  let wanted = 1;
  for (const number of numbers.toSorted((a, b) => a - b)) {
    if (number > wanted) {
      const last = number - 1;
      const storeName = `${folder}${wanted}`;
      const what = last === wanted ? storeName : `${storeName} to ${last}`;
      const message = `Cannot find ${what}, though ${folder}${number} is there`;
      log.add({ subject, reason: "missing", storeName, message });
    }
    wanted = number + 1;
  }
}
