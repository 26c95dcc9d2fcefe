import { StoreError, type StoreOptions } from "@snap/store";
import type { Transport } from "../transport.ts";

/** Answers a message. */
export type Answerer = (request: Uint8Array) => Promise<Uint8Array>;

/**
 * Carries messages to a server in the same process. Each side has bytes of its own.
 *
 * @param answer The server.
 * @returns The transport.
 */
export function memoryTransport(answer: Answerer): Transport {
  return {
    location: "memory",
    async exchange(request, options) {
      options?.signal?.throwIfAborted();
      const bytes = await answer(request.slice());
      options?.signal?.throwIfAborted();
      return bytes.slice();
    },
  };
}

/** A request that passed through, and its answer. */
export interface PassedMessages {
  /** The request. */
  readonly request: Uint8Array;
  /** The answer; none if it failed. */
  answer?: Uint8Array;
}

/** A transport that keeps what passes through. */
export interface MockTransport extends Transport {
  /** Messages that passed through, in order. */
  readonly passed: readonly PassedMessages[];
}

/**
 * Keeps what passes through, and lets a test change it.
 *
 * @param inner What carries the messages.
 * @param change Called with each answer, which it may replace.
 * @returns The transport.
 */
export function mockTransport(
  inner: Transport,
  change: (answer: Uint8Array, request: Uint8Array) => Uint8Array = (one) =>
    one,
): MockTransport {
  const passed: PassedMessages[] = [];
  return {
    location: "mock",
    passed,
    async exchange(request, options) {
      const pair: PassedMessages = { request };
      passed.push(pair);
      const answer = await inner.exchange(request, options);
      pair.answer = answer;
      return change(answer, request);
    },
  };
}

/**
 * Fate of a message: it never arrives (`drop`); its answer never does
 * (`lose`); it arrives twice (`twice`), or after later ones, unheard (`late`); its
 * answer is cut (`cut`), or a bit of it changes (`flip`).
 */
export type TransportFault =
  | "drop"
  | "lose"
  | "twice"
  | "late"
  | "cut"
  | "flip";

/**
 * Fails on purpose.
 *
 * @param inner What carries the messages.
 * @param choose Says what becomes of each message; nothing if undefined.
 * @returns The transport.
 */
export function faultyTransport(
  inner: Transport,
  choose: (number: number, request: Uint8Array) => TransportFault | undefined,
): Transport {
  let count = 0;
  const late: Uint8Array[] = [];
  const exchange = async (
    request: Uint8Array,
    options?: StoreOptions,
  ): Promise<Uint8Array> => {
    const fault = choose(count++, request);
    if (fault === "drop") throw noAnswer();
    if (fault === "late") {
      late.push(request.slice());
      throw noAnswer();
    }
    for (const one of late.splice(0)) await inner.exchange(one, options);
    if (fault === "twice") await inner.exchange(request, options);
    const answer = await inner.exchange(request, options);
    if (fault === "lose") throw noAnswer();
    if (fault === "cut") return answer.subarray(0, answer.length >> 1);
    if (fault !== "flip") return answer;
    const changed = answer.slice();
    changed[changed.length >> 1] ^= 16;
    return changed;
  };
  return { location: "a bad line", exchange };
}

function noAnswer(): StoreError {
  return new StoreError("Cannot reach the server: the connection broke", {
    code: "ECONNRESET",
    action: "open",
  });
}
