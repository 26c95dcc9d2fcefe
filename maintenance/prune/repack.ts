import { crc32 } from "node:zlib";
import { type Hasher, ID_SIZE } from "@snap/hash";
import {
  DamageError,
  IndexSyntaxError,
  isObjectFault,
  type PackRole,
} from "@snap/pack";
import { COPIES_MAX } from "@snap/pack/index";
import { takeSound } from "@snap/pack/read";
import { FrameDecoder, ObjectCheck } from "@snap/pack/recipe-content";
import { readPack } from "@snap/pack/index-writer";
import type { FrameRows, ObjectWriter, PackTable } from "@snap/pack/write";
import { Pacer } from "@snap/posix/pacer";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import type { Marked } from "./mark.ts";
import type { UsedPack } from "./plan.ts";

/** Stored bytes that are asked for ahead where ranges are on their way. */
const AHEAD_SIZE = 16 << 20;

/** What {@linkcode Repacker} works with. */
export interface RepackTools extends StoreOptions {
  readonly store: ReadStore;
  readonly hasher: Hasher;
  readonly marked: Marked;
  readonly writer: ObjectWriter;
  /** Whether frames are compressed anew. */
  readonly isRecoded: boolean;
  /** Told how many stored bytes were read. */
  readonly onProgress: (byteCount: number) => void;
}

/** A frame of a pack, and its objects that are needed. */
interface NeededFrame {
  readonly frame: number;
  readonly rows: FrameRows;
}

/** Copies what is needed of packs into new ones. */
export class Repacker {
  readonly #tools: RepackTools;
  readonly #decoder = new FrameDecoder();
  readonly #check: ObjectCheck;
  readonly #pacer: Pacer;

  constructor(tools: RepackTools) {
    this.#tools = tools;
    this.#check = new ObjectCheck(tools.hasher);
    this.#pacer = new Pacer({ signal: tools.signal });
  }

  /**
   * Copies what is needed of a pack.
   *
   * @returns What is damaged of it; undefined if all was copied.
   * @throws {StoreError} If a store fails.
   */
  async copy(pack: UsedPack): Promise<Error | undefined> {
    const { store, hasher, writer, signal } = this.#tools;
    try {
      const { table } = await readPack(store, pack, { hasher, signal });
      const frames = await this.#needed(pack, table);
      await this.#copyFrames(pack, table, frames);
    } catch (error) {
      signal?.throwIfAborted();
      // One that is gone was removed by another run, and is not damaged.
      if (!isObjectFault(error) || error instanceof NotFoundError) throw error;
      return error as Error;
    }
    if (writer.isFull) await writer.makeRoom();
    await writer.settled();
    writer.failure.throwIfAborted();
    return undefined;
  }

  async #copyFrames(
    { name, use }: UsedPack,
    table: PackTable,
    frames: readonly NeededFrame[],
  ): Promise<void> {
    const { ranges } = this.#tools.marked.reader;
    const { signal, onProgress } = this.#tools;
    let ahead = 0, aheadSize = 0;
    for (const { frame, rows } of frames) {
      while (
        ranges.isFar && ahead < frames.length && aheadSize < AHEAD_SIZE
      ) {
        const next = frames[ahead++].frame;
        const size = table.storedSize(next);
        ranges.hint(name, table.frameOffset(next), size);
        aheadSize += size;
      }
      const offset = table.frameOffset(frame), length = table.storedSize(frame);
      aheadSize -= length;
      await takeSound(
        ranges,
        { name, offset, length },
        (stored) =>
          this.#take(stored, name, { table, frame, rows, role: use.role }),
        { signal },
      );
      onProgress(length);
      const turn = this.#pacer.yield(table.plainSize(frame));
      if (turn !== undefined) await turn;
    }
  }

  /** Hands on what is needed of a frame, all of which is checked before. */
  #take(
    stored: Uint8Array,
    packName: string,
    { table, frame, rows, role }: NeededFrame & {
      readonly table: PackTable;
      readonly role: PackRole;
    },
  ): void {
    const plainSize = table.plainSize(frame), codecTag = table.codecTag(frame);
    const crc = table.crc(frame);
    const plain = this.#decoder.decode(codecTag, stored, plainSize);
    for (let row = 0; row < rows.count; row++) {
      const start = rows.offsets[row];
      const bytes = plain.subarray(start, start + rows.sizes[row]);
      const at = ID_SIZE * row;
      if (this.#check.matches(bytes, rows.kinds[row], rows.ids, at)) continue;
      const id = rows.ids.slice(at, at + ID_SIZE);
      const reason = crc32(stored) === crc ? "memory" : "disk";
      throw new DamageError({ id, kind: rows.kinds[row], packName, reason });
    }
    const { writer, isRecoded } = this.#tools;
    const how = { plainSize, codecTag, crc, role, isRecoded };
    writer.sink().takeFrame({ ...how, stored, plain, rows });
  }

  /** The frames of a pack of which something is needed, in order. */
  async #needed(pack: UsedPack, table: PackTable): Promise<NeededFrame[]> {
    const needed = new Map<number, number[]>();
    let count = 0;
    for (let row = 0; row < table.objectCount; row++) {
      const turn = this.#pacer.yield(256);
      if (turn !== undefined) await turn;
      if (!await this.#isNeeded(pack, table, row)) continue;
      count++;
      const frame = table.frame(row);
      const rows = needed.get(frame);
      if (rows === undefined) needed.set(frame, [row]);
      else rows.push(row);
    }
    if (count < pack.use.objectCount) {
      // What the index believes to be there would be lost with the pack.
      throw new IndexSyntaxError(
        `Cannot copy ${pack.name} as ${pack.use.objectCount} of its objects are needed: found ${count}`,
        0,
      );
    }
    return [...needed].sort(([a], [b]) => a - b)
      .map(([frame, rows]) => ({ frame, rows: rowsOf(table, rows) }));
  }

  /** Whether a copy in a pack is one that is kept. */
  async #isNeeded(
    { name }: UsedPack,
    table: PackTable,
    row: number,
  ): Promise<boolean> {
    const { marked: { reader, marks }, signal } = this.#tools;
    const start = table.idStart(row);
    const id = table.bytes.subarray(start, start + ID_SIZE);
    const copies = await reader.index.ask(
      () => reader.index.index.locateAll(id, 0, table.kind(row)),
      { signal },
    );
    // Of more copies than are told of this one may be kept.
    return copies.length >= COPIES_MAX ||
      copies.some((one) => one.packName === name && marks.has(one));
  }
}

function rowsOf(table: PackTable, rows: readonly number[]): FrameRows {
  const ids = new Uint8Array(ID_SIZE * rows.length);
  rows.forEach((row, i) => {
    const start = table.idStart(row);
    ids.set(table.bytes.subarray(start, start + ID_SIZE), ID_SIZE * i);
  });
  return {
    count: rows.length,
    ids,
    kinds: Uint8Array.from(rows, (row) => table.kind(row)),
    offsets: Uint32Array.from(rows, (row) => table.offset(row)),
    sizes: Uint32Array.from(rows, (row) => table.size(row)),
  };
}
