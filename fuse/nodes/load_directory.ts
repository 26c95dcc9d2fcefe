import { idFromBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { ManifestSyntaxError } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { Directory } from "./loaded_directory.ts";
import type { Objects } from "../content/objects.ts";
import { Recipes } from "../content/recipes.ts";
import { WholeObjects } from "../content/whole_objects.ts";

/** Largest tree or page in bytes: some three million entries. */
const SIZE_MAX = 256 << 20;

/** Where the 32 bytes of an id are. */
export interface IdPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
}

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
    const tree = Tree.decode(treeBytes);
    const page = AttributePage.decode(pageBytes);
    if (page.belongsTo(tree, treeId.bytes, treeId.start)) return { tree, page };
    const id = idFromBytes(treeId.bytes, treeId.start);
    throw new ManifestSyntaxError(
      `Cannot read attribute page ${
        idFromBytes(pageId.bytes, pageId.start)
      } as it must belong to tree ${id}`,
      32,
    );
  }
}
