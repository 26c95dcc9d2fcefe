// Helps in a lane, as a worker of a save does: see _lane_test.ts.
import { workerPort } from "@snap/posix/worker";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { Lane } from "../read/large_file_ring.ts";

/** What a helper is to do. */
export interface HelpTask {
  readonly lane: SharedArrayBuffer;
  /** The group, from 1, at which it fails; 0 for none. */
  readonly failAt: number;
}

/** Names each chunk: what the lane hands out is checked by that. */
export function nameChunks(
  bytes: Uint8Array,
  sizes: Int32Array,
  ids: Uint8Array,
): void {
  for (let i = 0, start = 0; i < sizes.length; start += sizes[i++]) {
    const chunk = bytes.subarray(start, start + sizes[i]);
    wasmHasher.hashInto(chunk, ids, 32 * i);
  }
}

const port = workerPort();
port?.onMessage((message) => {
  const { lane, failAt } = message as HelpTask;
  let count = 0;
  new Lane(lane).help((bytes, sizes, ids) => {
    if (++count === failAt) throw new RangeError("The helper fails");
    nameChunks(bytes, sizes, ids);
  });
  port.postMessage(count);
});
