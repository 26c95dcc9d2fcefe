import { equalBytes, type HashContext, type Hasher, ID_SIZE } from "@snap/hash";
import { Chunker } from "@snap/hash/chunk";
import type { Codec } from "@snap/pack/codec";
import { FrameBuilder } from "@snap/pack/frame-builder";
import { ObjectKind, PackRole } from "@snap/pack/object-kind";
import { RECIPE_NODE_SIZE_MAX } from "@snap/pack/recipe";
import { RecipeBuilder } from "@snap/pack/recipe-builder";
import { Claim, type ClaimTable } from "./claim_table.ts";
import { type FinishedPackFile, PackFiles } from "./_pack_files.ts";
import { isZeros } from "./_zeros.ts";
import type { StoreSettings } from "./settings.ts";

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
  }

  /** Stored bytes so far. */
  get storedByteCount(): number {
    return this.#packs.storedByteCount;
  }

  /**
   * Names and stores a tree or page.
   *
   * @param context The context of its kind.
   * @param kind The kind of object.
   * @param bytes The canonical bytes.
   * @param out Where the id goes.
   * @param outOffset The offset of the id in `out`.
   */
  save(
    context: HashContext,
    kind: ObjectKind,
    bytes: Uint8Array,
    out: Uint8Array,
    outOffset: number,
  ): void {
    const { hasher, settings } = this.#options;
    hasher.deriveInto(context, bytes, out, outOffset);
    if (bytes.length <= settings.chunk.sizeMax) {
      this.#put(out, outOffset, kind, bytes);
      return;
    }
    const { isHealthy, claims } = this.#options;
    const isKnown = isHealthy
      ? this.#isKnown(out, outOffset, ObjectKind.recipe)
      : claims.claim(out, outOffset) === Claim.taken;
    if (isKnown) return;
    this.#saveChunks(bytes, out.subarray(outOffset, outOffset + 32), kind);
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

  #saveChunks(bytes: Uint8Array, id: Uint8Array, kind: ObjectKind): void {
    const { hasher } = this.#options;
    const recipe = new RecipeBuilder({
      hasher,
      onNode: (node, nodeId) => {
        const isRoot = equalBytes(nodeId, 0, id, 0, ID_SIZE);
        if (isRoot) this.saveRecipeRoot(nodeId, node);
        else this.saveRecipeNode(nodeId, node);
      },
    });
    for (let start = 0; start < bytes.length;) {
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
    recipe.finish({ id, kind });
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
