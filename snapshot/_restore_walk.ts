import {
  DiskError,
  type Target,
  type TargetDirectory,
  type TargetEntries,
} from "@snap/disk";
import { idFromBytes } from "@snap/hash/id";
import type { AttributePage } from "@snap/manifest/attribute-page";
import { EntryKind, isDeviceKind, isFileKind } from "@snap/manifest/entry-kind";
import { DEPTH_MAX } from "@snap/manifest/limits";
import { joinPath, pathToText } from "@snap/manifest/path";
import type { Tree } from "@snap/manifest/tree";
import { DamageError } from "@snap/pack/errors";
import { isPageRequest, type Location } from "@snap/pack/location";
import { ObjectKind } from "@snap/pack/object-kind";
import type { StoreReader } from "@snap/pack/store-reader";
import { S_IFDIR, S_IFMT, S_IFREG } from "@snap/posix/mode";
import type {
  DeferredEntry,
  EntryMaker,
  EntryPlace,
} from "./_deferred_entries.ts";
import type { DirectoryTable } from "./_directory_table.ts";
import type { WindowFile } from "./_file_window.ts";
import {
  attempt,
  readDirectory,
  type ReadDirectoryOptions,
  type SnapshotDirectory,
} from "./_read_directory.ts";
import type { RestoreAttributes } from "./_restore_attributes.ts";
import { type FileExtras, FilePlan } from "./_restore_messages.ts";
import { DamagedEntryError } from "./restore_errors.ts";
import {
  hasNumbers,
  TIME_UNIT_NS,
  type WantedNumbers,
} from "./_wanted_attributes.ts";

/** What {@linkcode RestoreWalk} needs. */
export interface RestoreWalkOptions {
  readonly reader: StoreReader;
  /** The target; absent in a dry run if it does not exist. */
  readonly target: Target | undefined;
  readonly isDry: boolean;
  /** Whether entries that are not in the snapshot are removed. */
  readonly delete: boolean;
  /** The most entries that the snapshot says it has. */
  readonly entryCountMax: number;
  readonly attributes: RestoreAttributes;
  readonly directories: DirectoryTable;
  readonly maker: EntryMaker;
  /** Takes a file; a promise says when the next may come. */
  readonly onFile: (file: WindowFile) => Promise<void> | undefined;
  readonly onDeferred: (entry: DeferredEntry) => Promise<void> | undefined;
  readonly onError: (error: DiskError) => void;
  readonly onChange: (
    kind: "added" | "replaced" | "attributes" | "deleted",
    directory: Uint8Array,
    name: Uint8Array,
  ) => void;
  /** Called for each entry; lets messages in from time to time. */
  readonly breathe: () => Promise<void> | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A directory that is being restored. */
interface OpenDirectory extends SnapshotDirectory {
  readonly number: number;
  readonly path: Uint8Array;
  /** Absent in a dry run if nothing stands there. */
  readonly target: TargetDirectory | undefined;
  /** What stands there, if anything. */
  readonly entries: TargetEntries | undefined;
  row: number;
  /** Number of the next sub-directory. */
  child: number;
  /** Number of the next entry that stands there. */
  next: number;
}

/** Goes through a snapshot, makes its directories and says what else there is to do. */
export class RestoreWalk {
  readonly #options: RestoreWalkOptions;
  readonly #stack: OpenDirectory[] = [];
  readonly #links = new Map<string, { place: EntryPlace; left: number }>();
  #entryCount = 0;
  #deletedCount = 0;

  /**
   * Constructs a new instance.
   *
   * @param options What is restored, and who is told.
   */
  constructor(options: RestoreWalkOptions) {
    this.#options = options;
  }

  /** Entries met so far. */
  get entryCount(): number {
    return this.#entryCount;
  }

  /** Entries removed so far as the snapshot does not have them. */
  get deletedCount(): number {
    return this.#deletedCount;
  }

  /**
   * Restores the entries of a directory into the target.
   *
   * @param root The directory.
   */
  async run(root: SnapshotDirectory): Promise<void> {
    const { attributes, directories, target } = this.#options;
    const numbers = attributes.numbers(root.page, 0, EntryKind.directory);
    const number = directories.add(-1, new Uint8Array(0), numbers, true);
    await this.#takeXattrs(root.page, 0, number, new Uint8Array(0));
    this.#enter(root, {
      number,
      path: new Uint8Array(0),
      target: target?.root,
    });
    for (;;) {
      const top = this.#stack.at(-1);
      if (top === undefined) return;
      if (top.row === top.tree.count) {
        this.#deleteBefore(top, undefined);
        this.#stack.pop();
        continue;
      }
      const pending = this.#entry(top, top.row++);
      if (pending !== undefined) await pending;
      const breath = this.#options.breathe();
      if (breath !== undefined) await breath;
    }
  }

  /**
   * Restores one entry that is no directory, under its name.
   *
   * @param home Its directory in the snapshot.
   * @param row Its row.
   */
  async runEntry(home: SnapshotDirectory, row: number): Promise<void> {
    const { target } = this.#options;
    const entries = target?.list(target.root);
    const place = { number: -1, path: new Uint8Array(0), target: target?.root };
    await this.#entry(
      { ...home, ...place, entries, row, child: 0, next: 0 },
      row,
    );
  }

  #enter(
    directory: SnapshotDirectory,
    place: Pick<OpenDirectory, "number" | "path" | "target"> & {
      readonly isNew?: boolean;
    },
  ): void {
    const { target } = this.#options;
    const entries = place.target === undefined || place.isNew === true
      ? undefined
      : target!.list(place.target);
    this.#stack.push({
      ...directory,
      ...place,
      entries: entries?.count ? entries : undefined,
      row: 0,
      child: 0,
      next: 0,
    });
  }

  #entry(top: OpenDirectory, row: number): Promise<void> | undefined {
    const { tree, page } = top;
    if (++this.#entryCount > this.#options.entryCountMax) {
      throw new RangeError(
        `Cannot restore as the record says that there are ${this.#options.entryCountMax} entries: found more`,
      );
    }
    const present = this.#findPresent(top, row);
    const kind = tree.kind(row);
    if (kind === EntryKind.directory) {
      return this.#directory(top, row, top.child++, present);
    }
    const first = this.#firstLink(top, row);
    if (first !== undefined) return this.#defer(top, row, present, { first });
    if (!isFileKind(kind)) {
      return page?.hasExtras(row + 1)
        ? this.#deferWithExtras(top, row, present)
        : this.#defer(top, row, present, {});
    }
    if (tree.size(row) === 0 && !page?.hasExtras(row + 1)) {
      return this.#file(top, row, present, undefined, undefined);
    }
    const location = this.#locate(tree, row);
    if (location === "page" || page?.hasExtras(row + 1)) {
      return this.#fileSlowly(top, row, present);
    }
    return this.#file(top, row, present, location, undefined);
  }

  /** Finds what stands under the name of a row; what comes before is not in the snapshot. */
  #findPresent(top: OpenDirectory, row: number): number {
    const { entries, tree } = top;
    if (entries === undefined) return -1;
    this.#deleteBefore(top, row);
    const at = top.next;
    if (at === entries.count) return -1;
    const start = at === 0 ? 0 : entries.ends[at - 1];
    if (tree.compareName(row, entries.names, start, entries.ends[at]) !== 0) {
      return -1;
    }
    top.next++;
    return at;
  }

  #deleteBefore(top: OpenDirectory, row: number | undefined): void {
    const { entries, tree } = top;
    if (entries === undefined) return;
    const { names, ends } = entries;
    for (; top.next < entries.count; top.next++) {
      const start = top.next === 0 ? 0 : ends[top.next - 1];
      const end = ends[top.next];
      const isBefore = row === undefined ||
        tree.compareName(row, names, start, end) > 0;
      if (!isBefore) return;
      if (this.#options.delete) this.#delete(top, names.subarray(start, end));
    }
  }

  #delete(top: OpenDirectory, name: Uint8Array): void {
    const { isDry, target } = this.#options;
    this.#attempt(() => {
      if (!isDry) target!.removeTree(top.target!, name);
      this.#deletedCount++;
      this.#options.onChange("deleted", top.path, name);
    });
  }

  /** Whether it went well; an error of the target is told. */
  #attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.onError(error);
      return false;
    }
  }

  #typeOf(top: OpenDirectory, present: number): number {
    return present < 0 ? 0 : top.entries!.stats.mode(present) & S_IFMT;
  }

  async #directory(
    top: OpenDirectory,
    row: number,
    child: number,
    present: number,
  ): Promise<void> {
    const { tree, page } = top;
    const { attributes, isDry } = this.#options;
    const name = tree.name(row);
    const path = joinPath(top.path, name);
    if (this.#stack.length >= DEPTH_MAX) {
      return this.#options.onError(
        new DiskError("make directory", path, "EDEPTH"),
      );
    }
    const type = this.#typeOf(top, present);
    const isThere = type === S_IFDIR;
    let target: TargetDirectory | undefined;
    const isMade = this.#attempt(() => {
      if (present >= 0 && !isThere && !isDry) {
        this.#options.maker.clear(top.target!, name);
      }
      if (!isDry || isThere) {
        target = this.#options.target!.directory(top.target!, name, {
          create: !isDry,
        });
      }
    });
    if (!isMade) return;
    const ids = { tree: tree.idBytes(row), page: page?.pageIdBytes(child) };
    const { reader } = this.#options;
    const source = await readDirectory(reader, ids, this.#tolerance(path));
    const numbers = attributes.numbers(source?.page, 0, EntryKind.directory);
    const isNew = isDry ? !isThere : target!.isNew;
    if (isNew) {
      this.#options.onChange(
        present < 0 ? "added" : "replaced",
        top.path,
        name,
      );
    } else if (isDry && !this.#hasNumbers(top, present, numbers)) {
      this.#options.onChange("attributes", top.path, name);
    }
    const number = this.#options.directories.add(
      top.number,
      name,
      numbers,
      isNew,
    );
    if (source === undefined) return;
    await this.#takeXattrs(source.page, 0, number, path);
    this.#attempt(() => this.#enter(source, { number, path, target, isNew }));
  }

  #hasNumbers(
    top: OpenDirectory,
    present: number,
    numbers: WantedNumbers,
  ): boolean {
    const unitNs = TIME_UNIT_NS[this.#options.target!.fidelity];
    return hasNumbers(numbers, top.entries!.stats, present, unitNs);
  }

  async #takeXattrs(
    page: AttributePage | undefined,
    row: number,
    number: number,
    path: Uint8Array,
  ): Promise<void> {
    if (page?.hasExtras(row) !== true) return;
    const extras = await this.#extras(page, row, EntryKind.directory, path);
    if (extras !== undefined && extras.xattrs.length > 0) {
      this.#options.directories.xattrs.set(number, extras.xattrs);
    }
  }

  #signal(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  /** Says that an object is damaged or gone that an entry needs. */
  #tolerance(path: Uint8Array): ReadDirectoryOptions {
    return {
      ...this.#signal(),
      onDamage: (id, kind, error) =>
        this.#options.onError(
          new DamagedEntryError({
            path,
            id: idFromBytes(id),
            kind,
            ...(error instanceof DamageError
              ? { packName: error.packName }
              : {}),
          }, error),
        ),
    };
  }

  /** The place of the first name of a file that has several, if this is not the first. */
  #firstLink(top: OpenDirectory, row: number): EntryPlace | undefined {
    const { page, tree } = top;
    if (page === undefined || page.nlink(row + 1) < 2) return undefined;
    const low = page.inodeLow(row + 1), high = page.inodeHigh(row + 1);
    if (low === 0 && high === 0) return undefined;
    // What it is belongs to the key: no row can make a link of something else.
    const key = `${page.device(row + 1)} ${high} ${low} ${sameness(tree, row)}`;
    const known = this.#links.get(key);
    if (known === undefined) {
      const place = { directory: top.path, name: tree.name(row).slice() };
      this.#links.set(key, { place, left: page.nlink(row + 1) - 1 });
      return undefined;
    }
    if (--known.left === 0) this.#links.delete(key);
    return known.place;
  }

  #defer(
    top: OpenDirectory,
    row: number,
    present: number,
    more: { first?: EntryPlace; xattrs?: FileExtras["xattrs"] | undefined },
  ): Promise<void> | undefined {
    const { tree, page } = top;
    const kind = tree.kind(row);
    const { first, xattrs } = more;
    return this.#options.onDeferred({
      size: tree.size(row),
      directory: top.path,
      name: tree.name(row).slice(),
      kind,
      isPresent: present >= 0,
      numbers: this.#options.attributes.numbers(page, row + 1, kind),
      xattrs,
      ...(first === undefined ? {} : { first }),
      ...(kind === EntryKind.symlink ? { to: tree.target(row).slice() } : {}),
      ...(isDeviceKind(kind)
        ? {
          device: {
            major: tree.deviceMajor(row),
            minor: tree.deviceMinor(row),
          },
        }
        : {}),
    });
  }

  async #deferWithExtras(
    top: OpenDirectory,
    row: number,
    present: number,
  ): Promise<void> {
    const extras = await this.#extrasOf(top, row);
    await this.#defer(top, row, present, { xattrs: extras?.xattrs });
  }

  #extrasOf(top: OpenDirectory, row: number): Promise<FileExtras | undefined> {
    const path = joinPath(top.path, top.tree.name(row));
    const kind = top.tree.kind(row);
    return this.#extras(top.page!, row + 1, kind, path);
  }

  #extras(
    page: AttributePage,
    row: number,
    kind: number,
    path: Uint8Array,
  ): Promise<FileExtras | undefined> {
    const { attributes } = this.#options;
    const owner = ObjectKind.attributes;
    return attempt(page.treeId, owner, this.#tolerance(path), () => {
      return attributes.extras(page, row, kind);
    });
  }

  #locate(tree: Tree, row: number): Location | undefined | "page" {
    if (tree.size(row) === 0) return undefined;
    const { index } = this.#options.reader.index;
    const answer = index.locate(
      tree.bytes,
      tree.idStart(row),
      ObjectKind.content,
    );
    return isPageRequest(answer) ? "page" : answer;
  }

  async #fileSlowly(
    top: OpenDirectory,
    row: number,
    present: number,
  ): Promise<void> {
    const { tree, page } = top;
    const extras = page?.hasExtras(row + 1)
      ? await this.#extrasOf(top, row)
      : undefined;
    const location = tree.size(row) === 0
      ? undefined
      : await this.#options.reader.index.locate(
        tree.idBytes(row),
        ObjectKind.content,
        this.#signal(),
      );
    await this.#file(top, row, present, location, extras);
  }

  #file(
    top: OpenDirectory,
    row: number,
    present: number,
    location: Location | undefined,
    extras: FileExtras | undefined,
  ): Promise<void> | undefined {
    const { tree, page } = top;
    const type = this.#typeOf(top, present);
    let plan: number = present < 0 ? FilePlan.create : FilePlan.replace;
    if (
      type === S_IFREG && top.entries!.stats.size(present) === tree.size(row)
    ) {
      plan = FilePlan.compare;
    }
    if (type === S_IFDIR && !this.#options.isDry) {
      const { maker } = this.#options;
      const name = tree.name(row);
      if (!this.#attempt(() => maker.clear(top.target!, name))) return;
      plan = FilePlan.create;
    }
    const kind = tree.kind(row);
    return this.#options.onFile({
      directory: top.path,
      tree,
      row,
      numbers: this.#options.attributes.numbers(page, row + 1, kind),
      plan,
      location,
      extras,
    });
  }
}

/** All that a tree says of an entry but its name. */
function sameness(tree: Tree, row: number): string {
  const kind = tree.kind(row);
  if (isFileKind(kind)) return `${kind} ${idFromBytes(tree.idBytes(row))}`;
  if (kind === EntryKind.symlink) {
    return `${kind} ${pathToText(tree.target(row))}`;
  }
  return `${kind} ${tree.deviceMajor(row)} ${tree.deviceMinor(row)}`;
}
