import type { Hasher } from "@snap/hash";
import {
  openIndex,
  openRanges,
  openStoreReader,
  type StoreReader,
  type UnnamedFound,
} from "@snap/pack/read";
import { nativeDecoders } from "@snap/posix/decoders";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { MountLog } from "./mount_log.ts";
import { NodeTable } from "../nodes/node_table.ts";
import { TableList } from "@snap/pack/objects";

/** The reader of the main thread, and the nodes and tables that it shares with the workers. */
export interface MountBase extends AsyncDisposable {
  readonly reader: () => StoreReader;
  readonly nodes: NodeTable;
  readonly tables: TableList;
  /** Shares with the workers the tables that the main thread has made of packs. */
  readonly share: () => void;
  /** Reads the index again. */
  readonly refresh: () => Promise<void>;
  /** Reads the index again, and what packs say that no sound table of it names; shares it. */
  readonly findUnnamed: (options: StoreOptions) => Promise<void>;
  /** Says that a table is damaged, once each. */
  readonly tellDamage: (name: string, error: { message: string }) => void;
}

/** Options of {@linkcode openBase}. */
export interface MountBaseOptions {
  readonly hasher: Hasher;
  readonly isAll: boolean;
  readonly onLog: (line: MountLog) => void;
}

/**
 * Opens the reader of the main thread, and the tables that the workers share. A table that is
 * damaged is left out, as others may have all that is needed.
 *
 * @throws {StoreError} If the store fails.
 */
export async function openBase(
  store: ReadStore,
  { hasher, isAll, onLog }: MountBaseOptions,
): Promise<MountBase> {
  const nodes = NodeTable.create({ isAll });
  const tables = TableList.create();
  const told = new Set<string>();
  const tell = (name: string, message: string, error?: unknown): void => {
    if (told.has(name)) return;
    told.add(name);
    onLog({ level: "warning", message, error });
  };
  const tellDamage = (name: string, error: { message: string }): void =>
    tell(
      name,
      `Cannot use ${name}, and go on with what the packs say: ${error.message}`,
      error,
    );
  const onUnnamed = ({ packs, damaged }: UnnamedFound): void => {
    for (const { name, error } of damaged) {
      tell(name, `Cannot use ${name}: ${error.message}`, error);
    }
    if (packs.length > 0) tell("packs", UNNAMED_MESSAGE);
  };
  const onDamage = (name: string, error: unknown): void =>
    tellDamage(name, error as Error);
  // One for all readers, as what an old one has begun goes on beside its successor.
  const ranges = await openRanges(store);
  const openReader = async (options: StoreOptions = {}) => {
    const index = await openIndex(store, {
      ...options,
      ...{ hasher, onDamage, onUnnamed, onMend: onDamage },
      without: tables.damaged,
    });
    const decoders = nativeDecoders;
    return await openStoreReader(store, { hasher, index, ranges, decoders });
  };
  let reader: StoreReader;
  const share = ({ index }: StoreReader): void =>
    tables.add(index.index.liveTables);
  try {
    reader = await openReader();
    share(reader);
  } catch (error) {
    await ranges[Symbol.asyncDispose]();
    throw error;
  }
  return {
    nodes,
    tables,
    reader: () => reader,
    share: () => share(reader),
    async refresh() {
      reader = await openReader();
      share(reader);
      tables.wantSearch();
    },
    async findUnnamed(options) {
      const found = await openReader(options);
      await found.index.findUnnamed(options);
      share(found);
      reader = found;
    },
    tellDamage,
    [Symbol.asyncDispose]: () => ranges[Symbol.asyncDispose](),
  };
}

const UNNAMED_MESSAGE =
  "Read what some packs say as the index does not: snap repair index mends it, and so does the next save";
