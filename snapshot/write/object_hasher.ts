import type { HashContext, Hasher, HashStream } from "@snap/hash";
import { joinPieces, type ObjectBytes } from "@snap/manifest";

/** Bytes that are hashed between two steps. */
const STEP_SIZE = 1 << 20;

/** Names objects that come in pieces, a step at a time. */
export class ObjectHasher {
  readonly #hasher: Hasher;
  readonly #scratch: Uint8Array;
  readonly #streams = new Map<HashContext, HashStream>();

  /**
   * Keeps room for small objects.
   *
   * @param smallSizeMax Objects up to this size are joined.
   */
  constructor(hasher: Hasher, smallSizeMax: number) {
    this.#hasher = hasher;
    this.#scratch = new Uint8Array(smallSizeMax);
  }

  /**
   * Names an object. Yields between two steps.
   *
   * @param context The context of its kind.
   * @param outOffset The offset of the id in `out`.
   * @returns The bytes of a small object, good until the next call.
   */
  *derive(
    context: HashContext,
    object: ObjectBytes,
    out: Uint8Array,
    outOffset: number,
  ): Generator<void, Uint8Array | undefined> {
    if (object.size <= this.#scratch.length) {
      const bytes = joinPieces(object, this.#scratch);
      this.#hasher.deriveInto(context, bytes, out, outOffset);
      return bytes;
    }
    // Another object may be named between two steps: each has its own stream.
    const stream = this.#streams.get(context) ??
      this.#hasher.deriveStream(context);
    this.#streams.delete(context);
    stream.reset();
    let size = 0;
    for (const piece of object.pieces()) {
      stream.update(piece);
      if ((size += piece.length) < STEP_SIZE) continue;
      size = 0;
      yield;
    }
    stream.digestInto(out, outOffset);
    this.#streams.set(context, stream);
    return undefined;
  }
}
