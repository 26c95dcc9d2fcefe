import { hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { FrameDecoder } from "@snap/pack/recipe-content";
import type { CheckedFrame } from "@snap/pack/sink";
import { nativeDecoders } from "@snap/posix/decoders";
import { rowsWithout } from "../move/frame_rows.ts";
import { idOfRow, ObjectRows } from "../object_rows.ts";
import type { ObjectList } from "./peer.ts";

/** Frames whose plain bytes are kept. */
const DECODED_MAX = 8;

/** A frame that was received, all of whose objects were checked. */
type KeptFrame = Omit<CheckedFrame, "plain">;

/** Frames that were received before they were asked for. */
export class KeptFrames {
  /** Stored bytes of frames that were not given on whole. */
  size = 0;
  readonly #decoded = new Map<KeptFrame, Uint8Array>();
  readonly #decoder = new FrameDecoder(nativeDecoders);
  /** Where an object lies: frame and row. */
  readonly #places = new Map<string, readonly [KeptFrame, number]>();

  /** Keeps a frame. */
  keep({ plain: _plain, ...frame }: CheckedFrame): void {
    const kept = { ...frame, stored: frame.stored.slice() };
    this.size += kept.stored.length;
    for (let row = 0; row < kept.rows.count; row++) {
      const id = kept.rows.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
      this.#places.set(keyOf(id, kept.rows.kinds[row]), [kept, row]);
    }
  }

  /** Reads an object that is kept. */
  take(id: Uint8Array, kind: number): Uint8Array | undefined {
    const found = this.#places.get(keyOf(id, kind));
    if (found === undefined) return undefined;
    const [frame, row] = found;
    const start = frame.rows.offsets[row];
    return this.#plainOf(frame).slice(start, start + frame.rows.sizes[row]);
  }

  /** Gives objects on, or the roots of their recipes; returns those that are not kept. */
  give(
    objects: ObjectList,
    take: (frame: CheckedFrame) => void,
  ): ObjectRows {
    const rest = new ObjectRows();
    const wanted = new Map<KeptFrame, Set<number>>();
    for (let row = 0; row < objects.count; row++) {
      const id = idOfRow(objects, row);
      const key = [objects.kinds[row], ObjectKind.recipe]
        .map((kind) => keyOf(id, kind)).find((one) => this.#places.has(one));
      if (key === undefined) {
        rest.addRow(objects, row);
        continue;
      }
      const [frame, at] = this.#places.get(key)!;
      this.#places.delete(key);
      const some = wanted.get(frame) ?? new Set();
      wanted.set(frame, some.add(at));
    }
    for (const [frame, some] of wanted) this.#giveRows(frame, some, take);
    return rest;
  }

  /** Forgets all. */
  clear(): void {
    this.#places.clear();
    this.size = 0;
  }

  #giveRows(
    frame: KeptFrame,
    wanted: ReadonlySet<number>,
    take: (frame: CheckedFrame) => void,
  ): void {
    const others = Array.from({ length: frame.rows.count }, (_, row) => row)
      .filter((row) => !wanted.has(row));
    const isWhole = others.length === 0;
    const rows = isWhole ? frame.rows : rowsWithout(frame.rows, others);
    take({ ...frame, plain: this.#plainOf(frame), rows });
    if (isWhole) this.size -= frame.stored.length;
  }

  /** Decodes a frame, unless it is one of the last: trees that follow one another share few. */
  #plainOf(frame: KeptFrame): Uint8Array {
    const known = this.#decoded.get(frame);
    if (known !== undefined) return known;
    const { codecTag, stored, plainSize } = frame;
    const plain = this.#decoder.decode(codecTag, stored, plainSize).slice();
    this.#decoded.set(frame, plain);
    const [oldest] = this.#decoded.keys();
    if (this.#decoded.size > DECODED_MAX) this.#decoded.delete(oldest);
    return plain;
  }
}

function keyOf(id: Uint8Array, kind: number): string {
  return `${hexOf(id)}${kind}`;
}
