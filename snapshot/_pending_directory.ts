import type { SourceDirectory } from "@snap/disk/source-directory";
import { EntryKind } from "@snap/manifest/entry-kind";
import type { StatTable } from "@snap/posix/stat-table";

/** The row of the directory itself. */
export const SELF = -1;

/** A directory of which not everything is known yet: ids come as files are read. */
export class PendingDirectory {
  /** The path below the source. */
  readonly path: Uint8Array;
  readonly parent: PendingDirectory | undefined;
  /** The row in the parent. */
  readonly parentRow: number;
  readonly count: number;
  readonly names: Uint8Array;
  readonly ends: Uint32Array;
  readonly stats: StatTable;
  readonly self: StatTable;
  /** Kinds of rows; 0 for an entry that is left out. */
  readonly kinds: Uint8Array;
  /** 32 bytes a row: of content or sub-tree. */
  readonly ids: Uint8Array;
  /** Sizes of files as they were stored. */
  readonly sizes: Float64Array;
  /** 32 bytes a row: page ids of sub-directories. */
  pageIds: Uint8Array | undefined;
  /** Targets of links. */
  readonly targets: Map<number, Uint8Array> = new Map();
  /** Extras of rows that have any, and of the directory itself. */
  readonly extras: Map<number, Uint8Array> = new Map();
  /** Rows whose result is still to come, and one for the walk itself. */
  waiting = 1;

  /**
   * Constructs a new instance.
   *
   * @param source The listing.
   * @param parent The directory it lies in.
   * @param parentRow Its row there.
   */
  constructor(
    source: SourceDirectory,
    parent: PendingDirectory | undefined,
    parentRow: number,
  ) {
    this.path = source.path;
    this.parent = parent;
    this.parentRow = parentRow;
    this.count = source.count;
    this.names = source.names;
    this.ends = source.ends;
    this.stats = source.stats;
    this.self = source.self;
    this.kinds = new Uint8Array(this.count);
    this.ids = new Uint8Array(32 * this.count);
    this.sizes = new Float64Array(this.count);
  }

  /**
   * Gives the first byte of a name.
   *
   * @param row The row.
   * @returns Its offset in `names`.
   */
  nameStart(row: number): number {
    return row === 0 ? 0 : this.ends[row - 1];
  }

  /**
   * Gives the path of an entry.
   *
   * @param row The row.
   * @returns The path below the source.
   */
  pathOf(row: number): Uint8Array {
    const start = this.nameStart(row), end = this.ends[row];
    const base = this.path.length === 0 ? 0 : this.path.length + 1;
    const path = new Uint8Array(base + end - start);
    path.set(this.path);
    if (base > 0) path[base - 1] = 0x2f;
    path.set(this.names.subarray(start, end), base);
    return path;
  }

  /**
   * Notes what became of a sub-directory.
   *
   * @param row Its row.
   * @param ids The id of its tree, then the id of its page.
   */
  setDirectory(row: number, ids: Uint8Array): void {
    this.ids.set(ids.subarray(0, 32), 32 * row);
    this.pageIds ??= new Uint8Array(32 * this.count);
    this.pageIds.set(ids.subarray(32, 64), 32 * row);
  }

  /**
   * Leaves an entry out, as it could not be read.
   *
   * @param row Its row.
   */
  leaveOut(row: number): void {
    this.kinds[row] = 0;
  }

  /**
   * Tells whether a row is a regular file.
   *
   * @param row The row.
   * @returns Whether it is one that is not left out.
   */
  isFile(row: number): boolean {
    const kind = this.kinds[row];
    return kind === EntryKind.file || kind === EntryKind.executable;
  }
}
