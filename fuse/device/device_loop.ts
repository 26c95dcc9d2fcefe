import {
  EAGAIN,
  EINTR,
  EIO,
  ENODEV,
  ENOENT,
  POLLIN,
} from "@snap/posix/constants";
import { PollSet, type Posix } from "@snap/posix";
import type { FetchedRanges } from "@snap/pack/objects";
import type { MountControl } from "../mount/mount_control.ts";
import { Counter, type Counters } from "../counters.ts";
import { Opcode, RequestHead } from "./protocol.ts";
import { wake } from "./wake.ts";
import { Outcome } from "../session/session.ts";

/** Room for the largest request: an extended attribute that will be refused. */
const REQUEST_SIZE_MAX = 136 << 10;
/** Requests below this size are seen through views that are kept. */
const VIEWS_MAX = 1024;
/** How soon a request is tried again that waits for what another worker does. */
const RETRY_MS = 2;
const DEVICE = 0, WAKE = 1;

/** A handler of requests; a `Session` is one. */
export interface RequestHandler {
  /**
   * Handles a request.
   *
   * @param request Its bytes, good until it returns.
   */
  handle(request: Uint8Array): Outcome;
}

/** The parts that {@linkcode DeviceLoop} is made of. */
export interface DeviceLoopParts {
  readonly posix: Posix;
  /** Descriptor of the device, or of anything that gives one request a `read`; non-blocking. */
  readonly device: number;
  /** The eventfd of this worker. */
  readonly wake: number;
  /** The eventfds of the other workers. */
  readonly others: readonly number[];
  readonly control: MountControl;
  readonly session: RequestHandler;
  /** Bytes of the store that the main thread fetches; absent where all files are local. */
  readonly fetched?: FetchedRanges;
  readonly counters: Counters;
  /** How long to look for the next request before sleeping, in microseconds. */
  readonly spinUs: number;
  /** How long a request may wait for bytes of the store, in milliseconds. */
  readonly deadlineMs: number;
  /** Hands a request to the main thread, which owns it then. */
  readonly forward: (request: Uint8Array) => void;
  /** Tells the main thread that a request that it has was interrupted. */
  readonly interrupt: (uniqueLow: number, uniqueHigh: number) => void;
  /** Called when the first request of a mount was handled. */
  readonly onInit: () => void;
  /** Called for each error while a request was handled, and for a request that waited too long. */
  readonly onFault: (action: string, error: unknown) => void;
}

/** A request that waits for bytes of the store. */
interface Parked {
  readonly request: Uint8Array;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
  /** Numbers of fetches. */
  wanted: number[];
  /** When it is given up, as `performance.now` counts. */
  readonly deadline: number;
}

/**
 * Reads requests and has them answered, until the mount or its program ends. It never returns to
 * the event loop meanwhile, and never waits for anything but the device and its eventfd.
 */
export class DeviceLoop {
  readonly #parts: DeviceLoopParts;
  readonly #buffer = new Uint8Array(REQUEST_SIZE_MAX);
  readonly #words = new Uint32Array(this.#buffer.buffer);
  readonly #views: (Uint8Array | undefined)[] = new Array(VIEWS_MAX);
  readonly #reply = new Uint8Array(16);
  readonly #replyWords = new Int32Array(this.#reply.buffer);
  readonly #wakeCount = new Uint8Array(8);
  readonly #set = new PollSet(2);
  #parked: Parked[] = [];
  /** Time at which requests that wait for another worker are tried again. */
  #retryAt = 0;

  constructor(parts: DeviceLoopParts) {
    this.#parts = parts;
  }

  /**
   * Answers requests until the end.
   *
   * @returns 0 if the mount is gone or all were told to end, else the error number of the device.
   */
  run(): number {
    const { posix, device, control, spinUs } = this.#parts;
    const buffer = this.#buffer;
    const spinMs = spinUs / 1000;
    let idleSince = -1;
    for (;;) {
      if (control.isStopped) return 0;
      const size = posix.read(device, buffer);
      if (size > 0) {
        idleSince = -1;
        this.#take(size);
      } else if (size === -EAGAIN) {
        if (this.#lookAround()) {
          idleSince = -1;
          continue;
        }
        const now = spinMs > 0 ? performance.now() : 0;
        if (idleSince < 0) idleSince = now;
        if (now - idleSince >= spinMs) this.#sleep();
      } else if (size === -ENODEV || size === 0) return 0;
      // ENOENT: the request was interrupted before a worker read it.
      else if (size !== -ENOENT && size !== -EINTR) return -size;
    }
  }

  #take(size: number): void {
    const words = this.#words;
    const opcode = words[RequestHead.opcode / 4];
    if (opcode === Opcode.INTERRUPT) {
      const at = RequestHead.size / 4;
      return this.#takeInterrupt(words[at], words[at + 1]);
    }
    this.#handle(this.#viewOf(size), undefined);
    if (opcode === Opcode.INIT) this.#parts.onInit();
    // Others get their turn, also while requests come without end.
    if (this.#parked.length > 0) this.#lookAround();
  }

  #viewOf(size: number): Uint8Array {
    if (size >= VIEWS_MAX) return this.#buffer.subarray(0, size);
    return this.#views[size] ??= this.#buffer.subarray(0, size);
  }

  /** Handles a request, for the first time or again. */
  #handle(request: Uint8Array, again: Parked | undefined): void {
    const { session, fetched, forward, control } = this.#parts;
    let outcome: Outcome = Outcome.done;
    fetched?.forgetWanted();
    try {
      outcome = session.handle(request);
    } catch (error) {
      this.#fail(request, "handle a request", error);
    }
    if (outcome === Outcome.done) return;
    if (outcome === Outcome.forward) {
      control.countForwarded(1);
      return forward(request.slice());
    }
    const wanted = fetched === undefined ? [] : [...fetched.wanted];
    fetched?.flush();
    if (again !== undefined) {
      again.wanted = wanted;
      this.#parked.push(again);
    } else this.#park(request, wanted);
  }

  #park(request: Uint8Array, wanted: number[]): void {
    this.#parts.counters.add(Counter.parked, 1);
    const at = RequestHead.unique / 4;
    this.#parked.push({
      request: request.slice(),
      uniqueLow: this.#words[at],
      uniqueHigh: this.#words[at + 1],
      wanted,
      deadline: performance.now() + this.#parts.deadlineMs,
    });
  }

  /** Looks at what others did: answers to fetches, interrupts. */
  #lookAround(): boolean {
    const { control, fetched } = this.#parts;
    let isAny = false;
    if (control.hasInterrupts) {
      while (control.nextInterrupt(this.#dropInterrupted)) isAny = true;
    }
    const isSettled = fetched?.settle() ?? false;
    if (this.#parked.length > 0) {
      const now = performance.now();
      if (isSettled) {
        this.#retry((one) => !one.wanted.some((n) => fetched!.isWaiting(n)));
      }
      if (now >= this.#retryAt) {
        this.#retry(({ wanted }) => wanted.length === 0);
        this.#retryAt = now + RETRY_MS;
      }
      this.#giveUp(now);
    }
    if (isSettled) fetched!.forgetFailures();
    return isAny || isSettled;
  }

  /** Handles those parked requests again that something is there for. */
  #retry(isReady: (parked: Parked) => boolean): void {
    const all = this.#parked;
    this.#parked = [];
    for (const parked of all) {
      if (isReady(parked)) this.#handle(parked.request, parked);
      else this.#parked.push(parked);
    }
  }

  /** Sleeps until there is something to do. */
  #sleep(): void {
    const { posix, device, wake } = this.#parts;
    this.#set.watch(DEVICE, device, POLLIN);
    this.#set.watch(WAKE, wake, POLLIN);
    posix.poll(this.#set, this.#timeout());
    if (this.#set.happened(WAKE) !== 0) posix.read(wake, this.#wakeCount);
  }

  /** How long to sleep at most, in milliseconds. */
  #timeout(): number {
    let soonest = Infinity;
    for (const { wanted, deadline } of this.#parked) {
      if (wanted.length === 0) return RETRY_MS;
      soonest = Math.min(soonest, deadline);
    }
    if (soonest === Infinity) return -1;
    return Math.max(0, Math.ceil(soonest - performance.now()));
  }

  /** Answers requests that waited too long. */
  #giveUp(now: number): void {
    const late = this.#parked.filter(({ deadline }) => deadline <= now);
    if (late.length === 0) return;
    this.#parked = this.#parked.filter(({ deadline }) => deadline > now);
    for (const { request } of late) {
      this.#parts.counters.add(Counter.expired, 1);
      const message =
        `Cannot answer: the store gave no answer within ${this.#parts.deadlineMs} ms`;
      this.#fail(request, "wait for the store", new Error(message));
    }
  }

  #takeInterrupt(uniqueLow: number, uniqueHigh: number): void {
    const { posix, control, others, interrupt } = this.#parts;
    if (this.#drop(uniqueLow, uniqueHigh)) return;
    if (control.forwardedCount > 0) interrupt(uniqueLow, uniqueHigh);
    if (others.length === 0) return;
    // The worker that read the request has either answered or parked it when it looks at this.
    control.tellInterrupt(uniqueLow, uniqueHigh);
    for (const other of others) wake(posix, other);
  }

  readonly #dropInterrupted = (low: number, high: number): void => {
    this.#drop(low, high);
  };

  /** Answers a parked request with EINTR. */
  #drop(uniqueLow: number, uniqueHigh: number): boolean {
    const at = this.#parked.findIndex((parked) =>
      parked.uniqueLow === uniqueLow && parked.uniqueHigh === uniqueHigh
    );
    if (at < 0) return false;
    this.#parked.splice(at, 1);
    this.#parts.counters.add(Counter.interrupted, 1);
    this.#answer(uniqueLow, uniqueHigh, EINTR);
    return true;
  }

  #fail(request: Uint8Array, action: string, error: unknown): void {
    const { counters, onFault } = this.#parts;
    const { buffer, byteOffset } = request;
    const words = new Uint32Array(buffer, byteOffset, RequestHead.size / 4);
    const at = RequestHead.unique / 4;
    const opcode = words[RequestHead.opcode / 4];
    counters.add(Counter.faults, 1);
    // The kernel waits for no answer to these.
    if (opcode !== Opcode.FORGET && opcode !== Opcode.BATCH_FORGET) {
      this.#answer(words[at], words[at + 1], EIO);
    }
    onFault(action, error);
  }

  #answer(uniqueLow: number, uniqueHigh: number, errno: number): void {
    const { posix, device } = this.#parts;
    this.#replyWords[0] = this.#reply.length;
    this.#replyWords[1] = -errno;
    this.#replyWords[2] = uniqueLow;
    this.#replyWords[3] = uniqueHigh;
    while (posix.write(device, this.#reply) === -EINTR);
  }
}
