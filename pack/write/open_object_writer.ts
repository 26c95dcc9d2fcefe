/**
 * Opens the one way into a store.
 *
 * @module
 */
import type { WriteStore } from "@snap/store";
import { openSpool } from "@snap/store/owner";
import { readRound } from "@snap/store/removal";
import { LocalIndexFiles } from "./local_index_files.ts";
import {
  ObjectWriter,
  type ObjectWriterOptions,
  type ObjectWriterParts,
} from "./object_writer.ts";
import {
  type IndexedStateOptions,
  openIndexedState,
  openStoreState,
} from "./store_state.ts";
import { openWriterLease } from "./writer_lease.ts";

/**
 * Opens a store to put objects into it.
 *
 * @param store The store.
 * @param options The save id, the hasher, the settings of the store.
 * @returns The writer. What is not finished when it is disposed of is gone.
 * @throws {StoreError} If the store fails.
 * @throws {IndexSyntaxError} If a page with packs is damaged.
 */
export async function openObjectWriter(
  store: WriteStore,
  options: ObjectWriterOptions,
): Promise<ObjectWriter> {
  if (options.mode === "count") return await openCounting(store, options);
  const lease = options.lease ??
    await openWriterLease(store, { action: "write", ...options });
  try {
    // What a killed run has sent is found below, with what it was sending.
    await store.finishUploads?.({ signal: options.signal });
    const opening = openIndexedState(store, {
      ...stateOptions(options),
      // A pack that was seen before may have been removed by a round that is over.
      before: lease.round,
    });
    await Promise.allSettled([opening, lease.round]); // Whoever started work waits for its end.
    const parts = { state: await opening, round: await lease.round, lease };
    return await openOver(store, options, parts);
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

async function openCounting(
  store: WriteStore,
  options: ObjectWriterOptions,
): Promise<ObjectWriter> {
  const state = await openStoreState(store, stateOptions(options));
  return await openOver(store, options, {
    ...{ state, lease: undefined },
    round: await readRound(store, options),
  });
}

/** Opens a writer over what is known of a store. */
async function openOver(
  store: WriteStore,
  options: ObjectWriterOptions,
  parts: Pick<ObjectWriterParts, "state" | "round" | "lease">,
): Promise<ObjectWriter> {
  const tables = new LocalIndexFiles(store);
  try {
    await tables.add(parts.state.index.liveTables, options);
    const isDry = parts.lease === undefined;
    const spool = await openSpool(store, options.saveId, { isDry });
    return new ObjectWriter(store, options, { ...parts, tables, spool });
  } catch (error) {
    tables[Symbol.dispose]();
    throw error;
  }
}

function stateOptions(options: ObjectWriterOptions): IndexedStateOptions {
  return {
    ...options,
    damaged: options.damagedTables ?? new Set<string>(),
    finishedSaves: options.finishedSaves ?? (() => Promise.resolve(new Set())),
  };
}
