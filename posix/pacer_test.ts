import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Pacer, runAtOnce } from "./pacer.ts";

/** Works for longer than a turn may take to come. */
function work(): void {
  const end = performance.now() + 6;
  while (performance.now() < end);
}

/** Runs something, and counts the rounds of the event loop meanwhile. */
async function countRounds(run: () => Promise<void>): Promise<number> {
  let rounds = 0, isOver = false;
  const count = (): void => {
    if (isOver) return;
    rounds++;
    setImmediate(count);
  };
  setImmediate(count);
  await run();
  isOver = true;
  return rounds;
}

Deno.test("Pacer lets the event loop turn when it has worked for a while", async () => {
  const pacer = new Pacer();
  await pacer.turn();
  const rounds = await countRounds(async () => {
    for (let i = 0; i < 10; i++) {
      work();
      await pacer.yield(1 << 20);
    }
  });
  ok(rounds >= 10, `${rounds} rounds`);
});

Deno.test("Pacer looks at the clock only after enough work, whoever did it", async () => {
  await new Pacer().turn();
  work();
  const pacers = [new Pacer(), new Pacer()];
  const first: number[] = [];
  for (let i = 0; first.length === 0; i++) {
    const turn = pacers[i % 2].yield();
    if (turn !== undefined) first.push(i + 1);
    await turn;
  }
  ok(first[0] > 1 && first[0] <= 64, `after ${first} steps`);
});

Deno.test("Pacer: those that wait at once have one turn together", async () => {
  const pacers = Array.from({ length: 100 }, () => new Pacer());
  const one = await countRounds(() => pacers[0].turn());
  const all = await countRounds(async () => {
    await Promise.all(pacers.map((pacer) => pacer.turn()));
  });
  ok(all <= one + 2, `${all} rounds, ${one} of one`);
});

Deno.test("Pacer throws what ended the work, and tells before each turn", async () => {
  const controller = new AbortController();
  let told = 0;
  const pacer = new Pacer({
    signal: controller.signal,
    onTurn: () => told++,
  });
  await pacer.turn();
  strictEqual(told, 1);
  const timer = new Promise<void>((resolve) => setTimeout(resolve, 0));
  timer.then(() => controller.abort(new Error("enough")));
  await rejects(async () => {
    for (;;) {
      work();
      await pacer.yield(1 << 20);
    }
  }, /enough/);
});

function* steps(log: number[]): Generator<number, string> {
  for (let i = 0; i < 3; i++) {
    work();
    log.push(i);
    yield 1 << 20;
  }
  return "end";
}

Deno.test("Pacer.run and runAtOnce run steps to their end", async () => {
  const log: number[] = [];
  strictEqual(runAtOnce(steps(log)), "end");
  let result = "";
  const rounds = await countRounds(async () => {
    result = await new Pacer().run(steps(log));
  });
  strictEqual(result, "end");
  deepStrictEqual(log, [0, 1, 2, 0, 1, 2]);
  ok(rounds > 0);
});

Deno.test("Pacer has steps end that it runs no further", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("enough");
  let hasEnded = false;
  function* steps(): Generator<number, void> {
    try {
      for (;;) {
        work();
        controller.abort(reason);
        yield 1 << 20;
      }
    } finally {
      hasEnded = true;
    }
  }
  await rejects(new Pacer({ signal }).run(steps()), reason);
  ok(hasEnded);
});
