/**
 * Joins small packs into one, frame by frame as they are stored.
 *
 * @module
 */
import { ID_SIZE } from "../bytes.ts";
import type { FrameRows } from "./frame_builder.ts";
import type { PackTable } from "./pack_table.ts";
import type { PackWriter } from "./pack_writer.ts";

/** A pack whose frames are taken over. */
export interface PackPart {
  /** Its table. */
  readonly table: PackTable;
  /**
   * Reads stored bytes.
   *
   * @param offset Offset in the pack
   * @param out Place for the bytes, to be filled whole
   */
  readAt(offset: number, out: Uint8Array): void;
}

/**
 * Copies all frames of packs into another pack, without compressing them again.
 *
 * @param parts The packs
 * @param writer Writer of the pack that gets them; it is not finished here
 * @throws {RangeError} If the pack gets too large
 * @throws {PackSyntaxError} If a frame has another CRC
 */
export function joinPacks(
  parts: Iterable<PackPart>,
  writer: PackWriter,
): void {
  for (const part of parts) copyFrames(part, writer);
}

function copyFrames(part: PackPart, writer: PackWriter): void {
  const { table } = part;
  let buffer = new Uint8Array(256 << 10);
  for (const { frame, rows } of rowsByFrame(table)) {
    const size = table.storedSize(frame);
    if (size > buffer.length) buffer = new Uint8Array(size * 2);
    const stored = buffer.subarray(0, size);
    part.readAt(table.frameOffset(frame), stored);
    writer.addStoredFrame(stored, {
      plainSize: table.plainSize(frame),
      codecTag: table.codecTag(frame),
      crc: table.crc(frame),
    }, rows);
  }
}

/**
 * Goes through the frames of a pack that hold objects.
 *
 * @param table The table of the pack
 * @returns Numbers of the frames, each with its objects in the order in which they lie in it
 */
export function* rowsByFrame(
  table: PackTable,
): Generator<{ readonly frame: number; readonly rows: FrameRows }, void> {
  const starts = new Uint32Array(table.frameCount + 1);
  for (let i = 0; i < table.objectCount; i++) starts[table.frame(i) + 1]++;
  for (let i = 0; i < table.frameCount; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const order = new Uint32Array(table.objectCount);
  for (let i = 0; i < table.objectCount; i++) order[next[table.frame(i)]++] = i;
  for (let frame = 0; frame < table.frameCount; frame++) {
    const some = order.subarray(starts[frame], starts[frame + 1]);
    if (some.length > 0) yield { frame, rows: rowsOf(table, some) };
  }
}

function rowsOf(table: PackTable, order: Uint32Array): FrameRows {
  const count = order.length;
  const ids = new Uint8Array(count * ID_SIZE);
  const kinds = new Uint8Array(count);
  const offsets = new Uint32Array(count);
  const sizes = new Uint32Array(count);
  order.sort((a, b) => table.offset(a) - table.offset(b));
  for (let i = 0; i < count; i++) {
    ids.set(table.idBytes(order[i]), i * ID_SIZE);
    kinds[i] = table.kind(order[i]);
    offsets[i] = table.offset(order[i]);
    sizes[i] = table.size(order[i]);
  }
  return { count, ids, kinds, offsets, sizes };
}
