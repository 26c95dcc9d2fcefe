import { DraftOwners } from "@snap/manifest/draft";
import { DEPTH_MAX, EntryKind, entryKindName } from "@snap/manifest/extras";
import { DraftNodes, type NodeAttributes } from "./draft_nodes.ts";
import {
  isName,
  latin,
  leadsOut,
  namesOf,
  partsOf,
  tooDeep,
} from "./draft_path.ts";
import { EntryError } from "./entry_error.ts";
import { NameTable } from "./name_table.ts";

/** Links that are followed on the way to one name. */
const HOPS_MAX = 40;
const SLASH = 0x2f;
const NOT_FOUND = { before: undefined, directory: -1 } as const;

/** How {@linkcode SnapshotDraft} follows links on the way to a name. */
export interface SnapshotDraftOptions {
  /**
   * Whether a link that leads above the root, or begins with a slash, leads to the
   * root, as in a file system of its own; else it is an error.
   */
  readonly isRooted?: boolean;
  /**
   * Whether entries have times, so that 0 is 1970; else it stands for a time that is
   * not known.
   *
   * @default {true}
   */
  readonly hasTimes?: boolean;
  /**
   * Whether a file or link on the way to a name is an error, and a directory never
   * gives way to something else, nor the other way about.
   */
  readonly isStrict?: boolean;
}

/** A name and the directory that has it. */
export interface DraftPlace {
  /** The node of the directory; -1 where there is none. */
  readonly directory: number;
  /** The name in it, a character for each byte. */
  readonly name: string;
}

/**
 * A snapshot that is put together of entries in any order. A name that comes again
 * stands for what came last; directories that nobody names are made. About 115
 * bytes of memory an entry, beside its name.
 */
export class SnapshotDraft {
  /** Owners of the nodes. */
  readonly owners: DraftOwners = new DraftOwners();
  /** What the names stand for. */
  readonly nodes: DraftNodes = new DraftNodes();
  /** The names of each directory. */
  readonly names: NameTable = new NameTable();
  /** The root directory. */
  readonly root: number;
  readonly #isRooted: boolean;
  readonly #hasTimes: boolean;
  readonly #isStrict: boolean;
  #isRootNamed = false;
  /** The directory that was found last, and the path before names in it: archives go by directories. */
  #last: { readonly before: string | undefined; readonly directory: number } =
    NOT_FOUND;

  /** Makes a root without entries. */
  constructor(options: SnapshotDraftOptions = {}) {
    this.#isRooted = options.isRooted ?? false;
    this.#hasTimes = options.hasTimes ?? true;
    this.#isStrict = options.isStrict ?? false;
    const none = new Uint8Array(0);
    this.root = this.nodes.add(EntryKind.directory, {
      mode: 0o755,
      mtimeSec: 0,
      mtimeNs: 0,
      owner: this.owners.intern(0, 0, none, none),
    });
    this.nodes.countLink(this.root, 1);
  }

  /**
   * Adds an entry.
   *
   * @param path Its path, relative to the root; empty for the root itself.
   * @returns Its node; that of the directory which is there already.
   * @throws {EntryError} If no snapshot can have the path.
   */
  add(path: Uint8Array, kind: EntryKind, attributes: NodeAttributes): number {
    const place = this.place(path, attributes);
    if (place === undefined) {
      if (kind !== EntryKind.directory) {
        throw new EntryError(path, "only a directory can be the root");
      }
      this.#isRootNamed = true;
      this.nodes.setAttributes(this.root, attributes);
      return this.root;
    }
    const there = this.names.find(place.directory, place.name);
    if (
      kind === EntryKind.directory && there !== undefined &&
      this.nodes.kind(there) === kind
    ) {
      this.nodes.setAttributes(there, attributes);
      return there;
    }
    if (this.#isStrict && there !== undefined) {
      this.#checkSuccessor(path, kind, there);
    }
    const node = this.nodes.add(kind, attributes);
    this.#put(place, node);
    return node;
  }

  /** Whether the time of a node is known: a time of 0 is 1970 then. */
  hasTime(node: number): boolean {
    return this.#hasTimes && (node !== this.root || this.#isRootNamed);
  }

  /**
   * Adds one more name of a node.
   *
   * @param attributes What directories have that are made for it.
   */
  link(path: Uint8Array, node: number, attributes: NodeAttributes): void {
    const place = this.place(path, attributes);
    if (place === undefined || this.nodes.kind(node) === EntryKind.directory) {
      throw new EntryError(path, "a directory has one name");
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
      : this.names.find(place.directory, place.name);
  }

  /** Removes a name, and all below it; nothing where there is none. */
  remove({ directory, name }: DraftPlace): void {
    const node = this.names.find(directory, name);
    if (node === undefined) return;
    this.names.delete(directory, name);
    this.#drop(node);
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
      const there = this.names.find(at, name);
      if (there === undefined) {
        if (made === undefined) return -1;
        way.push(this.#make({ directory: at, name }, made));
      } else if (this.nodes.kind(there) === EntryKind.directory) {
        way.push(there);
      } else if (this.#isStrict) {
        const kind = entryKindName(this.nodes.kind(there));
        throw new EntryError(
          path,
          `a parent of it is no directory: found ${kind}`,
        );
      } else if (this.nodes.kind(there) === EntryKind.symlink) {
        if (++hops > HOPS_MAX) {
          throw new EntryError(path, "links on the way lead in a circle");
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

  #checkSuccessor(path: Uint8Array, kind: EntryKind, there: number): void {
    const old = this.nodes.kind(there);
    if (old !== EntryKind.directory && kind !== EntryKind.directory) return;
    const [before, now] = [entryKindName(old), entryKindName(kind)];
    throw new EntryError(path, `it came as ${before}, and comes as ${now}`);
  }

  #make(place: DraftPlace, attributes: NodeAttributes): number {
    const node = this.nodes.add(EntryKind.directory, {
      ...attributes,
      mode: 0o755,
    });
    this.#put(place, node);
    return node;
  }

  #put(place: DraftPlace, node: number): void {
    const { directory, name } = place;
    const there = this.names.find(directory, name);
    if (there === node) return;
    this.nodes.countLink(node, 1);
    if (there !== undefined) this.#drop(there);
    this.names.set(directory, name, node);
  }

  /** Takes one name from a node; what is in a directory goes with it. */
  #drop(node: number): void {
    this.#last = NOT_FOUND;
    const left = [node];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      this.nodes.countLink(one, -1);
      for (const name of this.names.list(one)) {
        left.push(this.names.find(one, name)!);
        this.names.delete(one, name);
      }
    }
  }
}
