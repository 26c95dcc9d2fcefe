import type { RecordFile } from "@snap/snapshot/records";

/** A symbolic link that no snapshot has. */
export interface VirtualLink {
  /** Lower half of its node id; another one for each target, since the kernel keeps targets. */
  readonly id: number;
  /** Path that the link holds, relative to its directory. */
  readonly target: string;
}

/** An entry of a virtual directory: one record, records of one tree, or a virtual node. */
export type VirtualEntry =
  | { readonly records: readonly RecordFile[] }
  | { readonly directory: VirtualDirectory }
  | { readonly link: VirtualLink };

/** A name with its place in the directory. */
interface Slot {
  readonly name: string;
  readonly entry: VirtualEntry;
}

/**
 * A directory that no snapshot has. Each name keeps its place for as long as it
 * is there, so that a reader of the directory in pieces misses none and sees none
 * twice, whatever comes and goes meanwhile.
 */
export class VirtualDirectory {
  /** Lower half of its node id. */
  readonly id: number;
  /** Lower half of the node id of the directory that has it; its own for the root. */
  readonly parentId: number;
  /** When it last changed, in milliseconds since 1970; each change has its own. */
  changedMs: number;
  readonly #places = new Map<string, number>();
  readonly #slots: (Slot | undefined)[] = [];

  /**
   * Makes an empty directory.
   *
   * @param id Lower half of its node id
   */
  constructor(id: number, parentId: number, nowMs: number) {
    this.id = id;
    this.parentId = parentId;
    this.changedMs = nowMs;
  }

  /** One more than the last place. */
  get end(): number {
    return this.#slots.length;
  }

  /**
   * Finds an entry.
   *
   * @returns The entry, or `undefined`
   */
  get(name: string): VirtualEntry | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#slots[place]!.entry;
  }

  /**
   * Finds the entry at a place.
   *
   * @param place From 0
   * @returns Name and entry, or `undefined` where the entry is gone
   */
  at(place: number): Slot | undefined {
    return this.#slots[place];
  }

  /** Replaces all entries: names that stay keep their places, others are added at the end. */
  replace(entries: ReadonlyMap<string, VirtualEntry>, nowMs: number): void {
    let hasChanged = false;
    for (const [name, place] of this.#places) {
      if (entries.has(name)) continue;
      this.#places.delete(name);
      this.#slots[place] = undefined;
      hasChanged = true;
    }
    for (const [name, entry] of entries) {
      const place = this.#places.get(name);
      if (place === undefined) {
        this.#places.set(name, this.#slots.length);
        this.#slots.push({ name, entry });
        hasChanged = true;
      } else this.#slots[place] = { name, entry };
    }
    if (hasChanged) this.touch(nowMs);
  }

  /** Marks the directory as changed. */
  touch(nowMs: number): void {
    this.changedMs = Math.max(nowMs, this.changedMs + 1);
  }
}
