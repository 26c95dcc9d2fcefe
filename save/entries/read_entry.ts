import { describeValue } from "@snap/hash";
import { EntryKind, isFileKind } from "@snap/manifest/extras";
import { EntryError, subjectOf } from "../draft/entry_error.ts";
import { checkLinkTarget } from "../draft/draft_path.ts";
import { OWNER_MAX } from "../draft/draft_nodes.ts";
import type { ContentSource } from "../pack/write_content.ts";
import type { EntryInput } from "./entry_input.ts";

const MODE_MASK = 0o7777;
/** The largest mode that the operating system tells: with its bits of the kind. */
const FULL_MODE_MAX = 0o177777;
const NS_MAX = 999_999_999;
const DEVICE_NUMBER_MAX = 0xffffffff;

const encoder = new TextEncoder();
const DEFAULT_MODES: Readonly<Partial<Record<EntryKind, number>>> = {
  [EntryKind.executable]: 0o755,
  [EntryKind.directory]: 0o755,
  [EntryKind.symlink]: 0o777,
};

/** An entry that was checked. */
export interface PlainEntry {
  readonly path: Uint8Array;
  readonly kind: EntryKind;
  readonly content: ContentSource;
  readonly target: Uint8Array;
  readonly mode: number;
  readonly mtimeSec: number;
  readonly mtimeNs: number;
  readonly uid: number;
  readonly gid: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/**
 * Checks an entry, and fills in what it does not say.
 *
 * @param input The entry.
 * @param nowMs The time that it has if it says none.
 * @throws {TypeError} If something in it is of another type, or does not go with its kind.
 * @throws {RangeError} If a number in it is none that a snapshot can hold.
 * @throws {EntryError} If its path is empty, or its text has a lone surrogate.
 */
export function readEntry(input: EntryInput, nowMs: number): PlainEntry {
  const path = readPath(input);
  const kind = kindOf(input, path);
  const target = bytesIn(input.target ?? "", path, "target");
  if (kind === EntryKind.symlink) checkLinkTarget(path, target);
  const number = (
    name: keyof EntryInput,
    max: number,
    value: unknown = 0,
  ): number => numberIn(input[name] ?? value, { path, name, max });
  return {
    ...{ path, kind, target, content: contentOf(input, path) },
    mode: number("mode", FULL_MODE_MAX, DEFAULT_MODES[kind] ?? 0o644) &
      MODE_MASK,
    ...timeOf(input, path, nowMs),
    uid: number("uid", OWNER_MAX),
    gid: number("gid", OWNER_MAX),
    deviceMajor: number("deviceMajor", DEVICE_NUMBER_MAX),
    deviceMinor: number("deviceMinor", DEVICE_NUMBER_MAX),
  };
}

function readPath(input: EntryInput): Uint8Array {
  const given: unknown = input?.path;
  if (typeof given !== "string" && !(given instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot save entry: its path must be text or a Uint8Array: found ${
        describeValue(given)
      }`,
    );
  }
  const path = bytesIn(given, encoder.encode(String(given)), "path");
  if (path.length === 0) throw new EntryError(path, "its path is empty");
  return path;
}

function kindOf(input: EntryInput, path: Uint8Array): EntryKind {
  const { content, target } = input;
  const name = input.kind ??
    (content !== undefined ? "file" : target !== undefined && "symlink");
  const kind = typeof name === "string" && Object.hasOwn(EntryKind, name)
    ? EntryKind[name]
    : undefined;
  if (kind === undefined) {
    throw wrong(
      path,
      "kind, unless it has content or a target, must be one of " +
        Object.keys(EntryKind).join(", "),
      input.kind,
    );
  }
  if (content !== undefined && !isFileKind(kind)) {
    throw wrong(path, "kind must be a file as it has content", name);
  }
  if (target !== undefined && kind !== EntryKind.symlink) {
    throw wrong(path, "kind must be symlink as it has a target", name);
  }
  return kind;
}

function contentOf(
  { content = "" }: EntryInput,
  path: Uint8Array,
): ContentSource {
  if (typeof content === "string") return bytesIn(content, path, "content");
  const isSource = content instanceof Uint8Array || content instanceof Blob ||
    content !== null && Symbol.asyncIterator in Object(content);
  if (isSource) return content;
  const need = "text, a Uint8Array, a Blob or an async iterable";
  throw wrong(path, `content must be ${need}`, content);
}

function timeOf(
  { mtime, mtimeSec, mtimeNs = 0 }: EntryInput,
  path: Uint8Array,
  nowMs: number,
): Pick<PlainEntry, "mtimeSec" | "mtimeNs"> {
  if (mtime === undefined && mtimeSec !== undefined) {
    const max = Number.MAX_SAFE_INTEGER;
    return {
      mtimeSec: numberIn(mtimeSec, { path, name: "mtimeSec", min: -max, max }),
      mtimeNs: numberIn(mtimeNs, { path, name: "mtimeNs", max: NS_MAX }),
    };
  }
  const ms = mtime === undefined
    ? nowMs
    : mtime instanceof Date
    ? mtime.getTime()
    : NaN;
  if (Number.isNaN(ms)) throw wrong(path, "mtime must be a valid Date", mtime);
  const seconds = Math.floor(ms / 1000);
  const rest = Math.floor((ms - 1000 * seconds) * 1e6);
  return { mtimeSec: seconds, mtimeNs: rest };
}

function bytesIn(
  value: unknown,
  path: Uint8Array,
  name: string,
): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") {
    throw wrong(path, `${name} must be text or a Uint8Array`, value);
  }
  if (value.isWellFormed()) return encoder.encode(value);
  throw new EntryError(path, `a surrogate stands alone in its ${name}`);
}

function numberIn(value: unknown, { path, name, max, min = 0 }: {
  readonly path: Uint8Array;
  readonly name: string;
  readonly max: number;
  readonly min?: number;
}): number {
  if (typeof value !== "number") {
    throw wrong(path, `${name} must be a number`, value);
  }
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(
    `Cannot save ${
      subjectOf(path)
    }: its ${name} must be a whole number from ${min} to ${max}: found ${value}`,
  );
}

function wrong(path: Uint8Array, need: string, found: unknown): TypeError {
  return new TypeError(
    `Cannot save ${subjectOf(path)}: its ${need}: found ${
      describeValue(found)
    }`,
  );
}
