// What tests of this package share. Not part of the package.
import { type Hasher, idToBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { type FrameCache, SharedFrameCache } from "@snap/pack/cache";
import { ObjectKind } from "@snap/pack";
import { openIndex, openStoreReader } from "@snap/pack/read";
import type { SnapshotRecord } from "@snap/snapshot/records";
import { NotFoundError, type ReadStore, StoreError } from "@snap/store";
import { Objects, type Ranges, TableList } from "@snap/pack/objects";
import type { ServedContents } from "./content/served_contents.ts";
import { FileContents } from "./content/file_contents.ts";
import { NodeTable } from "./nodes/node_table.ts";

/** Reads all files of a store into memory. */
export async function filesOf(
  store: ReadStore,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const batch of store.list("")) {
    for (const { name } of batch) files.set(name, await store.read(name));
  }
  return files;
}

/** Ranges of files in memory, which may come late and only for a while. */
export class TestRanges implements Ranges {
  readonly files: Map<string, Uint8Array>;
  /** Whether a range is there only after it was wanted, and `deliver` was called. */
  isLate = false;
  wanted: number[] = [];
  /** Names of the files that were read. */
  readonly reads: string[] = [];
  #asked = new Set<string>();
  #there = new Set<string>();

  constructor(files: Map<string, Uint8Array>) {
    this.files = files;
  }

  take(name: string, offset: number, length: number): Uint8Array | undefined {
    const key = `${name} ${offset} ${length}`;
    if (this.isLate && !this.#there.has(key)) {
      if (!this.#asked.has(key)) this.wanted.push(this.#asked.size);
      this.#asked.add(key);
      return undefined;
    }
    this.reads.push(name);
    const bytes = this.files.get(name);
    if (bytes === undefined) throw new NotFoundError(name);
    if (offset + length <= bytes.length) {
      return bytes.slice(offset, offset + length);
    }
    throw new StoreError(`Cannot read ${name}`, {
      code: "SHORT",
      action: "read",
    });
  }

  hint(): void {}

  distrust(): boolean {
    return false;
  }

  forgetWanted(): void {
    this.wanted = [];
  }

  /** Has the ranges come that were wanted; those before are gone. */
  deliver(): void {
    this.#there = this.#asked;
    this.#asked = new Set();
    this.wanted = [];
  }
}

/** The parts of a worker of a mount. */
export interface TestMount {
  readonly ranges: Ranges;
  readonly tables: TableList;
  readonly cache: FrameCache;
  readonly objects: Objects;
  readonly nodes: NodeTable;
  readonly contents: FileContents;
}

/** Options of {@linkcode testMount}. */
export interface TestMountOptions {
  readonly ranges?: Ranges;
  readonly cache?: FrameCache;
  readonly hasher?: Hasher;
  readonly isAll?: boolean;
  readonly sizeMax?: number;
  readonly served?: ServedContents;
  readonly onServedInFull?: () => void;
}

/** Lists the tables of a store. */
export async function listTables(store: ReadStore): Promise<TableList> {
  const tables = TableList.create();
  const { index } = await openIndex(store, { hasher: wasmHasher });
  tables.add(index.tables);
  return tables;
}

/** Reads the root directory of a snapshot. */
export async function readRoot(
  store: ReadStore,
  root: Pick<SnapshotRecord, "tree" | "page">,
): Promise<{ treeBytes: Uint8Array; pageBytes: Uint8Array }> {
  await using reader = await openStoreReader(store, { hasher: wasmHasher });
  const { tree, attributes } = ObjectKind;
  return {
    treeBytes: await reader.readObject(idToBytes(root.tree), tree),
    pageBytes: await reader.readObject(idToBytes(root.page), attributes),
  };
}

/** All that a worker has, over a store; without a root there is no volume yet. */
export async function testMount(
  store: ReadStore,
  root?: Pick<SnapshotRecord, "tree" | "page">,
  options: TestMountOptions = {},
): Promise<TestMount> {
  const { hasher = wasmHasher, served, onServedInFull } = options;
  const ranges = options.ranges ?? new TestRanges(await filesOf(store));
  const cache = options.cache ?? SharedFrameCache.create({ sizeMax: 8 << 20 });
  const tables = await listTables(store);
  const objects = new Objects({ ranges, cache, hasher, tables });
  const { isAll = false, sizeMax = 64 << 20 } = options;
  const { buffer } = NodeTable.create({ isAll, sizeMax });
  const nodes = new NodeTable(buffer, { objects });
  if (root !== undefined) nodes.addVolume(await readRoot(store, root));
  const contents = new FileContents({
    objects,
    served,
    onServedInFull,
  });
  return { ranges, tables, cache, objects, nodes, contents };
}
