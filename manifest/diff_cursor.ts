import type { AttributePage } from "./page/attribute_page.ts";
import { EntryKind } from "./entry_kind.ts";
import type { EntryRow } from "./entry_row.ts";
import { ManifestSyntaxError } from "./manifest_syntax_error.ts";
import type { Tree } from "./tree/tree.ts";

/** Source of trees and pages. Both calls check that what they return has that id. */
export interface DiffSource {
  /**
   * Reads a tree.
   *
   * @param id The 32 bytes of its id.
   */
  tree(id: Uint8Array): Promise<Tree>;
  /**
   * Reads an attribute page.
   *
   * @param id The 32 bytes of its id.
   */
  page?(id: Uint8Array): Promise<AttributePage>;
  /**
   * Called after each entry that was compared, to let other work of the thread go on.
   *
   * @returns What to wait for, `undefined` where comparing can go on.
   */
  pace?(): Promise<void> | undefined;
}

/** One side of a comparison: a directory, by the ids of its tree and page. */
export interface DiffSide {
  /** Where its trees and pages come from. */
  readonly source: DiffSource;
  /** The 32 bytes of the id of its tree. */
  readonly treeId: Uint8Array;
  /** The 32 bytes of the id of its page; without it, or without `source.page`, no attributes are read. */
  readonly pageId?: Uint8Array;
}

/** A place among the rows of one directory of one side. */
export class DiffCursor {
  /** The tree of the directory. */
  readonly tree: Tree;
  /** Its page, if the side has one. */
  readonly page: AttributePage | undefined;
  row = 0;
  readonly #source: DiffSource;
  #directories = 0;

  private constructor(
    source: DiffSource,
    tree: Tree,
    page: AttributePage | undefined,
  ) {
    this.#source = source;
    this.tree = tree;
    this.page = page;
  }

  /** Reads a directory. */
  static async open({ source, treeId, pageId }: DiffSide): Promise<DiffCursor> {
    const reads = [
      source.tree(treeId),
      pageId && source.page?.(pageId),
    ] as const;
    await Promise.allSettled(reads); // Whoever started work waits for its end.
    const [tree, page] = await Promise.all(reads);
    if (page !== undefined && !page.belongsTo(tree, treeId)) {
      throw new ManifestSyntaxError(
        "Cannot read attribute page: it belongs to another tree",
        32,
      );
    }
    return new DiffCursor(source, tree, page);
  }

  /** Whether all rows are passed. */
  get isAtEnd(): boolean {
    return this.row >= this.tree.count;
  }

  /** Kind of the entry. */
  get kind(): EntryKind {
    return this.tree.kind(this.row);
  }

  /** Name of the entry, a view. */
  get name(): Uint8Array {
    return this.tree.name(this.row);
  }

  /** An entry of this directory; -1 is the directory itself. */
  entry(row: number): EntryRow {
    return { tree: this.tree, row, page: this.page };
  }

  /** The directory that the entry is, or `undefined`. */
  below(): DiffSide | undefined {
    if (this.kind !== EntryKind.directory) return undefined;
    const treeId = this.tree.idBytes(this.row);
    const pageId = this.page?.pageIdBytes(this.#directories);
    return { source: this.#source, treeId, pageId };
  }

  /** Goes on to the next row. */
  advance(): void {
    if (this.kind === EntryKind.directory) this.#directories++;
    this.row++;
  }
}
