import { type Id, idFromBytes } from "@snap/hash";
import type { NamedRecord } from "@snap/snapshot/records";

/** Options of {@linkcode SaveMemory}. */
export interface SaveMemoryOptions {
  /**
   * Most bytes of trees and pages.
   *
   * @default {33554432}
   */
  readonly sizeMax?: number;
}

/**
 * What a process keeps in mind from one save to the next: trees and pages, and records. All of it
 * is named by its content, so it is never old; a save that walks all looks into the store.
 */
export class SaveMemory {
  /** Larger trees and pages are read again. */
  static readonly OBJECT_SIZE_MAX: number = 1 << 20;
  /** Records by the names of their files, as they were read. */
  readonly records: Map<string, NamedRecord> = new Map();
  readonly #sizeMax: number;
  /** Those that were asked for last come last. */
  readonly #objects = new Map<Id, Uint8Array>();
  #size = 0;

  /** Keeps nothing yet. */
  constructor({ sizeMax = 32 << 20 }: SaveMemoryOptions = {}) {
    this.#sizeMax = sizeMax;
  }

  /** Gives a tree or a page, if it is kept. */
  get(id: Uint8Array): Uint8Array | undefined {
    const key = idFromBytes(id);
    const bytes = this.#objects.get(key);
    if (bytes === undefined) return undefined;
    this.#objects.delete(key);
    this.#objects.set(key, bytes);
    return bytes;
  }

  /**
   * Keeps a tree or a page, and forgets what was not asked for the longest.
   *
   * @param bytes Its bytes, which nobody changes any more.
   */
  put(id: Uint8Array, bytes: Uint8Array): void {
    if (bytes.length > SaveMemory.OBJECT_SIZE_MAX) return;
    const key = idFromBytes(id);
    this.#drop(key);
    this.#objects.set(key, bytes);
    this.#size += bytes.length;
    for (const oldest of this.#objects.keys()) {
      if (this.#size <= this.#sizeMax) return;
      this.#drop(oldest);
    }
  }

  #drop(key: Id): void {
    this.#size -= this.#objects.get(key)?.length ?? 0;
    this.#objects.delete(key);
  }
}
