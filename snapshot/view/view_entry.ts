import { type Id, idFromBytes } from "@snap/hash";
import type { AttributePage, EntryRow, Tree } from "@snap/manifest";
import { EntryKind, type Extras, isFileKind } from "@snap/manifest/extras";
import { jsonPath } from "@snap/manifest/path";
import { rowFields } from "./row_fields.ts";

/** Row of a page for one entry, without its extras. */
export interface ViewAttributes {
  /** The 12 permission bits. */
  readonly mode: number;
  /** Modification time, whole seconds since 1970. */
  readonly mtimeSec: number;
  /** Modification time, nanoseconds after that second. */
  readonly mtimeNs: number;
  /** Change time, whole seconds since 1970. */
  readonly ctimeSec: number;
  /** Change time, nanoseconds after that second. */
  readonly ctimeNs: number;
  /** User id of the owner. */
  readonly uid: number;
  /** Group id of the owner. */
  readonly gid: number;
  /** User name of the owner; empty when it was not known. */
  readonly userName: Uint8Array;
  /** Group name of the owner; empty when it was not known. */
  readonly groupName: Uint8Array;
  /** How many names the file had, in the snapshot or outside. */
  readonly nlink: number;
  /** Lower 32 bits of the inode number. */
  readonly inodeLow: number;
  /** Upper 32 bits of the inode number. */
  readonly inodeHigh: number;
  /** A small number, 0 for the device of the root. */
  readonly device: number;
}

/** Source of a {@linkcode ViewEntry}. */
export interface ViewEntrySource {
  /** Its path; empty for the root. */
  readonly path: Uint8Array;
  /** The tree of the directory that has it; for the root its own. */
  readonly tree: Tree;
  /** The page beside that tree. */
  readonly page: AttributePage;
  /** Its row in the tree; -1 for the root. */
  readonly row: number;
  /** For a directory: the ids of its tree and its page. */
  readonly directory?: { readonly tree: Uint8Array; readonly page: Uint8Array };
}

const NO_ID: Uint8Array = new Uint8Array(32);

/**
 * One entry of a snapshot: a row of a tree and of the page beside it, which it
 * keeps in memory as long as it lives. It is an `EntryRow`, so `formatEntry` of
 * `@snap/manifest/text` writes it as a line.
 */
export class ViewEntry implements EntryRow {
  // Runtimes call what stands under these names when they show an entry.
  static {
    for (const name of ["Deno.customInspect", "nodejs.util.inspect.custom"]) {
      Object.defineProperty(this.prototype, Symbol.for(name), {
        value(this: ViewEntry, ...args: unknown[]): string {
          const inspect = args.find((one) => typeof one === "function");
          return `ViewEntry ${inspect?.(this.toJSON())}`;
        },
      });
    }
  }

  /** Its path; empty for the root. */
  readonly path: Uint8Array;
  /** The tree of the directory that has it; for the root its own. */
  readonly tree: Tree;
  /** The page beside that tree. */
  readonly page: AttributePage;
  /** Its row in the tree; -1 for the root. */
  readonly row: number;
  readonly #directory: ViewEntrySource["directory"];
  #attributes: ViewAttributes | undefined;

  /** Made by a `View`. */
  constructor(source: ViewEntrySource) {
    this.path = source.path;
    this.tree = source.tree;
    this.page = source.page;
    this.row = source.row;
    this.#directory = source.directory;
  }

  /** The name: a view of 1 to 255 bytes, empty for the root. */
  get name(): Uint8Array {
    return this.row < 0 ? this.path : this.tree.name(this.row);
  }

  /** Kind of the entry. */
  get kind(): EntryKind {
    return this.row < 0 ? EntryKind.directory : this.tree.kind(this.row);
  }

  /** Whether it is a file, executable or not: whether there is something to read. */
  get isFile(): boolean {
    return isFileKind(this.kind);
  }

  /** Size in bytes of a file's content or of a link's target, else 0. */
  get size(): number {
    return this.row < 0 ? 0 : this.tree.size(this.row);
  }

  /** The id of a file's content or of a directory's tree, else 64 zeros. */
  get id(): Id {
    return idFromBytes(this.idBytes);
  }

  /** The 32 bytes of that id, a view. */
  get idBytes(): Uint8Array {
    if (this.#directory !== undefined) return this.#directory.tree;
    return this.row < 0 ? NO_ID : this.tree.idBytes(this.row);
  }

  /** The id of a directory's page, else nothing. */
  get pageId(): Id | undefined {
    const bytes = this.pageIdBytes;
    return bytes && idFromBytes(bytes);
  }

  /** The 32 bytes of that id, a view. */
  get pageIdBytes(): Uint8Array | undefined {
    return this.#directory?.page;
  }

  /** The target of a symbolic link, a view; empty for others. */
  get target(): Uint8Array {
    return this.row < 0 ? NO_ID.subarray(0, 0) : this.tree.target(this.row);
  }

  /** Major number of a device, else 0. */
  get deviceMajor(): number {
    return this.row < 0 ? 0 : this.tree.deviceMajor(this.row);
  }

  /** Minor number of a device, else 0. */
  get deviceMinor(): number {
    return this.row < 0 ? 0 : this.tree.deviceMinor(this.row);
  }

  /** Mode, times, owner and links; taken out of the page when first asked for. */
  get attributes(): ViewAttributes {
    this.#attributes ??= readAttributes(this.page, this.row + 1);
    return this.#attributes;
  }

  /** What the entry is, as `snap ls --json` and `console.log` show it. */
  toJSON(): Record<string, unknown> {
    const id = this.kind === EntryKind.directory ? { id: this.id } : {};
    return { ...jsonPath("path", this.path), ...rowFields(this), ...id };
  }

  /**
   * Extended attributes and holes, when there are any. Those of a directory below
   * the root are in its own page: `View.extras` gives them.
   */
  get extras(): Extras | undefined {
    return this.page.extras(this.row + 1);
  }
}

function readAttributes(page: AttributePage, row: number): ViewAttributes {
  return {
    mode: page.mode(row),
    mtimeSec: page.mtimeSec(row),
    mtimeNs: page.mtimeNs(row),
    ctimeSec: page.ctimeSec(row),
    ctimeNs: page.ctimeNs(row),
    uid: page.uid(row),
    gid: page.gid(row),
    userName: page.userName(row),
    groupName: page.groupName(row),
    nlink: page.nlink(row),
    inodeLow: page.inodeLow(row),
    inodeHigh: page.inodeHigh(row),
    device: page.device(row),
  };
}
