import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { openPipeStore } from "../http/pipe_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { FaultStore } from "../testing/fault_store.ts";
import { FrameReader, FrameWriter, headOf } from "./frames.ts";
import type { AccessLine } from "./options.ts";
import { servePipe } from "./serve_pipe.ts";
import { pipePair } from "./testdata/pipes.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

Deno.test("servePipe gives the right that it was told", async () => {
  const { near, far } = pipePair();
  const inner = new MemoryStore();
  const served = servePipe(inner, far, { right: "append" });
  const store = await openPipeStore(near);
  strictEqual(store.right, "append");
  strictEqual(await store.create("index/one", bytes), true);
  await rejects(store.remove("index/one"), { code: "EACCES" });
  await rejects(store.create("config/1", bytes), { code: "EACCES" });
  await store[Symbol.asyncDispose]();
  await served;
});

Deno.test("servePipe answers many at once, large ones in pieces", async () => {
  const { near, far } = pipePair();
  const inner = new MemoryStore();
  const large = new Uint8Array(5 * 1024 * 1024).map((_, i) => i >> 8);
  await inner.create("packs/ab/large", large);
  await inner.create("index/one", bytes);
  const served = servePipe(inner, far, { right: "read" });
  const store = await openPipeStore(near);
  const reads = Array.from(
    { length: 200 },
    (_, i) =>
      i % 50 === 0 ? store.read("packs/ab/large") : store.read("index/one"),
  );
  for (const [i, read] of (await Promise.all(reads)).entries()) {
    deepStrictEqual(read, i % 50 === 0 ? large : bytes);
  }
  await store[Symbol.asyncDispose]();
  await served;
});

Deno.test("servePipe stops what nobody waits for any more", async () => {
  const { near, far } = pipePair();
  const lines: AccessLine[] = [];
  let seen: AbortSignal | undefined;
  const store = await opened(near, () =>
    servePipe(new MemoryStore(), far, {
      right: "read",
      onAccess: (line) => lines.push(line),
      exchange: (_, { signal }) => {
        seen = signal;
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        );
      },
    }));
  const stop = new AbortController();
  const exchange = store.exchange(bytes, { signal: stop.signal });
  while (seen === undefined) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  stop.abort(new Error("enough"));
  await rejects(exchange, { message: "enough" });
  strictEqual(await store.size("index/one"), undefined);
  while (lines.length < 3) await new Promise((resolve) => setTimeout(resolve));
  strictEqual(seen.aborted, true);
  await store[Symbol.asyncDispose]();
});

Deno.test("servePipe ends by a signal when what is at work is done", async () => {
  const { near, far } = pipePair();
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  const inner = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "slow" }],
    wait: () => work.promise,
  });
  const served = servePipe(inner, far, {
    right: "append",
    signal: stop.signal,
  });
  const store = await openPipeStore(near);
  const create = store.create("index/one", bytes);
  while (inner.calls === 0) await new Promise((resolve) => setTimeout(resolve));
  stop.abort();
  work.resolve();
  strictEqual(await create, true);
  await served;
  await rejects(store.size("index/one"), { code: "ECONNRESET" });
  await store[Symbol.asyncDispose]();
});

Deno.test("servePipe refuses who speaks another language", async () => {
  for (
    const [said, reason] of [
      ["GET / HTTP/1.1\r\n", /must begin with SNAPPIP1: found "GET \/ HT"/],
      ["", /ended without a word/],
      ["SNAPPIP1\x09" + "x".repeat(15), /a frame must be one of/],
      [
        "SNAPPIP1\x01\0\0\0\x01\0\0\0\0\0\0\0\xff\xff\xff\x7f",
        /a frame must be/,
      ],
      ["SNAPPIP1\x01\0", /middle of a frame/],
    ] as const
  ) {
    const { near, far } = pipePair();
    const served = servePipe(new MemoryStore(), far, { right: "read" });
    const writer = near.writable.getWriter();
    const drained = drain(near.readable);
    const sent = Uint8Array.from(said, (char) => char.charCodeAt(0));
    await Promise.allSettled([writer.write(sent), writer.close()]);
    await rejects(served, (error: Error) => reason.test(error.message));
    await drained;
  }
});

Deno.test("servePipe refuses paths that are none", async () => {
  const { near, far } = pipePair();
  const served = servePipe(new MemoryStore(), far, { right: "prune" });
  const writer = new FrameWriter(near.writable);
  const reader = new FrameReader(near.readable, 1000);
  await Promise.all([writer.begin(), reader.begin()]);
  const paths = [
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/./b",
    "//host/x",
    "http://h/x",
    "a b",
    "",
    5,
  ];
  for (const [id, path] of paths.entries()) {
    const head = new TextEncoder().encode(
      JSON.stringify({ method: "GET", path }),
    );
    await writer.write({ type: 1, id, head });
    const frame = (await reader.read())!;
    deepStrictEqual([frame.id, headOf(frame)?.status], [id, 400], String(path));
  }
  let id = 100;
  for (
    const text of [
      "",
      "[]",
      "{",
      '{"method":"TRACE","path":"a"}',
      '{"method":"GET","path":"a","headers":{"a b":"c"}}',
    ]
  ) {
    await writer.write({
      type: 1,
      id: id++,
      head: new TextEncoder().encode(text),
    });
    strictEqual(headOf((await reader.read())!)?.status, 400);
  }
  await writer.close();
  await served;
  await reader.cancel();
});

Deno.test("openPipeStore says what came instead of a server", async () => {
  const greeting = "Welcome to host\n";
  const { near, far } = pipePair();
  const writer = far.writable.getWriter();
  writer.write(new TextEncoder().encode(greeting)).catch(() => {});
  await rejects(
    openPipeStore(near, { location: "ssh://host/path" }),
    (error: Error) => {
      match(
        error.message,
        /^Cannot open ssh:\/\/host\/path: it must begin with SNAPPIP1: found "Welcome /,
      );
      return true;
    },
  );
});

Deno.test("openPipeStore does not wait for ever", async () => {
  const { near } = pipePair();
  await rejects(openPipeStore(near, { timeoutMs: 5 }), { code: "ETIMEDOUT" });
});

Deno.test("a pipe that breaks fails what waits, and all that follows", async () => {
  const { near, far } = pipePair();
  const stop = new AbortController();
  const inner = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "slow" }],
    wait: () => new Promise(() => {}),
  });
  const pipe = {
    readable: far.readable,
    writable: far.writable,
  };
  const served = servePipe(inner, pipe, { right: "read", signal: stop.signal });
  served.catch(() => {});
  const broken = Promise.withResolvers<void>();
  const cut = near.readable.pipeThrough(
    new TransformStream({
      start: (controller) =>
        void broken.promise.then(() =>
          controller.error(new Error("Connection reset by peer"))
        ),
    }),
  );
  const store = await openPipeStore({ readable: cut, writable: near.writable });
  const size = store.size("index/one");
  while (inner.calls === 0) await new Promise((resolve) => setTimeout(resolve));
  broken.resolve();
  await rejects(size, { code: "ECONNRESET" });
  await rejects(store.read("index/one"), { code: "ECONNRESET" });
});

async function opened(
  near: Parameters<typeof openPipeStore>[0],
  serve: () => Promise<void>,
): ReturnType<typeof openPipeStore> {
  serve().catch(() => {});
  return await openPipeStore(near);
}

async function drain(readable: ReadableStream<Uint8Array>): Promise<void> {
  try {
    for await (const _ of readable);
  } catch {
    // It was given up.
  }
}
