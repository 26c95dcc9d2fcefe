import type { StoreOptions } from "@snap/store";
import { compareKeys, getU32, setU32 } from "../bytes.ts";
import { CodecTag, FRAME_SIZE_MAX } from "../codec/codec.ts";
import type { IndexFile } from "../index/index_file.ts";
import { PackSet } from "../index/pack_set.ts";
import { type AwaitedRanges, takeRange } from "../ranges/ranges.ts";
import {
  FRAME_ROW_SIZE,
  OBJECT_ROW_SIZE,
  PACK_HEADER_SIZE,
} from "../write/pack_footer.ts";
import { PackTable } from "../write/pack_table.ts";
import { IndexMerge } from "./index_merge.ts";
import { IndexRun, type PageSteps } from "./index_run.ts";

/** A pack as an index table names it. */
export interface ClaimedPack {
  /** Its id, 32 bytes. */
  readonly id: Uint8Array;
  /** Its size in bytes, as the table says. */
  readonly size: number;
}

/**
 * Puts the table of a pack together again, of what index tables tell of the pack:
 * for a pack that has lost its own. All pages of the tables are read.
 *
 * @param files The tables
 * @param pack The pack
 * @param ranges What the tables are read from
 * @param options What ends the wait
 * @returns The table, of the frames that are known; `undefined` if no table names the pack
 * @throws {IndexSyntaxError} If a page of a table is damaged
 * @throws {StoreError} If the store fails
 */
export async function readIndexedTable(
  files: readonly IndexFile[],
  pack: ClaimedPack,
  ranges: AwaitedRanges,
  options: StoreOptions = {},
): Promise<PackTable | undefined> {
  const steps = tableOf(files, pack);
  let step = steps.next();
  while (!step.done) {
    const reading = takeRange(ranges, step.value, options);
    step = steps.next(reading instanceof Promise ? await reading : reading);
  }
  return step.value;
}

function* tableOf(
  files: readonly IndexFile[],
  pack: ClaimedPack,
): PageSteps<PackTable | undefined> {
  const merge = new IndexMerge(
    files.map((file, number) => IndexRun.ofFile(file, number)),
  );
  yield* merge.begin(PackSet.from([pack]));
  if (merge.packCount === 0) return undefined;
  const frames = new Rows(FRAME_ROW_SIZE);
  yield* merge.eachFrame((bytes, at) => frames.add(bytes, at));
  yield* merge.rewind(merge.positions());
  const objects = new Rows(OBJECT_ROW_SIZE);
  for (let run = merge.top; run !== undefined; run = merge.top) {
    const at = run.objects.at(run.row);
    addObject(objects, frames, run, at);
    if (!merge.step()) yield* merge.skip();
  }
  const bytes = new Uint8Array(frames.size + objects.size);
  bytes.set(frames.bytes);
  bytes.set(objects.bytes, frames.size);
  let tableOffset = PACK_HEADER_SIZE;
  for (let at = 0; at < frames.size; at += FRAME_ROW_SIZE) {
    const end = getU32(frames.bytes, at) + getU32(frames.bytes, at + 4);
    tableOffset = Math.max(tableOffset, end);
  }
  const frameCount = frames.count, objectCount = objects.count;
  return PackTable.fromRows(bytes, { tableOffset, frameCount, objectCount });
}

/** Adds the row of an object, unless the one before is of the same, or it cannot be right. */
function addObject(
  objects: Rows,
  frames: Rows,
  { frame, objects: { bytes } }: IndexRun,
  at: number,
): void {
  const last = objects.size - OBJECT_ROW_SIZE;
  if (last >= 0 && compareKeys(objects.bytes, last, bytes, at) === 0) return;
  const frameAt = frame * FRAME_ROW_SIZE;
  const plainSize = getU32(frames.bytes, frameAt + 8) & 0xffffff;
  const codecTag = frames.bytes[frameAt + 11];
  const size = getU32(bytes, at + 44);
  const isRight = plainSize <= FRAME_SIZE_MAX && codecTag <= CodecTag.zstd &&
    size > 0 && getU32(bytes, at + 40) + size <= plainSize;
  if (!isRight) return;
  objects.add(bytes, at);
  setU32(objects.bytes, objects.size - OBJECT_ROW_SIZE + 36, frame);
}

/** Rows of one size, of which it is not known how many will come. */
class Rows {
  count = 0;
  readonly #rowSize: number;
  #bytes: Uint8Array;

  constructor(rowSize: number) {
    this.#rowSize = rowSize;
    this.#bytes = new Uint8Array(rowSize * 256);
  }

  get size(): number {
    return this.count * this.#rowSize;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  add(bytes: Uint8Array, at: number): void {
    if (this.size === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(at, at + this.#rowSize), this.size);
    this.count++;
  }
}
