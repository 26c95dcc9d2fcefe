import { ID_SIZE } from "@snap/hash";
import { SPAN_SIZE } from "@snap/hash/blake-span";
import type { Location } from "@snap/pack";
import type { FrameBatch, LargeBatch } from "./batch.ts";

/** Plain bytes of the frames of a batch: of a store far away more, so that few requests bring them. */
const BATCH_SIZE = 4 << 20, FAR_BATCH_SIZE = 16 << 20;

/** An object, and where it lies. */
export interface Placed {
  readonly place: Location;
  /** Bytes with its id. */
  readonly ids: Uint8Array;
  /** Where the 32 bytes begin. */
  readonly idStart: number;
}

/**
 * Cuts batches of frames, each in the order of the packs.
 *
 * @param placed The objects; they are sorted here.
 * @param options The number of the first batch, and whether the store is far away.
 * @returns The batches.
 */
export function frameBatches(
  placed: Placed[],
  options: { readonly number: number; readonly isFar: boolean },
): FrameBatch[] {
  const sizeMax = options.isFar ? FAR_BATCH_SIZE : BATCH_SIZE;
  let { number } = options;
  placed.sort(({ place: a }, { place: b }) =>
    a.packNumber - b.packNumber || a.frameOffset - b.frameOffset ||
    a.offset - b.offset
  );
  const batches: FrameBatch[] = [];
  for (let first = 0; first < placed.length;) {
    let end = first, byteCount = 0;
    while (end < placed.length) {
      const { place } = placed[end];
      if (end > first && !isSameFrame(place, placed[end - 1].place)) {
        if (byteCount >= sizeMax) break;
      }
      if (end === first || !isSameFrame(place, placed[end - 1].place)) {
        byteCount += place.plainSize;
      }
      end++;
    }
    batches.push(batchOf(placed.slice(first, end), number++, byteCount));
    first = end;
  }
  return batches;
}

function batchOf(
  placed: readonly Placed[],
  number: number,
  byteCount: number,
): FrameBatch {
  const packs: string[] = [];
  const frames: number[] = [];
  const count = placed.length;
  const rows = {
    count,
    ids: new Uint8Array(ID_SIZE * count),
    kinds: new Uint8Array(count),
    offsets: new Uint32Array(count),
    sizes: new Uint32Array(count),
  };
  placed.forEach(({ place, ids, idStart }, row) => {
    rows.ids.set(ids.subarray(idStart, idStart + ID_SIZE), ID_SIZE * row);
    rows.kinds[row] = place.kind;
    rows.offsets[row] = place.offset;
    rows.sizes[row] = place.size;
    if (packs.at(-1) !== place.packName) packs.push(place.packName);
    if (row === 0 || !isSameFrame(place, placed[row - 1].place)) {
      const { frameOffset, storedSize, plainSize, codecTag, crc, role } = place;
      const numbers = [frameOffset, storedSize, plainSize, codecTag, crc, role];
      frames.push(packs.length - 1, ...numbers, 0);
    }
    frames[frames.length - 1] = row + 1;
  });
  const columns = Float64Array.from(frames);
  return { type: "frames", number, byteCount, packs, frames: columns, rows };
}

/**
 * Cuts a large object into spans; one that is no larger than a span is whole.
 *
 * @param object The object.
 * @param number The number of the first batch.
 * @returns A batch for each span.
 */
export function largeBatches(
  object: {
    readonly id: Uint8Array;
    readonly kind: number;
    readonly size: number;
    readonly root: Uint8Array;
  },
  number: number,
): LargeBatch[] {
  const batches: LargeBatch[] = [];
  for (let offset = 0; offset < object.size; offset += SPAN_SIZE) {
    const length = Math.min(SPAN_SIZE, object.size - offset);
    const what = { ...object, offset, length, byteCount: length };
    batches.push({ type: "large", number: number++, ...what });
  }
  return batches;
}

function isSameFrame(a: Location, b: Location): boolean {
  return a.packNumber === b.packNumber && a.frameOffset === b.frameOffset;
}
