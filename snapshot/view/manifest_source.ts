import { AttributePage, Tree } from "@snap/manifest";
import type { DiffSource } from "@snap/manifest/diff";
import { ObjectKind } from "@snap/pack";
import { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";

/** Reader of whole, checked objects: a store reader, or the objects of an identified directory. */
export interface ObjectSource {
  /**
   * Reads an object, and checks it against its id.
   *
   * @param id The 32 bytes of its id.
   * @returns Its bytes, which nobody changes.
   */
  readObject(
    id: Uint8Array,
    kind: number,
    options?: StoreOptions,
  ): Promise<Uint8Array>;
}

/** Cost of finding an object, in bytes read. */
const READ_COST = 16 * 1024;

/** Reads trees and pages out of objects. */
export class ManifestSource implements DiffSource {
  readonly #objects: ObjectSource;
  readonly #signal: AbortSignal | undefined;
  readonly #pacer: Pacer;

  constructor(objects: ObjectSource, signal?: AbortSignal) {
    this.#objects = objects;
    this.#signal = signal;
    this.#pacer = new Pacer({ signal });
  }

  async tree(
    id: Uint8Array,
    signal: AbortSignal | undefined = this.#signal,
  ): Promise<Tree> {
    return Tree.decode(await this.#read(id, ObjectKind.tree, signal));
  }

  async page(
    id: Uint8Array,
    signal: AbortSignal | undefined = this.#signal,
  ): Promise<AttributePage> {
    const { attributes } = ObjectKind;
    return AttributePage.decode(await this.#read(id, attributes, signal));
  }

  pace(): Promise<void> | undefined {
    return this.#pacer.yield();
  }

  async #read(
    id: Uint8Array,
    kind: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const options = signal && { signal };
    const bytes = await this.#objects.readObject(id, kind, options);
    const turn = new Pacer({ signal }).yield(READ_COST + bytes.length);
    if (turn !== undefined) await turn;
    return bytes;
  }
}
