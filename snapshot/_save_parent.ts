import { AttributePage } from "@snap/manifest/attribute-page";
import { Tree } from "@snap/manifest/tree";
import { idToBytes } from "@snap/hash";
import {
  DamageError,
  IndexSyntaxError,
  ObjectNotFoundError,
} from "@snap/pack/errors";
import { ObjectKind } from "@snap/pack/object-kind";
import type { StoreReader } from "@snap/pack/store-reader";
import { ParentDirectory } from "./_parent_directory.ts";
import type { ParentChild } from "./_save_walk.ts";
import type { SnapshotRecord } from "./record.ts";

/** Told of an object that cannot be read. */
export type OnParentDamage = (
  id: Uint8Array,
  kind: number,
  error: unknown,
) => void;

/** Reads the directories of the snapshot before. */
export class ParentReader {
  readonly #reader: StoreReader;
  readonly #onDamage: OnParentDamage;

  /**
   * Constructs a new instance.
   *
   * @param reader The objects of the store.
   * @param onDamage Told of what cannot be read.
   */
  constructor(reader: StoreReader, onDamage: OnParentDamage) {
    this.#reader = reader;
    this.#onDamage = onDamage;
  }

  /**
   * Reads the root.
   *
   * @param record The record of the snapshot before.
   * @returns The directory, or `undefined` if it cannot be read.
   */
  root(record: SnapshotRecord): Promise<ParentDirectory | undefined> {
    const ids = new Uint8Array(64);
    ids.set(idToBytes(record.tree));
    ids.set(idToBytes(record.page), 32);
    return this.#read(ids);
  }

  /**
   * Reads a sub-directory.
   *
   * @param directory The directory above.
   * @param child Where it stands there.
   * @returns The directory, or `undefined` if it cannot be read.
   */
  child(
    directory: ParentDirectory,
    child: ParentChild,
  ): Promise<ParentDirectory | undefined> {
    const ids = new Uint8Array(64);
    ids.set(directory.tree.idBytes(child.row));
    ids.set(directory.page.pageIdBytes(child.number), 32);
    return this.#read(ids);
  }

  async #read(ids: Uint8Array): Promise<ParentDirectory | undefined> {
    const tree = await this.#object(
      ids.subarray(0, 32),
      ObjectKind.tree,
      (bytes) => Tree.decode(bytes),
    );
    const page = await this.#object(
      ids.subarray(32),
      ObjectKind.attributes,
      (bytes) => AttributePage.decode(bytes),
    );
    if (tree === undefined || page === undefined) return undefined;
    if (!page.belongsTo(tree, ids)) return undefined;
    return new ParentDirectory(ids, tree, page);
  }

  /** What is damaged or gone is read from the disk and stored again: that heals it. */
  async #object<T>(
    id: Uint8Array,
    kind: ObjectKind,
    decode: (bytes: Uint8Array) => T,
  ): Promise<T | undefined> {
    try {
      return decode(await this.#reader.readObject(id, kind));
    } catch (error) {
      // Not the object is damaged, but what says where it lies.
      if (error instanceof IndexSyntaxError) throw error;
      if (
        error instanceof DamageError || error instanceof ObjectNotFoundError ||
        error instanceof SyntaxError
      ) {
        this.#onDamage(id, kind, error);
        return undefined;
      }
      throw error;
    }
  }
}
