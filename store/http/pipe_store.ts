/**
 * Stores that are reached through a pipe, such as `ssh host snap serve --stdio`.
 *
 * @module
 */
import type { Pipe } from "../serve/frames.ts";
import { BODY_SIZE_MAX, IDLE_MS } from "../serve/protocol.ts";
import { Limiter } from "../wrap/limiter.ts";
import { Meter } from "../wrap/meter.ts";
import { failed } from "./failure.ts";
import { PipeClient } from "./pipe_fetch.ts";
import { Watch } from "./reply.ts";
import { Sender } from "./sender.ts";
import { hello, served } from "./http_store.ts";
import type { RemoteStore, RemoteStoreOptions } from "./remote_store.ts";

export type { Pipe };

/** Options of {@link openPipeStore}. */
export interface OpenPipeStoreOptions extends RemoteStoreOptions {
  /** What to call the store in messages. Default: `the other side of the pipe`. */
  readonly location?: string;
}

/** A frame of an answer may be somewhat above what a request may be. */
const FRAME_BODY_MAX: number = 2 * BODY_SIZE_MAX;

/**
 * Opens the store that another program serves through a pipe. Disposing of the
 * store ends the pipe.
 *
 * @param pipe What the other side sends, and what goes to it.
 * @param options A deadline, a signal.
 * @returns The store.
 * @throws {StoreError} If the other side does not answer, or with something else.
 */
export async function openPipeStore(
  pipe: Pipe,
  options: OpenPipeStoreOptions = {},
): Promise<RemoteStore> {
  const {
    location = "the other side of the pipe",
    timeoutMs = IDLE_MS,
    signal,
  } = options;
  const client = new PipeClient(pipe, FRAME_BODY_MAX);
  const doing = { action: "open", subject: location } as const;
  const watch = new Watch(timeoutMs, signal);
  watch.moved();
  try {
    await client.begin(watch.signal);
  } catch (cause) {
    if (watch.signal.aborted) throw watch.explain(doing, location, cause);
    const { message } = cause as Error;
    throw failed(doing, "PROTOCOL", message, cause);
  } finally {
    watch[Symbol.dispose]();
  }
  const sender = new Sender({
    fetch: client.fetch,
    base: "http://pipe/",
    timeoutMs,
    limiter: options.limiter ?? new Limiter(),
    meter: options.meter ?? new Meter(),
  });
  const close = () => client.close(timeoutMs);
  try {
    const reply = await hello(sender, location, options);
    return await served(reply, { ...options, sender, location, close });
  } catch (error) {
    await close();
    throw error;
  }
}
