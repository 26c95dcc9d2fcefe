import { equalBytes, idToBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { EntryKind } from "@snap/manifest/extras";
import { isObjectFault, ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { KnownDirectories } from "@snap/restore";
import type { NamedRecord } from "@snap/snapshot/records";

/** A directory of the last save. */
interface SavedDirectory {
  readonly path: Uint8Array;
  /** The id of its tree. */
  readonly tree: Uint8Array;
  /** The id of its page. */
  readonly page: Uint8Array;
  /** What is in it, once it was asked for; nothing if it is damaged. */
  content?: Promise<DirectoryContent | undefined>;
}

interface DirectoryContent {
  readonly tree: Tree;
  readonly page: AttributePage;
}

const SLASH = 0x2f;

/** Knows directories that are as the last save has left them, and compares them with another snapshot. */
export class SavedDirectories implements KnownDirectories {
  readonly #reader: StoreReader;
  readonly #isUntouched: (path: Uint8Array) => boolean;
  /** Directories on the way to the last one that was asked for, the root first. */
  readonly #way: SavedDirectory[];

  /**
   * Reads nothing yet.
   *
   * @param reader Objects of the store.
   * @param record The last save.
   * @param isUntouched Whether a directory is as that save has found it.
   */
  constructor(
    reader: StoreReader,
    record: NamedRecord,
    isUntouched: (path: Uint8Array) => boolean,
  ) {
    this.#reader = reader;
    this.#isUntouched = isUntouched;
    const { tree, page } = record;
    const path = new Uint8Array(0);
    this.#way = [{ tree: idToBytes(tree), page: idToBytes(page), path }];
  }

  /** @inheritDoc */
  async isSame(
    path: Uint8Array,
    ids: { readonly tree: Uint8Array; readonly page: Uint8Array | undefined },
  ): Promise<boolean> {
    const saved = await this.#find(path);
    if (saved === undefined || ids.page === undefined) return false;
    return equalBytes(saved.tree, 0, ids.tree, 0, ids.tree.length) &&
      equalBytes(saved.page, 0, ids.page, 0, ids.page.length) &&
      this.#isUntouched(path);
  }

  /** Finds a directory of the last save; those above it were asked for before. */
  async #find(path: Uint8Array): Promise<SavedDirectory | undefined> {
    const way = this.#way;
    while (!isAbove(way.at(-1)!.path, path)) way.pop();
    const end = Math.max(path.lastIndexOf(SLASH), 0);
    const above = way.at(-1)!;
    if (above.path.length !== end) return undefined; // That is new in the snapshot.
    const content = await (above.content ??= this.#open(above));
    if (content === undefined) return undefined;
    const { tree, page } = content;
    const row = tree.find(path.subarray(end && end + 1));
    if (row < 0 || tree.kind(row) !== EntryKind.directory) return undefined;
    const pageId = page.pageIdBytes(tree.directoriesBefore(row));
    const found = { path, tree: tree.idBytes(row), page: pageId };
    way.push(found);
    return found;
  }

  async #open(
    { tree, page }: SavedDirectory,
  ): Promise<DirectoryContent | undefined> {
    const { tree: treeKind, attributes } = ObjectKind;
    try {
      return {
        tree: Tree.decode(await this.#reader.readObject(tree, treeKind)),
        page: AttributePage.decode(
          await this.#reader.readObject(page, attributes),
        ),
      };
    } catch (error) {
      // Of what is damaged nothing is known: the restore looks at the disk.
      if (isObjectFault(error)) return undefined;
      throw error;
    }
  }
}

/** Whether a directory is above a path. */
function isAbove(directory: Uint8Array, path: Uint8Array): boolean {
  const size = directory.length;
  return size === 0 ||
    (size < path.length && path[size] === SLASH &&
      equalBytes(directory, 0, path, 0, size));
}
