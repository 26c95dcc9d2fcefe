import type { KnownDirectories } from "./known_directories.ts";
import { DiskError } from "@snap/disk";
import {
  isTemporaryName,
  type Target,
  type TargetDirectory,
} from "@snap/disk/target";
import type { AttributePage } from "@snap/manifest";
import { DEPTH_MAX, EntryKind, isFileKind } from "@snap/manifest/extras";
import { joinPath } from "@snap/manifest/path";
import { ObjectKind } from "@snap/pack";
import { DirectoriesAhead, lookUpContents } from "@snap/snapshot/reach";
import type { StoreReader } from "@snap/pack/read";
import { S_IFDIR } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import type { DeferredEntry, EntryMaker } from "./write/deferred_entries.ts";
import { describeEntry } from "./plan/describe_entry.ts";
import type { LinkGroups } from "./plan/link_groups.ts";
import { locateContent } from "./plan/locate_content.ts";
import type { DirectoryTable } from "./write/directory_table.ts";
import type { WindowFile } from "./plan/file_window.ts";
import {
  readDirectory,
  type SnapshotDirectory,
} from "./plan/read_directory.ts";
import { type PresentEntries, readPresent } from "./plan/present_entries.ts";
import type { RestoreAttributes } from "./write/attributes.ts";
import { type FileExtras, FilePlan } from "./messages.ts";
import { tolerateDamage } from "./plan/tolerate_damage.ts";
import {
  hasNumbers,
  TIME_UNIT_NS,
  type WantedNumbers,
} from "./write/wanted_attributes.ts";

/** Parts of {@linkcode RestoreWalk}. */
export interface RestoreWalkOptions {
  readonly reader: StoreReader;
  /** The target; absent in a dry run if it does not exist. */
  readonly target: Target | undefined;
  readonly isDry: boolean;
  /** Whether entries that are not in the snapshot are removed. */
  readonly delete: boolean;
  readonly known: KnownDirectories | undefined;
  /** The most entries that the snapshot says it has. */
  readonly entryCountMax: number;
  readonly attributes: RestoreAttributes;
  readonly directories: DirectoryTable;
  readonly maker: EntryMaker;
  readonly links: LinkGroups;
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
  readonly pace: () => Promise<void> | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The path of the target itself, and its name. */
const ROOT = new Uint8Array(0);

/** A directory that is being restored. */
interface OpenDirectory extends SnapshotDirectory {
  readonly number: number;
  readonly path: Uint8Array;
  /** Absent in a dry run if nothing stands there. */
  readonly target: TargetDirectory | undefined;
  /** Entries of the target, if there are any. */
  readonly present: PresentEntries | undefined;
  row: number;
  /** Number of the next sub-directory. */
  child: number;
}

/** Goes through a snapshot, makes its directories and says what else there is to do. */
export class RestoreWalk {
  readonly #options: RestoreWalkOptions;
  readonly #stack: OpenDirectory[] = [];
  readonly #ahead: DirectoriesAhead;
  #entryCount = 0;
  #deletedCount = 0;

  constructor(options: RestoreWalkOptions) {
    this.#options = options;
    const { reader, signal } = options;
    this.#ahead = new DirectoriesAhead(reader, { contents: true, signal });
  }

  /** Ends what is read ahead. */
  async close(): Promise<void> {
    await this.#ahead.close();
  }

  /** Entries met so far, and removed as the snapshot does not have them. */
  get counts(): { readonly entryCount: number; readonly deletedCount: number } {
    return { entryCount: this.#entryCount, deletedCount: this.#deletedCount };
  }

  /** Restores the entries of a directory into the target. */
  async run(root: SnapshotDirectory): Promise<void> {
    const { attributes, directories, target } = this.#options;
    const numbers = attributes.numbers(root.page, 0, EntryKind.directory);
    const number = directories.add(-1, ROOT, numbers, true);
    const xattrs = await this.#takeXattrs(root.page, number, ROOT);
    if (this.#options.isDry && !this.#hasAll(target?.root, numbers, xattrs)) {
      this.#options.onChange("attributes", ROOT, ROOT);
    }
    this.#ahead.enter(undefined, root.tree, root.page);
    await this.#enter(root, { number, path: ROOT, target: target?.root });
    for (;;) {
      const top = this.#stack.at(-1);
      if (top === undefined) return;
      const extra = top.present?.nextExtra(top.row);
      if (extra !== undefined) {
        // One with such a name was left by a restore that was killed.
        const isTaken = this.#options.delete || isTemporaryName(extra);
        if (isTaken) this.#delete(top, extra);
        const turn = this.#options.pace();
        if (turn !== undefined) await turn;
        continue;
      }
      if (top.row === top.tree.count) {
        this.#stack.pop();
        continue;
      }
      const pending = this.#entry(top, top.row++);
      if (pending !== undefined) await pending;
      const turn = this.#options.pace();
      if (turn !== undefined) await turn;
    }
  }

  /** Restores one entry that is no directory, under its name. */
  async runEntry(home: SnapshotDirectory, row: number): Promise<void> {
    const { target } = this.#options;
    const there = target?.root;
    const present = await readPresent(this.#options, there, home.tree);
    const place = { number: -1, path: ROOT, target: there, present };
    const top = { ...home, ...place, row, child: 0 };
    const passUntil = async (end: number): Promise<void> => {
      for (;;) {
        const name = present?.nextExtra(end);
        if (name === undefined) return;
        // What other rows are called is nobody's here.
        const isLeftOver = isTemporaryName(name) && home.tree.find(name) < 0;
        if (isLeftOver) this.#delete(top, name);
        const turn = this.#options.pace();
        if (turn !== undefined) await turn;
      }
    };
    await passUntil(row);
    await this.#entry(top, row);
    await passUntil(home.tree.count);
  }

  async #enter(
    directory: SnapshotDirectory,
    place: Pick<OpenDirectory, "number" | "path" | "target"> & {
      readonly isNew?: boolean;
    },
  ): Promise<void> {
    const there = place.isNew ? undefined : place.target;
    const present = await readPresent(this.#options, there, directory.tree);
    this.#stack.push({ ...directory, ...place, present, row: 0, child: 0 });
  }

  #entry(top: OpenDirectory, row: number): Promise<void> | undefined {
    const { tree, page } = top;
    if (++this.#entryCount > this.#options.entryCountMax) {
      throw new RangeError(
        `Cannot restore: there are more than the ${this.#options.entryCountMax} entries that the record tells of`,
      );
    }
    const present = top.present?.find(row) ?? -1;
    const kind = tree.kind(row);
    if (kind === EntryKind.directory) {
      return this.#directory(top, row, top.child++, present);
    }
    const { attributes, links } = this.#options;
    const group = links.first(top, row);
    if (group !== undefined) return this.#defer(top, row, present, { group });
    const extras = attributes.noExtras(page);
    if (!isFileKind(kind)) {
      if (page?.hasExtras(row + 1)) {
        return this.#deferWithExtras(top, row, present);
      }
      const xattrs = attributes.xattrs(extras);
      return this.#defer(top, row, present, { xattrs });
    }
    if (tree.size(row) === 0 && !page?.hasExtras(row + 1)) {
      return this.#file(top, row, present, { location: undefined, extras });
    }
    const location = locateContent(this.#options.reader, tree, row);
    if (location === "page" || page?.hasExtras(row + 1)) {
      return this.#fileSlowly(top, row, present);
    }
    return this.#file(top, row, present, { location, extras });
  }

  #delete(top: OpenDirectory, name: Uint8Array): void {
    const { isDry, maker, target } = this.#options;
    this.#attempt(() => {
      if (!isDry) maker.clear(top.target!, name);
      else if (target!.isMountPoint(top.target!, name)) {
        throw new DiskError("remove", joinPath(top.path, name), "EMOUNT");
      }
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

  async #directory(
    top: OpenDirectory,
    row: number,
    child: number,
    present: number,
  ): Promise<void> {
    const { tree, page } = top, { attributes, isDry } = this.#options;
    const name = tree.name(row);
    const path = joinPath(top.path, name);
    if (this.#stack.length >= DEPTH_MAX) {
      return this.#options.onError(
        new DiskError("make directory", path, "EDEPTH"),
      );
    }
    const isThere = top.present?.typeOf(present) === S_IFDIR;
    const ids = { tree: tree.idBytes(row), page: page?.pageIdBytes(child) };
    const { known, maker, reader } = this.#options;
    if (isThere && await known?.isSame(path, ids) === true) {
      return this.#ahead.skip(ids.tree);
    }
    const source = await readDirectory(
      reader,
      ids,
      tolerateDamage(path, this.#options),
    );
    // Something else gives way only to a directory that can be had.
    if (source === undefined && present >= 0 && !isThere) return;
    let target: TargetDirectory | undefined;
    const isMade = this.#attempt(() => {
      if (isDry && !isThere) return;
      target = this.#options.target!.directory(top.target!, name, {
        create: !isDry,
        isFree: !isDry && present < 0,
        ...(present >= 0 && !isThere && {
          clear: () => maker.clear(top.target!, name),
        }),
      });
    });
    if (!isMade) return;
    const numbers = attributes.numbers(source?.page, 0, EntryKind.directory);
    const isNew = isDry ? !isThere : target!.isNew;
    const { directories, onChange } = this.#options;
    const number = directories.add(top.number, name, numbers, isNew);
    const xattrs = await this.#takeXattrs(source?.page, number, path);
    if (isNew) onChange(present < 0 ? "added" : "replaced", top.path, name);
    else if (isDry && !this.#hasAll(target, numbers, xattrs)) {
      onChange("attributes", top.path, name);
    }
    if (source === undefined) return;
    this.#ahead.enter(ids.tree, source.tree, source.page);
    try {
      await this.#enter(source, { number, path, target, isNew });
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.onError(error);
    }
  }

  /** Whether a directory that stands there has what it is to have. */
  #hasAll(
    directory: TargetDirectory | undefined,
    numbers: WantedNumbers,
    xattrs: FileExtras["xattrs"],
  ): boolean {
    if (directory === undefined) return true;
    const target = this.#options.target!;
    const stats = new StatTable(1);
    target.stat(directory, undefined, stats, 0);
    return hasNumbers(numbers, stats, 0, TIME_UNIT_NS[target.fidelity]) &&
      (xattrs === undefined || target.hasXattrs(directory, undefined, xattrs));
  }

  async #takeXattrs(
    page: AttributePage | undefined,
    number: number,
    path: Uint8Array,
  ): Promise<FileExtras["xattrs"]> {
    const { attributes, directories } = this.#options;
    const entry = { kind: EntryKind.directory, path };
    const extras = await attributes.extras(page, 0, entry);
    const xattrs = attributes.xattrs(extras);
    directories.setXattrs(number, xattrs);
    return xattrs;
  }

  #defer(
    top: OpenDirectory,
    row: number,
    present: number,
    more: Pick<DeferredEntry, "group" | "xattrs">,
  ): Promise<void> | undefined {
    const kind = top.tree.kind(row);
    return this.#options.onDeferred({
      ...describeEntry(top.tree, row),
      directory: top.path,
      isPresent: present >= 0,
      isApart: more.group === undefined && this.#isApart(top.present, present),
      numbers: this.#options.attributes.numbers(top.page, row + 1, kind),
      ...more,
    });
  }

  async #deferWithExtras(
    top: OpenDirectory,
    row: number,
    present: number,
  ): Promise<void> {
    const { attributes } = this.#options;
    const xattrs = attributes.xattrs(await this.#extrasOf(top, row));
    await this.#defer(top, row, present, { xattrs });
  }

  #extrasOf(top: OpenDirectory, row: number): Promise<FileExtras | undefined> {
    const path = joinPath(top.path, top.tree.name(row));
    const kind = top.tree.kind(row);
    return this.#options.attributes.extras(top.page, row + 1, { kind, path });
  }

  /** Whether what stands there has to be parted from what another entry has. */
  #isApart(there: PresentEntries | undefined, present: number): boolean {
    const type = there?.typeOf(present) ?? 0;
    return type !== 0 && type !== S_IFDIR &&
      this.#options.links.isTaken(there!.entries.stats, present);
  }

  async #fileSlowly(
    top: OpenDirectory,
    row: number,
    present: number,
  ): Promise<void> {
    const { tree } = top, { reader } = this.#options;
    const extras = await this.#extrasOf(top, row);
    if (reader.ranges.isFar) {
      await lookUpContents(reader, tree, row, this.#options);
    }
    const location = tree.size(row) === 0
      ? undefined
      : await reader.index.locate(
        tree.idBytes(row),
        ObjectKind.content,
        this.#options,
      );
    await this.#file(top, row, present, { location, extras });
  }

  #file(
    top: OpenDirectory,
    row: number,
    present: number,
    more: Pick<WindowFile, "location" | "extras">,
  ): Promise<void> | undefined {
    const { tree, page } = top, size = tree.size(row);
    const { attributes, directories, maker } = this.#options;
    const isApart = this.#isApart(top.present, present);
    const plan = top.present?.plan(present, { size, isApart }) ??
      FilePlan.create;
    if (plan === FilePlan.clear) {
      const name = tree.name(row);
      if (!this.#attempt(() => maker.check(top.target!, name))) return;
    }
    return this.#options.onFile({
      directory: top.path,
      isFresh: directories.isFresh(top.number),
      tree,
      row,
      numbers: attributes.numbers(page, row + 1, tree.kind(row)),
      plan,
      ...more,
    });
  }
}
