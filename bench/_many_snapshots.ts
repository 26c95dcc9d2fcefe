// A store of many snapshots, each with a few objects of its own, written straight into packs.
import { ATTRIBUTES_CONTEXT, idFromBytes, TREE_CONTEXT } from "@snap/hash";
import { nativeHasher } from "@snap/hash/native";
import { EntryKind } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import { type ObjectWriter, openObjectWriter } from "@snap/pack/write";
import { writeRecord } from "@snap/snapshot/records";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openFileStore } from "@snap/store/file";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../tests/_manifest_builders.ts";

const hasher = nativeHasher();
/** Trees, pages, and content beside them that a snapshot adds. */
const OWN_DIRECTORIES = 2;
/** Files that all snapshots share. */
const SHARED_FILES = 1000;

/** How many there are, and of what. */
export interface ManySnapshots {
  /** The folder of the store, which is made. */
  readonly path: string;
  readonly snapshotCount: number;
  /** Objects that each adds. */
  readonly objectCount: number;
  /** Bytes of each file. */
  readonly fileSize: number;
}

interface Ids {
  readonly tree: Uint8Array;
  readonly page: Uint8Array;
}

interface Child {
  readonly name: string;
  readonly size?: number;
  readonly id?: Uint8Array;
  readonly directory?: Ids;
}

/** Makes a store of many snapshots. Its records are those of as many saves. */
export async function makeManySnapshots(
  { path, snapshotCount, objectCount, fileSize }: ManySnapshots,
): Promise<void> {
  const store = await openFileStore(path, { create: true });
  await initStore(store, formatSettings(DEFAULT_SETTINGS));
  const roots: Ids[] = [];
  const writer = await openObjectWriter(store, {
    saveId: random(16),
    hasher,
    settings: DEFAULT_SETTINGS,
  });
  try {
    const shared = addDirectory(writer, files(writer, SHARED_FILES, fileSize));
    const ownFiles = objectCount - 2 * OWN_DIRECTORIES;
    for (let i = 0; i < snapshotCount; i++) {
      const own = addDirectory(writer, files(writer, ownFiles, fileSize));
      roots.push(addDirectory(writer, [
        { name: "own", directory: own },
        { name: "shared", directory: shared },
      ]));
      if (writer.isFull) await writer.makeRoom();
      await writer.settled();
    }
    await writer.finish();
  } finally {
    await writer[Symbol.asyncDispose]();
  }
  for (const [i, { tree, page }] of roots.entries()) {
    const time = new Date(Date.UTC(2026, 0, 1) + 60_000 * i)
      .toISOString().replace("Z", "000000Z");
    await writeRecord({ store, hasher }, {
      tree: idFromBytes(tree),
      page: idFromBytes(page),
      time,
      startTime: time,
      host: "bench",
      user: "bench",
      source: "/bench",
      totals: {
        ...{ entryCount: 0, fileCount: 0, directoryCount: 0, byteCount: 0 },
        ...{ xattrCount: 0, hardLinkCount: 0, holeCount: 0 },
      },
      unreadable: { count: 0, first: [] },
      changed: { count: 0, first: [] },
      fidelity: "full",
      program: "bench",
    }, { newest: undefined, saveId: random(16), salt: random(32) });
  }
}

function files(writer: ObjectWriter, count: number, size: number): Child[] {
  const sink = writer.sink();
  return Array.from({ length: count }, (_, i) => {
    const space = sink.reserve(size).subarray(0, size);
    crypto.getRandomValues(space);
    const id = new Uint8Array(32);
    hasher.hashInto(space, id);
    sink.commit(id, 0, size);
    return { name: `f${String(i).padStart(6, "0")}`, size, id };
  });
}

function addDirectory(writer: ObjectWriter, children: readonly Child[]): Ids {
  const tree = new TreeBuilder(), page = new AttributePageBuilder();
  const encoder = new TextEncoder();
  const owner = page.internOwner(
    0,
    0,
    encoder.encode("root"),
    encoder.encode("root"),
  );
  const addRow = (mode: number): void => {
    const row = page.addRow();
    page.setTimes(row, 1_700_000_000, 0, 0, 0);
    page.setInode(row, row + 1, 0, 1, 0);
    page.setMode(row, mode);
    page.setOwner(row, owner);
  };
  addRow(0o755);
  for (const { name, size, id, directory } of children) {
    const bytes = encoder.encode(name);
    const kind = directory === undefined ? EntryKind.file : EntryKind.directory;
    const row = tree.add(bytes, 0, bytes.length, kind);
    if (directory === undefined) tree.setContent(row, size!, id!);
    else {
      tree.setTree(row, directory.tree);
      page.addPageId(directory.page);
    }
    addRow(0o644);
  }
  const treeBytes = tree.build();
  const treeId = new Uint8Array(32), pageId = new Uint8Array(32);
  hasher.deriveInto(TREE_CONTEXT, treeBytes, treeId);
  page.setTreeId(treeId);
  const pageBytes = page.build();
  hasher.deriveInto(ATTRIBUTES_CONTEXT, pageBytes, pageId);
  const sink = writer.sink();
  sink.put(treeBytes, treeId, 0, ObjectKind.tree);
  sink.put(pageBytes, pageId, 0, ObjectKind.attributes);
  return { tree: treeId, page: pageId };
}

function random(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}
