/**
 * Stores that are reached through a pipe, such as `ssh host snap serve --stdio`.
 *
 * @module
 */
import { orAborted } from "../or_aborted.ts";
import type { Pipe } from "../serve/frames.ts";
import { BODY_SIZE_MAX, IDLE_MS } from "../serve/protocol.ts";
import { Limiter } from "../wrap/limiter.ts";
import { Meter } from "../wrap/meter.ts";
import { failed } from "./failure.ts";
import { PipeClient } from "./pipe_fetch.ts";
import { Watch } from "./reply.ts";
import { type Fetch, Sender } from "./sender.ts";
import { hello, served } from "./http_store.ts";
import type { RemoteStore, RemoteStoreOptions } from "./remote_store.ts";

export type { Pipe };

/** Options of {@link openPipeStore}. */
export interface OpenPipeStoreOptions extends RemoteStoreOptions {
  /** Name of the store in messages. Default: `the other side of the pipe`. */
  readonly location?: string;
  /** Makes another pipe to the same store when one has ended. Default: what ends is over. */
  readonly reconnect?: () => Promise<Pipe>;
  /**
   * Says why a pipe ended as soon as it began, where that is known better than by
   * what came.
   *
   * @param cause What was noticed of it.
   * @returns The error.
   */
  readonly explain?: (cause: unknown) => Promise<Error>;
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
  const { location = "the other side of the pipe", timeoutMs = IDLE_MS } =
    options;
  const pipes = new Pipes({ ...options, location, timeoutMs });
  await pipes.begin(pipe, options.signal);
  const sender = new Sender({
    fetch: pipes.fetch,
    base: "http://pipe/",
    host: location,
    timeoutMs,
    limiter: options.limiter ?? new Limiter(),
    meter: options.meter ?? new Meter(),
  });
  const close = () => pipes.close();
  try {
    const reply = await hello(sender, location, options);
    return await served(reply, { ...options, sender, location, close });
  } catch (error) {
    const known = pipes.hasEnded ? await options.explain?.(error) : undefined;
    await close();
    throw known ?? error;
  }
}

type PipesParts =
  & Pick<OpenPipeStoreOptions, "reconnect" | "explain">
  & { readonly location: string; readonly timeoutMs: number };

/** The pipe to a store: another one when that has ended, if there can be one. */
class Pipes {
  readonly #parts: PipesParts;
  #client!: PipeClient;
  #renewing: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: PipesParts) {
    this.#parts = parts;
  }

  /** Whether the pipe that is there has ended. */
  get hasEnded(): boolean {
    return this.#client.hasEnded;
  }

  /** Sends a request, as `fetch` does. */
  readonly fetch: Fetch = async (url, init) => {
    const { reconnect } = this.#parts;
    if (this.#client.hasEnded && reconnect !== undefined && !this.#isClosed) {
      this.#renewing ??= this.#renew(reconnect);
      await orAborted(this.#renewing, init.signal ?? undefined);
    }
    return await this.#client.fetch(url, init);
  };

  /** Begins with a pipe. */
  async begin(pipe: Pipe, signal?: AbortSignal): Promise<void> {
    const { location, timeoutMs, explain } = this.#parts;
    const client = new PipeClient(pipe, FRAME_BODY_MAX);
    const doing = { action: "open", subject: location } as const;
    const watch = new Watch(timeoutMs, signal);
    watch.moved();
    try {
      await client.begin(watch.signal);
      this.#client = client;
    } catch (cause) {
      if (watch.signal.aborted) throw watch.explain(doing, location, cause);
      const { message } = cause as Error;
      const error = failed(doing, "PROTOCOL", message, { cause });
      throw await explain?.(error) ?? error;
    } finally {
      watch[Symbol.dispose]();
    }
  }

  /** Ends the pipe, and waits for the other side to end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#renewing?.catch(() => {});
    await this.#client.close(this.#parts.timeoutMs);
  }

  async #renew(reconnect: () => Promise<Pipe>): Promise<void> {
    try {
      await this.#client.close(0);
      await this.begin(await reconnect());
    } finally {
      this.#renewing = undefined;
    }
  }
}
