import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { Chunker } from "@snap/hash/chunk";
import { ObjectKind } from "@snap/pack";
import { isZeros, RecipeBuilder } from "@snap/pack/recipe-writer";
import type { EncodedNode, ObjectSink, ObjectTarget } from "@snap/pack/sink";
import { runAtOnce } from "@snap/posix/pacer";

/** Options of {@linkcode ContentPacker}. */
export interface ContentPackerOptions {
  /** The hasher. */
  readonly hasher: Hasher;
  /** Takes nodes of recipes. */
  readonly target: Pick<ObjectTarget, "addRecipe">;
  /** Whether content is only named. */
  readonly isNaming: boolean;
}

/** Nodes that are handed over together: a file of any size has few in memory. */
const NODE_COUNT_MAX = 64;

/** Cost of packing a byte, in bytes read: it is cut, hashed and compressed. */
const PACK_COST = 4;

/** Names content, cuts what is large, and hands it to a sink. */
export class ContentPacker {
  /** Where content goes: a small file is read straight into its bundle. */
  readonly sink: ObjectSink;
  /** The hasher. */
  /** The hasher. */
  readonly hasher: Hasher;
  /** Whether content is only named. */
  readonly isNaming: boolean;
  readonly #target: Pick<ObjectTarget, "addRecipe">;
  readonly #chunker: Chunker;
  readonly #id = new Uint8Array(ID_SIZE);
  readonly #recipe: RecipeBuilder;
  #nodes: EncodedNode[] = [];
  #rootId: Uint8Array | undefined;

  /**
   * Makes the packer of one thread.
   *
   * @param options The hasher, and where recipes go.
   */
  constructor(sink: ObjectSink, options: ContentPackerOptions) {
    this.sink = sink;
    this.hasher = options.hasher;
    this.isNaming = options.isNaming;
    this.#target = options.target;
    this.#chunker = new Chunker(sink.settings.chunk);
    this.#recipe = new RecipeBuilder({
      hasher: options.hasher,
      onNode: (bytes, id) => this.#addNode(bytes, id),
    });
  }

  /** Content up to this many bytes is one object, larger content a recipe. */
  get chunkSizeMax(): number {
    return this.sink.settings.chunk.sizeMax;
  }

  /**
   * Stores what stands at the start of the space reserved in the sink, if it is new.
   *
   * @param id The id of the content.
   * @param size The bytes of the content, at least 1.
   */
  commitReserved(id: Uint8Array, size: number): void {
    if (this.isNaming) this.sink.drop();
    else this.sink.commit(id, 0, size);
  }

  /** Names and stores content that is at hand, such as a large attribute. */
  putContent(bytes: Uint8Array): Uint8Array {
    const id = new Uint8Array(32);
    if (bytes.length <= this.chunkSizeMax) {
      this.sink.reserve(bytes.length).set(bytes);
      this.hasher.hashInto(bytes, id);
      this.commitReserved(id, bytes.length);
      return id;
    }
    this.hasher.hashInto(bytes, id);
    runAtOnce(this.putLarge(bytes, id));
    return id;
  }

  /**
   * Stores content above the largest chunk that is at hand, if it is new.
   *
   * @returns Steps, each with the work that was done.
   */
  *putLarge(bytes: Uint8Array, id: Uint8Array): Generator<number, void> {
    if (this.isNaming || !this.sink.claimLarge(id, 0)) return;
    const recipe = this.beginRecipe();
    yield* this.putChunks(bytes, recipe, true);
    this.finishRecipe(id);
    this.sink.closeLarge();
  }

  /**
   * Begins the recipe of a large object. Its nodes are stored whatever becomes
   * of the object: what is claimed has to be.
   */
  beginRecipe(): RecipeBuilder {
    this.#recipe.clear();
    return this.#recipe;
  }

  /**
   * Ends the recipe that was begun last.
   *
   * @param id The id of the object.
   */
  finishRecipe(id: Uint8Array): void {
    this.#rootId = id;
    this.#recipe.finish({ id, kind: ObjectKind.content });
    this.#rootId = undefined;
  }

  /**
   * Finds the end of a chunk.
   *
   * @param end Where the bytes end: a largest chunk further, or the content's end.
   * @returns The end of the chunk.
   */
  cut(bytes: Uint8Array, start: number, end: number): number {
    const longest = Math.min(end, start + this.chunkSizeMax);
    // A run of zeros is only cut at the largest chunk: no need to look.
    if (bytes[start] === 0 && isZeros(bytes.subarray(start, longest))) {
      return longest;
    }
    return this.#chunker.cut(bytes, start, end);
  }

  /**
   * Cuts and stores content.
   *
   * @param isLast Whether the content ends with `bytes`.
   * @returns Steps, each with the work that was done, then the bytes used: all but an unfinished chunk.
   */
  *putChunks(
    bytes: Uint8Array,
    recipe: RecipeBuilder,
    isLast: boolean,
  ): Generator<number, number> {
    let start = 0;
    while (start < bytes.length) {
      if (!isLast && bytes.length - start < this.chunkSizeMax) break;
      const end = this.cut(bytes, start, bytes.length);
      this.#putChunk(bytes.subarray(start, end), recipe);
      yield PACK_COST * (end - start);
      start = end;
    }
    return start;
  }

  /**
   * Stores a group of chunks as one frame.
   *
   * @param bytes The chunks, one after the other.
   */
  putGroup(bytes: Uint8Array, sizes: Int32Array, ids: Uint8Array): void {
    let start = 0;
    for (let i = 0; i < sizes.length; i++) {
      const chunk = bytes.subarray(start, start + sizes[i]);
      start += sizes[i];
      if (isZeros(chunk)) {
        ids.fill(0, i * 32, i * 32 + 32);
        continue;
      }
      this.hasher.hashInto(chunk, ids, i * 32);
      this.sink.putChunk(chunk, ids, i * 32);
    }
    this.sink.closeLarge();
  }

  /** Hands over the nodes of recipes so far. */
  flushRecipes(): void {
    if (this.#nodes.length === 0) return;
    const nodes = this.#nodes;
    this.#nodes = [];
    this.#target.addRecipe(nodes);
  }

  #addNode(bytes: Uint8Array, id: Uint8Array): void {
    this.#nodes.push({
      id: id.slice(),
      bytes: bytes.slice(),
      // The root comes last, after nodes that end with it.
      isRoot: this.#rootId !== undefined &&
        equalBytes(id, 0, this.#rootId, 0, ID_SIZE),
    });
    if (this.#nodes.length >= NODE_COUNT_MAX) this.flushRecipes();
  }

  #putChunk(chunk: Uint8Array, recipe: RecipeBuilder): void {
    if (isZeros(chunk)) {
      recipe.pushZeros(chunk.length);
      return;
    }
    this.hasher.hashInto(chunk, this.#id);
    this.sink.putChunk(chunk, this.#id, 0);
    recipe.push(this.#id, 0, chunk.length);
  }
}
