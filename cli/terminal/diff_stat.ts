import type { Change, ChangeKind } from "@snap/manifest/diff";
import type { EntryRow } from "@snap/manifest";
import { isFileKind } from "@snap/manifest/extras";
import type { Session } from "../session.ts";
import type { JsonRecord } from "./json_line.ts";
import type { SocketChange } from "./socket_changes.ts";
import { formatTable } from "./table.ts";
import { formatCount, formatSize } from "./units.ts";

/** Changes of one kind, added up. */
interface Count {
  entryCount: number;
  fileCount: number;
  /** Bytes of files that there are more, or fewer. */
  byteCount: number;
}

const WORDS: Readonly<Record<ChangeKind, string>> = {
  added: "added",
  removed: "removed",
  modified: "changed",
  type: "another type",
  attributes: "other attributes",
};
const COLUMNS = [
  { title: "" },
  { title: "entries", isNumber: true },
  { title: "files", isNumber: true },
  { title: "growth", isNumber: true },
] as const;

/** Adds up changes instead of telling each. */
export class DiffStat {
  readonly #counts = new Map<ChangeKind, Count>();

  /** Takes a change. */
  add({ kind, before, after }: Change | SocketChange): void {
    const count = this.#counts.get(kind) ??
      { entryCount: 0, fileCount: 0, byteCount: 0 };
    this.#counts.set(kind, count);
    count.entryCount++;
    const was = sizeOf(before), is = sizeOf(after);
    if (was !== undefined || is !== undefined) count.fileCount++;
    count.byteCount += (is ?? 0) - (was ?? 0);
  }

  /** Writes a line for each kind of change, and one for all. */
  async tell(session: Session): Promise<void> {
    const all = { entryCount: 0, fileCount: 0, byteCount: 0 };
    const lines: [kind: string, word: string, Count][] = [];
    for (const [kind, word] of Object.entries(WORDS)) {
      const count = this.#counts.get(kind as ChangeKind);
      if (count === undefined) continue;
      lines.push([kind, word, count]);
      all.entryCount += count.entryCount;
      all.fileCount += count.fileCount;
      all.byteCount += count.byteCount;
    }
    lines.push(["all", "all", all]);
    const { isForPeople } = session;
    const rows: string[][] = [];
    for (const [change, word, count] of lines) {
      const record: JsonRecord = { type: "diffStat", change, ...count };
      if (session.isJson) await session.result("", record);
      const { entryCount, fileCount, byteCount } = count;
      rows.push([
        word,
        isForPeople ? formatCount(entryCount) : String(entryCount),
        isForPeople ? formatCount(fileCount) : String(fileCount),
        isForPeople ? formatGrowth(byteCount) : String(byteCount),
      ]);
    }
    if (session.isJson) return;
    for (const line of formatTable(COLUMNS, rows, { isForPeople })) {
      await session.raw(`${line}\n`);
    }
  }
}

/** Writes how much larger something has become. */
export function formatGrowth(byteCount: number): string {
  const sign = byteCount > 0 ? "+" : byteCount < 0 ? "-" : "";
  return sign + formatSize(Math.abs(byteCount));
}

function sizeOf(entry: EntryRow | undefined): number | undefined {
  if (entry === undefined || entry.row < 0) return undefined;
  const { tree, row } = entry;
  return isFileKind(tree.kind(row)) ? tree.size(row) : undefined;
}
