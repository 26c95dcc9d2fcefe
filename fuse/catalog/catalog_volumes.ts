import type { RecordFile } from "@snap/snapshot/records";
import type { DirectoryBytes } from "../nodes/loaded_directory.ts";
import type { NodeTable } from "../nodes/node_table.ts";
import type { CatalogRecord } from "./catalog_source.ts";

/** How often volumes are looked through, and for how long one is kept unused, in milliseconds. */
const IDLE_MS = 1000;

/** The parts that {@linkcode CatalogVolumes} is made of. */
export interface CatalogVolumesParts {
  /** The nodes that volumes are added to. */
  readonly nodes: NodeTable;
  /** Reads the newest of some records. */
  newest(names: readonly RecordFile[]): Promise<CatalogRecord>;
  /** Reads the root of a record. */
  loadRoot(record: CatalogRecord): Promise<DirectoryBytes>;
  /** The clock, in milliseconds. */
  now(): number;
}

interface Volume {
  /** Lower half of the id of its root. */
  readonly idLow: number;
  usedMs: number;
}

/**
 * The snapshots under virtual directories that were looked up. Each place has a
 * volume of its own, since a directory has one name only in the kernel. One
 * reference to each is held here, so that none goes between its look-up and the
 * reply; it is dropped when the kernel has forgotten the rest.
 */
export class CatalogVolumes {
  readonly #parts: CatalogVolumesParts;
  readonly #volumes = new Map<string, Volume>();
  readonly #adding = new Map<string, Promise<Volume>>();
  #sweptMs = -Infinity;

  constructor(parts: CatalogVolumesParts) {
    this.#parts = parts;
  }

  /**
   * Finds the volume of a place, or adds it, and counts a reference to its root.
   *
   * @throws {Error} If record or root cannot be read
   */
  async open(place: string, names: readonly RecordFile[]): Promise<number> {
    const { newest, nodes, now } = this.#parts;
    const record = await newest(names);
    const key = `${place}@${record.record}`;
    const volume = this.#volumes.get(key) ?? await this.#add(key, record);
    volume.usedMs = now();
    nodes.remember(volume.idLow);
    return volume.idLow;
  }

  /** Drops volumes that the kernel has forgotten. */
  sweep(): void {
    const { nodes, now } = this.#parts;
    const nowMs = now();
    if (nowMs - this.#sweptMs < IDLE_MS) return;
    this.#sweptMs = nowMs;
    for (const [key, { idLow, usedMs }] of this.#volumes) {
      if (nowMs - usedMs < IDLE_MS || nodes.references(idLow) > 1) continue;
      this.#volumes.delete(key);
      nodes.forget(idLow, 1);
    }
  }

  /** Adds a volume, once for all callers meanwhile. */
  #add(key: string, record: CatalogRecord): Promise<Volume> {
    let adding = this.#adding.get(key);
    if (adding === undefined) {
      adding = this.#load(key, record).finally(() => this.#adding.delete(key));
      this.#adding.set(key, adding);
    }
    return adding;
  }

  async #load(key: string, record: CatalogRecord): Promise<Volume> {
    const { loadRoot, nodes, now } = this.#parts;
    const idLow = nodes.addVolume(await loadRoot(record));
    nodes.remember(idLow);
    const volume = { idLow, usedMs: now() };
    this.#volumes.set(key, volume);
    return volume;
  }
}
