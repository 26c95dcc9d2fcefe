/** A longer text is shown by its beginning. */
const SHOWN_LENGTH_MAX = 60;

/** What {@linkcode argumentError} says of an argument. */
export interface ArgumentNeed {
  /** What cannot be done, such as `save`. */
  readonly action: string;
  /** What the argument must be, such as `text or a Uint8Array`. */
  readonly need: string;
}

/**
 * Makes the error of an argument that is not what it must be: of what types do not
 * keep from a call in JavaScript.
 *
 * @example
 * ```ts
 * import { argumentError } from "@snap/hash";
 * import { strictEqual } from "node:assert/strict";
 *
 * const path = 5;
 * const error = argumentError({ path }, { action: "save", need: "text" });
 * strictEqual(error.message, "Cannot save as path must be text: found number");
 * ```
 *
 * @param argument The argument by its name.
 * @param need What it must be, and for what.
 * @returns The error.
 */
export function argumentError(
  argument: Readonly<Record<string, unknown>>,
  { action, need }: ArgumentNeed,
): TypeError {
  const [[name, value]] = Object.entries(argument);
  return new TypeError(
    `Cannot ${action} as ${name} must be ${need}: found ${
      describeValue(value)
    }`,
  );
}

/**
 * Names a value in a message: text as it is, else its type or class.
 *
 * @returns Such as `"abc"`, `number`, `undefined`, `Map`.
 */
export function describeValue(value: unknown): string {
  if (typeof value === "string") {
    const shown = value.slice(0, SHOWN_LENGTH_MAX);
    return JSON.stringify(shown) + (shown === value ? "" : "…");
  }
  return typeName(value);
}

/**
 * Names the type of a value.
 *
 * @returns Such as `string`, `null`, `Map`.
 */
export function typeName(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return value === null ? "null" : typeof value;
  }
  return value.constructor?.name ?? "object";
}
