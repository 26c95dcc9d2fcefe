import type { Hasher } from "@snap/hash";
import type { Codec } from "../codec/codec.ts";
import type { FrameBuilder, FrameRows } from "./frame_builder.ts";
import { PackWriter, type StoredFrame } from "./pack_writer.ts";
import type { PackRole } from "../object_kind.ts";
import { SpoolFile } from "./spool_file.ts";

/** Objects in a pack before it is finished: bounds the memory for its table. */
const OBJECT_COUNT_MAX = 2 ** 16;

/** A finished pack in a file of its own, not yet in the store. */
export interface FinishedPackFile {
  /** The file. */
  readonly path: string;
  /** The id of the pack. */
  readonly id: Uint8Array;
  /** The size of the pack in bytes. */
  readonly size: number;
  /** Data or trees. */
  readonly role: number;
  /** The table of the pack. */
  readonly table: Uint8Array;
  /** The offset of the table in the pack. */
  readonly tableOffset: number;
  /** The number of frames in the table. */
  readonly frameCount: number;
  /** The number of objects in the table. */
  readonly objectCount: number;
}

/** Where finished packs are handed on: to the writer, or the way to it. */
export interface PackTarget {
  /**
   * Takes a finished pack over.
   *
   * @param pack The pack, in a file of its own.
   */
  addPack(pack: FinishedPackFile): void;
}

/** Options of {@linkcode PackFiles}. */
export interface PackFilesOptions {
  /** The beginning of the files' paths; a number is added. */
  readonly spoolPath: string;
  /** Data or trees. */
  readonly role: PackRole;
  /** A pack is finished at this many bytes. */
  readonly sizeTarget: number;
  /** Says with how many bytes one is finished before that; none if absent. */
  readonly gate?: { readonly sizeEnough: number } | undefined;
  /** The save id. */
  readonly saveId: Uint8Array;
  /** Makes the salt of each pack: 32 bytes. */
  readonly random: (size: number) => Uint8Array;
  /** The codec of new frames. */
  readonly codec: Codec;
  /** The hasher. */
  readonly hasher: Hasher;
  /** Takes each finished pack over. */
  readonly target: PackTarget;
}

/** Writes frames into one pack file after another. Synchronous. */
export class PackFiles {
  readonly #options: PackFilesOptions;
  #sink: SpoolFile | undefined;
  #writer: PackWriter | undefined;
  #fileCount = 0;

  /**
   * Makes no file before the first frame.
   *
   * @param options Where and how to write.
   */
  constructor(options: PackFilesOptions) {
    this.#options = options;
  }

  /**
   * Writes a frame and empties its builder. Does nothing for an empty one.
   *
   * @param frame The objects of the frame.
   */
  add(frame: FrameBuilder): void {
    if (frame.size === 0) return;
    const writer = this.#writer ?? this.#open();
    writer.addFrame(frame.plain(), frame.rows);
    frame.clear();
    this.#finishFull(writer);
  }

  /**
   * Writes a frame as it is stored elsewhere.
   *
   * @param stored The stored bytes.
   * @param frame How they are stored.
   * @param rows Its objects.
   */
  addStored(stored: Uint8Array, frame: StoredFrame, rows: FrameRows): void {
    const writer = this.#writer ?? this.#open();
    writer.addStoredFrame(stored, frame, rows);
    this.#finishFull(writer);
  }

  /**
   * Gives the writer of a pack that takes all frames of another one, compressed
   * as they are, and stays within the target.
   *
   * @param pack The other pack.
   * @returns The writer.
   */
  writerFor(pack: FinishedPackFile): PackWriter {
    const writer = this.#writer;
    if (
      writer !== undefined &&
      (writer.size + pack.size > this.#options.sizeTarget ||
        writer.objectCount + pack.objectCount > OBJECT_COUNT_MAX)
    ) this.finish();
    return this.#writer ?? this.#open();
  }

  /** Finishes the pack in hand, if there is one. */
  finish(): void {
    if (this.#writer === undefined || this.#sink === undefined) return;
    const writer = this.#writer;
    const sink = this.#sink;
    const { id, size, table } = writer.finish();
    sink.close();
    this.#writer = undefined;
    this.#sink = undefined;
    this.#options.target.addPack({
      path: sink.path,
      id,
      size,
      role: this.#options.role,
      table: table.bytes,
      tableOffset: table.tableOffset,
      frameCount: table.frameCount,
      objectCount: table.objectCount,
    });
  }

  /** Drops the pack in hand and its file. */
  discard(): void {
    this.#sink?.discard();
    this.#sink = undefined;
    this.#writer = undefined;
  }

  #finishFull({ size, objectCount }: PackWriter): void {
    const { gate, sizeTarget } = this.#options;
    const isFull = size >= Math.min(sizeTarget, gate?.sizeEnough ?? Infinity) ||
      objectCount >= OBJECT_COUNT_MAX;
    if (isFull) this.finish();
  }

  #open(): PackWriter {
    const { spoolPath, role, saveId, random, codec, hasher } = this.#options;
    this.#sink = new SpoolFile(`${spoolPath}-${this.#fileCount++}`);
    this.#writer = new PackWriter({
      sink: this.#sink,
      role,
      saveId,
      salt: random(32),
      codec,
      hasher,
    });
    return this.#writer;
  }
}

/**
 * Draws what salts and ids of runs are made of, where no test says what to draw.
 *
 * @param size How many bytes.
 * @returns The bytes.
 */
export function randomBytes(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}
