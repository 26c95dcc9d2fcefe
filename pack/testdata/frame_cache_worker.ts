// Reads random frames out of a shared cache, as one of several workers: see
// shared_frame_cache_test.ts.
import { SharedFrameCache } from "../cache/shared_frame_cache.ts";

/** What a worker is to do. */
export interface Task {
  readonly buffer: SharedArrayBuffer;
  /** Counts decodes of each frame; starts the workers when its last is 1. */
  readonly counts: SharedArrayBuffer;
  readonly seed: number;
  readonly frameCount: number;
  readonly readCount: number;
  /** Part of the decodes that fail. */
  readonly failures: number;
}

/** What a worker saw. */
export interface Outcome {
  readonly wrong: number;
  readonly private: number;
  readonly failed: number;
}

/** Frames of many sizes, for slots of two sizes. */
export function sizeOf(key: number): number {
  return 1000 + (key * 7919) % 70_000;
}

/** The bytes of a frame: no two frames have the same. */
export function fillFrame(key: number, out: Uint8Array): void {
  for (let i = 0; i < out.length; i++) out[i] = key * 31 + (i >> 3);
}

function isRight(key: number, bytes: Uint8Array): boolean {
  if (bytes.length !== sizeOf(key)) return false;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== ((key * 31 + (i >> 3)) & 255)) return false;
  }
  return true;
}

/** Numbers from 0 up to 1: xorshift32. */
function numbersFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function run(task: Task): Outcome {
  const cache = new SharedFrameCache(task.buffer);
  const counts = new Int32Array(task.counts);
  const unit = numbersFrom(task.seed);
  const found = { wrong: 0, private: 0, failed: 0 };
  const held: { slot: number; key: number }[] = [];
  Atomics.wait(counts, task.frameCount, 0);
  for (let i = 0; i < task.readCount; i++) {
    const key = Math.floor(unit() * task.frameCount);
    const slot = cache.pin(key, sizeOf(key));
    if (slot < 0) {
      found.private++;
      continue;
    }
    if (!cache.isPlain(slot)) {
      if (unit() < task.failures) {
        cache.bytes(slot).fill(0xee);
        cache.fail(slot);
        cache.unpin(slot);
        found.failed++;
        continue;
      }
      fillFrame(key, cache.bytes(slot));
      Atomics.add(counts, key, 1);
      cache.publish(slot);
    }
    // Kept for a while, to see whether somebody takes a pinned slot.
    held.push({ slot, key });
    if (held.length < 4) continue;
    const [oldest] = held.splice(Math.floor(unit() * held.length), 1);
    if (!isRight(oldest.key, cache.bytes(oldest.slot))) found.wrong++;
    cache.unpin(oldest.slot);
  }
  for (const { slot } of held) cache.unpin(slot);
  return found;
}

self.onmessage = ({ data }: MessageEvent<Task>) => {
  if (data === null) self.close();
  else self.postMessage(run(data));
};
self.postMessage("ready");
