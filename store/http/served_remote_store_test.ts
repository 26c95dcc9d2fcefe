import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { cannot } from "../cannot.ts";
import { type StoreAction, StoreError } from "../errors.ts";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { serveStore, type StoreHandler } from "../serve/mod.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { isTransient, RemoteError } from "../wrap/remote_error.ts";
import { openHttpStore } from "./http_store.ts";
import type { RemoteStore } from "./remote_store.ts";

const MIB = 1024 * 1024;
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);

/** What becomes of a request on its way; `next` is the server. */
type Between = (
  request: Request,
  next: (request: Request) => Promise<Response>,
) => Promise<Response>;

/** A store whose requests pass through something that can be changed. */
async function through(
  handler: StoreHandler,
  options: Parameters<typeof openHttpStore>[1] = {},
): Promise<{ store: RemoteStore; set: (between: Between) => void }> {
  let between: Between = (request, next) => next(request);
  const store = await openHttpStore("http://localhost/", {
    spoolFolder: tmpdir(),
    ...options,
    fetch: (url, init) => between(new Request(url, init), handler),
  });
  return { store, set: (next) => between = next };
}

function memoryServer(): { inner: MemoryStore; handler: StoreHandler } {
  const inner = new MemoryStore();
  return {
    inner,
    handler: serveStore(inner, { access: { loopback: "prune" } }),
  };
}

/** Every verb, as a call on a store that has `packs/ab/one`. */
const CALLS: Readonly<
  Record<string, (store: RemoteStore) => Promise<unknown>>
> = {
  read: (store) => store.read("packs/ab/one", { offset: 10, length: 20 }),
  size: (store) => store.size("packs/ab/one"),
  list: (store) => Array.fromAsync(store.list("packs/")),
  create: (store) => store.create("index/one", bytes),
  sync: (store) => store.sync(["packs/"]),
  remove: (store) => store.remove("packs/ab/one"),
};

Deno.test("each answer that is lost once is an error that may be repeated", async () => {
  for (const [verb, call] of Object.entries(CALLS)) {
    const { inner, handler } = memoryServer();
    await inner.create("packs/ab/one", bytes);
    const { store, set } = await through(handler);
    let isLost = false;
    set(async (request, next) => {
      const response = await next(request);
      if (isLost) return response;
      isLost = true;
      await response.body?.cancel();
      throw new TypeError(
        "error sending request: connection closed before message completed",
      );
    });
    await rejects(call(store), (error) => {
      strictEqual(
        error instanceof StoreError && error.code,
        "ECONNRESET",
        verb,
      );
      strictEqual(isTransient(error), true);
      return true;
    });
    const again = await call(store);
    if (verb === "create") {
      // It was created: whoever repeats compares what is there.
      strictEqual(again, false);
      deepStrictEqual(await store.read("index/one"), bytes);
    }
    if (verb === "remove") {
      strictEqual(await inner.size("packs/ab/one"), undefined);
    }
  }
});

Deno.test("a status that is a failure has its code, and nothing reads as absence", async () => {
  const cases: readonly [number, string, boolean][] = [
    [401, "EACCES", false],
    [403, "EACCES", false],
    [404, "REFUSED", false],
    [409, "CONFLICT", true],
    [429, "THROTTLED", true],
    [500, "EREMOTEIO", true],
    [502, "BUSY", true],
    [503, "BUSY", true],
    [504, "BUSY", true],
    [507, "ENOSPC", false],
  ];
  for (const [status, code, mayRepeat] of cases) {
    for (const [verb, call] of Object.entries(CALLS)) {
      const { handler } = memoryServer();
      const { store, set } = await through(handler);
      set(() =>
        Promise.resolve(
          new Response("<html>", { status, headers: { "retry-after": "7" } }),
        )
      );
      await rejects(call(store), (error) => {
        if (!(error instanceof RemoteError)) throw error;
        const isSmallBody = verb === "create" && status === 504; // Tried smaller first.
        strictEqual(error.code, code, `${verb} ${status} ${isSmallBody}`);
        strictEqual(error.isTransient, mayRepeat);
        match(
          error.message,
          new RegExp(
            `^${cannot(verb as StoreAction, ".*")}: .* \\(${status}\\)$`,
          ),
        );
        strictEqual(error.status, status);
        strictEqual(error.retryAfterMs, 7000);
        return true;
      });
    }
  }
});

Deno.test("412 and 416 of a stranger prove nothing", async () => {
  const { handler } = memoryServer();
  const { store, set } = await through(handler);
  set(() => Promise.resolve(new Response("", { status: 412 })));
  await rejects(store.create("index/one", bytes), { code: "REFUSED" });
  set(() => Promise.resolve(new Response("", { status: 416 })));
  await rejects(store.read("index/one", { offset: 5 }), { code: "PORTAL" });
});

Deno.test("the page of a portal is an error for every verb", async () => {
  for (const [verb, call] of Object.entries(CALLS)) {
    const { handler } = memoryServer();
    const { store, set } = await through(handler);
    const headers = { "content-type": "text/html" };
    set(() =>
      Promise.resolve(new Response("<html>Log in</html>", { headers }))
    );
    await rejects(call(store), (error: Error) => {
      match(error.message, /^Cannot \w+ /);
      const { code } = error as StoreError;
      strictEqual(
        code === "PORTAL" || code === "REFUSED",
        true,
        `${verb} ${code}`,
      );
      return true;
    });
  }
});

Deno.test("the server says why, and the error says it", async () => {
  const inner = new MemoryStore();
  const token = "a-token-that-may-read";
  const handler = serveStore(inner, {
    access: { tokens: [{ token, right: "read" }] },
    sleep: () => Promise.resolve(),
  });
  const { store } = await through(handler, { token });
  strictEqual(store.right, "read");
  await rejects(store.create("index/one", bytes), {
    code: "EACCES",
    message: "Cannot create index/one: the token has too few rights (403)",
  });
  const wrong = through(handler, { token: `${token}-not` });
  await rejects(wrong, {
    code: "EACCES",
    message:
      "Cannot open http://localhost/: the server does not know this token, or asks for one (401)",
  });
});

Deno.test("bodies that end early, or never, are errors", async () => {
  const { inner, handler } = memoryServer();
  await inner.create("packs/ab/one", bytes);
  const { store, set } = await through(handler);
  const cut = (
    count: number,
    end: (c: ReadableStreamDefaultController) => void,
  ): Between =>
  async (request, next) => {
    const response = await next(request);
    const body = new Uint8Array(await response.arrayBuffer()).subarray(
      0,
      count,
    );
    const stream = new ReadableStream({
      start(controller) {
        if (count > 0) controller.enqueue(body);
        end(controller);
      },
    });
    return new Response(stream, response);
  };
  set(cut(7, (controller) => controller.close()));
  const range = { offset: 10, length: 20 };
  await rejects(store.read("packs/ab/one", range), { code: "TRUNCATED" });
  await rejects(store.read("packs/ab/one"), { code: "TRUNCATED" });
  await rejects(Array.fromAsync(store.list("")), { code: "TRUNCATED" });
  set(cut(18, (controller) => controller.close()));
  await rejects(Array.fromAsync(store.list("")), { code: "TRUNCATED" });
  set(
    cut(
      7,
      (controller) =>
        controller.error(new TypeError("error reading a body from connection")),
    ),
  );
  await rejects(store.read("packs/ab/one", range), { code: "TRUNCATED" });
  await rejects(Array.fromAsync(store.list("")), { code: "TRUNCATED" });
});

Deno.test("answers that stop in the middle are given up", async () => {
  const { handler } = memoryServer();
  const { store, set } = await through(handler, { timeoutMs: 20 });
  const range = { offset: 10, length: 20 };
  set(() => {
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(7)),
    });
    const headers = {
      "snap-protocol": "1",
      "content-range": "bytes 10-29/5000",
    };
    return Promise.resolve(new Response(stream, { status: 206, headers }));
  });
  await rejects(store.read("packs/ab/one", range), { code: "ETIMEDOUT" });
  set((request) =>
    new Promise((_, reject) =>
      request.signal.addEventListener(
        "abort",
        () => reject(request.signal.reason),
      )
    )
  );
  await rejects(store.size("packs/ab/one"), {
    code: "ETIMEDOUT",
    message:
      "Cannot find the size of packs/ab/one: localhost sent nothing for 0.02 s (ETIMEDOUT)",
  });
});

Deno.test("an answer with another range is an error, one with everything is cut", async () => {
  const { inner, handler } = memoryServer();
  await inner.create("packs/ab/one", bytes);
  const large = new Uint8Array(3 * MIB).map((_, i) => i >> 10);
  await inner.create("packs/ab/two", large);
  const { store, set } = await through(handler);
  set(async (request, next) => {
    const headers = { range: "bytes=11-30" };
    return await next(new Request(request, { headers }));
  });
  await rejects(store.read("packs/ab/one", { offset: 10, length: 20 }), {
    code: "PROTOCOL",
    message: /must be bytes 10-29: found bytes 11-30\/5000/,
  });
  set((request, next) => next(new Request(request.url)));
  deepStrictEqual(
    await store.read("packs/ab/one", { offset: 10, length: 20 }),
    bytes.subarray(10, 30),
  );
  deepStrictEqual(
    await store.read("packs/ab/two", { offset: MIB, length: 20 }),
    large.subarray(MIB, MIB + 20),
  );
  await rejects(store.read("packs/ab/one", { offset: 4990, length: 20 }), {
    code: "SHORT",
  });
  await rejects(store.read("packs/ab/one", { offset: 5001 }), {
    code: "SHORT",
  });
  await rejects(store.read("packs/ab/two", { offset: 2 * MIB, length: 20 }), {
    code: "RANGE",
    message: /sends whole files where a range is asked for/,
  });
});

Deno.test("bytes that a proxy compressed are refused", async () => {
  const { inner, handler } = memoryServer();
  await inner.create("packs/ab/one", bytes);
  const { store, set } = await through(handler);
  set(async (request, next) => {
    strictEqual(request.headers.get("accept-encoding"), "identity");
    const response = await next(request);
    const headers = new Headers(response.headers);
    headers.set("content-encoding", "gzip");
    return new Response(response.body, { status: response.status, headers });
  });
  await rejects(store.read("packs/ab/one"), { code: "PROTOCOL" });
});

Deno.test("a list with lines that are none is refused", async () => {
  const { handler } = memoryServer();
  const { store, set } = await through(handler);
  for (
    const text of [
      "5 ../x\nend 1\n",
      "x\nend 1\n",
      "5 tags/x\nend 1\n",
      "end 0\n5 index/x\n",
      "5 index/x\nend 2\n",
      "x".repeat(2000),
    ]
  ) {
    set(() =>
      Promise.resolve(new Response(text, { headers: { "snap-protocol": "1" } }))
    );
    await rejects(Array.fromAsync(store.list("index/")), StoreError, text);
  }
});

Deno.test("an exchange passes through", async () => {
  const handler = serveStore(new MemoryStore(), {
    access: { loopback: "read" },
    exchange: (body) => Promise.resolve(body.map((byte) => byte ^ 255)),
  });
  const { store } = await through(handler);
  deepStrictEqual([...await store.exchange(new Uint8Array([0, 1]))], [
    255,
    254,
  ]);
});

/** A server over a folder behind a proxy with a limit of bodies. */
async function behindProxy(
  bodySizeMax: number,
  test: (scene: {
    store: RemoteStore;
    set: (between: Between) => void;
    limit: Between;
    sizes: number[];
    folder: string;
  }) => Promise<void>,
): Promise<void> {
  const folder = makeFastFolder();
  const inner = await openFileStore(`${folder}/store`, { create: true });
  const { store, set } = await through(
    serveStore(inner, {
      access: { loopback: "append" },
      exchange: (body) => Promise.resolve(body.map((byte) => byte ^ 255)),
    }),
    { spoolFolder: folder },
  );
  const sizes: number[] = [];
  const limit: Between = async (request, next) => {
    const body = await request.clone().arrayBuffer();
    if (body.byteLength > bodySizeMax) {
      return new Response("<html>", { status: 413 });
    }
    if (request.url.includes("~part")) sizes.push(body.byteLength / MIB);
    return await next(request);
  };
  set(limit);
  try {
    await test({ store, set, limit, sizes, folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const large = new Uint8Array(9.5 * MIB).map((_, i) => i * i >> 7);
const SAVE_ID = "0123456789abcdef".repeat(2);

async function spool(store: RemoteStore): Promise<string> {
  const path = await store.spoolPath(SAVE_ID);
  writeFileSync(path, large);
  return path;
}

Deno.test("a large file goes up in parts that grow", async () => {
  await behindProxy(100 * MIB, async ({ store, sizes, folder }) => {
    const path = await spool(store);
    strictEqual(await store.adopt("packs/ab/one", path), true);
    deepStrictEqual(sizes, [1, 2, 4, 2.5]);
    strictEqual(existsSync(path), false);
    deepStrictEqual(
      new Uint8Array(readFileSync(`${folder}/store/packs/ab/one`)),
      large,
    );
    strictEqual(await store.adopt("packs/ab/one", await spool(store)), false);
    deepStrictEqual(await store.read("packs/ab/one"), large);
  });
});

Deno.test("a proxy that limits bodies is found, and obeyed from then on", async () => {
  await behindProxy(MIB, async ({ store, sizes }) => {
    strictEqual(await store.adopt("packs/ab/one", await spool(store)), true);
    deepStrictEqual(sizes, [...Array.from({ length: 9 }, () => 1), 0.5]);
    strictEqual(await store.create("packs/ab/two", large), true);
    strictEqual(sizes.length, 20);
    deepStrictEqual(await store.read("packs/ab/two"), large);
  });
});

Deno.test("an exchange that is too large for a proxy goes in parts, and nothing stays of it", async () => {
  await behindProxy(MIB, async ({ store, sizes, folder, set, limit }) => {
    const wanted = large.map((byte) => byte ^ 255);
    deepStrictEqual(await store.exchange(large), wanted);
    strictEqual(sizes.length, 10);
    let count = 0;
    set(async (request, next) => {
      const isLost = request.url.includes("~exchange?") && count++ === 0;
      // The server forgets what it was sent, once.
      if (isLost) await limit(request.clone(), next);
      return await limit(request, next);
    });
    deepStrictEqual(await store.exchange(large), wanted);
    strictEqual(count, 2);
    deepStrictEqual(readdirSync(`${folder}/store/tmp`), ["reserve"]);
  });
});

Deno.test("a proxy that breaks the connection of large bodies is found, too", async () => {
  await behindProxy(100 * MIB, async ({ store, set, limit }) => {
    set(async (request, next) => {
      const { byteLength } = await request.clone().arrayBuffer();
      if (byteLength > MIB) throw new TypeError("Broken pipe (os error 32)");
      return await limit(request, next);
    });
    strictEqual(await store.adopt("packs/ab/one", await spool(store)), true);
  });
});

Deno.test("an upload whose answers are lost goes on where the server is", async () => {
  for (let lost = 1; lost <= 5; lost++) {
    await behindProxy(
      100 * MIB,
      async ({ store, set, limit, sizes, folder }) => {
        let count = 0;
        set(async (request, next) => {
          const response = await limit(request, next);
          if (!request.url.includes("~") || ++count !== lost) return response;
          await response.body?.cancel();
          throw new TypeError("error sending request: connection refused");
        });
        const adopting = store.adopt("packs/ab/one", await spool(store));
        await rejects(adopting, { code: "ECONNREFUSED" });
        const before = sizes.length;
        strictEqual(await store.finishUploads?.(), 1);
        deepStrictEqual(readdirSync(folder), ["store"]);
        strictEqual(await store.finishUploads?.(), 0);
        deepStrictEqual(await store.read("packs/ab/one"), large);
        // The first part tells how far the server is; nothing else is sent again.
        const again = sizes.slice(before + 1).reduce(
          (sum, size) => sum + size,
          0,
        );
        const had = [1, 3, 7, 9.5, 9.5][lost - 1];
        if (lost < 5) strictEqual(again, 9.5 - had);
      },
    );
  }
});

Deno.test("a file that the server takes for too large is refused at once", async () => {
  const stop = new AbortController();
  const handler = serveStore(new MemoryStore(), {
    access: { loopback: "append" },
    fileSizeMax: MIB,
    bodySizeMax: MIB,
    signal: stop.signal,
  });
  const { store } = await through(handler);
  await rejects(store.create("packs/ab/one", large), {
    code: "TOOLARGE",
    message: /takes no file of this size \(413\)/,
  });
  stop.abort();
  await handler.drained;
});

Deno.test("a store behind HTTP leaves no file when it fails, but what it goes on with later", async () => {
  const cases = [[500, "EREMOTEIO", 2], [403, "EACCES", 0]] as const;
  for (const [status, code, keptCount] of cases) {
    await behindProxy(MIB, async ({ store, set, folder }) => {
      set(() => Promise.resolve(new Response("", { status })));
      const path = await spool(store);
      await rejects(store.adopt("packs/ab/one", path), { code });
      strictEqual(existsSync(path), false);
      strictEqual(readdirSync(folder).length, 1 + keptCount);
      await rejects(store.adopt("packs/ab/one", path), { code: "ENOENT" });
    });
  }
});

Deno.test("an upload that is interrupted leaves no file", async () => {
  await behindProxy(MIB, async ({ store, set, folder }) => {
    const stop = new AbortController();
    const { signal } = stop;
    set((request, next) => {
      if (request.url.includes("~part")) stop.abort();
      return next(request);
    });
    const adopting = store.adopt("packs/ab/one", await spool(store), {
      signal,
    });
    await rejects(adopting, { name: "AbortError" });
    deepStrictEqual(readdirSync(folder), ["store"]);
  });
});
