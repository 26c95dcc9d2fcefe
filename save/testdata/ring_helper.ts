// Helps in a ring, as a worker of a save does: see large_file_ring_test.ts.
import { workerPort } from "@snap/posix/worker-port";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { LargeFileRing } from "../read/large_file_ring.ts";

/** What a helper is to do. */
export interface HelpTask {
  readonly ring: SharedArrayBuffer;
  /** The group, from 1, at which it fails; 0 for none. */
  readonly failAt: number;
}

/** Names each chunk: what the ring hands out is checked by that. */
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
  const { ring, failAt } = message as HelpTask;
  let count = 0;
  new LargeFileRing(ring).help((bytes, sizes, ids) => {
    if (++count === failAt) throw new RangeError("The helper fails");
    nameChunks(bytes, sizes, ids);
  });
  port.postMessage(count);
});
