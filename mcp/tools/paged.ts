import type { NamedRecord } from "@snap/snapshot/records";
import { askedText, formatCursor, parseCursor } from "../pages/cursor.ts";
import { takePage } from "../pages/take_page.ts";
import type { CallStore } from "../service.ts";
import { ToolError } from "../tool_error.ts";
import type { PageArgs } from "./schemas.ts";

/** A question whose answer has pages. */
export class Paged {
  /** What the pages before were made of; nothing for the first. */
  readonly pins: readonly string[];
  readonly #asked: string;
  readonly #skip: number;
  readonly #limit: number | undefined;

  /**
   * Reads the arguments of a page.
   *
   * @param tool The name of the tool.
   * @throws {ToolError} If the cursor is none, or one of another question.
   */
  constructor(tool: string, args: PageArgs) {
    this.#asked = askedText(tool, { ...args });
    const cursor = args.cursor === undefined
      ? undefined
      : parseCursor(args.cursor, this.#asked);
    this.pins = cursor?.pins ?? [];
    this.#skip = cursor?.count ?? 0;
    this.#limit = args.limit;
  }

  /** Finds the record of a snapshot: on later pages that of the first, whatever `latest` is now. */
  async record(
    { records }: CallStore,
    text: string,
    options: { readonly pin: number; readonly signal: AbortSignal },
  ): Promise<NamedRecord> {
    return await records.resolve(this.pins[options.pin] ?? text, options);
  }

  /**
   * Makes the fields of a page.
   *
   * @param batches All of the list.
   * @param pins What it is made of.
   * @param format Writes an entry.
   * @returns The entries under their name, and the cursor of the next page.
   */
  async fields<T>(
    batches: AsyncIterable<readonly T[]>,
    { name, pins, format }: {
      readonly name: string;
      readonly pins: readonly string[];
      readonly format: (entry: T) => Record<string, unknown>;
    },
  ): Promise<Record<string, unknown>> {
    const limit = this.#limit;
    const how = { skip: this.#skip, limit, format };
    const { entries, nextCount } = await takePage(batches, how);
    if (nextCount === undefined) return { [name]: entries };
    const next = { asked: this.#asked, pins, count: nextCount };
    return { [name]: entries, nextCursor: formatCursor(next) };
  }
}

/** The text that names one record and no other. */
export function pinOf({ tree, record }: NamedRecord): string {
  return `${tree}@${record}`;
}

/** The error of a page whose list is another one by now. */
export function changedError(what: string): ToolError {
  return new ToolError(
    `Cannot go on with cursor: ${what} since the page before`,
    "without a cursor the answer begins anew",
  );
}
