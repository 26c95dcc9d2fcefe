import { type Measurement, median } from "./_measure.ts";

/** One measurement, and the round in which it was taken. */
export interface Run extends Measurement {
  /** The number of the round. */
  readonly round: number;
}

/** The measurements of one program in one step, a row of a table. */
export interface Row {
  /** The program. */
  readonly name: string;
  /** At most one measurement a round. */
  readonly runs: readonly Run[];
  /** The size of its store after the step, where there is one. */
  readonly storedBytes?: number | undefined;
  /** What is not kept of a tree, where that is known. */
  readonly lost?: readonly string[] | undefined;
}

/**
 * Renders one step as a Markdown table of medians, with what our time is in
 * parts of each other program's: the median of the ratios within a round.
 *
 * @param rows The programs in the order of the table.
 * @param ours The name of the row that the others are compared with.
 * @returns The table, ending in a line break.
 */
export function renderTable(rows: readonly Row[], ours: string): string {
  const own = rows.find(({ name }) => name === ours);
  const withSize = rows.some(({ storedBytes }) => storedBytes !== undefined);
  const head = ["program", "time", `${ours} / it`, "CPU", "memory"];
  if (withSize) head.push("store");
  const withLost = rows.some(({ lost }) => lost !== undefined);
  if (withLost) head.push("does not keep");
  const lines = [head];
  for (const row of rows) {
    const { name, runs, storedBytes, lost } = row;
    const line = [
      name,
      `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`,
      row === own ? "" : ratioOf(own, row)?.toFixed(2) ?? "",
      `${median(runs.map((run) => run.cpuSeconds)).toFixed(2)} s`,
      `${megabytes(median(runs.map((run) => run.peakBytes)))} MB`,
    ];
    if (withSize) {
      line.push(
        storedBytes === undefined ? "" : `${(storedBytes / 1e6).toFixed(1)} MB`,
      );
    }
    if (withLost) line.push(lost?.join(", ") ?? "");
    lines.push(line);
  }
  return renderLines(lines);
}

/** Returns the median over the rounds of one row's time divided by the other's. */
export function ratioOf(
  own: Row | undefined,
  other: Row,
): number | undefined {
  const ratios = (own?.runs ?? []).flatMap(({ round, wallSeconds }) => {
    const run = other.runs.find((one) => one.round === round);
    return run === undefined ? [] : [wallSeconds / run.wallSeconds];
  });
  return ratios.length === 0 ? undefined : median(ratios);
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
