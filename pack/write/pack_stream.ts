/**
 * Objects in, packs out, as a stream.
 *
 * @module
 */
import { ID_SIZE } from "../bytes.ts";
import { FrameBuilder } from "./frame_builder.ts";
import { ObjectKind } from "../object_kind.ts";
import { PACK_HEADER_SIZE } from "./pack_footer.ts";
import {
  type FinishedPack,
  PackWriter,
  type PackWriterOptions,
} from "./pack_writer.ts";

/** Size of packs in bytes where nothing else is asked for. */
export const PACK_SIZE_TARGET: number = 64 << 20;

/** Plain size of frames in bytes where nothing else is asked for. */
export const FRAME_SIZE_TARGET: number = 256 << 10;

/** Options of a {@linkcode PackStream}. */
export interface PackStreamOptions
  extends Omit<PackWriterOptions, "sink" | "salt"> {
  /** Size of packs in bytes, 64 MiB if left out; the last frame may exceed it. */
  readonly packSize?: number;
  /** Plain size of frames in bytes, 256 KiB if left out; a larger object is alone. */
  readonly frameSize?: number;
}

/** A pack with its bytes. */
export interface PackedBytes extends FinishedPack {
  /** The bytes, in pieces. */
  readonly parts: Uint8Array<ArrayBuffer>[];
}

/**
 * Gathers batches of content, such as the chunks of a `ChunkStream`, into
 * packs. Content that comes twice is stored once in a pack.
 *
 * @example
 * ```ts
 * import { noneCodec } from "@snap/pack/codecs";
 * import { PackStream } from "@snap/pack/stream";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { ChunkStream } from "@snap/hash/chunk";
 * import { equal } from "node:assert/strict";
 *
 * const packs = new Blob(["hello ".repeat(50_000)]).stream()
 *   .pipeThrough(new ChunkStream())
 *   .pipeThrough(
 *     new PackStream({
 *       role: 1,
 *       saveId: new Uint8Array(16),
 *       codec: noneCodec,
 *       hasher: wasmHasher,
 *     }),
 *   );
 * for await (const pack of packs) {
 *   const size = pack.parts.reduce((sum, part) => sum + part.length, 0);
 *   equal(size, pack.size);
 * }
 * ```
 */
export class PackStream
  extends TransformStream<readonly Uint8Array[], PackedBytes> {
  /**
   * Opens the stream.
   *
   * @param options What the packs hold, and with what they are made
   */
  constructor(options: PackStreamOptions) {
    const packer = new Packer(options);
    super({
      transform(batch, controller) {
        for (const plain of batch) {
          packer.add(plain);
          if (packer.isFull) controller.enqueue(packer.finish());
        }
      },
      flush(controller) {
        if (!packer.isEmpty) controller.enqueue(packer.finish());
      },
    });
  }
}

class Packer {
  readonly #options: PackStreamOptions;
  readonly #frame = new FrameBuilder();
  readonly #frameSize: number;
  readonly #packSize: number;
  readonly #id = new Uint8Array(ID_SIZE);
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #writer: PackWriter;

  constructor(options: PackStreamOptions) {
    this.#options = options;
    this.#frameSize = options.frameSize ?? FRAME_SIZE_TARGET;
    this.#packSize = options.packSize ?? PACK_SIZE_TARGET;
    this.#writer = this.#newWriter();
  }

  get isEmpty(): boolean {
    return this.#writer.size === PACK_HEADER_SIZE && this.#frame.size === 0;
  }

  get isFull(): boolean {
    return this.#writer.size >= this.#packSize;
  }

  add(plain: Uint8Array): void {
    if (plain.length === 0) return;
    const frame = this.#frame;
    if (frame.size > 0 && frame.size + plain.length > this.#frameSize) {
      this.#flush();
    }
    this.#options.hasher.hashInto(plain, this.#id);
    frame.add(plain, this.#id, 0, ObjectKind.content);
    if (frame.size >= this.#frameSize) this.#flush();
  }

  finish(): PackedBytes {
    if (this.#frame.size > 0) this.#flush();
    const pack = { ...this.#writer.finish(), parts: this.#parts };
    this.#parts = [];
    this.#writer = this.#newWriter();
    return pack;
  }

  #flush(): void {
    this.#writer.addFrame(this.#frame.plain(), this.#frame.rows);
    this.#frame.clear();
  }

  #newWriter(): PackWriter {
    const salt = crypto.getRandomValues(new Uint8Array(32));
    const write = (bytes: Uint8Array): void => {
      this.#parts.push(bytes.slice());
    };
    return new PackWriter({ ...this.#options, salt, sink: { write } });
  }
}
