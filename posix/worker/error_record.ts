/**
 * Errors as plain records, since a message between threads loses their class and fields.
 *
 * @module
 */

/** An error as a record, to cross to another thread. */
export interface ErrorRecord {
  /** Name of its class, such as `PosixError`. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** Its stack, for people. */
  readonly stack?: string;
  /** Its own fields that are text, numbers, booleans, bytes: such as `code` and `path`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The record of its cause. */
  readonly cause?: ErrorRecord;
}

/** Most causes of causes that are kept. */
const DEPTH_MAX = 8;

/**
 * The record of an error.
 *
 * @param error What was thrown; it need not be an `Error`.
 * @returns A record that `postMessage` takes.
 *
 * @example
 * ```ts
 * import { errorRecord } from "@snap/posix/worker";
 * import assert from "node:assert/strict";
 *
 * const record = errorRecord(Object.assign(new RangeError("Too deep"), { depth: 9 }));
 * assert.equal(record.name, "RangeError");
 * assert.deepEqual(record.fields, { depth: 9 });
 * ```
 */
export function errorRecord(error: unknown): ErrorRecord {
  return recordOf(error, 0);
}

function recordOf(error: unknown, depth: number): ErrorRecord {
  if (!(error instanceof Error)) {
    return { name: "Error", message: String(error), fields: {} };
  }
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (
      !["name", "message", "stack", "cause"].includes(key) && isPlain(value)
    ) fields[key] = value;
  }
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    fields,
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth === DEPTH_MAX
      ? {}
      : { cause: recordOf(cause, depth + 1) }),
  };
}

function isPlain(value: unknown): boolean {
  return ["string", "number", "boolean", "bigint"].includes(typeof value) ||
    value instanceof Uint8Array;
}
