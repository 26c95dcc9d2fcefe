import { AttributePage, Tree } from "@snap/manifest";
import { isObjectFault, ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { StoreOptions } from "@snap/store";

export interface SnapshotDirectory {
  readonly tree: Tree;
  /** Its attributes; absent if they cannot be had. */
  readonly page: AttributePage | undefined;
}

export interface DirectoryIds {
  readonly tree: Uint8Array;
  /** Absent if the page of the directory above cannot be had. */
  readonly page: Uint8Array | undefined;
}

/** Options for {@linkcode readDirectory}. */
export interface ReadDirectoryOptions extends StoreOptions {
  /** Told of an object that is damaged or gone. */
  readonly onDamage: (id: Uint8Array, kind: number, error: unknown) => void;
}

/**
 * Reads a directory of a snapshot.
 *
 * @returns The directory, as far as it can be had; nothing without its tree.
 * @throws {StoreError} If the store fails.
 */
export async function readDirectory(
  reader: StoreReader,
  ids: DirectoryIds,
  options: ReadDirectoryOptions,
): Promise<SnapshotDirectory | undefined> {
  const { tree: treeKind, attributes: pageKind } = ObjectKind;
  const pageId = ids.page;
  const reads = [
    reader.readObject(ids.tree, treeKind, options),
    pageId && reader.readObject(pageId, pageKind, options),
  ] as const;
  await Promise.allSettled(reads); // Whoever started work waits for its end.
  const tree = await attempt(
    ids.tree,
    treeKind,
    options,
    async () => Tree.decode(await reads[0]),
  );
  if (tree === undefined) return undefined;
  if (pageId === undefined) return { tree, page: undefined };
  const page = await attempt(pageId, pageKind, options, async () => {
    const found = AttributePage.decode((await reads[1])!);
    if (found.belongsTo(tree, ids.tree)) return found;
    throw new SyntaxError(
      "Cannot use attribute page: it belongs to another tree",
    );
  });
  return { tree, page };
}

/** Acts on an object; returns nothing if it is damaged or gone. */
export async function attempt<Result>(
  id: Uint8Array,
  kind: number,
  options: ReadDirectoryOptions,
  act: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await act();
  } catch (error) {
    if (options.signal?.aborted || !isObjectFault(error)) throw error;
    options.onDamage(id, kind, error);
    return undefined;
  }
}
