/**
 * Checks of what types do not keep from a call in JavaScript: an error names the
 * argument, what it must be, and what was found.
 *
 * @module
 */

/** A longer text is shown by its beginning. */
const SHOWN_LENGTH_MAX = 60;

/** An argument, by its name. */
export type NamedArgument = Readonly<Record<string, unknown>>;

/** What an error says of an argument. */
export interface ArgumentNeed {
  /** What cannot be done, such as `save`. */
  readonly action: string;
  /** What the argument must be, such as `what openSnapshots gives`. */
  readonly need: string;
}

/** What {@linkcode checkFields} looks for. */
export interface FieldsNeed extends ArgumentNeed {
  /** Names of what the argument must have. */
  readonly fields: readonly string[];
}

/**
 * Checks that an argument is an object that has what is needed of it.
 *
 * @example
 * ```ts
 * import { checkFields } from "@snap/hash";
 * import { throws } from "node:assert/strict";
 *
 * const need = { action: "save", need: "a store", fields: ["read", "create"] };
 * throws(() => checkFields({ store: { read() {} } }, need), {
 *   message: "Cannot save as store must be a store: found Object without create",
 * });
 * ```
 *
 * @param argument The argument by its name.
 * @param need What it must have, and for what.
 * @throws {TypeError} If it lacks something.
 */
export function checkFields(argument: NamedArgument, need: FieldsNeed): void {
  const [[, value]] = Object.entries(argument);
  const isObject = typeof value === "object" && value !== null;
  const absent = need.fields.filter((one) => Object(value)[one] === undefined);
  if (isObject && absent.length === 0) return;
  const error = argumentError(argument, need);
  if (isObject) error.message += ` without ${absent.join(", ")}`;
  throw error;
}

/**
 * Checks that an argument is a hasher.
 *
 * @param hasher The argument.
 * @param action What it is for.
 * @throws {TypeError} If it is something else, or absent.
 */
export function checkHasher(hasher: unknown, action: string): void {
  const need = "a hasher, such as wasmHasher";
  checkFields({ hasher }, { action, need, fields: ["idOf", "hashInto"] });
}

/**
 * Checks that an argument is text, or bytes.
 *
 * @param argument The argument by its name, such as a path.
 * @param action What it is for.
 * @throws {TypeError} If it is something else.
 */
export function checkTextOrBytes(
  argument: NamedArgument,
  action: string,
): void {
  const [[, value]] = Object.entries(argument);
  if (typeof value === "string" || isBytes(value)) return;
  throw argumentError(argument, { action, need: "text or a Uint8Array" });
}

/**
 * Tells whether a value is bytes, also those of another realm, such as those of test
 * runners.
 *
 * @returns Whether it is a `Uint8Array`.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || ArrayBuffer.isView(value) &&
      Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/**
 * Makes the error of an argument that is not what it must be.
 *
 * @param argument The argument by its name.
 * @param need What it must be, and for what.
 * @returns The error.
 */
export function argumentError(
  argument: NamedArgument,
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
