import {
  type HashContext,
  type Hasher,
  type Id,
  idFromBytes,
} from "@snap/hash";
import { joinPieces, type ObjectBytes } from "@snap/manifest";
import { type ObjectKind, ObjectNotFoundError } from "@snap/pack";
import { ObjectHasher } from "@snap/snapshot/write";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import type { ObjectNamer } from "./directory_encoder.ts";

/** Names trees and pages, and keeps them in memory if they are wanted. */
export class KeptTrees implements ObjectNamer {
  readonly #kept = new Map<Id, Uint8Array>();
  readonly #isKeeping: boolean;
  readonly #names: ObjectHasher;

  /** Keeps nothing yet. */
  constructor(hasher: Hasher, { isKeeping }: { readonly isKeeping: boolean }) {
    this.#isKeeping = isKeeping;
    this.#names = new ObjectHasher(hasher, DEFAULT_SETTINGS.chunk.sizeMax);
  }

  /** @inheritDoc */
  *save(
    context: HashContext,
    _kind: ObjectKind,
    object: ObjectBytes,
    out: Uint8Array,
    outOffset: number,
  ): Generator<void> {
    yield* this.#names.derive(context, object, out, outOffset);
    if (!this.#isKeeping) return;
    this.#kept.set(idFromBytes(out, outOffset), joinPieces(object));
  }

  /**
   * Gives a tree or a page that was kept.
   *
   * @param id Its id.
   * @param kind Its kind.
   * @returns Its bytes.
   * @throws {ObjectNotFoundError} If there is no such object.
   */
  readObject(id: Uint8Array, kind: number): Promise<Uint8Array> {
    const bytes = this.#kept.get(idFromBytes(id));
    return bytes === undefined
      ? Promise.reject(new ObjectNotFoundError(id, kind))
      : Promise.resolve(bytes);
  }
}
