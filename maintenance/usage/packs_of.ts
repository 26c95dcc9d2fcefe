import type { Location } from "@snap/pack";
import { IdSet } from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import type { StoreOptions } from "@snap/store";
import type { UsageSource } from "./measure_snapshots.ts";
import { type Gate, NeededWalk, storedBytes } from "./needed_walk.ts";

/** A pack that a record needs. */
export interface NeededPack {
  /** Its name in the store. */
  readonly packName: string;
  /** Its size in bytes. */
  readonly packSize: number;
  /** Objects in it that are needed. */
  readonly objectCount: number;
  /** Their bytes in the pack, rounded. */
  readonly byteCount: number;
}

/**
 * Tells which packs a record needs: with them, and without any other, it can be
 * restored.
 *
 * @param snapshots The store.
 * @param record The record.
 * @param options What ends the wait.
 * @returns The packs, by name.
 * @throws {DamageError} If a tree, page or recipe is damaged in every copy.
 * @throws {ObjectNotFoundError} If no pack holds an object.
 */
export async function packsOf(
  snapshots: UsageSource,
  record: NamedRecord,
  options: StoreOptions = {},
): Promise<NeededPack[]> {
  const walk = new NeededWalk(await snapshots.reader(), options);
  const packs = new PackGate();
  await walk.walk(record, packs);
  return [...packs.uses.values()]
    .map((use) => ({ ...use, byteCount: Math.round(use.byteCount) }))
    .sort((a, b) => a.packName < b.packName ? -1 : 1);
}

class PackGate implements Gate {
  readonly uses = new Map<
    string,
    {
      packName: string;
      packSize: number;
      objectCount: number;
      byteCount: number;
    }
  >();
  readonly #own = new IdSet();

  enters(ids: Uint8Array, start: number, kind: number): boolean {
    return this.#own.add(ids, start, 0, kind);
  }

  take(place: Location): void {
    const { packName, packSize } = place;
    let use = this.uses.get(packName);
    if (use === undefined) {
      use = { packName, packSize, objectCount: 0, byteCount: 0 };
      this.uses.set(packName, use);
    }
    use.objectCount++;
    use.byteCount += storedBytes(place);
  }
}
