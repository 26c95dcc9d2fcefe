/**
 * Documents: the small files of a store that hold a JSON object, between a
 * header and a checksum.
 *
 * @module
 */
import { jsHasher } from "@snap/hash/js-hasher";
import { DocumentSyntaxError } from "../errors.ts";
import {
  checkReadable,
  type DocumentKind,
  encodeHeader,
  HEADER_SIZE,
  type ParsedHeader,
  parseHeader,
  SALT_SIZE,
} from "../header.ts";

/** Largest body of a document in bytes. */
export const BODY_SIZE_MAX: number = 1024 * 1024;
/** Size of the checksum at the end of a document in bytes. */
export const CHECKSUM_SIZE = 32;
/** Size of the largest document in bytes. */
export const DOCUMENT_SIZE_MAX: number = HEADER_SIZE + BODY_SIZE_MAX +
  CHECKSUM_SIZE;

/** Input of {@link encodeDocument}. */
export interface DocumentInput {
  /** Kind of the document. */
  readonly kind: DocumentKind;
  /** Save id of the run that writes it, 16 bytes. */
  readonly saveId: Uint8Array;
  /** Salt, 32 bytes. Default: random. */
  readonly salt?: Uint8Array;
  /** The body: a JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Bits that a reader must know. Default 0. */
  readonly readFeatures?: number;
  /** Bits that a writer must know. Default 0. */
  readonly writeFeatures?: number;
}

/** Result of {@link decodeDocument}. */
export interface Document extends ParsedHeader {
  /** The body, with fields that are not known here too. */
  readonly body: Record<string, unknown>;
}

/**
 * Writes a document.
 *
 * @example There and back
 * ```ts
 * import { decodeDocument, encodeDocument } from "@snap/store/format";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const bytes = encodeDocument({ kind: "TAGE", saveId: new Uint8Array(16), body: { time: "now" } });
 * deepStrictEqual(decodeDocument("TAGE", bytes).body, { time: "now" });
 * ```
 *
 * @param input Kind, save id and body.
 * @returns Header, body and checksum.
 * @throws {RangeError} If the body is above {@link BODY_SIZE_MAX}, or save id or salt have another size.
 */
export function encodeDocument(input: DocumentInput): Uint8Array {
  const {
    body: value,
    salt = crypto.getRandomValues(new Uint8Array(SALT_SIZE)),
    ...rest
  } = input;
  const body = new TextEncoder().encode(JSON.stringify(value));
  if (body.length > BODY_SIZE_MAX) {
    throw new RangeError(
      `Cannot write document as its body must have at most ${BODY_SIZE_MAX} bytes: found ${body.length}`,
    );
  }
  const bytes = new Uint8Array(HEADER_SIZE + body.length + CHECKSUM_SIZE);
  bytes.set(encodeHeader({ ...rest, salt, bodySize: body.length }));
  bytes.set(body, HEADER_SIZE);
  const end = HEADER_SIZE + body.length;
  // Most have less than 1 KiB, of which the hash is known before WebAssembly is compiled.
  jsHasher.hashInto(bytes.subarray(0, end), bytes, end);
  return bytes;
}

/**
 * Reads a document. Sizes are checked first, then the checksum, then what it says.
 *
 * @param kind The kind that the document must have.
 * @param bytes All of its bytes.
 * @returns Header and body.
 * @throws {DocumentSyntaxError} If a byte of it is damaged or missing, or it is of another kind.
 * @throws {UnsupportedVersionError} If it needs a newer program.
 */
export function decodeDocument(
  kind: DocumentKind,
  bytes: Uint8Array,
): Document {
  const header = parseHeader(kind, bytes);
  const { bodySize } = header;
  const size = HEADER_SIZE + bodySize + CHECKSUM_SIZE;
  if (bodySize > BODY_SIZE_MAX || bytes.length !== size) {
    throw new DocumentSyntaxError(
      `Cannot read document as its body of ${bodySize} bytes needs ${size} bytes: found ${bytes.length}`,
      Math.min(size, bytes.length),
    );
  }
  const end = HEADER_SIZE + bodySize;
  const checksum = new Uint8Array(CHECKSUM_SIZE);
  jsHasher.hashInto(bytes.subarray(0, end), checksum);
  if (!checksum.every((byte, i) => byte === bytes[end + i])) {
    throw new DocumentSyntaxError(
      "Cannot read document as its checksum must be that of its bytes",
      end,
    );
  }
  checkReadable(header);
  return { ...header, body: parseBody(bytes.subarray(HEADER_SIZE, end)) };
}

function parseBody(bytes: Uint8Array): Record<string, unknown> {
  let body: unknown;
  try {
    // A byte order mark is kept, so that JSON refuses it.
    body = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    );
  } catch (cause) {
    throw new DocumentSyntaxError(
      "Cannot read document as its body must be JSON in UTF-8",
      HEADER_SIZE,
      {
        cause,
      },
    );
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new DocumentSyntaxError(
      "Cannot read document as its body must be an object",
      HEADER_SIZE,
    );
  }
  return body as Record<string, unknown>;
}
