import { ID_SIZE } from "@snap/hash";
import type { FileWindow } from "./file_window.ts";
import {
  type FileExtras,
  FRAME_COLUMNS,
  FRAME_EMPTY,
  FRAME_RECIPE,
  type RestoreBatch,
} from "../messages.ts";

/** Files of a batch, unless they share a frame. */
const COUNT_MAX = 256;
/** Cost of making a file, in plain bytes. */
const FILE_COST = 4096;

/** Options of {@linkcode cutBatches}. */
export interface BatchOptions {
  /** Plain bytes of a batch, each file counted with what making it costs. */
  readonly sizeMax: number;
  /** Gives each batch its number. */
  readonly nextNumber: () => number;
}

/**
 * Cuts the files of a window into batches: large content first, the rest in
 * the order of packs. No frame is in two batches.
 */
export function* cutBatches(
  window: FileWindow,
  options: BatchOptions,
): Generator<RestoreBatch, void> {
  const { sizeMax, nextNumber } = options;
  const order = sortByPlace(window);
  const { pack, frameOffsets, sizes } = window;
  let start = 0;
  let cost = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i];
    if (i > start) {
      const before = order[i - 1];
      const sharesFrame = pack[row] >= 0 && pack[before] === pack[row] &&
        frameOffsets[before] === frameOffsets[row];
      const isFull = i - start >= COUNT_MAX || cost >= sizeMax;
      if (isFull && !sharesFrame) {
        yield toBatch(window, order.subarray(start, i), nextNumber());
        start = i;
        cost = 0;
      }
    }
    cost += sizes[row] + FILE_COST;
  }
  if (order.length > start) {
    yield toBatch(window, order.subarray(start), nextNumber());
  }
}

/** Rows by pack, frame, offset; recipes come first, in the order of the walk. */
function sortByPlace(window: FileWindow): Uint32Array {
  const { count, pack, frameOffsets, offsets } = window;
  const order = new Uint32Array(count);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    order[i] = i;
    keys[i] = pack[i] * 2 ** 31 + frameOffsets[i];
  }
  return order.sort((a, b) =>
    keys[a] - keys[b] || offsets[a] - offsets[b] || a - b
  );
}

function toBatch(
  window: FileWindow,
  rows: Uint32Array,
  number: number,
): RestoreBatch {
  const ids = new Uint8Array(ID_SIZE * rows.length);
  const extras: [number, FileExtras][] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    for (let k = 0; k < ID_SIZE; k++) {
      ids[ID_SIZE * i + k] = window.ids[ID_SIZE * row + k];
    }
    const own = window.extras.get(row);
    if (own !== undefined) extras.push([i, own]);
  }
  return {
    number,
    count: rows.length,
    ...directoriesOf(window, rows),
    ...namesOf(window, rows),
    ids,
    sizes: take(window.sizes, rows),
    modes: take(window.modes, rows),
    uids: take(window.uids, rows),
    gids: take(window.gids, rows),
    mtimeSecs: take(window.mtimeSecs, rows),
    mtimeNs: take(window.mtimeNs, rows),
    plans: take(window.plans, rows),
    ...framesOf(window, rows),
    offsets: take(window.offsets, rows),
    extras,
  };
}

function directoriesOf(
  window: FileWindow,
  rows: Uint32Array,
): Pick<RestoreBatch, "paths" | "pathEnds" | "fresh" | "directories"> {
  const numbers = new Map<number, number>();
  const directories = new Uint32Array(rows.length);
  const found: Uint8Array[] = [];
  const fresh: number[] = [];
  let size = 0;
  for (let i = 0; i < rows.length; i++) {
    const directory = window.directory[rows[i]];
    let number = numbers.get(directory);
    if (number === undefined) {
      number = found.length;
      numbers.set(directory, number);
      const path = window.directories[directory];
      found.push(path);
      fresh.push(window.fresh[directory] ? 1 : 0);
      size += path.length;
    }
    directories[i] = number;
  }
  const paths = new Uint8Array(size);
  const pathEnds = new Uint32Array(found.length);
  let end = 0;
  for (let i = 0; i < found.length; i++) {
    paths.set(found[i], end);
    end += found[i].length;
    pathEnds[i] = end;
  }
  return { paths, pathEnds, fresh: Uint8Array.from(fresh), directories };
}

function namesOf(
  window: FileWindow,
  rows: Uint32Array,
): Pick<RestoreBatch, "names" | "nameEnds"> {
  const nameEnds = new Uint32Array(rows.length);
  let size = 0;
  for (let i = 0; i < rows.length; i++) {
    size += window.nameEnds[rows[i]] - nameStart(window, rows[i]);
    nameEnds[i] = size;
  }
  const names = new Uint8Array(size);
  for (let i = 0; i < rows.length; i++) {
    const start = i === 0 ? 0 : nameEnds[i - 1];
    const from = nameStart(window, rows[i]), to = window.nameEnds[rows[i]];
    names.set(window.names.subarray(from, to), start);
  }
  return { names, nameEnds };
}

function nameStart(window: FileWindow, row: number): number {
  return row === 0 ? 0 : window.nameEnds[row - 1];
}

function framesOf(
  window: FileWindow,
  rows: Uint32Array,
): Pick<RestoreBatch, "packs" | "frames" | "frameOf"> {
  const { pack, frameOffsets } = window;
  const packs: string[] = [];
  const frames = new Uint32Array(FRAME_COLUMNS * rows.length);
  const frameOf = new Int32Array(rows.length);
  let frameCount = 0;
  let before = -1;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (pack[row] < 0) {
      frameOf[i] = pack[row] === -1 ? FRAME_EMPTY : FRAME_RECIPE;
      continue;
    }
    const isNewPack = before < 0 || pack[before] !== pack[row];
    if (isNewPack) packs.push(window.packs[pack[row]]);
    if (isNewPack || frameOffsets[before] !== frameOffsets[row]) {
      frames.set([
        packs.length - 1,
        frameOffsets[row],
        window.storedSizes[row],
        window.plainSizes[row],
        window.codecs[row],
      ], FRAME_COLUMNS * frameCount++);
    }
    frameOf[i] = frameCount - 1;
    before = row;
  }
  return {
    packs,
    frames: frames.slice(0, FRAME_COLUMNS * frameCount),
    frameOf,
  };
}

function take<Column extends Float64Array | Uint32Array | Uint8Array>(
  column: Column,
  rows: Uint32Array,
): Column {
  const taken = new (column.constructor as new (size: number) => Column)(
    rows.length,
  );
  for (let i = 0; i < rows.length; i++) taken[i] = column[rows[i]];
  return taken;
}
