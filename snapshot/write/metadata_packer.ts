import { equalBytes, type HashContext, type Hasher, ID_SIZE } from "@snap/hash";
import { Chunker } from "@snap/hash/chunk";
import type { ObjectBytes } from "@snap/manifest";
import { ObjectKind } from "@snap/pack";
import { isZeros, RecipeBuilder } from "@snap/pack/recipe-writer";
import type { ObjectSink } from "@snap/pack/sink";
import { ObjectHasher } from "./object_hasher.ts";

/** Names trees and attribute pages, and hands them to a sink. */
export class MetadataPacker {
  readonly #sink: ObjectSink;
  readonly #hasher: Hasher;
  readonly #chunker: Chunker;
  readonly #names: ObjectHasher;
  readonly #id = new Uint8Array(ID_SIZE);

  /**
   * Makes the packer of the thread that walks.
   *
   * @param sink Where trees and pages go.
   */
  constructor(sink: ObjectSink, hasher: Hasher) {
    const { chunk } = sink.settings;
    this.#sink = sink;
    this.#hasher = hasher;
    this.#chunker = new Chunker(chunk);
    this.#names = new ObjectHasher(hasher, chunk.sizeMax);
  }

  /**
   * Names and stores a tree or page. Yields between two steps, but for a small one.
   *
   * @param context The context of its kind.
   * @param outOffset The offset of the id in `out`.
   */
  *save(
    context: HashContext,
    kind: ObjectKind,
    object: ObjectBytes,
    out: Uint8Array,
    outOffset: number,
  ): Generator<void> {
    const bytes = yield* this.#names.derive(context, object, out, outOffset);
    if (!this.#sink.isKeeping) return;
    if (bytes !== undefined) {
      this.#sink.put(bytes, out, outOffset, kind);
    } else if (this.#sink.claimLarge(out, outOffset)) {
      const id = out.subarray(outOffset, outOffset + ID_SIZE);
      yield* this.#saveChunks(object, id, kind);
    }
  }

  *#saveChunks(
    object: ObjectBytes,
    id: Uint8Array,
    kind: ObjectKind,
  ): Generator<void> {
    const sink = this.#sink, hasher = this.#hasher;
    const recipe = new RecipeBuilder({
      hasher,
      onNode: (node, nodeId) => {
        const isRoot = equalBytes(nodeId, 0, id, 0, ID_SIZE);
        if (isRoot) sink.putRoot(node, nodeId);
        else sink.put(node, nodeId, 0, ObjectKind.recipe);
      },
    });
    const window = new Uint8Array(
      Math.min(object.size, 8 * sink.settings.chunk.sizeMax),
    );
    let held = 0, left = object.size;
    for (const piece of object.pieces()) {
      for (let from = 0; from < piece.length;) {
        const size = Math.min(window.length - held, piece.length - from);
        window.set(piece.subarray(from, from += size), held);
        held += size;
        left -= size;
        if (held < window.length && left > 0) continue;
        const used = this.#putChunks(window.subarray(0, held), left, recipe);
        window.copyWithin(0, used, held);
        held -= used;
        yield;
      }
    }
    recipe.finish({ id, kind });
  }

  /** Cuts and stores the start of what is left of an object, and gives its size. */
  #putChunks(bytes: Uint8Array, left: number, recipe: RecipeBuilder): number {
    const { chunk: { sizeMax } } = this.#sink.settings;
    let start = 0;
    while (start < bytes.length) {
      if (left > 0 && bytes.length - start < sizeMax) break;
      const end = this.#chunker.cut(bytes, start, bytes.length);
      const chunk = bytes.subarray(start, end);
      start = end;
      if (isZeros(chunk)) {
        recipe.pushZeros(chunk.length);
        continue;
      }
      this.#hasher.hashInto(chunk, this.#id);
      this.#sink.put(chunk, this.#id, 0, ObjectKind.content);
      recipe.push(this.#id, 0, chunk.length);
    }
    return start;
  }
}
