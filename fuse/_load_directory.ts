import { idFromBytes } from "@snap/hash/id";
import { AttributePage } from "@snap/manifest/attribute-page";
import { ManifestSyntaxError } from "@snap/manifest/manifest-syntax-error";
import { Tree } from "@snap/manifest/tree";
import { ObjectKind } from "@snap/pack/object-kind";
import type { Directory } from "./_loaded_directory.ts";
import type { Objects } from "./objects.ts";
import { Recipes } from "./_recipes.ts";
import { WholeObjects } from "./_whole_objects.ts";

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
