import type { SourceDirectory } from "@snap/disk/source";
import { isFileKind } from "@snap/manifest/extras";
import { PageDraft, TreeDraft } from "@snap/manifest/draft";
import {
  type MakeBytes,
  MemoryBytes,
  type WritableBytes,
} from "@snap/manifest";

/** The row of the directory itself. */
export const SELF = -1;

/** A directory with more entries than this is wide: its drafts lie outside of memory. */
const WIDE_COUNT = 1 << 16;

/** Naming more entries than this is done in steps, since it takes long. */
const AT_ONCE_COUNT = 2048;

/** The listing that a {@linkcode PendingDirectory} is made from. */
export type PendingSource = Pick<
  SourceDirectory,
  "path" | "rowsMax" | "first" | "count" | "names" | "ends" | "stats"
>;

/** A directory of which not everything is known yet: ids come as files are read. */
export class PendingDirectory {
  /** The listing; its stats are those of the rows in hand. */
  readonly source: PendingSource;
  readonly parent: PendingDirectory | undefined;
  /** The row in the parent. */
  readonly parentRow: number;
  /** Kinds of the entries, and ids of their content. */
  readonly tree: TreeDraft;
  /** Attributes; those of an entry one row further than the entry. */
  readonly page: PageDraft;
  /** Rows whose result is still to come, and one for the walk itself. */
  waiting = 1;
  /** Whether it is other than in the snapshot before. */
  isChanged = false;
  /** Sub-directories that the snapshot before has, too. */
  expectedCount = 0;
  /** The ids of tree and page in the snapshot before. */
  previousIds: Uint8Array | undefined;
  readonly #make: MakeBytes;
  readonly #spillFiles: WritableBytes[] = [];
  #pageIds: WritableBytes | undefined;
  #sameRows: Set<number> | undefined;

  /**
   * Takes a listed directory, of which nothing is stored yet.
   *
   * @param source The listing; all names are known.
   * @param parent The directory it lies in.
   * @param makeSpillFile Makes room for a wide directory; in memory if absent.
   */
  constructor(
    source: PendingSource,
    parent: PendingDirectory | undefined,
    parentRow: number,
    makeSpillFile: MakeBytes = MemoryBytes.ofSize,
  ) {
    this.source = source;
    this.parent = parent;
    this.parentRow = parentRow;
    const { rowsMax = source.count, names, ends } = source;
    this.#make = rowsMax > WIDE_COUNT
      ? (size) => this.#keep(makeSpillFile(size))
      : MemoryBytes.ofSize;
    this.tree = new TreeDraft({ rowsMax, names, ends }, this.#make);
    this.page = new PageDraft(rowsMax, this.#make);
  }

  /** The path below the source. */
  get path(): Uint8Array {
    return this.source.path;
  }

  /** Rows so far, those left out too. */
  get count(): number {
    return this.source.count;
  }

  /** Names, one after the other. */
  get names(): Uint8Array {
    return this.source.names;
  }

  /** Where each name ends. */
  get ends(): Uint32Array {
    return this.source.ends;
  }

  /** Whether naming it takes long. */
  get isWide(): boolean {
    return this.count > AT_ONCE_COUNT;
  }

  /** 32 bytes a row: page ids of sub-directories. */
  get pageIds(): WritableBytes | undefined {
    return this.#pageIds;
  }

  /** Gives the first byte of a name. */
  nameStart(row: number): number {
    return row === 0 ? 0 : this.ends[row - 1];
  }

  /**
   * Gives the path of an entry.
   *
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
   * @param ids The id of its tree, then the id of its page.
   */
  setDirectory(row: number, ids: Uint8Array): void {
    this.tree.setTree(row, ids);
    this.#setPageId(row, ids);
  }

  /**
   * Notes what a sub-directory was in the snapshot before.
   *
   * @param ids The id of its tree, then the id of its page.
   */
  expectDirectory(row: number, ids: Uint8Array): void {
    this.expectedCount++;
    this.tree.expectTree(row, ids);
    this.#setPageId(row, ids);
  }

  /**
   * Notes that a sub-directory is what it was in the snapshot before.
   *
   * @param ids The id of its tree, then the id of its page.
   */
  keepDirectory(row: number, ids: Uint8Array): void {
    this.expectedCount++;
    this.setDirectory(row, ids);
    (this.#sameRows ??= new Set()).add(row);
  }

  /**
   * Tells whether a sub-directory need not be opened.
   *
   * @returns Whether it is known to be what it was.
   */
  isKept(row: number): boolean {
    return this.#sameRows?.has(row) === true;
  }

  /**
   * Gives what a sub-directory was in the snapshot before, until what it is was noted.
   *
   * @returns The id of its tree, then the id of its page; `undefined` if it was not there.
   */
  expectedDirectory(row: number): Uint8Array | undefined {
    if (this.#pageIds === undefined) return undefined;
    const ids = new Uint8Array(64);
    ids.set(this.tree.idBytes(row));
    let at = 32;
    for (const piece of this.#pageIds.pieces(32 * row, 32 * row + 32)) {
      ids.set(piece, at);
      at += piece.length;
    }
    for (let i = 0; i < 64; i++) if (ids[i] !== 0) return ids;
    return undefined;
  }

  /**
   * Tells whether a row is a regular file.
   *
   * @returns Whether it is one that is not left out.
   */
  isFile(row: number): boolean {
    return isFileKind(this.tree.kind(row));
  }

  /** Closes the spill files. */
  close(): void {
    for (const bytes of this.#spillFiles) {
      (bytes as Partial<Disposable>)[Symbol.dispose]?.();
    }
    this.#spillFiles.length = 0;
  }

  #setPageId(row: number, ids: Uint8Array): void {
    this.#pageIds ??= this.#make(32 * (this.source.rowsMax ?? this.count));
    this.#pageIds.write(32 * row, ids, 32, 64);
  }

  #keep(bytes: WritableBytes): WritableBytes {
    this.#spillFiles.push(bytes);
    return bytes;
  }
}
