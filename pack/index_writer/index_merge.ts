import { compareKeys, getU32, ID_SIZE } from "../bytes.ts";
import { FRAME_DROPPED, type IndexRun, type PageSteps } from "./index_run.ts";
import { sortRows } from "../sort_rows.ts";
import { PACK_ROW_SIZE } from "../index/index_table.ts";
import type { PackSet } from "../index/pack_set.ts";
import { PACK_SIZE_MAX } from "../write/pack_footer.ts";

/** Takes a frame row, and the new number of its pack. */
export type FrameVisit = (bytes: Uint8Array, at: number, pack: number) => void;

/** One run's part of a pack. */
interface Part {
  readonly run: IndexRun;
  readonly first: number;
  readonly count: number;
}

/** Merges runs: packs in memory, frames and objects one by one. */
export class IndexMerge {
  /** Rows of the packs, ascending by id; frame numbers are not those of the result. */
  packRows: Uint8Array = new Uint8Array(0);
  packCount = 0;
  frameCount = 0;
  /** Object rows of all runs, those that are left out too. */
  readonly objectCountMax: number;
  readonly #runs: readonly IndexRun[];
  readonly #parts: Part[][] = [];
  readonly #heap: IndexRun[] = [];

  constructor(runs: readonly IndexRun[]) {
    this.#runs = runs;
    this.objectCountMax = runs.reduce((sum, run) => sum + run.objectCount, 0);
  }

  /** Reads the packs, leaves out those that are not present, numbers frames. */
  *begin(present: PackSet | undefined): PageSteps<void> {
    const parts: Part[] = [];
    const count = this.#runs.reduce((sum, run) => sum + run.packCount, 0);
    const rows = new Uint8Array(count * PACK_ROW_SIZE);
    for (const run of this.#runs) yield* readPacks(run, rows, parts);
    // By (id, size): a pack that is said to have two sizes stands there twice.
    const order = sortRows(rows, count, PACK_ROW_SIZE);
    const sorted = new Uint8Array(rows.length);
    let end = 0;
    for (const index of order) {
      const at = index * PACK_ROW_SIZE;
      const size = getU32(rows, at + ID_SIZE);
      const known = present === undefined || present.sizeOf(rows, at) === size;
      const part = parts[index];
      if (!known) {
        part.run.frameMap.fill(
          FRAME_DROPPED,
          part.first,
          part.first + part.count,
        );
      } else if (
        end > 0 && compareKeys(sorted, end - PACK_ROW_SIZE, rows, at) === 0
      ) this.#parts[this.#parts.length - 1].push(part);
      else {
        sorted.set(rows.subarray(at, at + PACK_ROW_SIZE), end);
        end += PACK_ROW_SIZE;
        this.#parts.push([part]);
      }
    }
    this.packRows = sorted.subarray(0, end);
    this.packCount = this.#parts.length;
    yield* this.eachFrame(() => this.frameCount++);
  }

  /** Goes through the frames in order; the first time numbers them. */
  *eachFrame(visit: FrameVisit): PageSteps<void> {
    let number = 0;
    for (let pack = 0; pack < this.#parts.length; pack++) {
      const parts = this.#parts[pack];
      const next = parts.map((part) => part.first);
      for (;;) {
        let best = -1;
        let bestOffset = Infinity;
        for (let i = 0; i < parts.length; i++) {
          const { run, first, count } = parts[i];
          if (next[i] === first + count) continue;
          if (!run.frames.has(next[i])) yield* run.load(run.frames, next[i]);
          const offset = getU32(run.frames.bytes, run.frames.at(next[i]));
          if (offset < bestOffset) {
            best = i;
            bestOffset = offset;
          }
        }
        if (best < 0) break;
        const { frames } = parts[best].run;
        visit(frames.bytes, frames.at(next[best]), pack);
        for (let i = 0; i < parts.length; i++) {
          const { run, first, count } = parts[i];
          if (next[i] === first + count) continue;
          const offset = getU32(run.frames.bytes, run.frames.at(next[i]));
          if (offset === bestOffset) run.frameMap[next[i]++] = number;
        }
        number++;
      }
    }
  }

  /** Where every run stands. */
  positions(): Float64Array {
    return Float64Array.from(this.#runs, (run) => run.row);
  }

  /** Moves every run to a row. */
  *rewind(positions: Float64Array): PageSteps<void> {
    this.#heap.length = 0;
    for (let i = 0; i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (yield* run.seek(positions[i])) this.#push(run);
    }
  }

  /** The run with the next row; undefined at the end. */
  get top(): IndexRun | undefined {
    return this.#heap[0];
  }

  /** Takes the next row out where its run has the one after it at hand. */
  step(): boolean {
    const run = this.#heap[0];
    if (!run.step()) return false;
    this.#sink(0);
    return true;
  }

  /** Takes the next row out where `step` could not. */
  *skip(): PageSteps<void> {
    const run = this.#heap[0];
    if (!(yield* run.seek(run.row + 1))) {
      const last = this.#heap.pop() as IndexRun;
      if (this.#heap.length === 0) return;
      this.#heap[0] = last;
    }
    this.#sink(0);
  }

  #push(run: IndexRun): void {
    const heap = this.#heap;
    let at = heap.push(run) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (compareRuns(heap[parent], run) <= 0) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = run;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const run = heap[start];
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (
        child + 1 < heap.length && compareRuns(heap[child + 1], heap[child]) < 0
      ) child++;
      if (compareRuns(run, heap[child]) <= 0) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = run;
  }
}

function* readPacks(
  run: IndexRun,
  rows: Uint8Array,
  parts: Part[],
): PageSteps<void> {
  const { packs } = run;
  let frame = 0;
  for (let pack = 0; pack < run.packCount; pack++) {
    if (!packs.has(pack)) yield* run.load(packs, pack);
    const at = packs.at(pack);
    const start = parts.length * PACK_ROW_SIZE;
    rows.set(packs.bytes.subarray(at, at + PACK_ROW_SIZE), start);
    const first = getU32(rows, start + 40);
    const count = getU32(rows, start + 44);
    const role = getU32(rows, start + 36);
    if (
      pack > 0 && compareKeys(rows, start - PACK_ROW_SIZE, rows, start) >= 0
    ) {
      run.refuse("its packs ascend");
    }
    if (first !== frame || first + count > run.frameCount) {
      run.refuse(`frames of its pack ${pack} begin at ${frame}`);
    }
    if (role < 1 || role > 2) run.refuse("roles of packs are 1 or 2");
    if (getU32(rows, start + 32) > PACK_SIZE_MAX) {
      run.refuse(`packs have at most ${PACK_SIZE_MAX} bytes`);
    }
    parts.push({ run, first, count });
    frame += count;
  }
  if (frame !== run.frameCount) run.refuse("each frame belongs to a pack");
}

/** By id, kind and new frame. */
function compareRuns(a: IndexRun, b: IndexRun): number {
  if (a.prefix !== b.prefix) return a.prefix - b.prefix;
  const aAt = a.objects.at(a.row);
  const bAt = b.objects.at(b.row);
  return compareKeys(a.objects.bytes, aAt, b.objects.bytes, bAt) ||
    a.frame - b.frame;
}
