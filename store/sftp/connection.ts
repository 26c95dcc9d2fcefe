import type { Pipe } from "../serve/frames.ts";
import { withDeadline } from "../wrap/deadline.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { Timing } from "../wrap/timing.ts";
import {
  encodePacket,
  type Field,
  GreetingError,
  PACKET,
  type Packet,
  PacketAssembler,
  PacketError,
} from "./packet.ts";

const VERSION = 3;

/** A pipe to a server, and what is known of why it has ended. */
export interface Channel {
  readonly pipe: Pipe;
  explain(cause?: unknown): Promise<Error>;
  close(graceMs: number): Promise<void>;
}

/** Parts of a {@link SftpConnection}. */
export interface ConnectionParts {
  readonly channel: Channel;
  /** The store, for messages. */
  readonly location: string;
  /** How long nothing may come while something is waited for, in milliseconds. */
  readonly stallMs: number;
  readonly timing: Timing;
}

interface Waiting {
  readonly resolve: (answer: Packet) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests and answers on one pipe, matched by their numbers. */
export class SftpConnection {
  readonly location: string;
  readonly #parts: ConnectionParts;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #reading: Promise<void>;
  #begin: Waiting | undefined;
  #lastId = 0;
  #end: { readonly error: unknown } | undefined;
  #moved: () => void = () => {};
  #rest: () => void = () => {};
  /** Whether something is waited for. */
  #isWatched = false;
  #watching: Promise<void> | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.location = parts.location;
    this.#writer = parts.channel.pipe.writable.getWriter();
    this.#reader = parts.channel.pipe.readable.getReader();
    this.#writer.closed.catch(() => {}); // Its end is seen by the reader.
    this.#reading = this.#readAll();
  }

  /** Whether no request can be made any more. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Begins, and returns the extensions of the server with their versions. */
  async begin(): Promise<Map<string, string>> {
    if (this.#end !== undefined) throw this.#end.error;
    const { promise, resolve, reject } = Promise.withResolvers<Packet>();
    this.#begin = { resolve, reject };
    this.#send(PACKET.init, [VERSION]);
    const answer = await promise;
    return this.reading(() => {
      const version = answer.u32();
      if (answer.type !== PACKET.version || version !== VERSION) {
        throw new PacketError(`SFTP must have version 3: found ${version}`);
      }
      const extensions = new Map<string, string>();
      while (answer.hasMore) extensions.set(answer.text(), answer.text());
      return extensions;
    });
  }

  /**
   * Sends a request, and waits for its answer.
   *
   * @param late Hears the answer when the signal has ended the wait for it.
   */
  async request(
    type: number,
    fields: readonly Field[],
    signal?: AbortSignal,
    late?: (answer: Packet) => void,
  ): Promise<Packet> {
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw this.#end.error;
    const { promise, resolve, reject } = Promise.withResolvers<Packet>();
    const id = this.#nextId();
    const giveUp = () => {
      this.#waiting.set(id, { resolve: late ?? (() => {}), reject: () => {} });
      reject(signal!.reason);
    };
    this.#waiting.set(id, { resolve, reject });
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#send(type, [id, ...fields]);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** Reads an answer. One that is not what it must be ends the connection. */
  reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof PacketError) this.#fail(this.#protocolError(error));
      throw this.#end?.error ?? error;
    }
  }

  /** Ends what is under way: nobody waits for it any more. */
  abandon(): void {
    this.#fail(this.#failure("it is closed", "ECLOSED", false));
  }

  /** Waits for all answers, as long as they are worth it, then ends the pipe. */
  async close(graceMs: number): Promise<void> {
    const giveUp = this.#parts.timing.alarm(graceMs, () => this.abandon());
    while (this.#isWatched) await this.#watching;
    giveUp();
    this.#end ??= { error: this.#failure("it is closed", "ECLOSED", false) };
    await Promise.race([
      this.#writer.close().catch(() => {}),
      this.#parts.channel.close(graceMs),
    ]);
    await this.#parts.channel.close(graceMs);
    await this.#reader.cancel().catch(() => {});
    await this.#reading;
  }

  #send(type: number, fields: readonly Field[]): void {
    this.#watch();
    this.#writer.write(encodePacket(type, fields)).catch(() => {});
  }

  /** Ends the connection when nothing comes while something is waited for. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { stallMs, timing } = this.#parts;
    const makeError = () =>
      this.#failure(`nothing came for ${stallMs / 1000} s`, "ETIMEDOUT", true);
    const wait = (signal: AbortSignal, progress: () => void) =>
      new Promise<void>((resolve, reject) => {
        this.#moved = progress;
        this.#rest = () => {
          this.#isWatched = false;
          resolve();
        };
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    this.#watching = withDeadline({ ms: stallMs, makeError, timing }, wait)
      .catch((error) => this.#fail(error));
  }

  async #readAll(): Promise<void> {
    const assembler = new PacketAssembler();
    let cause: unknown;
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done || this.#end !== undefined) break;
        this.#moved();
        for (const packet of assembler.push(value)) this.#take(packet);
      }
    } catch (error) {
      cause = error instanceof PacketError ? this.#protocolError(error) : error;
    }
    if (this.#end === undefined && !(cause instanceof RemoteError)) {
      cause = await this.#parts.channel.explain(cause);
    }
    this.#fail(cause);
  }

  #take(packet: Packet): void {
    if (this.#begin !== undefined) {
      this.#begin.resolve(packet);
      this.#begin = undefined;
    } else {
      const id = packet.u32();
      const waiting = this.#waiting.get(id);
      if (waiting === undefined) {
        throw new PacketError(`an answer to what was not asked: number ${id}`);
      }
      this.#waiting.delete(id);
      waiting.resolve(packet);
    }
    if (this.#waiting.size === 0) this.#rest();
  }

  #fail(error: unknown): void {
    if (this.#end === undefined) {
      this.#end = { error };
      // What does not speak SFTP, or does not answer, is not waited for.
      this.#parts.channel.close(0).catch(() => {});
    }
    const { error: reason } = this.#end;
    this.#begin?.reject(reason);
    this.#begin = undefined;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    this.#rest();
  }

  #protocolError(cause: PacketError): RemoteError {
    const hint = cause instanceof GreetingError
      ? "the profile of the shell there must print nothing for programs"
      : undefined;
    const reason = `what answers does not speak SFTP: ${cause.message}`;
    return this.#failure(reason, "PROTOCOL", false, { cause, hint });
  }

  #failure(
    reason: string,
    code: string,
    isTransient: boolean,
    more: { cause?: unknown; hint?: string | undefined } = {},
  ): RemoteError {
    return new RemoteError(
      `Cannot reach ${this.location}: ${reason} (${code})`,
      {
        code,
        action: "open",
        isTransient,
        mayHaveHappened: true,
        ...more,
      },
    );
  }

  /** The next number that nothing waits under. */
  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0; while (
      this.#waiting.has(this.#lastId)
    );
    return this.#lastId;
  }
}
