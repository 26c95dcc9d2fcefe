// Two pipes that are each other's ends.
import type { Pipe } from "../serve_pipe.ts";

/** Makes both ends of a pipe. */
export function pipePair(): { near: Pipe; far: Pipe } {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return {
    near: { readable: back.readable, writable: there.writable },
    far: { readable: there.readable, writable: back.writable },
  };
}
