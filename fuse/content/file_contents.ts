/**
 * The bytes of files, as views of memory that workers share.
 *
 * @module
 */
import { ID_SIZE, idFromBytes } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { RecipeNode } from "@snap/pack/recipe";
import type { Objects } from "@snap/pack/objects";
import type { ServedContents } from "./served_contents.ts";
import { Recipes } from "./recipes.ts";
import { WholeObjects } from "./whole_objects.ts";
import type { Pieces } from "../device/pieces.ts";
import type { SessionContents } from "../session/session_parts.ts";

/** Largest content that is read whole: no attribute, and no list of holes, has more. */
export const WHOLE_SIZE_MAX: number = 64 << 20;

/** Content that is not what a tree, or its id, says. */
export class ContentError extends Error {
  /** Always `ContentError`. */
  override readonly name: string = "ContentError";
}

/** A content that has been handed on in full. */
export interface ServedContent {
  /** The 32 bytes of its id. */
  readonly id: Uint8Array;
  /** Its size in bytes. */
  readonly size: number;
}

/** Parts of {@linkcode FileContents}. */
export interface FileContentsParts {
  /** The objects of the packs. */
  readonly objects: Objects;
  /** Counter of the bytes of large contents. */
  readonly served?: ServedContents;
  /**
   * Is told once of each large content that has been handed on in full: it is not
   * known yet whether all of it is what its id says.
   */
  readonly onServedInFull?: (content: ServedContent) => void;
}

/** Reads files. Each chunk was checked against its id before it is handed out. */
export class FileContents implements SessionContents {
  readonly #objects: Objects;
  readonly #recipes: Recipes;
  readonly #whole: WholeObjects;
  readonly #served: ServedContents | undefined;
  readonly #onServedInFull: ((content: ServedContent) => void) | undefined;

  constructor(parts: FileContentsParts) {
    this.#objects = parts.objects;
    this.#served = parts.served;
    this.#onServedInFull = parts.onServedInFull;
    this.#recipes = new Recipes(parts.objects);
    this.#whole = new WholeObjects(parts.objects, this.#recipes);
  }

  /**
   * Collects the bytes of a range. Where some are on their way, all that are
   * missing are wanted at once.
   *
   * @param id Bytes with the id of the content.
   * @param idStart Where its 32 bytes begin.
   * @param fileSize Its size in bytes, as the tree says.
   * @param offset First byte.
   * @param size Number of bytes; the range ends within the file.
   * @param pieces Takes views, good until `release`.
   * @returns Whether all are there; if not, the pieces are of no use.
   * @throws {ContentError} If the content has another size, or was found not to be
   * what its id says.
   * @throws {ObjectNotFoundError} If no pack holds it.
   * @throws {DamageError} If every copy of a part is damaged.
   */
  collect(
    id: Uint8Array,
    idStart: number,
    fileSize: number,
    offset: number,
    size: number,
    pieces: Pieces,
  ): boolean {
    if (size === 0) return true;
    const { content } = ObjectKind;
    let root = this.#recipes.known(id, idStart, content);
    if (root === undefined) {
      const found = this.#objects.find(id, idStart, content);
      if (found === undefined) return false;
      if (found !== "absent") {
        checkSize(found.length, fileSize, id, idStart);
        pieces.push(found.subarray(offset, offset + size));
        return true;
      }
      root = this.#recipes.root(id, idStart, content);
      if (root === undefined) return false;
    }
    checkSize(root.plainSize, fileSize, id, idStart);
    return this.#collectRows(root, offset, size, pieces);
  }

  /**
   * Reads a whole content: a large attribute value, a long list of holes. What
   * was collected before is released.
   *
   * @param id Bytes with the id of the content.
   * @param idStart Where its 32 bytes begin.
   * @param size Its size in bytes.
   * @returns Its bytes, owned by the caller; `undefined` while some are on their way.
   * @throws {ContentError} If it has another size.
   * @throws {RangeError} If it has more than 64 MiB.
   * @throws {ObjectNotFoundError} If no pack holds it.
   * @throws {DamageError} If every copy of a part is damaged.
   * @throws {IdMismatchError} If it is not what its id says.
   */
  whole(id: Uint8Array, idStart: number, size: number): Uint8Array | undefined {
    const place = { bytes: id, start: idStart };
    const sizeMax = WHOLE_SIZE_MAX;
    const bytes = this.#whole.take(place, ObjectKind.content, sizeMax);
    if (bytes === undefined) return undefined;
    this.#whole.drop(place);
    checkSize(bytes.length, size, id, idStart);
    return bytes;
  }

  /** Gives back every view that was handed out. */
  release(): void {
    this.#objects.release();
  }

  #collectRows(
    root: RecipeNode,
    offset: number,
    size: number,
    pieces: Pieces,
  ): boolean {
    const served = this.#served;
    if (served?.isBad(root.id, 0)) {
      throw new ContentError(
        `Cannot read content ${
          idFromBytes(root.id)
        }: its chunks give other bytes`,
      );
    }
    const range = { start: offset, end: offset + size };
    if (!this.#recipes.collect(root, range, pieces)) return false;
    const content = { id: root.id, start: 0, size: root.plainSize };
    if (served?.add(content, size)) {
      this.#onServedInFull?.({ id: root.id.slice(), size: root.plainSize });
    }
    return true;
  }
}

function checkSize(
  found: number,
  size: number,
  id: Uint8Array,
  idStart: number,
): void {
  if (found === size) return;
  const name = idFromBytes(id.slice(idStart, idStart + ID_SIZE));
  throw new ContentError(
    `Cannot read content ${name}: it has ${found} bytes, and its entry ${size}`,
  );
}
