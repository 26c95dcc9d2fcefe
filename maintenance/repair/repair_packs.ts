/**
 * Saves what is sound in damaged packs.
 *
 * @module
 */
import { hexOf } from "@snap/hash";
import { listPacks } from "@snap/pack/index";
import {
  type ObjectWriter,
  openObjectWriter,
  randomBytes,
  type RepairOptions,
} from "@snap/pack/write";
import { Pacer } from "@snap/posix/pacer";
import type { Snapshots } from "@snap/snapshot";
import { finishedSaves } from "@snap/snapshot/records";
import {
  type PackFile,
  verify,
  type VerifyProgress,
} from "@snap/snapshot/verify";
import { NotFoundError, type WriteStore } from "@snap/store";
import { listBadPacks, markBadPack } from "@snap/store/removal";
import { openCarefulReader, readPlaces } from "./careful_reader.ts";
import { damagedTables } from "./damaged_tables.ts";
import { PackRescue, type RescuedPack } from "./pack_rescue.ts";

/** Options of {@linkcode repairPacks}. */
export interface RepairPacksOptions extends RepairOptions {
  /** Names of packs in the store; without them all packs are read, and those that are damaged repaired. */
  readonly packs?: readonly string[];
  /**
   * Whether nothing is written, and only told what would be.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
  /** Called while packs are read, at most ten times a second. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** A damaged pack, and what became of its objects. */
export interface RepairedPack {
  /** Its name in the store. */
  readonly name: string;
  /** What is wrong with it. */
  readonly reason: string;
  /** Whether it was not marked as damaged before. */
  readonly isNew: boolean;
  /** Objects that were sound here and nowhere else, and lie in another pack now. */
  readonly copiedCount: number;
  /** Objects of which there is a sound copy in another pack. */
  readonly heldCount: number;
  /** Objects that are damaged here, and of which there is no sound copy. */
  readonly lostCount: number;
  /** Whether it is known which objects lay in it: its own table or the index says so. */
  readonly isKnown: boolean;
}

/** Result of {@linkcode repairPacks}. */
export interface RepairPacksReport {
  /** The damaged packs. */
  readonly packs: readonly RepairedPack[];
  /** Names of packs that were asked for and are sound: they were left alone. */
  readonly soundPacks: readonly string[];
  /** Bytes of packs that were added. */
  readonly storedByteCount: number;
}

/**
 * Marks damaged packs as such, and copies what is sound in them into new packs,
 * unless another pack has it. Objects of a marked pack count as absent for whoever
 * saves, so that the next save stores again what it still has. Nothing is removed.
 * A run that was killed is done again: what was copied by then is not copied twice.
 *
 * @param snapshots The store.
 * @param options Which packs, and whether anything is written.
 * @returns What was found and done.
 * @throws {NotFoundError} If the store has no such pack.
 * @throws {StoreError} If the store fails.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { repairPacks } from "@snap/maintenance/repair";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { packs } = await repairPacks(snapshots);
 * strictEqual(packs.length, 0);
 * ```
 */
export async function repairPacks(
  snapshots: Snapshots<WriteStore>,
  options: RepairPacksOptions = {},
): Promise<RepairPacksReport> {
  const { store } = snapshots;
  const { signal, dryRun = false, packs: chosen } = options;
  const present = await listPacks(store, { signal });
  const files = new Map(present.packs().map((pack) => [pack.name, pack]));
  for (const name of chosen ?? []) {
    if (!files.has(name)) throw new NotFoundError(name);
  }
  const marked = await listBadPacks(store, { signal });
  const reasons = await findDamaged(snapshots, options);
  const damaged: FoundPack[] = [];
  for (const file of files.values()) {
    const isMarked = marked.has(hexOf(file.id));
    const reason = reasons.get(file.name) ??
      (isMarked ? "it was marked as damaged before" : undefined);
    if (reason === undefined) continue;
    if (chosen === undefined || chosen.includes(file.name)) {
      damaged.push({ file, reason, isNew: !isMarked });
    }
  }
  const soundPacks = (chosen ?? [])
    .filter((name) => damaged.every(({ file }) => file.name !== name));
  if (damaged.length === 0) {
    return { packs: [], soundPacks, storedByteCount: 0 };
  }
  const run = new PacksRun(snapshots, options);
  if (dryRun) {
    const packs = await run.rescue(damaged, undefined);
    return { packs, soundPacks, storedByteCount: 0 };
  }
  const { packs, storedByteCount } = await run.write(damaged);
  return { packs, soundPacks, storedByteCount };
}

interface FoundPack {
  readonly file: PackFile;
  readonly reason: string;
  readonly isNew: boolean;
}

/** Finds damaged packs; gives for each name what is wrong. */
async function findDamaged(
  snapshots: Snapshots<WriteStore>,
  { packs, onProgress, signal }: RepairPacksOptions,
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  const chosen = packs && new Set(packs);
  await verify(snapshots, {
    signal,
    data: true,
    packs: ({ name }) => chosen?.has(name) ?? true,
    onProgress,
    onDamage: ({ subject, reason, storeName, message }) => {
      const isPack = (subject === "pack" || subject === "object") &&
        reason !== "missing";
      if (!isPack || storeName === undefined) return;
      if (!reasons.has(storeName)) reasons.set(storeName, message);
    },
  });
  return reasons;
}

/** One repair of packs that are known to be damaged. */
class PacksRun {
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #options: RepairPacksOptions;

  constructor(snapshots: Snapshots<WriteStore>, options: RepairPacksOptions) {
    this.#snapshots = snapshots;
    this.#options = options;
  }

  /** Marks the packs, then copies what is sound in them. */
  async write(
    damaged: readonly FoundPack[],
  ): Promise<
    { readonly packs: RepairedPack[]; readonly storedByteCount: number }
  > {
    const { store, hasher, settings } = this.#snapshots;
    const { random = randomBytes, signal } = this.#options;
    const saveId = random(16);
    const writer = await openObjectWriter(store, {
      ...this.#options,
      action: "repair",
      saveId,
      hasher,
      settings,
      mode: "copy",
      damagedTables: new Set(await damagedTables(this.#snapshots, { signal })),
      finishedSaves: () => finishedSaves(store, { signal }),
    });
    try {
      try {
        // First: what is copied below is kept by nobody who believes the damaged pack.
        for (const { file, reason, isNew } of damaged) {
          const how = { ...this.#options, saveId, reason };
          if (isNew) await markBadPack(store, hexOf(file.id), how);
        }
        const packs = await this.rescue(damaged, writer);
        await writer.finish();
        await writer.confirm();
        const { storedByteCount } = writer;
        return { packs, storedByteCount };
      } catch (error) {
        await writer.giveUp();
        throw error;
      } finally {
        await this.#snapshots.refresh();
      }
    } finally {
      await writer[Symbol.asyncDispose]();
    }
  }

  /** Copies what is sound; without a writer only counts it. */
  async rescue(
    damaged: readonly FoundPack[],
    writer: ObjectWriter | undefined,
  ): Promise<RepairedPack[]> {
    const { store, hasher } = this.#snapshots;
    const { signal } = this.#options;
    const names = new Set(damaged.map(({ file }) => file.name));
    const how = { hasher, damaged: names, signal };
    const careful = await openCarefulReader(store, how);
    try {
      const { reader } = careful;
      const pacer = new Pacer({ signal });
      const rescue = new PackRescue({ reader, writer, pacer, signal });
      const found: (RescuedPack | undefined)[] = [];
      for (const { file } of damaged) {
        const places = await readPlaces(store, file, reader, { signal });
        found.push(places && await rescue.rescue(places));
      }
      return damaged.map(({ file: { name }, reason, isNew }, i) => {
        const { copiedCount = 0, heldCount = 0, lost = [] } = found[i] ?? {};
        const rescued = lost.filter((object) =>
          rescue.hasCopied(object)
        ).length;
        return {
          ...{ name, reason, isNew, copiedCount },
          heldCount: heldCount + rescued,
          lostCount: lost.length - rescued,
          isKnown: found[i] !== undefined,
        };
      });
    } finally {
      await careful[Symbol.asyncDispose]();
    }
  }
}
