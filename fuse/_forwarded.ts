import { EINTR } from "@snap/posix/errors";
import type { Posix } from "@snap/posix/posix";
import type { MountControl } from "./_mount_control.ts";
import { RequestHead } from "./protocol.ts";

/** Answers requests about virtual nodes; a `Catalog` does. */
export interface RequestAnswerer {
  /** Answers a request; resolves when the reply was sent, and never rejects. */
  handle(request: Uint8Array): Promise<void>;
}

/** Requests that the main thread answers, while they are under way. */
export class Forwarded {
  readonly #posix: Posix;
  readonly #device: number;
  readonly #control: MountControl;
  readonly #answerer: RequestAnswerer;
  readonly #running = new Map<string, Promise<void>>();

  /**
   * Constructs a new instance.
   *
   * @param parts The device, and what answers.
   */
  constructor(
    parts: {
      readonly posix: Posix;
      readonly device: number;
      readonly control: MountControl;
      readonly answerer: RequestAnswerer;
    },
  ) {
    this.#posix = parts.posix;
    this.#device = parts.device;
    this.#control = parts.control;
    this.#answerer = parts.answerer;
  }

  /** Takes a request from a worker. */
  take(request: Uint8Array): void {
    const words = new Uint32Array(request.buffer, request.byteOffset, 4);
    const at = RequestHead.unique / 4;
    const key = keyOf(words[at], words[at + 1]);
    const run = this.#answerer.handle(request).finally(() => {
      this.#running.delete(key);
      this.#control.countForwarded(-1);
    });
    this.#running.set(key, run);
  }

  /** Answers a request with EINTR, as nobody waits for it any more: a later answer goes nowhere. */
  interrupt(uniqueLow: number, uniqueHigh: number): void {
    if (!this.#running.has(keyOf(uniqueLow, uniqueHigh))) return;
    const reply = new Int32Array([16, -EINTR, uniqueLow, uniqueHigh]);
    this.#posix.write(this.#device, new Uint8Array(reply.buffer));
  }

  /** Waits for what is under way: the device must not be closed before. */
  async finished(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}

function keyOf(low: number, high: number): string {
  return `${low} ${high}`;
}
