import type { ViewEntry } from "@snap/snapshot/view";
import type { Session } from "../session.ts";
import { formatTable } from "./table.ts";

/** Options of listing entries. */
export interface ListOptions {
  /** The name or path to show. */
  nameOf(entry: ViewEntry): Uint8Array;
}

/** Writes batches of entries, as the options `--long`, `--classify`, `--null` and `--json` say. */
export async function listEntries(
  session: Session,
  batches: AsyncIterable<readonly ViewEntry[]>,
  options: ListOptions,
): Promise<void> {
  const { entryRecord, LONG_COLUMNS, longRow, nameText } = await import(
    "./entry_text.ts"
  );
  const isLong = session.args.has("long");
  const isRaw = session.args.has("null") && !session.isJson;
  const { isForPeople } = session;
  const how = {
    isMarked: session.args.has("classify"),
    hasColor: session.hasColor,
    hasTarget: isLong,
  };
  const textOf = (entry: ViewEntry): string =>
    nameText(entry, options.nameOf(entry), how);
  for await (const entries of batches) {
    if (isRaw) {
      for (const entry of entries) {
        await writeRaw(session, options.nameOf(entry));
      }
    } else if (isLong && !session.isJson) {
      const rows = entries.map((entry) => longRow(entry, isForPeople));
      const table = formatTable(LONG_COLUMNS, rows, {
        isForPeople,
        isBare: true,
      });
      const gap = isForPeople ? "  " : "\t";
      for (const [i, line] of table.entries()) {
        await session.raw(`${line}${gap}${textOf(entries[i])}\n`);
      }
    } else {
      for (const entry of entries) {
        const record = session.isJson ? entryRecord(entry) : NONE;
        await session.result(textOf(entry), record);
      }
    }
    session.signal.throwIfAborted();
    if (isForPeople) await session.flush();
  }
}

const NONE = { type: "entry" };

async function writeRaw(session: Session, name: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(name);
  await session.raw(bytes);
}
