import { deepEqual, equal, throws } from "node:assert/strict";
import { idOf, Random } from "../_testing.ts";
import { FrameBuilder } from "./frame_builder.ts";

Deno.test("FrameBuilder commits part of what was reserved", () => {
  const frame = new FrameBuilder(10);
  const space = frame.reserve(8);
  space.set([1, 2, 3]);
  const ids = new Uint8Array(40);
  ids.fill(5, 8);
  frame.commit(ids, 8, 4, 3);
  equal(frame.size, 3);
  equal(frame.sizeLeft, 7);
  deepEqual(frame.plain(), new Uint8Array([1, 2, 3]));
  deepEqual(frame.rows.ids.subarray(0, 32), new Uint8Array(32).fill(5));
  equal(frame.rows.kinds[0], 4);
});

Deno.test("FrameBuilder drops what is not committed", () => {
  const frame = new FrameBuilder(10);
  frame.reserve(8).fill(9);
  frame.drop();
  throws(() => frame.commit(new Uint8Array(32), 0, 1, 1), RangeError);
  frame.reserve(2).fill(1);
  frame.commit(new Uint8Array(32), 0, 1, 2);
  throws(() => frame.commit(new Uint8Array(32), 0, 1, 1), RangeError);
  deepEqual(frame.plain(), new Uint8Array([1, 1]));
});

Deno.test("FrameBuilder refuses what does not fit", () => {
  const frame = new FrameBuilder(10);
  for (const size of [0, -1, 11, NaN]) {
    throws(() => frame.reserve(size), RangeError);
  }
  frame.reserve(4);
  for (const size of [0, 5]) {
    throws(() => frame.commit(new Uint8Array(32), 0, 1, size), RangeError);
  }
  for (const kind of [0, 5]) {
    throws(() => frame.commit(new Uint8Array(32), 0, kind, 1), RangeError);
  }
  throws(() => frame.commit(new Uint8Array(32), 1, 1, 1), RangeError);
  for (const size of [0, (4 << 20) + 1, 1.5]) {
    throws(() => new FrameBuilder(size), RangeError);
  }
});

Deno.test("FrameBuilder serves for any number of frames", () => {
  const random = new Random(2);
  const frame = new FrameBuilder();
  for (let round = 0; round < 5; round++) {
    frame.clear();
    const plains = Array.from(
      { length: 1 + random.below(500) },
      () => random.bytes(1 + random.below(30)),
    );
    for (const plain of plains) frame.add(plain, idOf(plain), 0, 1);
    equal(frame.rows.count, plains.length);
    plains.forEach((plain, i) => {
      const start = frame.rows.offsets[i];
      deepEqual(frame.plain().slice(start, start + frame.rows.sizes[i]), plain);
      deepEqual(frame.rows.ids.slice(i * 32, i * 32 + 32), idOf(plain));
    });
  }
});
