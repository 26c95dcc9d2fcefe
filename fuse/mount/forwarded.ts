import { EINTR, EIO } from "@snap/posix/constants";
import type { Posix } from "@snap/posix";
import type { MountControl } from "./mount_control.ts";
import { RequestHead } from "../device/protocol.ts";

/** Answers requests about virtual nodes; a `Catalog` does. */
export interface RequestAnswerer {
  /** Answers a request; resolves when the reply was sent, and never rejects. */
  handle(request: Uint8Array): Promise<void>;
  /** Sends no reply from now on: the device is about to be closed. */
  stop(): void;
}

/** Requests that the main thread answers, while they are under way. */
export class Forwarded {
  readonly #posix: Posix;
  readonly #device: number;
  readonly #control: MountControl;
  readonly #answerer: RequestAnswerer;
  readonly #deadlineMs: number;
  readonly #onLate: () => void;
  /** The timer of each. */
  readonly #running = new Map<string, ReturnType<typeof setTimeout>>();

  /**
   * @param parts Device, answerer, how long an answer may take in milliseconds, and a callback for
   * one that takes longer.
   */
  constructor(
    parts: {
      readonly posix: Posix;
      readonly device: number;
      readonly control: MountControl;
      readonly answerer: RequestAnswerer;
      readonly deadlineMs: number;
      readonly onLate: () => void;
    },
  ) {
    this.#posix = parts.posix;
    this.#device = parts.device;
    this.#control = parts.control;
    this.#answerer = parts.answerer;
    this.#deadlineMs = parts.deadlineMs;
    this.#onLate = parts.onLate;
  }

  /** Takes a request from a worker. */
  take(request: Uint8Array): void {
    const words = new Uint32Array(request.buffer, request.byteOffset, 4);
    const at = RequestHead.unique / 4;
    const [low, high] = [words[at], words[at + 1]];
    const key = keyOf(low, high);
    const giveUp = () => {
      this.#fail(low, high, EIO);
      this.#onLate();
    };
    this.#running.set(key, setTimeout(giveUp, this.#deadlineMs));
    void this.#answerer.handle(request).finally(() => {
      clearTimeout(this.#running.get(key));
      this.#running.delete(key);
      this.#control.countForwarded(-1);
    });
  }

  /** Answers an interrupted request with EINTR. */
  interrupt(uniqueLow: number, uniqueHigh: number): void {
    clearTimeout(this.#running.get(keyOf(uniqueLow, uniqueHigh)));
    this.#fail(uniqueLow, uniqueHigh, EINTR);
  }

  /** Answers a request that is under way: a later answer goes nowhere. */
  #fail(uniqueLow: number, uniqueHigh: number, errno: number): void {
    if (!this.#running.has(keyOf(uniqueLow, uniqueHigh))) return;
    const reply = new Int32Array([16, -errno, uniqueLow, uniqueHigh]);
    this.#posix.write(this.#device, new Uint8Array(reply.buffer));
  }

  /** Drops requests that are under way: a store that never answers keeps no mount from ending. */
  stop(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
    this.#answerer.stop();
  }
}

function keyOf(low: number, high: number): string {
  return `${low} ${high}`;
}
