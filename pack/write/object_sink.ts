/**
 * The synchronous half of the writer: frames and packs of one thread.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { type Hasher, type Id, idFromBytes } from "@snap/hash";
import type { StoreSettings } from "@snap/store/format";
import { parseCodec } from "../codec/codecs.ts";
import { ObjectKind, PackRole } from "../object_kind.ts";
import { RECIPE_NODE_SIZE_MAX } from "../recipe/recipe.ts";
import { Claim, ClaimTable } from "./claim_table.ts";
import { FrameBuilder, type FrameRows } from "./frame_builder.ts";
import { PackFiles, type PackTarget, randomBytes } from "./pack_files.ts";
import type { StoredFrame } from "./pack_writer.ts";
import { SpoolGate } from "./spool_gate.ts";
import type {
  CheckedFrame,
  SinkConfig,
  SinkTools,
  WriterMode,
} from "./sink_config.ts";
import { type IndexConfig, StoredObjects } from "./stored_objects.ts";

/**
 * Puts objects into packs, each once: small content by the bundle, chunks of
 * large content in frames of their own, trees, pages and recipes in tree packs.
 * One serves one thread. It waits for nothing and knows no store: a finished
 * pack is a file that goes to its target.
 */
export class ObjectSink implements Disposable {
  /** Plain bytes of content that were not in the store. */
  newByteCount = 0;
  /** Objects of content that were not in the store. */
  newObjectCount = 0;
  /** The settings of the store. */
  readonly settings: StoreSettings;
  readonly #mode: WriterMode;
  readonly #hasher: Hasher;
  readonly #claims: ClaimTable;
  readonly #dataPacks: PackFiles;
  readonly #treePacks: PackFiles;
  readonly #bundle: FrameBuilder;
  readonly #large: FrameBuilder;
  readonly #trees: FrameBuilder;
  readonly #distrusted = new Set<Id>();
  #stored: StoredObjects;

  /**
   * Opens the index. No pack is begun before the first frame.
   *
   * @param config What to do.
   * @param tools What to do it with.
   */
  constructor(config: SinkConfig, tools: SinkTools) {
    const { settings, spoolPath } = config;
    this.settings = settings;
    this.#mode = config.mode;
    this.#hasher = tools.hasher;
    this.#claims = new ClaimTable(config.claims);
    this.#stored = new StoredObjects(config, tools.hasher);
    const { bundleSizeMax, largeFrameTarget, chunk } = settings;
    this.#bundle = new FrameBuilder(bundleSizeMax);
    this.#large = new FrameBuilder(largeFrameTarget + chunk.sizeMax);
    // A node of a recipe may be larger than a bundle.
    this.#trees = new FrameBuilder(
      Math.max(bundleSizeMax, chunk.sizeMax, RECIPE_NODE_SIZE_MAX),
    );
    const gate = config.gate && new SpoolGate(config.gate);
    const packs = {
      hasher: tools.hasher,
      random: tools.random ?? randomBytes,
      target: targetOf(tools, gate),
      gate,
      saveId: config.saveId,
      codec: parseCodec(settings.codec, tools.encoders),
      sizeTarget: settings.packSizeTarget,
    };
    this.#dataPacks = new PackFiles({
      ...packs,
      role: PackRole.data,
      spoolPath: `${spoolPath}-data`,
    });
    this.#treePacks = new PackFiles({
      ...packs,
      role: PackRole.trees,
      spoolPath: `${spoolPath}-trees`,
    });
  }

  /** Whether objects are kept, not only counted. */
  get isKeeping(): boolean {
    return this.#mode !== "count";
  }

  /** The largest object that a bundle has room for. */
  get bundleSizeMax(): number {
    return this.#bundle.sizeMax;
  }

  /**
   * Makes room in the bundle of small content, and gives it: a file is read
   * straight into it, hashed there, then committed or dropped.
   *
   * @param size The bytes wanted.
   * @returns Space at the end of the bundle.
   */
  reserve(size: number): Uint8Array {
    if (this.#bundle.sizeLeft < size) this.closeBundle();
    return this.#bundle.reserve(size);
  }

  /** Gives the reserved space back. */
  drop(): void {
    this.#bundle.drop();
  }

  /**
   * Keeps what stands at the start of the reserved space, if it is new.
   *
   * @param id Bytes with the id of the content.
   * @param at The offset of the id in `id`.
   * @param size The bytes of the content, at least 1.
   * @returns Whether it is new.
   */
  commit(id: Uint8Array, at: number, size: number): boolean {
    if (!this.#isNew(id, at, ObjectKind.content)) {
      this.#bundle.drop();
      return false;
    }
    this.#bundle.commit(id, at, ObjectKind.content, size);
    this.#count(size);
    return true;
  }

  /** Ends the frame of small content. */
  closeBundle(): void {
    this.#close(this.#bundle, this.#dataPacks);
  }

  /**
   * Claims an object that is stored as chunks under a recipe. A recipe that is
   * there proves nothing: it may lie beside live objects when its chunks are gone.
   *
   * @param id Bytes with the id.
   * @param at The offset of the id in `id`.
   * @returns Whether the caller has to bring all its chunks: no other thread does.
   */
  claimLarge(id: Uint8Array, at: number): boolean {
    return this.#claims.claim(id, at) !== Claim.taken;
  }

  /**
   * Keeps a chunk of large content, if it is new.
   *
   * @param chunk The chunk.
   * @param id Bytes with its id.
   * @param at The offset of the id in `id`.
   */
  putChunk(chunk: Uint8Array, id: Uint8Array, at: number): void {
    if (!this.#isNew(id, at, ObjectKind.content)) return;
    const frame = this.#large;
    if (frame.sizeLeft < chunk.length) this.closeLarge();
    frame.add(chunk, id, at, ObjectKind.content);
    this.#count(chunk.length);
    if (frame.size >= this.settings.largeFrameTarget) this.closeLarge();
  }

  /** Ends the frame of large content: two files never share one. */
  closeLarge(): void {
    this.#close(this.#large, this.#dataPacks);
  }

  /**
   * Keeps a tree, a page, a node of a recipe, or a chunk of one of these, if it
   * is new.
   *
   * @param bytes The object.
   * @param id Bytes with its id.
   * @param at The offset of the id in `id`.
   * @param kind Its kind.
   */
  put(bytes: Uint8Array, id: Uint8Array, at: number, kind: ObjectKind): void {
    if (this.#isNew(id, at, kind)) this.#add(bytes, id, at, kind);
  }

  /**
   * Keeps the root of the recipe of an object that is claimed already.
   *
   * @param bytes The root node.
   * @param id The id of the object.
   */
  putRoot(bytes: Uint8Array, id: Uint8Array): void {
    const { recipe } = ObjectKind;
    if (!this.has(id, 0, recipe)) this.#add(bytes, id, 0, recipe);
  }

  /**
   * Keeps a frame as it is stored elsewhere, all of whose objects are wanted.
   * Its checksum is looked at; that the ids are right is the caller's to know.
   *
   * @param stored The stored bytes.
   * @param frame How they are stored.
   * @param rows The objects.
   * @param role Data or trees.
   */
  putFrame(
    stored: Uint8Array,
    frame: StoredFrame,
    rows: FrameRows,
    role: PackRole,
  ): void {
    if (!this.isKeeping) return;
    const packs = role === PackRole.data ? this.#dataPacks : this.#treePacks;
    packs.addStored(stored, frame, rows);
  }

  /**
   * Keeps what is new of a frame that is stored elsewhere: as it is stored if all
   * of it is new, its checksum holds and its codec is to stay, else object by object.
   *
   * @param frame The frame; its bytes are good until the call returns.
   * @returns How many of its objects were new.
   */
  takeFrame(frame: CheckedFrame): number {
    const { rows, plain, role, isMissing } = frame;
    const fresh: number[] = [];
    let size = 0;
    for (let i = 0; i < rows.count; i++) {
      const kind = rows.kinds[i] as ObjectKind;
      if (!this.#isNew(rows.ids, 32 * i, kind, isMissing)) {
        continue;
      }
      fresh.push(i);
      size += rows.sizes[i];
    }
    if (role === PackRole.data) {
      this.newByteCount += size;
      this.newObjectCount += fresh.length;
    }
    const isWanted = size === frame.plainSize &&
      fresh.length === rows.count && frame.isRecoded !== true;
    // A flipped bit that decoding does not look at is not handed on.
    if (isWanted && crc32(frame.stored) === frame.crc) {
      this.putFrame(frame.stored, frame, rows, role);
      return fresh.length;
    }
    for (const i of fresh) {
      const start = rows.offsets[i];
      const bytes = plain.subarray(start, start + rows.sizes[i]);
      this.#addTaken(bytes, rows, i, role);
    }
    return fresh.length;
  }

  /**
   * Tells whether the store holds an object.
   *
   * @param id Bytes with the id.
   * @param at The offset of the id in `id`.
   * @param kind The kind of the object.
   * @returns Whether a pack that is there holds it.
   */
  has(id: Uint8Array, at: number, kind: ObjectKind): boolean {
    const isDistrusted = this.#distrusted.size > 0 &&
      this.#distrusted.has(idFromBytes(id, at));
    return !isDistrusted && this.#stored.has(id, at, kind);
  }

  /**
   * Makes an object one that has to be stored again, as it cannot be read.
   *
   * @param id Its id.
   */
  distrust(id: Uint8Array): void {
    this.#distrusted.add(idFromBytes(id));
  }

  /** Ends frames and packs, which go to the target. */
  finish(): void {
    this.closeBundle();
    this.closeLarge();
    this.#close(this.#trees, this.#treePacks);
    this.#dataPacks.finish();
    this.#treePacks.finish();
  }

  /** Drops what is not finished. */
  discard(): void {
    this.#dataPacks.discard();
    this.#treePacks.discard();
  }

  /**
   * Takes another index.
   *
   * @param index The tables, and the packs that are there.
   */
  reopen(index: IndexConfig): void {
    this.#stored[Symbol.dispose]();
    this.#stored = new StoredObjects(index, this.#hasher);
  }

  /** Closes the index; packs in hand are left as they are. */
  [Symbol.dispose](): void {
    this.#stored[Symbol.dispose]();
  }

  #isNew(
    id: Uint8Array,
    at: number,
    kind: ObjectKind,
    isMissing = false,
  ): boolean {
    return this.#claims.claim(id, at) !== Claim.taken &&
      (isMissing || this.#mode === "copy" || !this.has(id, at, kind));
  }

  #add(bytes: Uint8Array, id: Uint8Array, at: number, kind: ObjectKind): void {
    const frame = this.#trees;
    if (frame.size + bytes.length > this.settings.bundleSizeMax) {
      this.#close(frame, this.#treePacks);
    }
    frame.add(bytes, id, at, kind);
  }

  /** Adds an object of another store, which may be larger than what is cut here. */
  #addTaken(
    bytes: Uint8Array,
    { ids, kinds }: FrameRows,
    row: number,
    role: PackRole,
  ): void {
    const kind = kinds[row] as ObjectKind, at = 32 * row;
    const packs = role === PackRole.data ? this.#dataPacks : this.#treePacks;
    // What is small is a file, what is large most likely a chunk.
    const isChunk = bytes.length >= this.settings.largeFrameTarget;
    const frame = role === PackRole.trees
      ? this.#trees
      : isChunk
      ? this.#large
      : this.#bundle;
    if (bytes.length > frame.sizeMax) {
      const own = new FrameBuilder(bytes.length);
      own.add(bytes, ids, at, kind);
      return this.#close(own, packs);
    }
    if (role === PackRole.trees) return this.#add(bytes, ids, at, kind);
    if (frame.sizeLeft < bytes.length) this.#close(frame, packs);
    frame.add(bytes, ids, at, kind);
    if (isChunk) this.closeLarge();
  }

  #count(size: number): void {
    this.newByteCount += size;
    this.newObjectCount++;
  }

  #close(frame: FrameBuilder, packs: PackFiles): void {
    if (this.isKeeping) packs.add(frame);
    else frame.clear();
  }
}

/** The target of a sink; a worker waits there while too much is on its way into the store. */
function targetOf(
  { target }: SinkTools,
  gate: SpoolGate | undefined,
): PackTarget {
  if (gate === undefined) return target;
  return {
    addPack(pack) {
      target.addPack(pack);
      gate.pass();
    },
  };
}
