import {
  decodeNamed,
  decodeSlot,
  NO_RECORD,
  readDocument,
  type TagSlot,
} from "@snap/store/format";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { DamageLog, FoundDamage } from "./damage_log.ts";
import { fileDamageOf } from "./damage_of.ts";
import { listForgotten } from "../records/forget_records.ts";
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
  const records = knownRecords(store, options);
  const checks = SORTS.map((sort) => checkSort(store, sort, records, options));
  await Promise.allSettled([records, ...checks]); // Whoever started work waits for its end.
  await records;
  for (const damage of (await Promise.all(checks)).flat()) log.add(damage);
}

/** Ids of records that are there, or were forgotten. */
async function knownRecords(
  store: ReadStore,
  options: StoreOptions,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>([NO_RECORD]);
  for (const { record } of await listRecordNames(store, options)) {
    known.add(record);
  }
  return known.union(await listForgotten(store, options));
}

/** Checks all documents of a sort. */
async function checkSort(
  store: ReadStore,
  { prefix, subject }: (typeof SORTS)[number],
  records: Promise<ReadonlySet<string>>,
  options: StoreOptions,
): Promise<FoundDamage[]> {
  const damages: FoundDamage[] = [];
  /** By folder: the numbers of its documents. */
  const numbers = new Map<string, number[]>();
  const heads = new Map<string, TagSlot>();
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
        if (subject === "tag") {
          const slot = decodeSlot(name, bytes);
          const last = heads.get(folder);
          if (last === undefined || last.number < slot.number) {
            heads.set(folder, slot);
          }
        } else decodeNamed(name, bytes);
      } catch (error) {
        options.signal?.throwIfAborted();
        const damage = fileDamageOf(error, subject, name);
        if (damage === undefined) throw error;
        damages.push(damage);
      }
    }
  }
  for (const [folder, slot] of heads) {
    damages.push(...checkHead(folder, slot, await records));
  }
  // Of leases and steps of removal the lower numbers may go.
  if (subject !== "config" && subject !== "tag") return damages;
  for (const [folder, own] of numbers) {
    damages.push(...gaps(folder, own, subject));
  }
  return damages;
}

/**
 * Tells where what a tag names is gone. What it named before may be: it was
 * forgotten, here or where the log was copied from, or never copied.
 */
function checkHead(
  folder: string,
  { number, head }: TagSlot,
  records: ReadonlySet<string>,
): FoundDamage[] {
  if (records.has(head.record)) return [];
  const gone = `${RECORDS_PREFIX}${head.tree}-${head.record}`;
  return [{
    subject: "record",
    reason: "missing",
    storeName: gone,
    message: `Cannot find ${gone}, which ${folder}${number} names`,
  }];
}

/** Tells of numbers that are gone, however many. */
function* gaps(
  folder: string,
  numbers: readonly number[],
  subject: "config" | "tag",
): Generator<FoundDamage> {
  let wanted = 1;
  for (const number of numbers.toSorted((a, b) => a - b)) {
    if (number > wanted) {
      const last = number - 1;
      const storeName = `${folder}${wanted}`;
      const what = last === wanted ? storeName : `${storeName} to ${last}`;
      const message = `Cannot find ${what}, though ${folder}${number} is there`;
      yield { subject, reason: "missing", storeName, message };
    }
    wanted = number + 1;
  }
}
