import { ID_SIZE } from "@snap/hash";
import { joinPieces, type ObjectBytes } from "@snap/manifest";
import { SaveMemory } from "../save_memory.ts";
import type { ObjectNamer } from "./directory_encoder.ts";

/** Keeps trees and pages in mind that another namer names and stores. */
export class RememberingNamer implements ObjectNamer {
  readonly #namer: ObjectNamer;
  readonly #memory: SaveMemory;

  /** Takes the namer that does the work. */
  constructor(namer: ObjectNamer, memory: SaveMemory) {
    this.#namer = namer;
    this.#memory = memory;
  }

  /** @inheritDoc */
  *save(
    context: Parameters<ObjectNamer["save"]>[0],
    kind: Parameters<ObjectNamer["save"]>[1],
    object: ObjectBytes,
    out: Uint8Array,
    outOffset: number,
  ): Generator<void> {
    yield* this.#namer.save(context, kind, object, out, outOffset);
    if (object.size > SaveMemory.OBJECT_SIZE_MAX) return;
    const id = out.subarray(outOffset, outOffset + ID_SIZE);
    this.#memory.put(id, joinPieces(object));
  }
}
