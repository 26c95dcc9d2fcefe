import type { DiskError } from "@snap/disk";
import type { Target } from "@snap/disk/target";
import { joinPath, splitPath } from "@snap/manifest/path";
import { type Location, ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { S_IFDIR, S_IFMT, S_IFREG } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { EntryPlace } from "./plan/link_groups.ts";
import type { DeferredEntry } from "./write/deferred_entries.ts";
import type { WindowFile } from "./plan/file_window.ts";
import {
  readDirectory,
  type ReadDirectoryOptions,
  type SnapshotDirectory,
} from "./plan/read_directory.ts";
import type { RestoreAttributes } from "./write/attributes.ts";
import { type FileExtras, FilePlan } from "./messages.ts";
import { tolerateDamage } from "./plan/tolerate_damage.ts";

/** Parts of {@linkcode OwnEntries}. */
export interface OwnEntriesOptions {
  readonly reader: StoreReader;
  /** The target; absent in a dry run if it does not exist. */
  readonly target: Target | undefined;
  readonly attributes: RestoreAttributes;
  readonly onError: (error: DiskError) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes an entry of its own of what was to be a link. What that needs is read once more: to keep
 * it for every link would cost memory, and it is hardly ever wanted.
 */
export class OwnEntries {
  readonly #options: OwnEntriesOptions;
  #root: SnapshotDirectory | undefined;
  #last:
    | { readonly path: Uint8Array; readonly home: SnapshotDirectory }
    | undefined;

  constructor(options: OwnEntriesOptions) {
    this.#options = options;
  }

  /** Says what is restored. */
  start(root: SnapshotDirectory): void {
    this.#root = root;
  }

  /**
   * A link as a file.
   *
   * @returns The file; nothing if it is damaged, and that was told.
   * @throws {DiskError} If it cannot be told what stands there.
   */
  async file(entry: DeferredEntry): Promise<WindowFile | undefined> {
    const { reader } = this.#options;
    const found = await this.#find(entry);
    if (found === undefined) return undefined;
    const { tree, row, extras } = found;
    let location: Location | undefined;
    if (entry.size > 0) {
      const kind = ObjectKind.content;
      const id = tree.idBytes(row);
      location = await reader.index.locate(id, kind, this.#options);
    }
    const { directory, numbers } = entry;
    const plan = this.#plan(entry);
    return {
      directory,
      isFresh: false,
      tree,
      row,
      numbers,
      plan,
      location,
      extras,
    };
  }

  /**
   * A link to what is no file as an entry of its own.
   *
   * @returns The entry; nothing if it is damaged, and that was told.
   */
  async entry(entry: DeferredEntry): Promise<DeferredEntry | undefined> {
    const found = await this.#find(entry);
    if (found === undefined) return undefined;
    const { group: _, ...own } = entry;
    return { ...own, xattrs: this.#options.attributes.xattrs(found.extras) };
  }

  async #find(entry: DeferredEntry): Promise<
    | SnapshotDirectory & {
      readonly row: number;
      readonly extras: FileExtras | undefined;
    }
    | undefined
  > {
    const { attributes } = this.#options;
    const path = joinPath(entry.directory, entry.name);
    const tolerance = tolerateDamage(path, this.#options);
    const home = await this.#home(entry.directory, tolerance);
    if (home === undefined) return undefined;
    const { tree, page } = home;
    const row = tree.find(entry.name);
    const { kind } = entry;
    const extras = await attributes.extras(page, row + 1, { kind, path });
    return { tree, page, row, extras };
  }

  async #home(
    path: Uint8Array,
    tolerance: ReadDirectoryOptions,
  ): Promise<SnapshotDirectory | undefined> {
    // All entries of a directory have the same bytes as its path.
    if (this.#last?.path === path) return this.#last.home;
    let home: SnapshotDirectory | undefined = this.#root!;
    for (const name of splitPath(path)) {
      const { tree, page }: SnapshotDirectory = home;
      const row = tree.find(name);
      const pageId = page?.pageIdBytes(tree.directoriesBefore(row));
      const ids = { tree: tree.idBytes(row), page: pageId };
      home = await readDirectory(this.#options.reader, ids, tolerance);
      if (home === undefined) return undefined;
    }
    this.#last = { path, home };
    return home;
  }

  #plan(entry: EntryPlace & { readonly size: number }): FilePlan {
    const { target } = this.#options;
    const stats = new StatTable(1);
    const isThere = target !== undefined &&
      target.stat(target.directoryAt(entry.directory), entry.name, stats, 0);
    if (!isThere) return FilePlan.create;
    const type = stats.mode(0) & S_IFMT;
    if (type === S_IFDIR) return FilePlan.clear;
    return type === S_IFREG && stats.size(0) === entry.size
      ? FilePlan.compare
      : FilePlan.replace;
  }
}
