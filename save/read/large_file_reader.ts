import { DiskError } from "@snap/disk";
import type { FileReader } from "@snap/disk/file";
import type { HashStream } from "@snap/hash";
import {
  isZeros,
  passHole,
  type RecipeBuilder,
} from "@snap/pack/recipe-writer";
import { runAtOnce } from "@snap/posix/pacer";
import type { InHand } from "./in_hand.ts";
import {
  type GroupWork,
  type LargeFileRing,
  SEGMENT_COUNT,
  SEGMENT_SIZE,
} from "./large_file_ring.ts";
import type { ContentPacker } from "../pack/content_packer.ts";
import type { StoreSettings } from "@snap/store/format";

/** Below these sizes, groups of chunks are too many for the ring. */
const CHUNK_SIZE_MIN = 4096;
const CONTENT_SIZE_MIN = 8192;

/**
 * Tells whether the ring can be used.
 *
 * @param settings The settings of the store.
 * @returns Whether every group of chunks finds room in a segment.
 */
export function fitsRing({ chunk, largeFrameTarget }: StoreSettings): boolean {
  // A chunk is cut where the longest one that may follow is at hand.
  return chunk.sizeMin >= CHUNK_SIZE_MIN &&
    largeFrameTarget >= CONTENT_SIZE_MIN &&
    largeFrameTarget + 2 * chunk.sizeMax <= SEGMENT_SIZE;
}

/** The file that is read through the ring. */
export interface LargeFile {
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

interface LargeRead extends LargeFile {
  readonly recipe: RecipeBuilder;
  readonly work: GroupWork;
}

/** Reads a large file once, hashes the whole, cuts it, and hands the chunks out. */
export class LargeFileReader {
  readonly #packer: ContentPacker;
  readonly #largeFrameTarget: number;

  /** Makes the reader of one file. */
  constructor(packer: ContentPacker) {
    this.#packer = packer;
    this.#largeFrameTarget = packer.sink.settings.largeFrameTarget;
  }

  /**
   * Reads a file through the ring.
   *
   * @param file What is expected, and where results go.
   * @throws {DiskError} If the file cannot be read.
   */
  read(ring: LargeFileRing, source: FileReader, file: LargeFile): number {
    const packer = this.#packer;
    const work = packer.putGroup.bind(packer);
    const { id, whole } = file;
    const recipe = packer.beginRecipe();
    try {
      const size = this.#readAll(ring, source, { ...file, recipe, work });
      ring.drain(work);
      this.#consume(ring, recipe);
      whole.digestInto(id);
      if (size <= packer.chunkSizeMax) {
        if (size > 0) packer.putContent(ring.bytes.subarray(0, size));
      } else if (packer.sink.claimLarge(id, 0)) packer.finishRecipe(id);
      return size;
    } catch (error) {
      // Others may still be at work on what was read.
      if (error instanceof DiskError) ring.drain(work);
      throw error;
    }
  }

  #readAll(ring: LargeFileRing, source: FileReader, file: LargeRead): number {
    const { recipe, whole, work, inHand } = file;
    let size = 0, held = 0, heldStart = 0;
    for (let segment = 0, isEnd = false; !isEnd;) {
      const base = segment * SEGMENT_SIZE;
      const hole = file.holeSize(size);
      if (
        hole > 0 && isZeros(ring.bytes.subarray(heldStart, heldStart + held))
      ) {
        held = this.#passHole(ring, file, held, hole);
        ring.bytes.fill(0, base, base + held);
        heldStart = base;
        size += hole;
        inHand.add(hole);
      }
      ring.claimSegment(segment, work);
      ring.bytes.copyWithin(base, heldStart, heldStart + held);
      const room = Math.min(SEGMENT_SIZE - held, file.size - size);
      const target = ring.bytes.subarray(base + held, base + held + room);
      const read = source.read(target, size);
      inHand.add(read);
      whole.update(target.subarray(0, read));
      size += read;
      isEnd = read < room || size === file.size;
      // What has shrunk so far is no large object any more.
      if (isEnd && size <= this.#packer.chunkSizeMax) break;
      const end = base + held + read;
      heldStart = this.#publish(ring, segment, end, isEnd, work);
      held = end - heldStart;
      this.#consume(ring, recipe);
      segment = (segment + 1) % SEGMENT_COUNT;
    }
    return size;
  }

  /** Passes a hole once the recipe has all that is before it; every segment is free then. */
  #passHole(
    ring: LargeFileRing,
    file: LargeRead,
    held: number,
    size: number,
  ): number {
    const { recipe, whole, work } = file;
    ring.drain(work);
    this.#consume(ring, recipe);
    const { chunkSizeMax } = this.#packer;
    const isStopped = (): boolean => ring.isStopped;
    const hole = { recipe, whole, chunkSizeMax, isStopped };
    return runAtOnce(passHole(hole, held, size));
  }

  /** Cuts a segment into groups, and gives the offset behind the last one. */
  #publish(
    ring: LargeFileRing,
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
      if (!isEnd && end - start < this.#packer.chunkSizeMax) break;
      const cut = this.#packer.cut(ring.bytes, start, end);
      sizes.push(cut - start);
      start = cut;
      if (start - groupStart >= this.#largeFrameTarget) close();
    }
    if (isEnd && start > groupStart) close();
    ring.publish(segment, groups, sizes, work);
    return groupStart;
  }

  #consume(ring: LargeFileRing, recipe: RecipeBuilder): void {
    while (
      ring.consume((ids, offset, size) => {
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
