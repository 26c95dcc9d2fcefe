import { deepStrictEqual, rejects } from "node:assert/strict";
import type { Limiter } from "@snap/store/wrap";
import { ParsedArguments } from "../arguments/parse_arguments.ts";
import { Session } from "../session.ts";
import { storeLimiter } from "./store_limiter.ts";

Deno.test("stores far away keep one rate together, unless a store has one of its own", async () => {
  const output = { isTerminal: false, write: () => Promise.resolve() };
  const session = new Session(
    { stdout: output, stderr: output, cwd: "/", env: () => undefined },
    new ParsedArguments([], new Map()),
  );
  const limits = { bytesPerSecond: 1, requestsMax: 4 };
  const [first, second] = [1, 2].map(() =>
    storeLimiter(session, { ...limits, isRateShared: true })
  );
  const own = storeLimiter(session, { ...limits, isRateShared: false });
  const stop = new AbortController();
  const { signal } = stop;
  const begun: string[] = [];
  const run = (name: string, limiter: Limiter): Promise<void> =>
    limiter.run({ bytes: 1e6, signal }, () => {
      begun.push(name);
      return Promise.resolve();
    });
  await run("first", first);
  const waiting = run("second", second);
  waiting.catch(() => {}); // It is awaited below.
  await run("own", own);
  stop.abort(new Error("enough"));
  await rejects(waiting, /enough/);
  deepStrictEqual(begun, ["first", "own"]);
});
