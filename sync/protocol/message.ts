import type { Hasher } from "@snap/hash";
import { SyncError } from "../errors.ts";

/** Version of the messages. */
export const SYNC_VERSION = 1;
/** Size of the largest message in bytes. */
export const MESSAGE_SIZE_MAX: number = 64 << 20;
/** Sections of a message at most. */
export const SECTIONS_MAX = 16;
/** The beginning of every message. */
const MAGIC = "SNAPSYN1";
const HEAD_SIZE = 56;
const SECTION_HEAD_SIZE = 16;
const HASH_SIZE = 32;
const ID_SIZE = 16;

/** Memory around the bytes of the only section of a message, so that the message needs none of its own. */
export const MESSAGE_ROOM: { readonly before: number; readonly after: number } =
  {
    before: HEAD_SIZE + SECTION_HEAD_SIZE,
    after: HASH_SIZE,
  };

/** Verbs: the request of a message. */
export const Verb = {
  hello: 1,
  differ: 2,
  get: 3,
  missing: 4,
  put: 5,
  seal: 6,
  commit: 7,
  lease: 8,
  tags: 9,
  forget: 10,
} as const;

/** Number of a verb. */
export type Verb = (typeof Verb)[keyof typeof Verb];

/** Kinds of messages: request, answer. */
export const MessageType = { request: 0, answer: 1, error: 2 } as const;

/** Number of what a message is. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Types of sections. */
export const SectionKind = {
  fields: 1,
  ranges: 2,
  ids: 3,
  bits: 4,
  documents: 5,
  pack: 6,
  cursor: 7,
  proofs: 8,
  tags: 9,
  bases: 10,
  lost: 11,
} as const;

/** One section of a message. */
export interface Section {
  /** A {@linkcode SectionKind}; those that are not known are passed over. */
  readonly kind: number;
  /** Number of rows. */
  readonly rows: number;
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Whether {@linkcode MESSAGE_ROOM} around them may be written to. Default: false. */
  readonly hasRoom?: boolean;
}

/** A request or an answer. */
export interface Message {
  /** The request. */
  readonly verb: Verb;
  /** Request, answer or error. */
  readonly type: MessageType;
  /** Of a request most bytes of the answer; of an error milliseconds to wait. */
  readonly limit: number;
  /** 16 bytes of the session, or zeros. */
  readonly session: Uint8Array;
  /** 16 bytes of the request, which its answer gives back. */
  readonly request: Uint8Array;
  /** The sections, at most 16. */
  readonly sections: readonly Section[];
}

/**
 * Encodes a message.
 *
 * @param message The message.
 * @param hasher What hashes.
 * @returns Its bytes.
 * @throws {SyncError} If it is larger than {@linkcode MESSAGE_SIZE_MAX}.
 */
export function encodeMessage(message: Message, hasher: Hasher): Uint8Array {
  const { sections } = message;
  let size = HEAD_SIZE + HASH_SIZE;
  for (const { bytes } of sections) size += SECTION_HEAD_SIZE + bytes.length;
  if (size > MESSAGE_SIZE_MAX || sections.length > SECTIONS_MAX) {
    throw new SyncError(
      `Cannot send a message of ${size} bytes: ${MESSAGE_SIZE_MAX} are the most`,
      { code: "LARGE" },
    );
  }
  const [first] = sections;
  const isInPlace = sections.length === 1 && first.hasRoom === true;
  const out = isInPlace
    ? new Uint8Array(
      first.bytes.buffer,
      first.bytes.byteOffset - MESSAGE_ROOM.before,
      size,
    )
    : new Uint8Array(size);
  const view = new DataView(out.buffer, out.byteOffset);
  new TextEncoder().encodeInto(MAGIC, out);
  out[8] = message.verb;
  out[9] = message.type;
  view.setUint16(10, sections.length, true);
  view.setUint32(12, message.limit, true);
  view.setUint32(16, size, true);
  out.set(message.session, 24);
  out.set(message.request, 24 + ID_SIZE);
  let at = HEAD_SIZE;
  for (const { kind, rows, bytes } of sections) {
    view.setUint32(at, kind, true);
    view.setUint32(at + 4, rows, true);
    view.setUint32(at + 8, bytes.length, true);
    if (!isInPlace) out.set(bytes, at + SECTION_HEAD_SIZE);
    at += SECTION_HEAD_SIZE + bytes.length;
  }
  hasher.hashInto(out.subarray(0, at), out, at);
  return out;
}

/**
 * Decodes a message, strictly.
 *
 * @param bytes All of its bytes; sections are views of them.
 * @param hasher What hashes.
 * @returns The message.
 * @throws {SyncError} If it is none, was cut or changed on its way (`FORMAT`), or
 * is of another version (`VERSION`).
 */
export function decodeMessage(bytes: Uint8Array, hasher: Hasher): Message {
  checkMagic(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEAD_SIZE + HASH_SIZE) {
    fail(`it has ${HEAD_SIZE + HASH_SIZE} bytes or more`, bytes.length);
  }
  const size = view.getUint32(16, true);
  if (view.getUint32(20, true) !== 0 || size !== bytes.length) {
    fail(`it has the ${size} bytes that it claims`, bytes.length);
  }
  const end = size - HASH_SIZE;
  const hash = new Uint8Array(HASH_SIZE);
  hasher.hashInto(bytes.subarray(0, end), hash);
  if (hash.some((byte, i) => byte !== bytes[end + i])) {
    fail("its checksum is that of its bytes", "another");
  }
  const verb = bytes[8], type = bytes[9];
  if (!Object.values<number>(Verb).includes(verb)) {
    fail("its verb is known", verb);
  }
  if (type > MessageType.error) fail("it is a request or an answer", type);
  return {
    verb: verb as Verb,
    type: type as MessageType,
    limit: view.getUint32(12, true),
    session: bytes.subarray(24, 24 + ID_SIZE),
    request: bytes.subarray(24 + ID_SIZE, HEAD_SIZE),
    sections: decodeSections(bytes, view, end),
  };
}

function decodeSections(
  bytes: Uint8Array,
  view: DataView,
  end: number,
): Section[] {
  const count = view.getUint16(10, true);
  if (count > SECTIONS_MAX) fail(`sections are at most ${SECTIONS_MAX}`, count);
  const sections: Section[] = [];
  let at = HEAD_SIZE;
  for (let i = 0; i < count; i++) {
    if (at + SECTION_HEAD_SIZE > end) fail("its sections fit into it", at);
    const size = view.getUint32(at + 8, true);
    const start = at + SECTION_HEAD_SIZE;
    if (view.getUint32(at + 12, true) !== 0 || size > end - start) {
      fail("its sections fit into it", size);
    }
    sections.push({
      kind: view.getUint32(at, true),
      rows: view.getUint32(at + 4, true),
      bytes: bytes.subarray(start, start + size),
    });
    at = start + size;
  }
  if (at !== end) fail("nothing follows its sections", `${end - at} bytes`);
  return sections;
}

function checkMagic(bytes: Uint8Array): void {
  const found = new TextDecoder("latin1").decode(bytes.subarray(0, 8));
  if (found === MAGIC) return;
  if (found.startsWith(MAGIC.slice(0, 7))) {
    throw new SyncError(
      `Cannot read a message as its version is ${MAGIC.slice(7)}: found ${
        found.slice(7)
      }`,
      { code: "VERSION", hint: "Use the same version of snap on both sides" },
    );
  }
  fail(
    `it begins with ${MAGIC}`,
    bytes.length === 0 ? "no bytes" : JSON.stringify(found),
  );
}

function fail(need: string, found: unknown): never {
  throw new SyncError(`Cannot read a message as ${need}: found ${found}`, {
    code: "FORMAT",
  });
}

/**
 * Finds a section.
 *
 * @param message The message.
 * @param kind The {@linkcode SectionKind}.
 * @returns The first section of this kind, if there is one.
 */
export function sectionOf(message: Message, kind: number): Section | undefined {
  return message.sections.find((section) => section.kind === kind);
}
