import { escapeInvisible } from "@snap/manifest/path";

/** One column of a table. */
export interface Column {
  /** Title above the column, on a terminal. */
  readonly title: string;
  /** Whether it holds numbers, which align to the right. */
  readonly isNumber?: true;
  /** Which end of a text stays where the terminal is too narrow; without it, all of it. */
  readonly keeps?: "start" | "end";
}

/** Options of writing a table. */
export interface TableOptions {
  /** Whether it is for people: aligned, with titles; else fields are separated by tabs. */
  readonly isForPeople: boolean;
  /**
   * Whether titles are left out, also for people.
   *
   * @default {false}
   */
  readonly isBare?: boolean;
  /** Columns of the terminal that lines for people are to fit; if absent, they are as wide as they are. */
  readonly width?: number;
}

/** Gap between two columns. */
const GAP = "  ";
/** Narrower than this no column is made; its title may be wider. */
const WIDTH_MIN = 8;

/** Writes rows as a table. For people a column in which nothing stands is left out. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  // Hosts, sources and messages are whatever the saver wrote.
  const safe = rows.map((row) => row.map((text) => escapeInvisible(text)));
  if (!options.isForPeople) return safe.map((row) => row.join("\t"));
  const { isBare = false, width = Infinity } = options;
  const used = columns.map((_, at) => at)
    .filter((at) => isBare || safe.some((row) => row[at] !== ""));
  const shown = used.map((at) => columns[at]);
  const all = safe.map((row) => used.map((at) => row[at]));
  if (!isBare) all.unshift(shown.map(({ title }) => title));
  const widths = fitWidths(
    shown,
    shown.map((_, at) =>
      all.reduce((most, row) => Math.max(most, widthOf(row[at])), 0)
    ),
    width,
  );
  return all.map((row) => {
    const cells = row.map((text, at) => alignCell(text, shown[at], widths[at]));
    return cut(cells.join(GAP).trimEnd(), width, "start");
  });
}

/** Takes from the widest column that may be cut, until all fit or none can give more. */
function fitWidths(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
): number[] {
  const widths = [...natural];
  const least = columns.map(({ title }) => Math.max(WIDTH_MIN, title.length));
  const sum = widths.reduce((all, one) => all + one, 0);
  let over = sum + GAP.length * (columns.length - 1) - width;
  while (over > 0) {
    const widest = widths.reduce((best, one, at) => {
      const canGive = columns[at].keeps !== undefined && one > least[at];
      return canGive && (best < 0 || one > widths[best]) ? at : best;
    }, -1);
    if (widest < 0) break;
    widths[widest]--;
    over--;
  }
  return widths;
}

function alignCell(text: string, column: Column, width: number): string {
  const shown = cut(text, width, column.keeps ?? "start");
  const space = " ".repeat(width - widthOf(shown));
  return column.isNumber ? space + shown : shown + space;
}

/** Shortens a text that is too wide, and marks where. */
function cut(text: string, width: number, keeps: "start" | "end"): string {
  if (widthOf(text) <= width) return text;
  const letters = [...text];
  if (keeps === "end") letters.reverse();
  const kept: string[] = [];
  let left = width - 1;
  for (const letter of letters) {
    left -= widthOf(letter);
    if (left < 0) break;
    kept.push(letter);
  }
  return keeps === "start"
    ? `${kept.join("")}…`
    : `…${kept.reverse().join("")}`;
}

/** Letters of two columns each, but for a few that are rare. */
const DOUBLE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/gu;
/** Marks upon the letter before them. */
const NONE = /[\p{Mn}\p{Me}]/gu;

/** Columns that a text takes. */
function widthOf(text: string): number {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return [...text].length + count(DOUBLE) - count(NONE);
}
