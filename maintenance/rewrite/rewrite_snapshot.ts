import { ID_SIZE, idFromBytes, idToBytes } from "@snap/hash";
import { openObjectWriter, randomBytes } from "@snap/pack/write";
import type { Snapshots } from "@snap/snapshot";
import {
  confirmRecords,
  finishedSaves,
  type NamedRecord,
  writeRecord,
} from "@snap/snapshot/records";
import {
  countTotals,
  DirectoryWriter,
  MetadataPacker,
} from "@snap/snapshot/write";
import type { StoreOptions, WriteStore } from "@snap/store";
import { justAfter } from "../just_after.ts";
import { type RewriteRules, TreeRewriter } from "./tree_rewriter.ts";

/** Thrown where a snapshot cannot be rewritten. */
export class RewriteError extends Error {
  /** Advice for the user. */
  readonly hint: string;

  /** Made by {@linkcode rewriteSnapshot}. */
  constructor(message: string, hint: string) {
    super(message);
    this.name = "RewriteError";
    this.hint = hint;
  }
}

/** Options of {@linkcode rewriteSnapshot}. */
export interface RewriteOptions extends StoreOptions, RewriteRules {
  /**
   * Whether nothing is written, and only the id told.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
  /** The program that rewrites, for the record; that of the old record if left out. */
  readonly program?: string;
}

/** What {@linkcode rewriteSnapshot} did. */
export interface RewrittenSnapshot {
  /** The id of the new snapshot; that of the old one if nothing was left out. */
  readonly id: string;
  /** Save id of the run, 16 bytes. */
  readonly saveId: Uint8Array;
  /** The new record; undefined in a dry run, and if nothing was left out. */
  readonly record?: NamedRecord;
}

/**
 * Writes a record of a part of a snapshot. Nothing is read but trees and pages:
 * those that change are written anew, over contents that are there. The old record
 * stays until it is forgotten, and tags name what they did. The new one says the
 * same, but for its time, a nanosecond later, so that rules keep it in the place of
 * the old one. Files count as many names as they had.
 *
 * @param snapshots The store.
 * @param old The record.
 * @param options Rules of what stays.
 * @returns The new record.
 * @throws {RewriteError} If nothing would stay, or what is there may be on its way out.
 * @throws {StoreError} If the store fails.
 *
 * @example Without logs
 * ```ts
 * import { IgnoreRules } from "@snap/disk/ignore";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { rewriteSnapshot } from "@snap/maintenance/rewrite";
 * import { save } from "@snap/save";
 * import { openSnapshots } from "@snap/snapshot";
 * import { DEFAULT_SETTINGS, formatSettings, initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-rewrite-");
 * writeFileSync(`${folder}/a.log`, "a");
 * writeFileSync(`${folder}/b`, "b");
 * const store = new MemoryStore();
 * await initStore(store, formatSettings(DEFAULT_SETTINGS));
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const old = (await save(snapshots, folder, { workers: 0 })).record;
 * const exclude = new IgnoreRules({ exclude: ["*.log"] });
 * const { id, record } = await rewriteSnapshot(snapshots, old, { exclude: exclude.scope() });
 * strictEqual(record?.totals.fileCount, 1);
 *
 * rmSync(`${folder}/a.log`);
 * strictEqual((await save(snapshots, folder, { workers: 0 })).id, id);
 * rmSync(folder, { recursive: true });
 * ```
 */
export async function rewriteSnapshot(
  snapshots: Snapshots<WriteStore>,
  old: NamedRecord,
  options: RewriteOptions,
): Promise<RewrittenSnapshot> {
  const { store, hasher, settings } = snapshots;
  const { signal, dryRun = false, exclude, include } = options;
  const saveId = randomBytes(16);
  const writer = await openObjectWriter(store, {
    saveId,
    hasher,
    settings,
    signal,
    mode: dryRun ? "count" : "new",
    action: "rewrite",
    finishedSaves: () => finishedSaves(store, { signal }),
  });
  try {
    // Contents are believed to be there, as the old record needs them: packs may be on their way out.
    if (!dryRun && !writer.trustsRecords) {
      throw new RewriteError(
        "Cannot rewrite while packs are missing, damaged or being removed",
        "verify names what is damaged; a prune that was begun ends when it is run again",
      );
    }
    const ids = new Uint8Array(2 * ID_SIZE);
    ids.set(idToBytes(old.tree));
    ids.set(idToBytes(old.page), ID_SIZE);
    const rewriter = new TreeRewriter({
      reader: await snapshots.reader(),
      writer: new DirectoryWriter(new MetadataPacker(writer.sink(), hasher)),
      settled: async () => {
        if (writer.isFull) await writer.makeRoom();
        if (writer.isBehind) await writer.settled();
      },
      signal,
    });
    const left = await rewriter.rewrite(ids, { exclude, include });
    if (left === undefined) {
      throw new RewriteError(
        "Cannot rewrite a snapshot of which nothing is left",
        "nothing in it matches what is to be included",
      );
    }
    const id = idFromBytes(left);
    if (left === ids || dryRun) {
      await writer.giveUp();
      return { id, saveId };
    }
    await writer.finish();
    await snapshots.refresh();
    const record = await writeAgain(snapshots, old, left, {
      ...options,
      saveId,
    });
    await confirmRecords(store, [record], () => writer.confirm());
    return { id, saveId, record };
  } catch (error) {
    await writer.giveUp();
    throw error;
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

async function writeAgain(
  snapshots: Snapshots<WriteStore>,
  old: NamedRecord,
  ids: Uint8Array,
  options: RewriteOptions & { readonly saveId: Uint8Array },
): Promise<NamedRecord> {
  const { signal, saveId, program = old.program } = options;
  const treeId = ids.slice(0, ID_SIZE), pageId = ids.slice(ID_SIZE);
  const totals = await countTotals(
    await snapshots.reader(),
    { treeId, pageId },
    { entryCountMax: old.totals.entryCount, signal },
  );
  const { host, user, source, message, unreadable, changed, fidelity } = old;
  const { record } = await writeRecord(snapshots, {
    tree: idFromBytes(treeId),
    page: idFromBytes(pageId),
    time: justAfter(old.time),
    startTime: old.startTime,
    ...{ host, user, source, unreadable, changed, fidelity, totals, program },
    ...message !== undefined && { message },
  }, { saveId, salt: randomBytes(32), signal });
  return record;
}
