import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { Chunker } from "@snap/hash/chunk";
import type { Codec } from "@snap/pack/codecs";
import { FrameBuilder } from "@snap/pack/write";
import { ObjectKind, PackRole } from "@snap/pack";
import { RecipeBuilder } from "@snap/pack/recipe";
import { runAtOnce } from "@snap/posix/pacer";
import { Claim, type ClaimTable } from "./claim_table.ts";
import { type FinishedPackFile, PackFiles } from "./pack_files.ts";
import type { RecipeNode, SaveMode } from "../messages.ts";
import type { StoreSettings } from "@snap/store/format";
import { isZeros } from "./zeros.ts";

/** Answers whether the store holds an object already. */
export interface KnownObjects {
  /**
   * Looks an object up.
   *
   * @param id Where the id is.
   * @param offset Its offset.
   * @param kind The kind of the object.
   * @returns Whether a pack that is there holds it.
   */
  has(id: Uint8Array, offset: number, kind: number): boolean;
  /** Whether every pack that the index names is there: only then a recipe proves its chunks. */
  readonly isHealthy: boolean;
}

/** What {@linkcode ObjectSaver} needs. */
export interface ObjectSaverOptions {
  readonly settings: StoreSettings;
  readonly codec: Codec;
  readonly hasher: Hasher;
  readonly claims: ClaimTable;
  readonly known: KnownObjects;
  readonly mode: SaveMode;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly spoolPath: string;
  readonly onPack: (pack: FinishedPackFile) => void;
  /** Takes nodes of recipes, each before the one that names it. */
  readonly onRecipes: (nodes: readonly RecipeNode[]) => void;
}

/** Nodes that are handed over together: a file of any size has few in memory. */
const NODE_COUNT_MAX = 64;

/** What packing a byte costs, in bytes read: it is cut, hashed and compressed. */
const PACK_COST = 4;

/** Puts content into data packs, each object once. */
export class ObjectSaver {
  /** The frame of small files: a file is read straight into it. */
  readonly bundle: FrameBuilder;
  /** Plain bytes that were not in the store. */
  newByteCount = 0;
  /** Objects that were not in the store. */
  newObjectCount = 0;
  readonly #options: ObjectSaverOptions;
  readonly #packs: PackFiles;
  readonly #content: FrameBuilder;
  readonly #chunker: Chunker;
  readonly #id = new Uint8Array(32);
  readonly #recipe: RecipeBuilder;
  #nodes: RecipeNode[] = [];
  #rootId: Uint8Array | undefined;

  /**
   * Constructs a new instance.
   *
   * @param options Where and how to store.
   */
  constructor(options: ObjectSaverOptions) {
    this.#options = options;
    const { settings } = options;
    this.bundle = new FrameBuilder(settings.bundleSizeMax);
    this.#content = new FrameBuilder(
      settings.contentSizeMin + settings.chunk.sizeMax,
    );
    this.#chunker = new Chunker(settings.chunk);
    this.#recipe = new RecipeBuilder({
      hasher: options.hasher,
      onNode: (bytes, id) => this.#addNode(bytes, id),
    });
    this.#packs = new PackFiles({
      ...options,
      role: PackRole.data,
      sizeTarget: settings.packSizeTarget,
    });
  }

  /** The hasher. */
  get hasher(): Hasher {
    return this.#options.hasher;
  }

  /** Content up to this many bytes is one object, larger content a recipe. */
  get chunkSizeMax(): number {
    return this.#options.settings.chunk.sizeMax;
  }

  /** A frame of large content closes at the first chunk border from here on. */
  get contentSizeMin(): number {
    return this.#options.settings.contentSizeMin;
  }

  /** Whether content is only named. */
  get isNaming(): boolean {
    return this.#options.mode === "name";
  }

  /**
   * Makes room in the bundle, and gives it.
   *
   * @param size The bytes wanted.
   * @returns Space at the end of the bundle.
   */
  reserve(size: number): Uint8Array {
    if (this.bundle.sizeLeft < size) this.closeBundle();
    return this.bundle.reserve(size);
  }

  /**
   * Stores what stands at the start of the reserved space, if it is new.
   *
   * @param id Where the id of the content is.
   * @param offset Its offset.
   * @param size The bytes of the content, at least 1.
   */
  commitReserved(id: Uint8Array, offset: number, size: number): void {
    if (this.isNaming || !this.#claim(id, offset)) {
      this.bundle.drop();
      return;
    }
    this.bundle.commit(id, offset, ObjectKind.content, size);
    this.#count(size);
  }

  /**
   * Names and stores content that is at hand, such as a large attribute.
   *
   * @param bytes The content.
   * @returns Its id.
   */
  putContent(bytes: Uint8Array): Uint8Array {
    const id = new Uint8Array(32);
    if (bytes.length <= this.chunkSizeMax) {
      this.reserve(bytes.length).set(bytes);
      this.hasher.hashInto(bytes, id);
      this.commitReserved(id, 0, bytes.length);
      return id;
    }
    this.hasher.hashInto(bytes, id);
    runAtOnce(this.putLarge(bytes, id));
    return id;
  }

  /**
   * Stores content above the largest chunk that is at hand, if it is new.
   *
   * @param bytes The content.
   * @param id Its id.
   * @returns Steps, each with the work that was done.
   */
  *putLarge(bytes: Uint8Array, id: Uint8Array): Generator<number, void> {
    if (this.isNaming || !this.claimLarge(id, 0)) return;
    const recipe = this.beginRecipe();
    yield* this.putChunks(bytes, recipe, true);
    this.finishRecipe(id);
    this.closeContent();
  }

  /** Ends the frame of small files. */
  closeBundle(): void {
    this.#close(this.bundle);
  }

  /**
   * Tells whether a large object has to be chunked, and promises it if so.
   *
   * @param id Where the id is.
   * @param offset Its offset.
   * @returns Whether it is new.
   */
  claimLarge(id: Uint8Array, offset: number): boolean {
    const { claims, known } = this.#options;
    if (claims.claim(id, offset) === Claim.taken) return false;
    if (!known.isHealthy) return true;
    return !known.has(id, offset, ObjectKind.recipe);
  }

  /**
   * Begins the recipe of a large object. Its nodes are stored whatever becomes
   * of the object: what is claimed has to be.
   *
   * @returns The builder, empty.
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
   * @param bytes The bytes.
   * @param start Where the chunk begins.
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
   * @param bytes The bytes at hand.
   * @param recipe The recipe so far.
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

  /** Ends a frame of large content: two files never share one. */
  closeContent(): void {
    this.#close(this.#content);
  }

  /**
   * Stores a group of chunks as one frame.
   *
   * @param bytes The chunks, one after the other.
   * @param sizes Their sizes.
   * @param ids Where their ids go.
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
      this.#putClaimed(chunk, ids, i * 32);
    }
    this.closeContent();
  }

  /** Hands over the nodes of recipes so far. */
  flushRecipes(): void {
    if (this.#nodes.length === 0) return;
    const nodes = this.#nodes;
    this.#nodes = [];
    this.#options.onRecipes(nodes);
  }

  /** Ends frames and packs; finished packs go to `onPack`. */
  finish(): void {
    this.closeBundle();
    this.closeContent();
    this.#packs.finish();
  }

  /** Drops what is not finished. */
  discard(): void {
    this.#packs.discard();
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
    this.#putClaimed(chunk, this.#id, 0);
    recipe.push(this.#id, 0, chunk.length);
    if (this.#content.size >= this.#options.settings.contentSizeMin) {
      this.closeContent();
    }
  }

  #putClaimed(chunk: Uint8Array, id: Uint8Array, offset: number): void {
    if (!this.#claim(id, offset)) return;
    if (this.#content.sizeLeft < chunk.length) this.closeContent();
    this.#content.add(chunk, id, offset, ObjectKind.content);
    this.#count(chunk.length);
  }

  #claim(id: Uint8Array, offset: number): boolean {
    const { claims, known } = this.#options;
    return claims.claim(id, offset) !== Claim.taken &&
      !known.has(id, offset, ObjectKind.content);
  }

  #count(size: number): void {
    this.newByteCount += size;
    this.newObjectCount++;
  }

  #close(frame: FrameBuilder): void {
    if (this.#options.mode === "store") this.#packs.add(frame);
    else frame.clear();
  }
}
