import { DiskError } from "@snap/disk";
import type { FileReader } from "@snap/disk/file";
import type { HashStream } from "@snap/hash";
import { passHole, type RecipeBuilder } from "@snap/pack/recipe";
import { runAtOnce } from "@snap/posix/pacer";
import type { InHand } from "./in_hand.ts";
import {
  type GroupWork,
  type Lane,
  SEGMENT_COUNT,
  SEGMENT_SIZE,
} from "./large_file_ring.ts";
import type { ObjectSaver } from "../pack/content_packer.ts";
import type { StoreSettings } from "@snap/store/format";
import { isZeros } from "../pack/zeros.ts";

/** Below these sizes, groups of chunks are too many for the ring. */
const CHUNK_SIZE_MIN = 4096;
const CONTENT_SIZE_MIN = 8192;

/**
 * Tells whether a lane can be used.
 *
 * @param settings The settings of the store.
 * @returns Whether every group of chunks finds room in a segment.
 */
export function fitsLane({ chunk, contentSizeMin }: StoreSettings): boolean {
  // A chunk is cut where the longest one that may follow is at hand.
  return chunk.sizeMin >= CHUNK_SIZE_MIN &&
    contentSizeMin >= CONTENT_SIZE_MIN &&
    contentSizeMin + 2 * chunk.sizeMax <= SEGMENT_SIZE;
}

/** The file that a lane reads. */
export interface LaneFile {
  /** The size that is expected: no more is read. */
  readonly size: number;
  /** Where the id of the whole goes. */
  readonly id: Uint8Array;
  /** The hash of the whole, begun. */
  readonly whole: HashStream;
  /** Tells how large a hole is that begins at an offset; 0 if there is none to be passed. */
  readonly holeSize: (offset: number) => number;
  /** Told how far the file is read. */
  readonly inHand: InHand;
}

interface LaneRead extends LaneFile {
  readonly recipe: RecipeBuilder;
  readonly work: GroupWork;
}

/** Reads a large file once, hashes the whole, cuts it, and hands the chunks out. */
export class LaneReader {
  readonly #objects: ObjectSaver;
  readonly #contentSizeMin: number;

  /**
   * Constructs a new instance.
   *
   * @param objects Where content goes.
   */
  constructor(objects: ObjectSaver) {
    this.#objects = objects;
    this.#contentSizeMin = objects.contentSizeMin;
  }

  /**
   * Reads a file through a lane.
   *
   * @param lane The ring.
   * @param source The open file.
   * @param file What is expected, and where results go.
   * @returns The bytes read.
   * @throws {DiskError} If the file cannot be read.
   */
  read(lane: Lane, source: FileReader, file: LaneFile): number {
    const objects = this.#objects;
    const work = objects.putGroup.bind(objects);
    const { id, whole } = file;
    const recipe = objects.beginRecipe();
    try {
      const size = this.#readAll(lane, source, { ...file, recipe, work });
      lane.drain(work);
      this.#consume(lane, recipe);
      whole.digestInto(id);
      if (size <= objects.chunkSizeMax) {
        if (size > 0) objects.putContent(lane.bytes.subarray(0, size));
      } else if (objects.claimLarge(id, 0)) objects.finishRecipe(id);
      return size;
    } catch (error) {
      // Others may still be at work on what was read.
      if (error instanceof DiskError) lane.drain(work);
      throw error;
    }
  }

  #readAll(lane: Lane, source: FileReader, file: LaneRead): number {
    const { recipe, whole, work, inHand } = file;
    let size = 0, held = 0, heldStart = 0;
    for (let segment = 0, isEnd = false; !isEnd;) {
      const base = segment * SEGMENT_SIZE;
      const hole = file.holeSize(size);
      if (
        hole > 0 && isZeros(lane.bytes.subarray(heldStart, heldStart + held))
      ) {
        held = this.#passHole(lane, file, held, hole);
        lane.bytes.fill(0, base, base + held);
        heldStart = base;
        size += hole;
        inHand.add(hole);
      }
      lane.claimSegment(segment, work);
      lane.bytes.copyWithin(base, heldStart, heldStart + held);
      const room = Math.min(SEGMENT_SIZE - held, file.size - size);
      const target = lane.bytes.subarray(base + held, base + held + room);
      const read = source.read(target, size);
      inHand.add(read);
      whole.update(target.subarray(0, read));
      size += read;
      isEnd = read < room || size === file.size;
      // What has shrunk so far is no large object any more.
      if (isEnd && size <= this.#objects.chunkSizeMax) break;
      const end = base + held + read;
      heldStart = this.#publish(lane, segment, end, isEnd, work);
      held = end - heldStart;
      this.#consume(lane, recipe);
      segment = (segment + 1) % SEGMENT_COUNT;
    }
    return size;
  }

  /** Passes a hole once the recipe has all that is before it; every segment is free then. */
  #passHole(lane: Lane, file: LaneRead, held: number, size: number): number {
    const { recipe, whole, work } = file;
    lane.drain(work);
    this.#consume(lane, recipe);
    const { chunkSizeMax } = this.#objects;
    const isStopped = (): boolean => lane.isStopped;
    const hole = { recipe, whole, chunkSizeMax, isStopped };
    return runAtOnce(passHole(hole, held, size));
  }

  /** Cuts a segment into groups, and gives the offset behind the last one. */
  #publish(
    lane: Lane,
    segment: number,
    end: number,
    isEnd: boolean,
    work: GroupWork,
  ): number {
    const base = segment * SEGMENT_SIZE;
    const groups: number[] = [];
    const sizes: number[] = [];
    let groupStart = base, first = 0, start = base;
    const close = (): void => {
      groups.push(groupStart - base, first, sizes.length - first);
      groupStart = start;
      first = sizes.length;
    };
    while (start < end) {
      if (!isEnd && end - start < this.#objects.chunkSizeMax) break;
      const cut = this.#objects.cut(lane.bytes, start, end);
      sizes.push(cut - start);
      start = cut;
      if (start - groupStart >= this.#contentSizeMin) close();
    }
    if (isEnd && start > groupStart) close();
    lane.publish(segment, groups, sizes, work);
    return groupStart;
  }

  #consume(lane: Lane, recipe: RecipeBuilder): void {
    while (
      lane.consume((ids, offset, size) => {
        if (isZeroId(ids, offset)) recipe.pushZeros(size);
        else recipe.push(ids, offset, size);
      })
    );
  }
}

function isZeroId(ids: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 32; i++) if (ids[offset + i] !== 0) return false;
  return true;
}
