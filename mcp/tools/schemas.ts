/**
 * Parts of the schemas of tools.
 *
 * @module
 */
import type { JsonSchemaType } from "@modelcontextprotocol/server";
import { PAGE_COUNT, PAGE_COUNT_MAX, PATH_SIZE_MAX } from "../limits.ts";

/** Schemas by the name of the field. */
export type Fields = Readonly<Record<string, JsonSchemaType>>;

/** An object that has these fields and no others. */
export function closed(
  properties: Fields,
  required: readonly string[] = [],
): JsonSchemaType {
  return {
    type: "object",
    properties,
    required: [...required],
    additionalProperties: false,
  };
}

/** An object that has these fields, and more in later versions. */
export function open(
  properties: Fields,
  required: readonly string[] = Object.keys(properties),
): JsonSchemaType {
  return { type: "object", properties, required: [...required] };
}

/** An array. */
export function list(items: JsonSchemaType): JsonSchemaType {
  return { type: "array", items };
}

/** A count. */
export const COUNT: JsonSchemaType = { type: "integer", minimum: 0 };
/** A text of an answer. */
export const TEXT: JsonSchemaType = { type: "string" };
/** A truth of an answer. */
export const FLAG: JsonSchemaType = { type: "boolean" };
/** An id of a snapshot or record. */
export const ID: JsonSchemaType = {
  type: "string",
  pattern: "^[0-9a-f]{64}$",
};

/** Argument that names a snapshot. */
export const SNAPSHOT: JsonSchemaType = {
  type: "string",
  minLength: 1,
  maxLength: 256,
  description:
    "an id or its first digits (4 or more), ID@RECORD, a tag, or latest; latest~2 is two before",
};

/** Argument that names a directory of the disk. */
export const DIRECTORY: JsonSchemaType = {
  type: "string",
  minLength: 1,
  maxLength: PATH_SIZE_MAX,
  description:
    "absolute path of a directory in a root, no link on the way to it; the root itself if not given and there is one",
};

/** Arguments that name an entry of a snapshot. */
export function pathFields(what: string): Fields {
  return {
    path: {
      type: "string",
      maxLength: PATH_SIZE_MAX,
      description: `${what}, as names joined by /`,
    },
    pathBytes: {
      type: "string",
      maxLength: 2 * PATH_SIZE_MAX,
      contentEncoding: "base64",
      description:
        "the path as base64 of its bytes, in the place of path, where answers have it: then it is not UTF-8",
    },
  };
}

/** Arguments of a tool whose answer has pages. */
export const PAGE_FIELDS: Fields = {
  limit: {
    type: "integer",
    minimum: 1,
    maximum: PAGE_COUNT_MAX,
    description: `most entries of the page; ${PAGE_COUNT} if not given`,
  },
  cursor: {
    type: "string",
    minLength: 1,
    maxLength: 1 << 20,
    description: "nextCursor of the page before, with the same arguments",
  },
};

/** Arguments of a page, as they come. */
export interface PageArgs {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Arguments of a path, as they come. */
export interface PathArgs {
  readonly path?: string;
  readonly pathBytes?: string;
}

/** Fields of a name that need not be UTF-8. */
export const PATH_OUT: Fields = { path: TEXT, pathBytes: TEXT };
