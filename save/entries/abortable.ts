import { orAborted } from "@snap/store/wrap";

/** What gives one thing after the other, and can be told that no more is wanted. */
interface Source<T> {
  next(): Promise<IteratorResult<T>> | IteratorResult<T>;
  stop(reason: unknown): unknown;
}

/**
 * Gives what a source gives, as long as the signal lets. A source that is not read to
 * its end is told so; only after an abort its answer is not waited for, as a source
 * that stands still never gives one.
 *
 * @param from The source.
 * @param signal Ends the wait, with its reason; nothing does if left out.
 */
export async function* abortable<T>(
  from: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  const source = open(from);
  let isOpen = true;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await orAborted(
        Promise.resolve(source.next()).catch((error) => {
          isOpen = false;
          throw error;
        }),
        signal,
      );
      isOpen = next.done !== true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (isOpen) await stop(source, signal);
  }
}

/**
 * Tells a source of which nothing was read that nothing is wanted of it.
 *
 * @param from What may be one.
 * @param reason Why.
 */
export async function refuse(from: unknown, reason: unknown): Promise<void> {
  if (!(from instanceof ReadableStream) || from.locked) return;
  await from.cancel(reason).catch(() => {});
}

async function stop<T>(
  source: Source<T>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stopping = Promise.resolve(source.stop(signal?.reason));
  // What went wrong before is what counts.
  const stopped = stopping.catch(() => {});
  if (signal?.aborted !== true) await stopped;
}

function open<T>(from: AsyncIterable<T> | Iterable<T>): Source<T> {
  // The iterator of a stream is told nothing as long as it waits for a piece.
  if (from instanceof ReadableStream) {
    const reader: ReadableStreamDefaultReader<T> = from.getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<T>>,
      stop: (reason) => reader.cancel(reason),
    };
  }
  const iterator = Symbol.asyncIterator in from
    ? from[Symbol.asyncIterator]()
    : from[Symbol.iterator]();
  return {
    next: () => iterator.next(),
    stop: () => iterator.return?.(),
  };
}
