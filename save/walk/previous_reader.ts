import { AttributePage, Tree } from "@snap/manifest";
import { WidePage, WideTree } from "@snap/manifest/wide";
import { equalBytes, ID_SIZE, IdMismatchError, idToBytes } from "@snap/hash";
import {
  DamageError,
  IndexSyntaxError,
  ObjectKind,
  ObjectNotFoundError,
} from "@snap/pack";
import { RecipeNode } from "@snap/pack/recipe";
import { DirectoriesAhead } from "@snap/snapshot/reach";
import type { StoreReader } from "@snap/pack/read";
import type { SpillFile, SpillFiles } from "./spill_file.ts";
import { PreviousDirectory } from "./previous_directory.ts";
import type { SaveMemory } from "../save_memory.ts";
import type { SnapshotRecord } from "@snap/snapshot/records";
import { spoolObject } from "./spool_object.ts";

/** Trees and pages above this size are not read into memory. */
const MEMORY_SIZE_MAX = 4 * 1024 * 1024;

/** Told of an object that cannot be read. */
export type OnPreviousDamage = (
  id: Uint8Array,
  kind: number,
  error: unknown,
) => void;

/** Options of {@linkcode PreviousReader}. */
export interface PreviousReaderOptions {
  /** Where what is too large for memory goes. */
  readonly spill: SpillFiles;
  readonly onDamage: OnPreviousDamage;
  /** Whether all directories are read in the order of a walk, or a few of them. */
  readonly order: "walk" | "any";
  /** Keeps trees and pages; asked where not all are read, as a walk finds out what is lost. */
  readonly memory: SaveMemory | undefined;
}

/** Reads the directories of the snapshot before. */
export class PreviousReader implements AsyncDisposable {
  readonly #reader: StoreReader;
  readonly #spill: SpillFiles;
  readonly #onDamage: OnPreviousDamage;
  readonly #ahead: DirectoriesAhead;
  readonly #isWalk: boolean;
  readonly #memory: SaveMemory | undefined;

  constructor(
    reader: StoreReader,
    { spill, onDamage, order, memory }: PreviousReaderOptions,
  ) {
    this.#reader = reader;
    this.#spill = spill;
    this.#onDamage = onDamage;
    this.#ahead = new DirectoriesAhead(reader);
    this.#isWalk = order === "walk";
    this.#memory = memory;
  }

  /** Ends what is read ahead. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead.close();
  }

  /**
   * Reads the root.
   *
   * @param record The record of the snapshot before.
   * @returns The directory, or `undefined` if it cannot be read.
   */
  root(record: SnapshotRecord): Promise<PreviousDirectory | undefined> {
    const ids = new Uint8Array(64);
    ids.set(idToBytes(record.tree));
    ids.set(idToBytes(record.page), 32);
    return this.directory(ids);
  }

  /**
   * Reads a directory.
   *
   * @param ids The id of its tree, then the id of its page.
   * @returns The directory, to be closed by the caller; `undefined` if it cannot be read.
   */
  async directory(ids: Uint8Array): Promise<PreviousDirectory | undefined> {
    const paged: SpillFile[] = [];
    const close = (): void => {
      for (const bytes of paged) bytes[Symbol.dispose]();
    };
    try {
      const opening = [
        this.#open(ids.subarray(0, 32), ObjectKind.tree, paged, {
          small: Tree.decode,
          wide: WideTree.open,
        }),
        this.#open(ids.subarray(32), ObjectKind.attributes, paged, {
          small: AttributePage.decode,
          wide: WidePage.open,
        }),
      ] as const;
      await Promise.allSettled(opening); // Whoever started work waits for its end.
      const [tree, page] = await Promise.all(opening);
      if (tree !== undefined && page !== undefined) {
        const isPair = page.rows === tree.count + 1 &&
          equalBytes(page.treeId, 0, ids, 0, ID_SIZE) &&
          page.directories === tree.directoriesBefore(tree.count);
        const isSmall = tree instanceof Tree && page instanceof AttributePage;
        if (isPair && isSmall && this.#isWalk) {
          this.#ahead.enter(ids.subarray(0, 32), tree, page);
        }
        if (isPair) return new PreviousDirectory(ids, tree, page, close);
      }
    } catch (error) {
      close();
      throw error;
    }
    close();
    return undefined;
  }

  /** Opens a tree or page; a damaged or lost one is read from the disk and stored again: that heals it. */
  async #open<Small, Wide>(
    id: Uint8Array,
    kind: ObjectKind,
    paged: SpillFile[],
    views: {
      readonly small: (bytes: Uint8Array) => Small;
      readonly wide: (bytes: SpillFile) => Wide | undefined;
    },
  ): Promise<Small | Wide | undefined> {
    try {
      const known = this.#isWalk ? undefined : this.#memory?.get(id);
      const bytes = known ?? await this.#read(id, kind);
      if (bytes instanceof Uint8Array) {
        if (known === undefined) this.#memory?.put(id, bytes);
        return views.small(bytes);
      }
      paged.push(bytes);
      return views.wide(bytes);
    } catch (error) {
      // Not the object is damaged, but what says where it lies.
      if (error instanceof IndexSyntaxError) throw error;
      if (
        error instanceof DamageError || error instanceof ObjectNotFoundError ||
        error instanceof IdMismatchError || error instanceof SyntaxError
      ) {
        this.#onDamage(id, kind, error);
        return undefined;
      }
      throw error;
    }
  }

  async #read(
    id: Uint8Array,
    kind: ObjectKind,
  ): Promise<Uint8Array | SpillFile> {
    const reader = this.#reader;
    const bytes = await reader.readStored(id, kind);
    if (bytes !== undefined) return bytes;
    const root = await reader.readStored(id, ObjectKind.recipe);
    if (root === undefined) throw new ObjectNotFoundError(id, kind);
    const node = RecipeNode.decode(root, reader.hasher);
    return node.plainSize <= MEMORY_SIZE_MAX
      ? await reader.readObject(id, kind)
      : await spoolObject(reader, kind, node, this.#spill);
  }
}
