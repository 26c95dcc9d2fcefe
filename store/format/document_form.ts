/**
 * The documents of a store: under which names they stand and which fields they have.
 *
 * @module
 */
import type { DocumentKind } from "../header.ts";
import { isStoreName } from "../store_name.ts";
import { BODY_SIZE_MAX, decodeDocument, type Document } from "./document.ts";
import { DocumentSyntaxError } from "../errors.ts";
import {
  arrayOf,
  bySaveId,
  checkFields,
  count,
  type FieldType,
  id,
  objectOf,
  oneOf,
  optional,
  pairOf,
  saveId,
  text,
  time,
  typeOf,
} from "./fields.ts";

/** Most paths in a sample of a record. */
export const PATH_SAMPLE_MAX = 20;

const PAGE_NAME = /^listings\/[0-9a-f]{64}$/;

/** A form of documents. */
export interface DocumentForm {
  /** The kind in the header. */
  readonly kind: DocumentKind;
  /** The names it stands under. */
  readonly pattern: RegExp;
  /** The type of its body. */
  readonly type: FieldType;
}

const storeName: FieldType = typeOf(
  "a name in a store",
  (value) => typeof value === "string" && isStoreName(value),
);
const pageName: FieldType = typeOf(
  "the name of a page",
  (value) => typeof value === "string" && PAGE_NAME.test(value),
);
const SAMPLE = objectOf({ count, first: arrayOf(text, PATH_SAMPLE_MAX) });
const ENTRY = { time, tree: id, record: id, nonce: saveId, saveId };
const SAVE_IDS = { saveIds: optional(arrayOf(saveId)) };

/** The fields that each step of a round of removal has besides its time. */
const STEPS: Readonly<Record<string, FieldType>> = {
  condemned: objectOf({ packs: arrayOf(id) }),
  holders: objectOf({ leases: bySaveId(count) }),
  suspects: objectOf({ saves: arrayOf(saveId) }),
  final: objectOf({
    packs: arrayOf(id),
    void: arrayOf(saveId),
    ended: arrayOf(saveId),
  }),
  done: objectOf({}),
};
const STEP = objectOf({ time, step: oneOf(...Object.keys(STEPS)) });

/** The sorts of documents. */
export type DocumentFormName =
  | "config"
  | "record"
  | "tag"
  | "forgotten"
  | "lease"
  | "renewal"
  | "leaseEnd"
  | "step"
  | "void"
  | "bad"
  | "listing";

/** The forms of all documents. */
export const documentForms: Readonly<Record<DocumentFormName, DocumentForm>> = {
  config: {
    kind: "CONF",
    pattern: /^config\/[1-9]\d{0,15}$/,
    type: objectOf({
      storeId: saveId,
      createdAt: time,
      settings: objectOf({}),
    }),
  },
  record: {
    kind: "RECD",
    pattern: /^snapshots\/[0-9a-f]{64}-[0-9a-f]{64}-[0-9a-f]{32}$/,
    type: objectOf({
      ...{ tree: id, page: id, time, startTime: time },
      ...{ host: text, user: text, program: text, source: text },
      message: optional(text),
      totals: objectOf({
        ...{ entryCount: count, fileCount: count, directoryCount: count },
        ...{ byteCount: count, xattrCount: count, hardLinkCount: count },
        holeCount: count,
      }),
      unreadable: SAMPLE,
      changed: SAMPLE,
      fidelity: oneOf("full", "reduced"),
      repairOf: optional(id),
    }),
  },
  tag: {
    kind: "TAGE",
    pattern: /^tags\/[a-z0-9._%-]+\/[1-9]\d{0,15}$/,
    type: objectOf({
      ...ENTRY,
      head: objectOf(ENTRY),
      count: typeOf(
        "1 or more",
        (value) => Number.isSafeInteger(value) && value as number > 0,
      ),
      sum: id,
    }),
  },
  forgotten: {
    kind: "GCLG",
    pattern: /^forgotten\/[0-9a-f]{64}$/,
    type: objectOf({ time }),
  },
  lease: {
    kind: "LEAS",
    pattern: /^leases\/[0-9a-f]{32}\/0$/,
    type: objectOf({
      ...{ time, host: text, program: text, action: text },
      ...{ endHash: optional(id), ...SAVE_IDS },
    }),
  },
  renewal: {
    kind: "LEAS",
    pattern: /^leases\/[0-9a-f]{32}\/[1-9]\d{0,15}$/,
    type: objectOf({ time, ...SAVE_IDS }),
  },
  leaseEnd: {
    kind: "LEAS",
    pattern: /^leases\/[0-9a-f]{32}\/end$/,
    type: objectOf({ key: optional(saveId) }),
  },
  step: {
    kind: "GCLG",
    pattern: /^gc\/[1-9]\d{0,15}$/,
    type: (value, field) =>
      STEP(value, field) ??
        STEPS[(value as { step: string }).step](value, field),
  },
  void: {
    kind: "GCLG",
    pattern: /^gc\/void\/[0-9a-f]{32}$/,
    type: objectOf({ round: count }),
  },
  bad: {
    kind: "GCLG",
    pattern: /^gc\/bad\/[0-9a-f]{64}$/,
    type: objectOf({ time, reason: text }),
  },
  listing: {
    kind: "LIST",
    pattern: /^listing(?:s\/[0-9a-f]{64})?$/,
    // Only the size of the document limits how many these are.
    type: objectOf({
      files: arrayOf(pairOf(storeName, count), BODY_SIZE_MAX),
      pages: arrayOf(pairOf(pageName, text), BODY_SIZE_MAX),
    }),
  },
};

/**
 * Finds the form of a document.
 *
 * @param name Its name in the store.
 * @returns The form, or undefined if no document has such a name.
 */
export function documentFormOf(name: string): DocumentForm | undefined {
  return Object.values(documentForms).find(({ pattern }) => pattern.test(name));
}

/**
 * Reads a document and checks its fields.
 *
 * @example A mark of a save whose records do not count
 * ```ts
 * import { decodeNamed, encodeDocument } from "@snap/store/format";
 * import { strictEqual } from "node:assert/strict";
 *
 * const saveId = new Uint8Array(16);
 * const bytes = encodeDocument({ kind: "GCLG", saveId, body: { round: 7 } });
 * const name = `gc/void/${"00".repeat(16)}`;
 * strictEqual(decodeNamed(name, bytes).body.round, 7);
 * ```
 *
 * @param name Its name in the store, which says what it must be.
 * @param bytes All of its bytes.
 * @param subject What errors call it.
 * @returns Header and body.
 * @throws {DocumentSyntaxError} If it is damaged, of another kind, or no document has such a name.
 * @throws {UnsupportedVersionError} If it needs a newer program.
 */
export function decodeNamed(
  name: string,
  bytes: Uint8Array,
  subject: string = name,
): Document {
  const form = documentFormOf(name);
  if (form === undefined) {
    throw new DocumentSyntaxError(
      `Cannot read ${subject} as no file of a store has such a name`,
      0,
    );
  }
  const document = decodeAs(subject, form.kind, bytes);
  checkFields(subject, document.body, form.type);
  return document;
}

function decodeAs(
  subject: string,
  kind: DocumentKind,
  bytes: Uint8Array,
): Document {
  try {
    return decodeDocument(kind, bytes);
  } catch (cause) {
    if (!(cause instanceof DocumentSyntaxError)) throw cause;
    const { message, offset } = cause;
    const told = message.replace(/^Cannot read \w+/, `Cannot read ${subject}`);
    throw new DocumentSyntaxError(told, offset, { cause });
  }
}
