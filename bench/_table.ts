import { type Measurement, median } from "./_measure.ts";

/** The measurements of one program in one step, a row of a table. */
export interface Row {
  /** The program. */
  readonly name: string;
  /** One measurement a round. */
  readonly runs: readonly Measurement[];
  /** The size of its store after the step, where there is one. */
  readonly storedBytes?: number | undefined;
}

/** What the rows of a table are compared with. */
export interface Bar {
  /** The heading of the column. */
  readonly title: string;
  /** The programs; the fastest of them counts. */
  readonly names: readonly string[];
}

/**
 * Renders one step as a Markdown table of medians.
 *
 * @param rows The programs in the order of the table.
 * @param bars What each row's time is divided by.
 * @returns The table, ending in a line break.
 */
export function renderTable(
  rows: readonly Row[],
  bars: readonly Bar[],
): string {
  const times = new Map(
    rows.map((
      { name, runs },
    ) => [name, median(runs.map((run) => run.wallSeconds))]),
  );
  const withBars = bars.map(({ title, names }) => ({
    title,
    seconds: Math.min(...names.map((name) => times.get(name) ?? Infinity)),
  })).filter(({ seconds }) => seconds < Infinity);
  const withSize = rows.some(({ storedBytes }) => storedBytes !== undefined);
  const head = [
    "program",
    "time",
    ...withBars.map(({ title }) => title),
    "CPU",
    "memory",
  ];
  if (withSize) head.push("store");
  const lines = [head];
  for (const { name, runs, storedBytes } of rows) {
    const time = times.get(name)!;
    const line = [
      name,
      `${time.toFixed(2)} s`,
      ...withBars.map(({ seconds }) => (time / seconds).toFixed(2)),
      `${median(runs.map((run) => run.cpuSeconds)).toFixed(2)} s`,
      `${megabytes(median(runs.map((run) => run.peakBytes)))} MB`,
    ];
    if (withSize) {
      line.push(
        storedBytes === undefined ? "" : `${megabytes(storedBytes)} MB`,
      );
    }
    lines.push(line);
  }
  return renderLines(lines);
}

/** Renders lines of cells as a Markdown table; the first line is its head. */
export function renderLines(lines: readonly (readonly string[])[]): string {
  const [head, ...rest] = lines;
  const rule = head.map((_, i) => i === 0 ? "---" : "--:");
  return [head, rule, ...rest]
    .map((line) => `| ${line.join(" | ")} |\n`).join("");
}

/** Returns a size in megabytes of 10^6 bytes, as text. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
}

/**
 * Puts a section between its markers, or at the end of a document that has none.
 *
 * @param document The whole text.
 * @param name The name in the markers.
 * @param section The new section.
 * @returns The text with the new section.
 */
export function replaceSection(
  document: string,
  name: string,
  section: string,
): string {
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const block = `${begin}\n\n${section.trim()}\n\n${end}`;
  const start = document.indexOf(begin);
  if (start === -1) return `${document.trimEnd()}\n\n${block}\n`;
  const stop = document.indexOf(end, start);
  if (stop === -1) {
    throw new RangeError(
      `Cannot replace the section ${name} as its end is missing`,
    );
  }
  return document.slice(0, start) + block + document.slice(stop + end.length);
}
