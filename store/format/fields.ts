/**
 * Types of the fields of documents.
 *
 * @module
 */
import { DocumentSyntaxError } from "../errors.ts";
import { HEADER_SIZE } from "../header.ts";

/** Most ids in an array or an object of a document. */
export const ID_COUNT_MAX = 10_000;

/** A field that is not what it must be. */
export interface FieldFault {
  /** The field, as a path with dots. */
  readonly field: string;
  /** Rule of the field. */
  readonly need: string;
  /** Value of the field. */
  readonly found: unknown;
}

/**
 * The type of a field.
 *
 * @param value What the document has; undefined where it has nothing.
 * @param field The path of the field.
 * @returns The first fault, or undefined if there is none.
 */
export type FieldType = (
  value: unknown,
  field: string,
) => FieldFault | undefined;

/** The fields of an object, each with its type; others are left alone. */
export type Fields = Readonly<Record<string, FieldType>>;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;
const FOUND_SIZE_MAX = 80;

/** Any text. */
export const text: FieldType = typeOf(
  "text",
  (value) => typeof value === "string",
);
/** RFC 3339 in UTC with nanoseconds. */
export const time: FieldType = typeOf(
  "a time such as 2026-11-20T05:46:18.000000000Z",
  (value) =>
    typeof value === "string" && TIME.test(value) &&
    !Number.isNaN(Date.parse(`${value.slice(0, 19)}Z`)),
);
/**
 * Writes a {@linkcode time}.
 *
 * @param ms Milliseconds since 1970.
 * @returns RFC 3339 in UTC with nanoseconds.
 */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000000Z");
}

/** An id. */
export const id: FieldType = digits(64);
/** A save id, a nonce, the identity of a store. */
export const saveId: FieldType = digits(32);
/** A whole number from 0. */
export const count: FieldType = typeOf(
  "a whole number",
  (value) => Number.isSafeInteger(value) && value as number >= 0,
);

/**
 * A type by a test.
 *
 * @param need What the value must be, for people.
 * @param isValid The test.
 * @returns The type.
 */
export function typeOf(
  need: string,
  isValid: (value: unknown) => boolean,
): FieldType {
  return (found, field) => isValid(found) ? undefined : { field, need, found };
}

/**
 * Type of a field with one of a few texts.
 *
 * @param texts The texts.
 * @returns The type.
 */
export function oneOf(...texts: readonly string[]): FieldType {
  return typeOf(texts.join(" or "), (value) => texts.includes(value as string));
}

/**
 * A field that may be absent.
 *
 * @param type Its type otherwise.
 * @returns The type.
 */
export function optional(type: FieldType): FieldType {
  return (value, field) => value === undefined ? undefined : type(value, field);
}

/**
 * An array.
 *
 * @param type The type of what is in it.
 * @param countMax Most of them.
 * @returns The type.
 */
export function arrayOf(
  type: FieldType,
  countMax: number = ID_COUNT_MAX,
): FieldType {
  return (value, field) => {
    if (!Array.isArray(value) || value.length > countMax) {
      return { field, need: `a list of at most ${countMax}`, found: value };
    }
    return firstFault(value.entries(), type, field);
  };
}

/**
 * An array of two.
 *
 * @param first The type of the first.
 * @param second The type of the second.
 * @returns The type.
 */
export function pairOf(first: FieldType, second: FieldType): FieldType {
  return (value, field) => {
    if (!Array.isArray(value) || value.length !== 2) {
      return { field, need: "a pair", found: value };
    }
    return first(value[0], `${field}.0`) ?? second(value[1], `${field}.1`);
  };
}

/**
 * An object whose keys are save ids.
 *
 * @param type The type of what is in it.
 * @returns The type.
 */
export function bySaveId(type: FieldType): FieldType {
  return (value, field) => {
    if (!isObject(value) || Object.keys(value).length > ID_COUNT_MAX) {
      return { field, need: `at most ${ID_COUNT_MAX} by id`, found: value };
    }
    return firstFault(Object.keys(value).entries(), saveId, field) ??
      firstFault(Object.entries(value), type, field);
  };
}

/**
 * An object.
 *
 * @returns The type.
 */
export function objectOf(fields: Fields): FieldType {
  return (value, field) => {
    if (!isObject(value)) return { field, need: "an object", found: value };
    for (const [name, type] of Object.entries(fields)) {
      const own = Object.hasOwn(value, name) ? value[name] : undefined;
      const fault = type(own, field === "" ? name : `${field}.${name}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/**
 * Refuses a document whose fields are not what they must be.
 *
 * @param subject What is read, for people.
 * @param body The body of the document.
 * @param type What it must be.
 * @throws {DocumentSyntaxError} If a field is missing or has another type.
 */
export function checkFields(
  subject: string,
  body: Record<string, unknown>,
  type: FieldType,
): void {
  const fault = type(body, "");
  if (fault === undefined) return;
  const { field, need, found } = fault;
  const shown = found === undefined ? "none" : JSON.stringify(found);
  throw new DocumentSyntaxError(
    `Cannot read ${subject} as its field ${field} must be ${need}: found ${
      shown.length > FOUND_SIZE_MAX ? typeof found : shown
    }`,
    HEADER_SIZE,
  );
}

function digits(size: number): FieldType {
  const pattern = new RegExp(`^[0-9a-f]{${size}}$`);
  return typeOf(
    `${size} hex digits`,
    (value) => typeof value === "string" && pattern.test(value),
  );
}

function firstFault(
  entries: Iterable<readonly [string | number, unknown]>,
  type: FieldType,
  field: string,
): FieldFault | undefined {
  for (const [key, value] of entries) {
    const fault = type(value, `${field}.${key}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
