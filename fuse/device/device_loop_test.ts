import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  EAGAIN,
  EINTR,
  EIO,
  ENODEV,
  ENOENT,
  errnos,
} from "@snap/posix/constants";
import type { Posix } from "@snap/posix";
import { DeviceLoop, type DeviceLoopParts } from "./device_loop.ts";
import {
  failureAnswer,
  FetchAnswers,
  FetchedRanges,
  FetchMemory,
  type FetchWant,
} from "@snap/pack/objects";
import { MountControl } from "../mount/mount_control.ts";
import { Counter, Counters } from "../counters.ts";
import { Opcode } from "./protocol.ts";
import { Outcome } from "../session/session.ts";

const DEVICE = 3, WAKE = 4, OTHER = 5;

/** A request without a body. */
function request(unique: number, opcode: number = Opcode.GETATTR): Uint8Array {
  const words = new Uint32Array(12);
  words.set([48, opcode, unique, 7]);
  return new Uint8Array(words.buffer);
}

/** INTERRUPT of a request. */
function interrupt(unique: number): Uint8Array {
  const words = new Uint32Array(12);
  words.set([48, Opcode.INTERRUPT, 99, 0]);
  words.set([unique, 7], 10);
  return new Uint8Array(words.buffer);
}

type Event = Uint8Array | number | (() => void);

/** A device that gives what a test says, and a loop over it. */
class Bench {
  /** Results of reads of the device, one by one; a function runs while the loop sleeps. */
  readonly events: Event[];
  /** Replies: number of the request and error. */
  readonly replies: [number, number][] = [];
  readonly timeouts: number[] = [];
  readonly woken: number[] = [];
  readonly faults: string[] = [];
  readonly forwarded: Uint8Array[] = [];
  readonly interrupted: number[] = [];
  readonly handled: number[] = [];
  initCount = 0;
  readonly asked: FetchWant[] = [];
  readonly control = MountControl.create();
  readonly counters = Counters.create(1);
  readonly memory = FetchMemory.create(0);
  readonly answers = new FetchAnswers();
  readonly fetched: FetchedRanges = new FetchedRanges({
    memory: this.memory,
    answers: this.answers,
    ask: (wants) => this.asked.push(...wants),
  });
  /** Before it is gone the device has nothing once. */
  #isOver = false;
  /** Handles a request. */
  handle: (unique: number) => Outcome = () => Outcome.done;

  constructor(...events: Event[]) {
    this.events = events;
  }

  loop(parts: Partial<DeviceLoopParts> = {}): DeviceLoop {
    return new DeviceLoop({
      posix: this.#posix(),
      device: DEVICE,
      wake: WAKE,
      others: [OTHER],
      control: this.control,
      session: {
        handle: (bytes) => {
          const unique = new Uint32Array(bytes.slice().buffer)[2];
          this.handled.push(unique);
          return this.handle(unique);
        },
      },
      fetched: this.fetched,
      counters: this.counters,
      spinUs: 0,
      deadlineMs: 60_000,
      forward: (bytes) => this.forwarded.push(bytes),
      interrupt: (unique) => this.interrupted.push(unique),
      onInit: () => this.initCount++,
      onFault: (action) => this.faults.push(action),
      ...parts,
    });
  }

  #posix(): Posix {
    return {
      read: (fd: number, out: Uint8Array) => {
        if (fd === WAKE) return 8;
        const [next] = this.events;
        if (next === undefined) {
          this.#isOver = !this.#isOver;
          return this.#isOver ? -EAGAIN : -ENODEV;
        }
        if (typeof next === "function") return -EAGAIN;
        this.events.shift();
        if (typeof next === "number") return next;
        out.set(next);
        return next.length;
      },
      write: (fd: number, bytes: Uint8Array) => {
        if (fd !== DEVICE) return this.woken.push(fd), 8;
        const words = new Int32Array(bytes.slice().buffer);
        strictEqual(words[0], 16);
        strictEqual(words[3], 7);
        this.replies.push([words[2], words[1]]);
        return 16;
      },
      poll: (_set: unknown, timeoutMs: number) => {
        const next = this.events.shift();
        if (next === undefined) return 0;
        this.timeouts.push(timeoutMs);
        (next as () => void)();
        return 1;
      },
    } as unknown as Posix;
  }

  /** Handling a request asks for a block until it is there. */
  wantBlock(name: string): void {
    this.handle = () => {
      const bytes = this.fetched.take(name, 10, 3);
      if (bytes === undefined) return Outcome.pending;
      deepStrictEqual(bytes, Uint8Array.of(10, 11, 12));
      return Outcome.done;
    };
  }

  /** Answers all that was asked. */
  answer(error?: Error): () => void {
    return () => {
      const block = Uint8Array.from({ length: 100 }, (_, i) => i);
      for (const { number } of this.asked.splice(0)) {
        const answer = error === undefined
          ? this.memory.put(0, block)
          : failureAnswer(error);
        this.answers.set(number, answer);
      }
    };
  }
}

Deno.test("DeviceLoop hands on requests until the device is gone", () => {
  const nothing = () => {};
  const bench = new Bench(
    request(1, Opcode.INIT),
    -ENOENT,
    -EINTR,
    request(2),
    nothing,
    request(3),
  );
  strictEqual(bench.loop().run(), 0);
  deepStrictEqual(bench.handled, [1, 2, 3]);
  strictEqual(bench.initCount, 1);
  deepStrictEqual(bench.timeouts, [-1]);
});

Deno.test("DeviceLoop ends with the error of the device", () => {
  const bench = new Bench(request(1), -errnos.ECONNABORTED, request(2));
  strictEqual(bench.loop().run(), errnos.ECONNABORTED);
  deepStrictEqual(bench.handled, [1]);
});

Deno.test("DeviceLoop ends when all are told to", () => {
  const bench = new Bench(request(1), () => bench.control.stop(), request(2));
  strictEqual(bench.loop().run(), 0);
  deepStrictEqual(bench.handled, [1]);
});

Deno.test("DeviceLoop spins before it sleeps", () => {
  const bench = new Bench(() => {});
  const start = performance.now();
  bench.loop({ spinUs: 2000 }).run();
  ok(performance.now() - start >= 2);
});

Deno.test("DeviceLoop handles a request again when its blocks have come", () => {
  const bench = new Bench(request(1), request(2));
  bench.wantBlock("packs/a");
  const other = bench.handle;
  bench.handle = (unique) => unique === 2 ? Outcome.done : other(unique);
  bench.events.push(bench.answer());
  strictEqual(bench.loop().run(), 0);
  deepStrictEqual(bench.handled, [1, 2, 1]);
  strictEqual(bench.counters.total(Counter.parked), 1);
  ok(bench.timeouts[0] > 59_000 && bench.timeouts[0] <= 60_000);
});

Deno.test("DeviceLoop asks once for a block that two requests want", () => {
  const bench = new Bench(request(1), request(2));
  bench.wantBlock("packs/a");
  bench.events.push(() => {
    strictEqual(bench.asked.length, 1);
    bench.answer()();
  });
  bench.loop().run();
  deepStrictEqual(bench.handled, [1, 2, 1, 2]);
});

Deno.test("DeviceLoop lets a failed fetch be thrown to who waits, and asked for again", () => {
  const bench = new Bench(request(1));
  bench.wantBlock("packs/a");
  bench.events.push(bench.answer(new Error("away")), () => {}, request(2));
  bench.events.push(bench.answer());
  bench.loop().run();
  deepStrictEqual(bench.handled, [1, 1, 2, 2]);
  deepStrictEqual(bench.replies, [[1, -EIO]]);
  deepStrictEqual(bench.faults, ["handle a request"]);
});

Deno.test("DeviceLoop tries again soon what waits for another worker", () => {
  const bench = new Bench(request(1), () => {}, () => {
    bench.handle = () => Outcome.done;
  });
  bench.handle = () => Outcome.pending;
  bench.loop().run();
  ok(bench.handled.length >= 2);
  deepStrictEqual(bench.timeouts, [2, 2]);
});

Deno.test("DeviceLoop answers with EIO what waits too long", () => {
  const bench = new Bench(request(1));
  bench.wantBlock("packs/a");
  bench.events.push(() => {});
  bench.loop({ deadlineMs: 0 }).run();
  deepStrictEqual(bench.replies, [[1, -EIO]]);
  deepStrictEqual(bench.faults, ["wait for the store"]);
  strictEqual(bench.counters.total(Counter.expired), 1);
});

Deno.test("DeviceLoop answers a parked request with EINTR when it is interrupted", () => {
  const bench = new Bench(request(1), request(2), interrupt(1));
  bench.wantBlock("packs/a");
  bench.events.push(bench.answer());
  bench.loop().run();
  deepStrictEqual(bench.replies, [[1, -EINTR]]);
  deepStrictEqual(bench.handled, [1, 2, 2]);
  deepStrictEqual(bench.woken, []);
  strictEqual(bench.counters.total(Counter.interrupted), 1);
});

Deno.test("DeviceLoop passes an interrupt on to the worker that has the request", () => {
  const first = new Bench(interrupt(5));
  const loop = first.loop();
  const second = new Bench(request(5));
  second.wantBlock("packs/a");
  second.events.push(() => {
    loop.run();
    deepStrictEqual(first.woken, [OTHER]);
  });
  second.loop({ control: new MountControl(first.control.buffer) }).run();
  deepStrictEqual(first.replies, []);
  deepStrictEqual(second.replies, [[5, -EINTR]]);
});

Deno.test("DeviceLoop goes on after an exception, and answers no FORGET", () => {
  const bench = new Bench(request(1), request(2, Opcode.FORGET), request(3));
  bench.handle = (unique) => {
    if (unique === 3) return Outcome.done;
    throw new TypeError("Broken on purpose");
  };
  bench.loop().run();
  deepStrictEqual(bench.replies, [[1, -EIO]]);
  deepStrictEqual(bench.handled, [1, 2, 3]);
  strictEqual(bench.faults.length, 2);
});

Deno.test("DeviceLoop forwards requests, and interrupts of them", () => {
  const bench = new Bench(request(1), request(2), interrupt(1));
  bench.handle = () => Outcome.forward;
  bench.loop().run();
  deepStrictEqual(bench.forwarded, [request(1), request(2)]);
  deepStrictEqual(bench.interrupted, [1]);
  strictEqual(bench.control.forwardedCount, 2);
});
