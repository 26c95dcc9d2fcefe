import {
  decodeDocument,
  type Document,
  readDocument,
} from "@snap/store/format";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { DamageLog } from "./damage_log.ts";
import { fileDamageOf } from "./damage_of.ts";
import { formatRecordName, RECORDS_PREFIX } from "../records/record.ts";
import { taggedRecord } from "../records/tags.ts";

const SORTS = [
  { prefix: "config/", kind: "CONF", subject: "config" },
  { prefix: "tags/", kind: "TAGE", subject: "tag" },
] as const;

/** Checks every config and every entry of a tag: that it is there, sound, and names a record. */
export async function verifyDocuments(
  store: ReadStore,
  log: DamageLog,
  options: StoreOptions,
): Promise<void> {
  const records = new Set<string>();
  for await (const batch of store.list(RECORDS_PREFIX, options)) {
    for (const { name } of batch) records.add(name);
  }
  for (const { prefix, kind, subject } of SORTS) {
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
          const document = decodeDocument(kind, bytes);
          if (kind === "TAGE") checkTag(name, document, records, log);
        } catch (error) {
          options.signal?.throwIfAborted();
          const damage = fileDamageOf(error, subject, name);
          if (damage === undefined) throw error;
          log.add(damage);
        }
      }
    }
    for (const [folder, own] of numbers) addGaps(folder, own, subject, log);
  }
}

/** Refuses an entry whose fields have other types; tells where its record is gone. */
function checkTag(
  storeName: string,
  { body, saveId }: Document,
  records: ReadonlySet<string>,
  log: DamageLog,
): void {
  const { name, damage } = taggedRecord({ number: 1, body, saveId });
  if (damage !== undefined) throw damage;
  const record = formatRecordName(name!);
  if (records.has(record)) return;
  log.add({
    subject: "record",
    reason: "missing",
    storeName: record,
    message: `Cannot find ${record}, which ${storeName} names`,
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
