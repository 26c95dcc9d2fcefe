import { ObjectKind } from "@snap/pack";
import {
  decodeDirectory,
  type Directory,
  type IdPlace,
} from "./loaded_directory.ts";
import type { Objects } from "@snap/pack/objects";
import { Recipes } from "../content/recipes.ts";
import { WholeObjects } from "../content/whole_objects.ts";

/** Largest tree or page in bytes: some three million entries. */
const SIZE_MAX = 256 << 20;

/** Reads directories. */
export class DirectoryLoader {
  readonly #whole: WholeObjects;

  constructor(objects: Objects) {
    this.#whole = new WholeObjects(objects, new Recipes(objects));
  }

  /**
   * Reads a tree and its page, and checks them. All views of the objects are released.
   *
   * @returns Both, in memory of their own; `undefined` while bytes are on their way.
   * @throws {ManifestSyntaxError} If they are not what they must be.
   */
  load(treeId: IdPlace, pageId: IdPlace): Directory | undefined {
    // Both are wanted at once.
    const treeBytes = this.#whole.take(treeId, ObjectKind.tree, SIZE_MAX);
    const pageBytes = this.#whole.take(pageId, ObjectKind.attributes, SIZE_MAX);
    if (treeBytes === undefined || pageBytes === undefined) return undefined;
    this.#whole.drop(treeId);
    this.#whole.drop(pageId);
    return decodeDirectory({ treeBytes, pageBytes }, treeId);
  }
}
