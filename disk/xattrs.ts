import {
  encodeExtras,
  type ExtendedAttribute,
  INLINE_SIZE_MAX,
} from "@snap/manifest/extras";
import { ENODATA, ENOTSUP, ERANGE, errnoName } from "@snap/posix/constants";
import { equalBytes } from "./bytes.ts";
import type { DiskCalls } from "./disk_calls.ts";

/**
 * Takes bytes that are too large for an attribute page, to be stored as content.
 *
 * The bytes belong to the callee. It gives the 32 bytes of their id.
 */
export type PutObject = (bytes: Uint8Array) => Uint8Array;

/** One extended attribute with all of its value. */
export interface XattrValue {
  /** Name, with its namespace, as `user.mime_type`; no NUL. */
  readonly name: Uint8Array;
  /** Value. */
  readonly value: Uint8Array;
}

/** An attribute that could not be set or removed. */
export interface XattrProblem {
  /** Its name. */
  readonly name: Uint8Array;
  /** Name of the error number: `ENOTSUP`, `EPERM` and so on. */
  readonly code: string;
}

/** Changes that make the attributes of an entry those wanted. */
interface XattrChanges {
  readonly set: readonly XattrValue[];
  /** Names. */
  readonly removed: readonly Uint8Array[];
}

/** XATTR_LIST_MAX and XATTR_SIZE_MAX of Linux. */
const SIZE_MAX = 65536;
const SIZE_FIRST = 256;
const NO_EXTRAS = new Uint8Array(0);

/** Reads and applies extended attributes, with buffers that are used again. */
export class Xattrs {
  readonly #calls: DiskCalls;
  readonly #names: Answer = new Answer();
  #value: Answer | undefined;

  /** Prepares the buffers. */
  constructor(calls: DiskCalls) {
    this.#calls = calls;
  }

  /**
   * Attributes of an open file or directory.
   *
   * @param putObject Takes values over 1 KiB.
   * @returns The attributes in any order; or a negative error number. A file system without
   *   attributes has none.
   */
  read(fd: number, putObject: PutObject): ExtendedAttribute[] | number {
    return this.#read(fd, undefined, putObject);
  }

  /**
   * Attributes of an entry that cannot be opened, such as a symbolic link.
   *
   * @param directory Descriptor of its directory.
   * @param putObject Takes values over 1 KiB.
   * @returns As `read`.
   */
  readAt(
    directory: number,
    name: Uint8Array,
    putObject: PutObject,
  ): ExtendedAttribute[] | number {
    return this.#read(-1, descriptorPath(directory, name), putObject);
  }

  #read(
    fd: number,
    path: Uint8Array | undefined,
    putObject: PutObject,
  ): ExtendedAttribute[] | number {
    const calls = this.#calls;
    const size = this.#names.ask((out) =>
      path === undefined
        ? calls.flistxattr(fd, out)
        : calls.llistxattr(path, out)
    );
    if (size === 0 || size === -ENOTSUP) return [];
    if (size < 0) return size;
    const names = this.#names.take(size);
    const found: ExtendedAttribute[] = [];
    for (let start = 0; start < size;) {
      const end = names.indexOf(0, start) + 1;
      if (end === 0) break;
      const name = names.subarray(start, end);
      start = end;
      const read = this.#readValue(fd, path, name);
      if (typeof read !== "number") {
        found.push(toAttribute(name, read, putObject));
      } else if (read !== -ENODATA) return read;
    }
    return found;
  }

  #readValue(
    fd: number,
    path: Uint8Array | undefined,
    name: Uint8Array,
  ): Uint8Array | number {
    const value = this.#value ??= new Answer();
    const size = value.ask((out) =>
      path === undefined
        ? this.#calls.fgetxattr(fd, name, out)
        : this.#calls.lgetxattr(path, name, out)
    );
    return size < 0 ? size : value.take(size);
  }

  /**
   * Makes the attributes of an open file or directory those wanted: sets what differs, removes
   * what is not wanted. Labels that the system gives (`security.selinux`, `security.ima`,
   * `security.evm`) are not removed.
   *
   * Nothing is fatal: what the kernel refuses is reported. Without privileges it lets a user set
   * `user.` and access control lists on own files; `trusted.` and most of `security.` need root.
   *
   * @returns What could not be done.
   */
  apply(fd: number, wanted: readonly XattrValue[]): XattrProblem[] {
    return this.#apply(fd, undefined, wanted);
  }

  /**
   * As `apply`, for an entry that cannot be opened.
   *
   * @param directory Descriptor of its directory.
   * @returns What could not be done.
   */
  applyAt(
    directory: number,
    name: Uint8Array,
    wanted: readonly XattrValue[],
  ): XattrProblem[] {
    return this.#apply(-1, descriptorPath(directory, name), wanted);
  }

  /**
   * Whether `apply` would change nothing.
   *
   * @returns True if so.
   */
  has(fd: number, wanted: readonly XattrValue[]): boolean {
    return isNothing(this.#changes(fd, undefined, wanted));
  }

  /**
   * Whether `applyAt` would change nothing.
   *
   * @param directory Descriptor of its directory.
   * @returns True if so.
   */
  hasAt(
    directory: number,
    name: Uint8Array,
    wanted: readonly XattrValue[],
  ): boolean {
    const path = descriptorPath(directory, name);
    return isNothing(this.#changes(-1, path, wanted));
  }

  /** Compares; attributes that cannot be read count as absent. */
  #changes(
    fd: number,
    path: Uint8Array | undefined,
    wanted: readonly XattrValue[],
  ): XattrChanges {
    const present = this.#read(fd, path, keepBytes);
    const before = new Map<string, ExtendedAttribute>();
    if (typeof present !== "number") {
      for (const one of present) before.set(toKey(one.name), one);
    }
    const set = wanted.filter(({ name, value }) => {
      const key = toKey(name);
      const old = before.get(key);
      before.delete(key);
      return old === undefined || !equalBytes(old.value ?? old.id!, value);
    });
    for (const label of SYSTEM_LABELS) before.delete(label);
    return { set, removed: [...before.values()].map(({ name }) => name) };
  }

  #apply(
    fd: number,
    path: Uint8Array | undefined,
    wanted: readonly XattrValue[],
  ): XattrProblem[] {
    const calls = this.#calls;
    const { set, removed } = this.#changes(fd, path, wanted);
    const problems: XattrProblem[] = [];
    for (const { name, value } of set) {
      const text = withNul(name);
      const result = path === undefined
        ? calls.fsetxattr(fd, text, value)
        : calls.lsetxattr(path, text, value);
      if (result < 0) problems.push({ name, code: errnoName(result) });
    }
    for (const name of removed) {
      const text = withNul(name);
      const result = path === undefined
        ? calls.fremovexattr(fd, text)
        : calls.lremovexattr(path, text);
      if (result < 0 && result !== -ENODATA) {
        problems.push({ name, code: errnoName(result) });
      }
    }
    return problems;
  }
}

/**
 * Encodes attributes and holes as extras of a row.
 *
 * @param holes The encoded list of holes, if any.
 * @param putObject Takes a list over 1 KiB.
 * @returns The extras; empty if there is neither.
 */
export function encodeFound(
  xattrs: readonly ExtendedAttribute[],
  holes: Uint8Array | undefined,
  putObject: PutObject,
): Uint8Array {
  if (holes === undefined || holes.length === 0) {
    return xattrs.length === 0 ? NO_EXTRAS : encodeExtras({ xattrs });
  }
  const size = holes.length;
  const list = size <= INLINE_SIZE_MAX
    ? { size, value: holes }
    : { size, id: putObject(holes) };
  return encodeExtras({ xattrs, holes: list });
}

const SYSTEM_LABELS: ReadonlySet<string> = new Set([
  "security.selinux",
  "security.ima",
  "security.evm",
]);

/**
 * Bytes that a call fills. The kernel allocates as much as it is offered, which for 64 KiB takes
 * longer than all the rest, so little is offered first.
 */
class Answer {
  readonly #bytes = new Uint8Array(SIZE_MAX);
  readonly #first = this.#bytes.subarray(0, SIZE_FIRST);

  ask(call: (out: Uint8Array) => number): number {
    const size = call(this.#first);
    return size === -ERANGE ? call(this.#bytes) : size;
  }

  take(size: number): Uint8Array {
    return this.#bytes.slice(0, size);
  }
}

/** Stands for `putObject` where large values are wanted themselves. */
function keepBytes(bytes: Uint8Array): Uint8Array {
  return bytes;
}

function toAttribute(
  text: Uint8Array,
  value: Uint8Array,
  putObject: PutObject,
): ExtendedAttribute {
  const name = text.subarray(0, text.length - 1);
  const size = value.length;
  return size <= INLINE_SIZE_MAX
    ? { name, size, value }
    : { name, size, id: putObject(value) };
}

/** `/proc/self/fd/N/NAME`: the calls for links take a path and no directory. */
function descriptorPath(directory: number, name: Uint8Array): Uint8Array {
  const start = new TextEncoder().encode(`/proc/self/fd/${directory}/`);
  const path = new Uint8Array(start.length + name.length + 1);
  path.set(start);
  path.set(name, start.length);
  return path;
}

function isNothing({ set, removed }: XattrChanges): boolean {
  return set.length + removed.length === 0;
}

function withNul(name: Uint8Array): Uint8Array {
  const text = new Uint8Array(name.length + 1);
  text.set(name);
  return text;
}

function toKey(name: Uint8Array): string {
  return String.fromCharCode(...name);
}
