import { fromBase64 } from "./from_base64.ts";
import { toBase64 } from "@snap/manifest/path";
import { ToolError } from "../tool_error.ts";

/** Where the next page of an answer begins. */
export interface Cursor {
  /** The tool and what it was asked, but for the size of a page. */
  readonly asked: string;
  /** What the answer is made of, so that all pages are of one state. */
  readonly pins: readonly string[];
  /** Entries on the pages before. */
  readonly count: number;
}

/**
 * Writes a cursor.
 *
 * @returns The text that the client gives back.
 */
export function formatCursor(cursor: Cursor): string {
  return toBase64(new TextEncoder().encode(JSON.stringify(cursor)));
}

/**
 * Reads a cursor.
 *
 * @param text What the client gave back.
 * @param asked The tool and what it is asked now.
 * @returns The cursor.
 * @throws {ToolError} If it is none, or one of another question.
 */
export function parseCursor(text: string, asked: string): Cursor {
  let value: Partial<Cursor> | undefined;
  try {
    value = JSON.parse(new TextDecoder().decode(fromBase64(text)));
  } catch {
    // Said below.
  }
  const { pins, count } = value ?? {};
  const isCursor = Array.isArray(pins) &&
    pins.every((one) => typeof one === "string") &&
    Number.isSafeInteger(count) && count! >= 0;
  if (!isCursor) {
    throw new ToolError(
      "Cannot read cursor: it is none that this server gave",
      "without a cursor the answer begins anew",
    );
  }
  if (value!.asked === asked) return value as Cursor;
  throw new ToolError(
    "Cannot use cursor: it belongs to another question",
    "a cursor goes with the same arguments, but for limit",
  );
}

/**
 * Names a question: a tool with its arguments.
 *
 * @param tool The name of the tool.
 * @returns The same text for the same question, whatever the page.
 */
export function askedText(
  tool: string,
  args: Readonly<Record<string, unknown>>,
): string {
  const rest = Object.entries(args)
    .filter(([name]) => name !== "cursor" && name !== "limit")
    .sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([tool, ...rest.flat()]);
}
