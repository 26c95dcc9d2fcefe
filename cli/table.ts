import { escapeInvisible } from "@snap/manifest/path";

/** One column of a table. */
export interface Column {
  /** What stands above it, on a terminal. */
  readonly title: string;
  /** Whether it holds numbers, which align to the right. */
  readonly isNumber?: true;
}

/** How a table is written. */
export interface TableOptions {
  /** Whether it is for people: aligned, with titles; else fields are separated by tabs. */
  readonly isForPeople: boolean;
  /**
   * Whether titles are left out, also for people.
   *
   * @default {false}
   */
  readonly isBare?: boolean;
}

/**
 * Writes rows as a table.
 *
 * @param columns The columns.
 * @param rows One text for each column.
 * @param options For whom.
 * @returns One line for each row, the titles before them.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  // Hosts, sources and messages are whatever the saver wrote.
  const safe = rows.map((row) => row.map((text) => escapeInvisible(text)));
  if (!options.isForPeople) return safe.map((row) => row.join("\t"));
  const all = options.isBare
    ? safe
    : [columns.map((column) => column.title), ...safe];
  const widths = columns.map((_, at) =>
    all.reduce((width, row) => Math.max(width, widthOf(row[at])), 0)
  );
  return all.map((row) =>
    row.map((text, at) => {
      const space = " ".repeat(widths[at] - widthOf(text));
      return columns[at].isNumber ? space + text : text + space;
    }).join("  ").trimEnd()
  );
}

/** Columns that a text takes, but for scripts whose letters are wide. */
function widthOf(text: string): number {
  return [...text].length;
}
