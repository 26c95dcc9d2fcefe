import { DraftOwners } from "@snap/manifest/draft";
import { DEPTH_MAX, EntryKind } from "@snap/manifest/extras";
import { checkName, checkTarget, displayPath } from "@snap/manifest/path";
import { ImportError } from "../errors.ts";
import { DraftNodes, type NodeAttributes } from "./draft_nodes.ts";

/** Links that are followed on the way to one name. */
const HOPS_MAX = 40;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes that become text at once. */
const TEXT_SIZE = 4096;
const NOT_FOUND = { before: undefined, directory: -1 } as const;

/** Names of one directory: a character for each byte, so that their order is that of bytes. */
export type DraftNames = Map<string, number>;

/** How {@linkcode SnapshotDraft} follows links on the way to a name. */
export interface SnapshotDraftOptions {
  /**
   * Whether a link that leads above the root, or begins with a slash, leads to the
   * root, as in a file system of its own; else it is an error.
   */
  readonly isRooted?: boolean;
}

/** A name and the directory that has it. */
export interface DraftPlace {
  readonly directory: number;
  readonly name: string;
}

/**
 * A snapshot that is put together of entries in any order. A name that comes again
 * stands for what came last; directories that nobody names are made. About 170
 * bytes of memory an entry.
 */
export class SnapshotDraft {
  /** Owners of the nodes. */
  readonly owners: DraftOwners = new DraftOwners();
  /** What the names stand for. */
  readonly nodes: DraftNodes = new DraftNodes();
  /** The root directory. */
  readonly root: number;
  readonly #directories = new Map<number, DraftNames>();
  readonly #isRooted: boolean;
  /** The directory that was found last, and the path before names in it: archives go by directories. */
  #last: { readonly before: string | undefined; readonly directory: number } =
    NOT_FOUND;

  /** Makes a root without entries. */
  constructor(options: SnapshotDraftOptions = {}) {
    this.#isRooted = options.isRooted ?? false;
    const none = new Uint8Array(0);
    this.root = this.nodes.add(EntryKind.directory, {
      mode: 0o755,
      mtimeSec: 0,
      mtimeNs: 0,
      owner: this.owners.intern(0, 0, none, none),
    });
    this.nodes.countLink(this.root, 1);
    this.#directories.set(this.root, new Map());
  }

  /**
   * Adds an entry.
   *
   * @param path Its path, relative to the root; empty for the root itself.
   * @returns Its node; that of the directory which is there already.
   * @throws {ImportError} If no snapshot can have the path.
   */
  add(path: Uint8Array, kind: EntryKind, attributes: NodeAttributes): number {
    const place = this.place(path, attributes);
    if (place === undefined) {
      if (kind !== EntryKind.directory) {
        throw new ImportError(
          `Cannot import ${
            displayPath(path)
          }: only a directory can be the root`,
        );
      }
      this.nodes.setAttributes(this.root, attributes);
      return this.root;
    }
    const there = this.names(place.directory).get(place.name);
    if (
      kind === EntryKind.directory && there !== undefined &&
      this.nodes.kind(there) === kind
    ) {
      this.nodes.setAttributes(there, attributes);
      return there;
    }
    const node = this.nodes.add(kind, attributes);
    if (kind === EntryKind.directory) this.#directories.set(node, new Map());
    this.#put(place, node);
    return node;
  }

  /**
   * Adds one more name of a node.
   *
   * @param attributes What directories have that are made for it.
   */
  link(path: Uint8Array, node: number, attributes: NodeAttributes): void {
    const place = this.place(path, attributes);
    if (place === undefined || this.nodes.kind(node) === EntryKind.directory) {
      throw new ImportError(
        `Cannot import ${displayPath(path)}: a directory has one name`,
      );
    }
    this.#put(place, node);
  }

  /**
   * Finds a node; a link at the end of the path is not followed.
   *
   * @returns The node, or `undefined` where there is none.
   */
  find(path: Uint8Array): number | undefined {
    const place = this.place(path);
    if (place === undefined) return this.root;
    return place.directory < 0
      ? undefined
      : this.names(place.directory).get(place.name);
  }

  /** Removes a name, and all below it; nothing where there is none. */
  remove({ directory, name }: DraftPlace): void {
    const names = this.names(directory);
    const node = names.get(name);
    if (node === undefined) return;
    names.delete(name);
    this.#drop(node);
  }

  /** Removes all that is in a directory. */
  empty(directory: number): void {
    for (const name of [...this.names(directory).keys()]) {
      this.remove({ directory, name });
    }
  }

  /** Gives the names in a directory. */
  names(directory: number): DraftNames {
    return this.#directories.get(directory)!;
  }

  /**
   * Finds the directory of a path, and the name in it.
   *
   * @param made Attributes of directories that are made on the way; without, none
   * is made, and the directory is -1 where there is none.
   * @returns `undefined` for the root.
   */
  place(path: Uint8Array, made?: NodeAttributes): DraftPlace | undefined {
    const end = path.at(-1) === SLASH ? path.length - 1 : path.length;
    const start = path.lastIndexOf(SLASH, end - 1) + 1;
    const before = latin(path, 0, start);
    if (before === this.#last.before && isName(path, start, end)) {
      return { directory: this.#last.directory, name: latin(path, start, end) };
    }
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) return undefined;
    const directory = this.#enter(names, { path, made });
    if (directory >= 0 && isName(path, start, end)) {
      this.#last = { before, directory };
    }
    return { directory, name };
  }

  #enter(
    names: string[],
    { path, made }: {
      readonly path: Uint8Array;
      readonly made: NodeAttributes | undefined;
    },
  ): number {
    const way = [this.root];
    let hops = 0;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (name === "..") {
        if (way.length > 1) way.pop();
        else if (!this.#isRooted) throw leadsOut(path);
        continue;
      }
      const at = way.at(-1)!;
      const there = this.names(at).get(name);
      if (there === undefined) {
        if (made === undefined) return -1;
        way.push(this.#make({ directory: at, name }, made));
      } else if (this.nodes.kind(there) === EntryKind.directory) {
        way.push(there);
      } else if (this.nodes.kind(there) === EntryKind.symlink) {
        if (++hops > HOPS_MAX) {
          throw new ImportError(
            `Cannot import ${
              displayPath(path)
            }: links on the way lead in a circle`,
          );
        }
        const target = this.nodes.target(there);
        if (target[0] === SLASH) {
          if (!this.#isRooted) throw leadsOut(path);
          way.length = 1;
        }
        names.splice(i + 1, 0, ...partsOf(target));
      } else if (made === undefined) {
        return -1;
      } else {
        // As for any other name that comes again, what came last counts.
        this.remove({ directory: at, name });
        way.push(this.#make({ directory: at, name }, made));
      }
      if (way.length > DEPTH_MAX) throw tooDeep(path);
    }
    return way.at(-1)!;
  }

  #make(place: DraftPlace, attributes: NodeAttributes): number {
    const node = this.nodes.add(EntryKind.directory, {
      ...attributes,
      mode: 0o755,
    });
    this.#directories.set(node, new Map());
    this.#put(place, node);
    return node;
  }

  #put(place: DraftPlace, node: number): void {
    const names = this.names(place.directory);
    const there = names.get(place.name);
    if (there === node) return;
    this.nodes.countLink(node, 1);
    if (there !== undefined) this.#drop(there);
    names.set(place.name, node);
  }

  /** Takes one name from a node; what is in a directory goes with it. */
  #drop(node: number): void {
    this.#last = NOT_FOUND;
    const left = [node];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      this.nodes.countLink(one, -1);
      const names = this.#directories.get(one);
      if (names === undefined) continue;
      for (const child of names.values()) left.push(child);
      this.#directories.delete(one);
    }
  }
}

/** Splits a path of an archive, and refuses what is no path of an entry. */
function namesOf(path: Uint8Array): string[] {
  if (path[0] === SLASH) {
    throw new ImportError(
      `Cannot import ${displayPath(path)}: its path is absolute`,
      "tar -P has made it; tar without -P makes paths that can be imported",
    );
  }
  const names = partsOf(path);
  for (const name of names) {
    if (name === "..") throw leadsOut(path);
    const bytes = Uint8Array.from(name, (one) => one.charCodeAt(0));
    const fault = checkName(bytes, 0, bytes.length);
    if (fault !== undefined) {
      throw new ImportError(`Cannot import ${displayPath(path)}: ${fault}`);
    }
  }
  if (names.length > DEPTH_MAX) throw tooDeep(path);
  return names;
}

/** Names of a path, a character for each byte, without those that stay where they are. */
function partsOf(path: Uint8Array): string[] {
  const names: string[] = [];
  for (let start = 0, at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue;
    const isHere = at === start || (at === start + 1 && path[start] === DOT);
    if (!isHere) names.push(latin(path, start, at));
    start = at + 1;
  }
  return names;
}

/** Bytes as text, a character for each, in one piece of memory where they are few. */
function latin(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += TEXT_SIZE) {
    const part = bytes.subarray(at, Math.min(end, at + TEXT_SIZE));
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}

/** Whether bytes are a name that stands for itself. */
function isName(bytes: Uint8Array, start: number, end: number): boolean {
  return checkName(bytes, start, end) === undefined;
}

/**
 * Checks the target of a symbolic link.
 *
 * @throws {ImportError} If no snapshot can have it.
 */
export function checkLinkTarget(path: Uint8Array, target: Uint8Array): void {
  const fault = checkTarget(target, 0, target.length);
  if (fault === undefined) return;
  throw new ImportError(`Cannot import ${displayPath(path)}: ${fault}`);
}

function leadsOut(path: Uint8Array): ImportError {
  return new ImportError(
    `Cannot import ${displayPath(path)}: its path leads out of the archive`,
  );
}

function tooDeep(path: Uint8Array): ImportError {
  const text = displayPath(path.subarray(0, 60));
  return new ImportError(
    `Cannot import ${text}…: directories nest more than ${DEPTH_MAX} deep`,
  );
}
