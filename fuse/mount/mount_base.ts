import type { Hasher } from "@snap/hash";
import {
  openIndex,
  openStoreReader,
  type StoreIndex,
  type StoreReader,
} from "@snap/pack/read";
import { nativeDecoders } from "@snap/posix/decoders";
import type { ReadStore } from "@snap/store";
import type { MountLog } from "./mount_log.ts";
import { NodeTable } from "../nodes/node_table.ts";
import { TableList } from "@snap/pack/objects";

/** The reader of the main thread, and the nodes and tables that it shares with the workers. */
export interface MountBase {
  readonly reader: () => StoreReader;
  readonly nodes: NodeTable;
  readonly tables: TableList;
  /** Shares with the workers the tables that the main thread has made of packs. */
  readonly share: () => void;
  /** Reads the index again. */
  readonly refresh: () => Promise<void>;
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
  const tables = TableList.create();
  const told = new Set<string>();
  const warn = (what: string) => (name: string, error: unknown) => {
    if (told.has(name)) return;
    told.add(name);
    const message = `Cannot use ${name}, and ${what}: ${
      (error as Error).message
    }`;
    onLog({ level: "warning", message, error });
  };
  const share = (index: StoreIndex): void =>
    tables.add(index.index.liveTables, (name) => index.bytesOf(name));
  const openReader = async () => {
    const index = await openIndex(store, {
      hasher,
      onDamage: warn("go on with what the packs say"),
      onMend: warn("go on with what the packs say"),
    });
    // Workers cannot look for packs that no table names: it is done before they begin.
    const { liveTables } = index.index;
    if (index.damaged.length > 0 || liveTables.length === 0) {
      await index.findUnnamed();
    }
    share(index);
    return await openStoreReader(store, {
      hasher,
      index,
      decoders: nativeDecoders,
    });
  };
  let reader = await openReader();
  return {
    nodes: NodeTable.create({ isAll }),
    tables,
    reader: () => reader,
    share: () => share(reader.index),
    async refresh() {
      const old = reader;
      reader = await openReader();
      await old[Symbol.asyncDispose]();
    },
  };
}
