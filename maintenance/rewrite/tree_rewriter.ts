import { ID_SIZE } from "@snap/hash";
import {
  DEPTH_MAX,
  EntryKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import type { ObjectReads } from "@snap/snapshot/reach";
import { readDirectory } from "@snap/snapshot/reach";
import type { DirectoryWriter } from "@snap/snapshot/write";
import type { StoreOptions } from "@snap/store";

/** Rules as they stand in one directory. `RuleScope` of `@snap/disk/ignore` is one. */
export interface RewriteScope {
  /** Whether no rule holds here and below. */
  readonly empty: boolean;
  /**
   * Whether a name of this directory matches.
   *
   * @param name Bytes with the name from `start` to `end`.
   * @param directory Whether it is a directory.
   */
  ignores(
    name: Uint8Array,
    start: number,
    end: number,
    directory: boolean,
  ): boolean;
  /** The rules as they stand in a directory of this name. */
  enter(name: Uint8Array, start: number, end: number): RewriteScope;
}

/** Rules of what stays. */
export interface RewriteRules {
  /** What matches is left out, with all below. */
  readonly exclude?: RewriteScope;
  /** Only what matches stays, with all below, and the directories on the way. */
  readonly include?: RewriteScope;
}

/** What {@linkcode TreeRewriter} works with. */
export interface TreeRewriterParts extends StoreOptions {
  /** What reads trees and pages. */
  readonly reader: ObjectReads;
  /** What writes directories anew. */
  readonly writer: DirectoryWriter;
  /** Called before a directory is written: there may have to be room first. */
  readonly settled: () => Promise<void>;
}

/** Ids of a directory: of its tree, then of its page. */
type Ids = Uint8Array;

/** Writes directories anew from which something is left out. Those where nothing is stay as they are. */
export class TreeRewriter {
  readonly #parts: TreeRewriterParts;
  readonly #pacer: Pacer;

  /** Reads nothing yet. */
  constructor(parts: TreeRewriterParts) {
    this.#parts = parts;
    this.#pacer = new Pacer({ signal: parts.signal });
  }

  /**
   * Writes what stays of a directory.
   *
   * @param ids The ids of its tree and its page.
   * @param rules The rules.
   * @returns The ids of what stays; undefined if that is nothing.
   */
  async rewrite(
    ids: Ids,
    { exclude, include }: RewriteRules,
    depth = 0,
  ): Promise<Ids | undefined> {
    const isUntouched = include === undefined && (exclude?.empty ?? true);
    if (isUntouched) return ids;
    if (depth > DEPTH_MAX) {
      throw new ManifestSyntaxError(
        `Cannot rewrite tree: directories nest more than ${DEPTH_MAX} deep`,
        0,
      );
    }
    const { reader, signal } = this.#parts;
    const treeId = ids.subarray(0, ID_SIZE), pageId = ids.subarray(ID_SIZE);
    const { tree, page } = await readDirectory(reader, treeId, pageId, {
      signal,
    });
    const turn = this.#pacer.yield(tree.bytes.length);
    if (turn !== undefined) await turn;
    const isKept = new Uint8Array(tree.count);
    const children = new Map<number, Ids>();
    let keptCount = 0, isChanged = false, directories = 0;
    for (let row = 0; row < tree.count; row++) {
      const isDirectory = tree.kind(row) === EntryKind.directory;
      const number = isDirectory ? directories++ : -1;
      const name = [
        tree.bytes,
        tree.nameStart(row),
        tree.nameEnd(row),
      ] as const;
      const isExcluded = exclude?.ignores(...name, isDirectory) ?? false;
      const isIncluded = include?.ignores(...name, isDirectory) ?? true;
      isKept[row] = Number(!isExcluded && isIncluded);
      if (isDirectory && !isExcluded) {
        const old = new Uint8Array(2 * ID_SIZE);
        old.set(tree.idBytes(row));
        old.set(page.pageIdBytes(number), ID_SIZE);
        const below = await this.rewrite(old, {
          ...exclude && { exclude: exclude.enter(...name) },
          ...!isIncluded && { include: include!.enter(...name) },
        }, depth + 1);
        isKept[row] = Number(below !== undefined);
        if (below !== undefined) {
          children.set(row, below);
          if (below !== old) isChanged = true;
        }
      }
      keptCount += isKept[row];
    }
    if (keptCount === 0 && include !== undefined) return undefined;
    if (keptCount === tree.count && !isChanged) return ids;
    await this.#parts.settled();
    const steps = this.#parts.writer.write({ tree, page }, {
      keeps: (row) => isKept[row] === 1,
      idsOf: (row) => children.get(row)!,
    });
    let step = steps.next();
    while (!step.done) {
      await this.#pacer.yield(1 << 20);
      step = steps.next();
    }
    return step.value;
  }
}
