import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { Limiter, Pace, RemoteError } from "./mod.ts";
import { FakeTiming } from "./testdata/fake_timing.ts";

const throttled = new RemoteError("Cannot read: busy", {
  code: "SlowDown",
  action: "read",
  isThrottled: true,
});

/** Requests that end when the test says so. */
class Requests {
  readonly running: { end(error?: Error): void }[] = [];
  readonly outcomes: Promise<unknown>[] = [];
  readonly #limiter: Limiter;

  constructor(limiter: Limiter) {
    this.#limiter = limiter;
  }

  add(count: number, bytes = 0, signal?: AbortSignal): void {
    for (let i = 0; i < count; i++) {
      const outcome = this.#limiter.run(
        { bytes, signal },
        () =>
          new Promise<void>((resolve, reject) => {
            const request = {
              end: (error?: Error) => {
                this.running.splice(this.running.indexOf(request), 1);
                if (error === undefined) resolve();
                else reject(error);
              },
            };
            this.running.push(request);
          }),
      );
      outcome.catch(() => {});
      this.outcomes.push(outcome);
    }
  }

  /** Ends all that run now, and lets those that wait begin. */
  async round(error?: Error): Promise<number> {
    const now = [...this.running];
    for (const request of now) request.end(error);
    await settled();
    return now.length;
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("Limiter doubles until it is throttled, then grows by one a round", async () => {
  const limiter = new Limiter({ timing: new FakeTiming() });
  const requests = new Requests(limiter);
  requests.add(2000);
  await settled();
  const sizes: number[] = [];
  for (let i = 0; i < 3; i++) sizes.push(await requests.round());
  deepStrictEqual(sizes, [8, 16, 32]);
  strictEqual(limiter.window, 64);
  // Sixty-four that fail together are one sign, not sixty-four.
  await requests.round(throttled);
  strictEqual(limiter.window, 32);
  sizes.length = 0;
  for (let i = 0; i < 4; i++) sizes.push(await requests.round());
  // Each request adds its share of one, rounded down.
  deepStrictEqual(sizes, [32, 32, 33, 34]);
  while (requests.running.length > 0) await requests.round();
});

Deno.test("Limiter grows only where it is what holds requests back", async () => {
  const limiter = new Limiter({ timing: new FakeTiming() });
  const requests = new Requests(limiter);
  for (let i = 0; i < 20; i++) {
    requests.add(4);
    await settled();
    await requests.round();
  }
  strictEqual(limiter.window, 8);
});

Deno.test("Limiter takes late answers for a sign of a queue", async () => {
  const timing = new FakeTiming();
  const limiter = new Limiter({ timing });
  const requests = new Requests(limiter);
  requests.add(1000);
  await settled();
  timing.time += 20;
  await requests.round();
  strictEqual(limiter.window, 16);
  timing.time += 190; // Less than five times as long and 100 ms.
  await requests.round();
  strictEqual(limiter.window, 32);
  timing.time += 300;
  await requests.round();
  strictEqual(limiter.window, 24);
  while (requests.running.length > 0) await requests.round();
});

Deno.test("Limiter compares requests of one size only", async () => {
  const timing = new FakeTiming();
  const limiter = new Limiter({ timing });
  const requests = new Requests(limiter);
  requests.add(8);
  await settled();
  await requests.round();
  requests.add(4, 8 * 1024 * 1024);
  await settled();
  timing.time += 5000;
  await requests.round();
  strictEqual(limiter.window, 16);
});

Deno.test("Limiter keeps bytes under way below their limit, one that is larger goes alone", async () => {
  const limiter = new Limiter({
    timing: new FakeTiming(),
    bytesInFlightMax: 100,
  });
  const requests = new Requests(limiter);
  requests.add(3, 40);
  requests.add(1, 500);
  requests.add(1, 0);
  await settled();
  const sizes: number[] = [];
  while (requests.running.length > 0) sizes.push(await requests.round());
  deepStrictEqual(sizes, [2, 1, 2]);
});

Deno.test("Limiter lets no one wait behind a request that was given up", async () => {
  const limiter = new Limiter({
    timing: new FakeTiming(),
    bytesInFlightMax: 100,
  });
  const requests = new Requests(limiter);
  const stop = new AbortController();
  requests.add(1, 60);
  requests.add(1, 60, stop.signal);
  requests.add(1, 30);
  await settled();
  strictEqual(requests.running.length, 1);
  stop.abort(new Error("enough"));
  await settled();
  strictEqual(requests.running.length, 2);
  await rejects(requests.outcomes[1], /enough/);
  await requests.round();
  await rejects(
    limiter.run({ bytes: 0, signal: stop.signal }, () => Promise.resolve()),
    /enough/,
  );
});

Deno.test("Limiter keeps a rate", async () => {
  const timing = new FakeTiming();
  const limiter = new Limiter({ timing, bytesPerSecond: 1000 });
  const run = (bytes: number, more = 0) =>
    limiter.run({ bytes }, (tell) => Promise.resolve(tell(more)));
  for (let i = 0; i < 10; i++) await run(500, 500);
  // The last one has begun, and need not have gone by.
  strictEqual(timing.time, 9000);
  timing.time += 60_000;
  await run(10);
  // What was not used is not saved up.
  await run(10);
  strictEqual(timing.time, 69_010);
});

Deno.test("Limiters that share a pace keep it together", async () => {
  const timing = new FakeTiming();
  const pace = new Pace(1000, timing);
  const limiters = [1, 2].map(() => new Limiter({ timing, pace }));
  for (let i = 0; i < 10; i++) {
    await limiters[i % 2].run({ bytes: 1000 }, () => Promise.resolve());
  }
  strictEqual(timing.time, 9000);
  throws(() => new Pace(0), RangeError);
});

seededTest(
  "Limiter never exceeds its limits and forgets no request",
  async (prng: Prng) => {
    const timing = new FakeTiming();
    const requestsMax = 1 + prng.u32() % 20;
    const bytesInFlightMax = 1000;
    const limiter = new Limiter({ timing, requestsMax, bytesInFlightMax });
    let requests = 0, bytes = 0, done = 0;
    const one = async (size: number) => {
      await limiter.run({ bytes: size }, async () => {
        requests++;
        bytes += Math.min(size, bytesInFlightMax);
        ok(requests <= requestsMax);
        ok(bytes <= bytesInFlightMax || requests === 1);
        for (let i = prng.u32() % 5; i > 0; i--) await Promise.resolve();
        timing.time += prng.u32() % 500;
        requests--;
        bytes -= Math.min(size, bytesInFlightMax);
        done++;
        if (prng.u32() % 10 === 0) throw throttled;
      }).catch(() => {});
    };
    const sizes = Array.from({ length: 200 }, () => prng.u32() % 1500);
    await Promise.all(sizes.map(one));
    strictEqual(done, 200);
  },
);
