/**
 * Writes one pack into a sink, frame by frame.
 *
 * @module
 */
import { checkBytes, type Hasher, type HashStream } from "@snap/hash";
import { crc32 } from "node:zlib";
import { encodeHeader } from "@snap/store";
import { ID_SIZE } from "../bytes.ts";
import { PackSyntaxError } from "../errors.ts";
import { checkRows, TableBuilder } from "./table_builder.ts";
import { type Codec, CodecTag } from "../codec/codec.ts";
import type { FrameRows } from "./frame_builder.ts";
import type { PackRole } from "../object_kind.ts";
import {
  decodePackFooter,
  encodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
  PACK_SIZE_MAX,
  packTableSize,
} from "./pack_footer.ts";
import { type PackTable, readPackTable } from "./pack_table.ts";

/** Where the bytes of a pack go, in order. */
export interface PackSink {
  /**
   * Writes the next bytes.
   *
   * @param bytes The bytes, good until the call returns
   */
  write(bytes: Uint8Array): void;
}

/** Options of a {@linkcode PackWriter}. */
export interface PackWriterOptions {
  /** Where the bytes go. */
  readonly sink: PackSink;
  /** Role of the pack: data or trees. */
  readonly role: PackRole;
  /** Save id of the run, 16 bytes. */
  readonly saveId: Uint8Array;
  /** Random salt, 32 bytes. */
  readonly salt: Uint8Array;
  /** Codec of frames. */
  readonly codec: Codec;
  /** Hasher. */
  readonly hasher: Hasher;
}

/** How the bytes of a frame are stored. */
export interface StoredFrame {
  /** Plain size in bytes. */
  readonly plainSize: number;
  /** Number of the codec. */
  readonly codecTag: number;
  /** CRC-32 of the stored bytes. */
  readonly crc: number;
}

/** A pack that is whole. */
export interface FinishedPack {
  /** Its id: BLAKE3 of the file, 32 bytes. */
  readonly id: Uint8Array;
  /** Its size in bytes. */
  readonly size: number;
  /** Its role: data or trees. */
  readonly role: PackRole;
  /** Its table. */
  readonly table: PackTable;
}

/**
 * Writes one pack. After an error it refuses further use; what the sink has
 * got by then is to be thrown away.
 *
 * @example
 * ```ts
 * import { FrameBuilder } from "@snap/pack/write";
 * import { noneCodec } from "@snap/pack/codecs";
 * import { PackWriter } from "@snap/pack/write";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const parts: Uint8Array[] = [];
 * const writer = new PackWriter({
 *   sink: { write: (bytes) => void parts.push(bytes.slice()) },
 *   role: 1,
 *   saveId: new Uint8Array(16),
 *   salt: crypto.getRandomValues(new Uint8Array(32)),
 *   codec: noneCodec,
 *   hasher: wasmHasher,
 * });
 * const frame = new FrameBuilder();
 * const plain = new TextEncoder().encode("hello");
 * const id = new Uint8Array(32);
 * wasmHasher.hashInto(plain, id);
 * frame.add(plain, id, 0, 1);
 * writer.addFrame(frame.plain(), frame.rows);
 * equal(writer.finish().table.find(id, 0, 1), 0);
 * ```
 */
export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #rows = new TableBuilder();
  readonly #hash: HashStream;
  #header: Uint8Array | undefined;
  #size = PACK_HEADER_SIZE;
  #state: "open" | "finished" | "failed" = "open";

  /**
   * Begins a pack. Nothing is written before the first frame.
   *
   * @param options Where to, what, and with what
   * @throws {RangeError} If save id or salt have another size
   */
  constructor(options: PackWriterOptions) {
    this.#options = options;
    const { saveId, salt } = options;
    this.#header = encodeHeader({ kind: "PACK", saveId, salt });
    this.#hash = options.hasher.stream();
  }

  /** Size in bytes so far, with the header, without table and footer. */
  get size(): number {
    return this.#size;
  }

  /** Number of frames so far. */
  get frameCount(): number {
    return this.#rows.frameCount;
  }

  /** Number of objects so far, with those that came twice. */
  get objectCount(): number {
    return this.#rows.objectCount;
  }

  /**
   * Compresses a frame and writes it.
   *
   * @param plain Plain bytes, 1 byte to 4 MiB
   * @param rows Its objects; one that is in the pack already is dropped
   * @throws {RangeError} If a size is out of range
   */
  addFrame(plain: Uint8Array, rows: FrameRows): void {
    checkBytes(plain, "content");
    this.#guard(() => {
      checkRows(rows, plain.length);
      const { codec } = this.#options;
      const packed = codec.compress(plain);
      const stored = packed ?? plain;
      const codecTag = packed === undefined ? CodecTag.none : codec.tag;
      const frame = { plainSize: plain.length, codecTag, crc: crc32(stored) };
      this.#append(stored, frame, rows);
    });
  }

  /**
   * Writes a frame that is compressed already, such as one of another pack.
   *
   * @param stored Stored bytes
   * @param frame How they are stored
   * @param rows Its objects; one that is in the pack already is dropped
   * @throws {RangeError} If a size is out of range
   * @throws {PackSyntaxError} If `stored` has another CRC
   */
  addStoredFrame(
    stored: Uint8Array,
    frame: StoredFrame,
    rows: FrameRows,
  ): void {
    checkBytes(stored, "stored bytes");
    checkRows(rows, frame.plainSize);
    const crc = crc32(stored);
    // Before anything is begun: the same objects may come again from elsewhere.
    if (crc !== frame.crc) {
      throw new PackSyntaxError(
        `Cannot add stored frame: its CRC is ${crc}, not ${frame.crc}`,
        0,
      );
    }
    this.#guard(() => this.#append(stored, frame, rows));
  }

  /**
   * Writes table and footer, and reads them again before it returns.
   *
   * @returns Id, size and table
   */
  finish(): FinishedPack {
    return this.#guard(() => {
      const { hasher, role } = this.#options;
      this.#begin();
      const tableOffset = this.#size;
      const { bytes, ...shape } = this.#rows.build(tableOffset);
      const tableHash = new Uint8Array(ID_SIZE);
      hasher.hashInto(bytes, tableHash);
      const footer = encodePackFooter({ ...shape, tableHash, role });
      const size = tableOffset + bytes.length + footer.length;
      const table = readPackTable(
        bytes,
        decodePackFooter(footer, size),
        hasher,
      );
      this.#rows.compare(table);
      this.#write(bytes);
      this.#write(footer);
      const id = new Uint8Array(ID_SIZE);
      this.#hash.digestInto(id);
      this.#state = "finished";
      return { id, size, role, table };
    });
  }

  #append(stored: Uint8Array, frame: StoredFrame, rows: FrameRows): void {
    const offset = this.#size;
    const tableSize = packTableSize({
      frameCount: this.frameCount + 1,
      objectCount: this.objectCount + rows.count,
    });
    const size = offset + stored.length + tableSize + PACK_FOOTER_SIZE;
    if (size > PACK_SIZE_MAX) {
      throw new RangeError(
        `Cannot add frame: the pack would have ${size} bytes, more than ${PACK_SIZE_MAX}`,
      );
    }
    this.#begin();
    this.#write(stored);
    const storedSize = stored.length;
    const { plainSize, codecTag, crc } = frame;
    this.#rows.add({ offset, storedSize, plainSize, codecTag, crc }, rows);
  }

  /** Writes the header, once; a constructor does no I/O. */
  #begin(): void {
    if (this.#header === undefined) return;
    this.#options.sink.write(this.#header);
    this.#hash.update(this.#header);
    this.#header = undefined;
  }

  #write(bytes: Uint8Array): void {
    this.#options.sink.write(bytes);
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  #guard<T>(action: () => T): T {
    if (this.#state !== "open") {
      throw new TypeError(`Cannot use pack writer as it is ${this.#state}`);
    }
    this.#state = "failed";
    const result = action();
    if ((this.#state as string) === "failed") this.#state = "open";
    return result;
  }
}
