import { equalBytes, type HashContext, type Hasher, ID_SIZE } from "@snap/hash";
import { Chunker } from "@snap/hash/chunk";
import type { Codec } from "@snap/pack/codecs";
import type { ObjectBytes } from "@snap/manifest";
import { FrameBuilder } from "@snap/pack/write";
import { ObjectKind, PackRole } from "@snap/pack";
import { RECIPE_NODE_SIZE_MAX, RecipeBuilder } from "@snap/pack/recipe";
import { Claim, type ClaimTable } from "./claim_table.ts";
import { type FinishedPackFile, PackFiles } from "./pack_files.ts";
import { ObjectHasher } from "./object_hasher.ts";
import { isZeros } from "./zeros.ts";
import type { StoreSettings } from "@snap/store/format";

/** What {@linkcode TreeSaver} needs. */
export interface TreeSaverOptions {
  readonly settings: StoreSettings;
  readonly codec: Codec;
  readonly hasher: Hasher;
  readonly claims: ClaimTable;
  /** Tells whether the store holds an object for certain. */
  readonly isStored: (id: Uint8Array, offset: number, kind: number) => boolean;
  /** Whether every pack that the index names is there: only then a recipe proves its chunks. */
  readonly isHealthy: boolean;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly spoolPath: string;
  readonly onPack: (pack: FinishedPackFile) => void;
}

/** Stores trees, attribute pages and recipes in tree packs. */
export class TreeSaver {
  readonly #options: TreeSaverOptions;
  readonly #packs: PackFiles;
  readonly #frame: FrameBuilder;
  readonly #chunker: Chunker;
  readonly #names: ObjectHasher;
  readonly #id = new Uint8Array(32);

  /**
   * Constructs a new instance.
   *
   * @param options Where and how to store.
   */
  constructor(options: TreeSaverOptions) {
    this.#options = options;
    const { settings } = options;
    this.#packs = new PackFiles({
      ...options,
      role: PackRole.trees,
      sizeTarget: settings.packSizeTarget,
    });
    // A node of a recipe may be larger than a bundle.
    this.#frame = new FrameBuilder(
      Math.max(settings.bundleSizeMax, RECIPE_NODE_SIZE_MAX),
    );
    this.#chunker = new Chunker(settings.chunk);
    this.#names = new ObjectHasher(options.hasher, settings.chunk.sizeMax);
  }

  /** Stored bytes so far. */
  get storedByteCount(): number {
    return this.#packs.storedByteCount;
  }

  /**
   * Names and stores a tree or page. Yields between two steps, but for a small one.
   *
   * @param context The context of its kind.
   * @param kind The kind of object.
   * @param object The canonical bytes.
   * @param out Where the id goes.
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
    if (bytes !== undefined) {
      this.#put(out, outOffset, kind, bytes);
      return;
    }
    const { isHealthy, claims } = this.#options;
    const isKnown = isHealthy
      ? this.#isKnown(out, outOffset, ObjectKind.recipe)
      : claims.claim(out, outOffset) === Claim.taken;
    if (isKnown) return;
    const id = out.subarray(outOffset, outOffset + 32);
    yield* this.#saveChunks(object, id, kind);
  }

  /**
   * Names a tree or page, and stores nothing.
   *
   * @param context The context of its kind.
   * @param object The canonical bytes.
   * @param out Where the id goes.
   * @param outOffset The offset of the id in `out`.
   */
  *name(
    context: HashContext,
    object: ObjectBytes,
    out: Uint8Array,
    outOffset: number,
  ): Generator<void> {
    yield* this.#names.derive(context, object, out, outOffset);
  }

  /**
   * Stores the root of a recipe that a worker made.
   *
   * @param id The id of the object.
   * @param bytes The root node.
   */
  saveRecipeRoot(id: Uint8Array, bytes: Uint8Array): void {
    // The id is claimed already, by whoever found the object to be new.
    if (this.#options.isStored(id, 0, ObjectKind.recipe)) return;
    this.#add(id, 0, ObjectKind.recipe, bytes);
  }

  /**
   * Stores a node of a recipe that is not the root.
   *
   * @param id The id of the node.
   * @param bytes The node.
   */
  saveRecipeNode(id: Uint8Array, bytes: Uint8Array): void {
    this.#put(id, 0, ObjectKind.recipe, bytes);
  }

  /** Finishes the pack in hand. */
  finish(): void {
    this.#packs.add(this.#frame);
    this.#packs.finish();
  }

  /** Drops what is not finished. */
  discard(): void {
    this.#packs.discard();
  }

  *#saveChunks(
    object: ObjectBytes,
    id: Uint8Array,
    kind: ObjectKind,
  ): Generator<void> {
    const { hasher } = this.#options;
    const recipe = new RecipeBuilder({
      hasher,
      onNode: (node, nodeId) => {
        const isRoot = equalBytes(nodeId, 0, id, 0, ID_SIZE);
        if (isRoot) this.saveRecipeRoot(nodeId, node);
        else this.saveRecipeNode(nodeId, node);
      },
    });
    const window = new Uint8Array(
      Math.min(object.size, 8 * this.#options.settings.chunk.sizeMax),
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
    const { hasher, settings } = this.#options;
    let start = 0;
    while (start < bytes.length) {
      if (left > 0 && bytes.length - start < settings.chunk.sizeMax) break;
      const end = this.#chunker.cut(bytes, start, bytes.length);
      const chunk = bytes.subarray(start, end);
      start = end;
      if (isZeros(chunk)) {
        recipe.pushZeros(chunk.length);
        continue;
      }
      hasher.hashInto(chunk, this.#id);
      this.#put(this.#id, 0, ObjectKind.content, chunk);
      recipe.push(this.#id, 0, chunk.length);
    }
    return start;
  }

  #isKnown(id: Uint8Array, offset: number, kind: number): boolean {
    return this.#options.isStored(id, offset, kind) ||
      this.#options.claims.claim(id, offset) === Claim.taken;
  }

  #put(
    id: Uint8Array,
    offset: number,
    kind: number,
    bytes: Uint8Array,
  ): void {
    if (!this.#isKnown(id, offset, kind)) this.#add(id, offset, kind, bytes);
  }

  #add(
    id: Uint8Array,
    offset: number,
    kind: number,
    bytes: Uint8Array,
  ): void {
    const frame = this.#frame;
    if (frame.size + bytes.length > this.#options.settings.bundleSizeMax) {
      this.#packs.add(frame);
    }
    frame.reserve(bytes.length).set(bytes);
    frame.commit(id, offset, kind, bytes.length);
  }
}
