import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { StoreError } from "../errors.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { systemError } from "../testdata/faulty_calls.ts";
import { FaultStore } from "../testing/fault_store.ts";
import { failureAnswer } from "./answer.ts";
import type { AccessLine, ServedStore } from "./options.ts";
import {
  type ServeOptions,
  serveStore,
  type StoreHandler,
} from "./serve_store.ts";

const READ = "a-token-that-may-read";
const APPEND = "a-token-that-may-append";
const PRUNE = "a-token-that-may-prune";
const access = {
  tokens: [
    { token: READ, right: "read" },
    { token: APPEND, right: "append" },
    { token: PRUNE, right: "prune" },
  ],
} as const;
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);

/** Sends requests to a handler as one client. */
function client(
  handler: (request: Request) => Promise<Response>,
  token?: string,
): (method: string, path: string, init?: RequestInit) => Promise<Response> {
  return (method, path, init = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (method === "PUT" && !headers.has("if-none-match")) {
      headers.set("if-none-match", "*");
    }
    const more = { method, headers, duplex: "half" }; // Node asks for it.
    return handler(
      new Request(`http://store.example/${path}`, { ...init, ...more }),
    );
  };
}

async function serving(
  options: Partial<ServeOptions> = {},
  store: ServedStore = new MemoryStore(),
): Promise<{ store: ServedStore; handler: StoreHandler }> {
  await store.create?.("packs/ab/one", bytes);
  return { store, handler: serveStore(store, { access, ...options }) };
}

async function codeOf(response: Response): Promise<unknown> {
  return (await response.json()).code;
}

Deno.test("serveStore gives each token its right and no more", async () => {
  const stop = new AbortController();
  const { handler, store } = await serving({ signal: stop.signal });
  const tries: [string, string, RequestInit?][] = [
    ["GET", "packs/ab/one"],
    ["POST", "~size?name=packs/ab/one"],
    ["POST", "~list?prefix="],
    ["POST", "~hello"],
    ["PUT", "index/NEW", { body: "x" }],
    ["POST", "~sync", { body: '{"prefixes":[""]}' }],
    [`POST`, `~part?id=${"a".repeat(64)}&offset=0`, { body: "x" }],
    ["PUT", "config/NEW", { body: "x" }],
    ["PUT", "gc/NEW", { body: "x" }],
    ["PUT", "forgotten/NEW", { body: "x" }],
    ["PUT", "listings/NEW", { body: "x" }],
    ["POST", `~join?name=gc/x&size=1&id=${"a".repeat(64)}`],
    ["DELETE", "packs/ab/none"],
  ];
  const allowed = { [READ]: 4, [APPEND]: 7, [PRUNE]: 13 };
  for (const [i, [token, count]] of Object.entries(allowed).entries()) {
    for (const [at, [method, path, init]] of tries.entries()) {
      const name = path.replace("NEW", `${i}`);
      const response = await client(handler, token)(method, name, init);
      const refused = at >= count;
      strictEqual(response.status === 403, refused, `${token} ${name}`);
      if (refused) strictEqual(await codeOf(response), "RIGHTS");
      else await response.body?.cancel();
    }
  }
  strictEqual(await store.size("config/0"), undefined);
  strictEqual(await store.size("gc/1"), undefined);
  strictEqual(await store.size("config/2"), 1);
  stop.abort();
  await handler.drained;
});

Deno.test("serveStore lets nobody in without a token that it knows", async () => {
  const { handler } = await serving({ sleep: () => Promise.resolve() });
  const none = await client(handler)("GET", "packs/ab/one");
  strictEqual(none.status, 401);
  strictEqual(none.headers.get("www-authenticate"), "Bearer");
  for (const wrong of ["", READ.slice(1), `${READ}x`, READ.toUpperCase()]) {
    strictEqual(
      (await client(handler, wrong)("GET", "packs/ab/one")).status,
      401,
    );
  }
});

Deno.test("serveStore without a token serves its own machine only", async () => {
  const handler = serveStore(new MemoryStore(), {
    access: { loopback: "prune" },
  });
  const status = async (url: string, headers = {}) =>
    (await handler(new Request(url, { method: "POST", headers }))).status;
  for (const host of ["localhost", "127.0.0.1:81", "127.9.9.9", "[::1]:81"]) {
    strictEqual(await status(`http://${host}/~hello`), 200);
  }
  // A page in a browser: by a name that somebody points at loopback, or from elsewhere.
  strictEqual(await status("http://rebound.example/~hello"), 403);
  const origin = { origin: "https://page.example" };
  strictEqual(await status("http://localhost/~hello", origin), 403);
  throws(
    () => serveStore(new MemoryStore(), { access: { tokens: [] } }),
    TypeError,
  );
  const short = { tokens: [{ token: "short", right: "read" }] } as const;
  throws(() => serveStore(new MemoryStore(), { access: short }), RangeError);
});

Deno.test("serveStore lets anybody read where it is told to", async () => {
  const { handler } = await serving({
    access: { ...access, anonymous: "read" },
  });
  const response = await client(handler)("GET", "packs/ab/one");
  match(response.headers.get("cache-control")!, /^public, .*immutable/);
  await response.body?.cancel();
  strictEqual(
    (await client(handler)("PUT", "index/a", { body: "x" })).status,
    403,
  );
  const withToken = client(handler, APPEND);
  strictEqual((await withToken("PUT", "index/a", { body: "x" })).status, 201);
});

Deno.test("200 wrong tokens a second wait, a few at a time, and hurt nobody", async () => {
  const waits: (() => void)[] = [];
  const sleep = (ms: number) => {
    strictEqual(ms, 1000);
    return new Promise<void>((resolve) => waits.push(resolve));
  };
  const { handler } = await serving({ sleep });
  const wrong = Array.from(
    { length: 200 },
    (_, i) => client(handler, `wrong-token-number-${i}`)("GET", "packs/ab/one"),
  );
  const right = client(handler, READ);
  for (let i = 0; i < 20; i++) {
    const response = await right("GET", "packs/ab/one");
    strictEqual(response.status, 200);
    strictEqual((await response.arrayBuffer()).byteLength, bytes.length);
  }
  strictEqual(waits.length, 64);
  waits.forEach((wake) => wake());
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(wrong)) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  deepStrictEqual(counts, { 401: 64, 429: 136 });
});

Deno.test("serveStore answers ranges as web servers do", async () => {
  const { handler } = await serving();
  const get = async (range: string, headers = {}) => {
    const init = { headers: { range, ...headers } };
    const response = await client(handler, READ)("GET", "packs/ab/one", init);
    const { byteLength } = await response.arrayBuffer();
    const said = response.headers.get("content-range");
    return [response.status, said, response.ok ? byteLength : 0];
  };
  deepStrictEqual(await get("bytes=10-19"), [206, "bytes 10-19/5000", 10]);
  deepStrictEqual(await get("bytes=4990-"), [206, "bytes 4990-4999/5000", 10]);
  deepStrictEqual(await get("bytes=-7"), [206, "bytes 4993-4999/5000", 7]);
  deepStrictEqual(await get("bytes=0-9999"), [206, "bytes 0-4999/5000", 5000]);
  deepStrictEqual(await get("bytes=5000-"), [416, "bytes */5000", 0]);
  for (const odd of ["bytes=9-1", "bytes=-", "lines=1-2", "bytes=1-2,4-5"]) {
    deepStrictEqual(await get(odd), [200, null, 5000]);
  }
  const stale = { "if-range": '"other"' };
  deepStrictEqual(await get("bytes=10-19", stale), [200, null, 5000]);
});

Deno.test("serveStore tags what it serves and says what may be kept", async () => {
  const { handler, store } = await serving();
  await store.create!("tags/main/1", bytes.subarray(0, 10));
  const ask = client(handler, READ);
  const head = async (name: string) => {
    const { status, headers } = await ask("HEAD", name);
    strictEqual(status, 200);
    return headers;
  };
  const pack = await head("packs/ab/one");
  strictEqual(pack.get("content-length"), "5000");
  match(pack.get("cache-control")!, /^private, max-age=\d+, immutable/);
  const tag = await head("tags/main/1");
  match(tag.get("cache-control")!, /^private, no-cache/);
  const again = await ask("GET", "tags/main/1", {
    headers: { "if-none-match": `"x", ${tag.get("etag")}` },
  });
  strictEqual(again.status, 304);
  await store.remove!("tags/main/1");
  await store.create!("tags/main/1", bytes.subarray(1, 11));
  ok((await head("tags/main/1")).get("etag") !== tag.get("etag"));
  const hello = await ask("POST", "~hello");
  strictEqual(hello.headers.get("cache-control"), "no-store, no-transform");
  await hello.body?.cancel();
});

Deno.test("serveStore sends a large file piece by piece", async () => {
  const store = new MemoryStore();
  const large = new Uint8Array(3.5 * 1024 * 1024).fill(7);
  await store.create("packs/ab/large", large);
  const lines: AccessLine[] = [];
  const { handler } = await serving(
    { onAccess: (line) => lines.push(line) },
    store,
  );
  const whole = await client(handler, READ)("GET", "packs/ab/large");
  strictEqual((await whole.arrayBuffer()).byteLength, large.length);
  strictEqual(lines[0].bytesOut, large.length);
  const left = await client(handler, READ)("GET", "packs/ab/large");
  await left.body!.cancel();
  strictEqual(lines.length, 2);
});

Deno.test("serveStore takes no path that is not a name", async () => {
  const { handler } = await serving();
  const paths = [
    "tmp/x",
    "packs%2fab%2fone",
    "packs/%61b/one",
    "a/%2e%2e%2fx",
    "packs//ab",
    "Packs/ab",
    "a%00b",
    "~none",
    "~toString",
  ];
  for (const path of paths) {
    const response = await client(handler, PRUNE)("GET", path);
    strictEqual(response.status, 400, path);
    await response.body?.cancel();
  }
  const posted = [
    "~size?name=../x",
    "~size",
    "~list?prefix=../",
    "~part?id=x&offset=0",
  ];
  for (const path of [...posted, `~part?id=${"a".repeat(64)}&offset=-1`]) {
    const init = { body: "x" };
    strictEqual((await client(handler, PRUNE)("POST", path, init)).status, 400);
  }
  strictEqual((await client(handler, PRUNE)("GET", "~hello")).status, 405);
  strictEqual((await client(handler, PRUNE)("PATCH", "index/a")).status, 405);
  const elsewhere = serveStore(new MemoryStore(), { access, base: "/a/" });
  strictEqual((await client(elsewhere, READ)("GET", "b/x")).status, 400);
  throws(
    () => serveStore(new MemoryStore(), { access, base: "a" }),
    RangeError,
  );
});

Deno.test("serveStore holds bodies to their limits", async () => {
  const { handler, store } = await serving({
    bodySizeMax: 1000,
    fileSizeMax: 1500,
  });
  const put = client(handler, APPEND);
  const full = await put("PUT", "index/a", { body: new Uint8Array(1001) });
  strictEqual(full.status, 413);
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(400)),
  });
  strictEqual((await put("PUT", "index/a", { body: endless })).status, 413);
  const id = "a".repeat(64);
  const part = await put("POST", `~part?id=${id}&offset=1000`, {
    body: new Uint8Array(501),
  });
  strictEqual(await codeOf(part), "FILESIZE");
  const claims = {
    headers: { "content-length": "500" },
    body: new Uint8Array(400),
  };
  strictEqual((await put("PUT", "index/a", claims)).status, 400);
  const broken = new ReadableStream({
    pull: (controller) => controller.error(new Error("gone")),
  });
  strictEqual((await put("PUT", "index/a", { body: broken })).status, 400);
  strictEqual(await store.size("index/a"), undefined);
});

Deno.test("serveStore waits for no body for ever", async () => {
  const { handler, store } = await serving({ idleMs: 5, bodySizeMax: 1000 });
  const body = new ReadableStream({ pull: () => new Promise(() => {}) });
  const response = await client(handler, APPEND)("PUT", "index/a", { body });
  strictEqual(response.status, 408);
  strictEqual(await store.size("index/a"), undefined);
});

Deno.test("serveStore never replaces, also where it is not told to look", async () => {
  const { handler } = await serving();
  const put = client(handler, PRUNE);
  const blind = { headers: { "if-none-match": "" }, body: "x" };
  strictEqual((await put("PUT", "packs/ab/one", blind)).status, 428);
  strictEqual((await put("PUT", "packs/ab/one", { body: "x" })).status, 412);
});

Deno.test("serveStore says what failed, and keeps paths for its log", async () => {
  const lines: AccessLine[] = [];
  const onAccess = (line: AccessLine) => void lines.push(line);
  const plan = (fault: "error" | "full") => ({
    at: [{ call: 1, fault }],
    actions: ["create"] as const,
  });
  for (
    const [fault, status, code] of [
      ["full", 507, "ENOSPC"],
      ["error", 500, "EIO"],
    ] as const
  ) {
    const store = new FaultStore(new MemoryStore(), plan(fault));
    const handler = serveStore(store, { access, onAccess });
    const response = await client(handler, APPEND)("PUT", "index/a", {
      body: "x",
    });
    strictEqual(response.status, status);
    deepStrictEqual(await response.json(), { code });
    ok(lines.at(-1)?.error instanceof StoreError);
  }
});

Deno.test("serveStore says that the disk is full whoever finds it", () => {
  for (const [code, status] of [["ENOSPC", 507], ["EACCES", 500]] as const) {
    const error = systemError(code);
    strictEqual(failureAnswer(error).status, status);
    strictEqual(failureAnswer(error).error, error);
  }
});

Deno.test("serveStore writes a line for each request", async () => {
  const lines: AccessLine[] = [];
  let time = 0;
  const { handler } = await serving({
    onAccess: (line) => lines.push(line),
    now: () => time += 5,
  });
  const info = { remoteAddr: { hostname: "192.0.2.7" } };
  const told = (request: Request) => handler(request, info);
  const response = await client(told, READ)("GET", "packs/ab/one", {
    headers: { range: "bytes=0-9" },
  });
  await response.arrayBuffer();
  deepStrictEqual(lines, [{
    peer: "192.0.2.7",
    method: "GET",
    verb: "read",
    subject: "packs/ab/one",
    status: 206,
    right: "read",
    bytesIn: 0,
    bytesOut: 10,
    durationMs: 5,
    error: undefined,
  }]);
});

Deno.test("serveStore tells its health to anybody, and asks the store now and then", async () => {
  let time = 0;
  const store = new FaultStore(new MemoryStore(), {
    actions: ["size"],
    at: [{ call: 2, fault: "error" }],
  });
  const handler = serveStore(store, { access, now: () => time });
  const health = async () => {
    const response = await client(handler)("GET", "healthz");
    return [response.status, (await response.json()).ok];
  };
  deepStrictEqual(await health(), [200, true]);
  time = 4000;
  deepStrictEqual(await health(), [200, true]);
  strictEqual(store.count("size"), 1);
  time = 10_000;
  deepStrictEqual(await health(), [503, false]);
});

Deno.test("serveStore ends when what is at work is done", async () => {
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  const store = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "slow" }],
    wait: () => work.promise,
  });
  const handler = serveStore(store, { access, signal: stop.signal });
  const put = client(handler, APPEND)("PUT", "index/a", { body: "x" });
  while (store.calls === 0) await new Promise((resolve) => setTimeout(resolve));
  stop.abort();
  const late = await client(handler, APPEND)("GET", "index/a");
  strictEqual(late.status, 503);
  strictEqual(await codeOf(late), "STOPPING");
  work.resolve();
  strictEqual((await put).status, 201);
  await handler.drained;
});

Deno.test("serveStore takes no more at once than it is told", async () => {
  const work = Promise.withResolvers<void>();
  const store = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "slow" }],
    wait: () => work.promise,
  });
  const handler = serveStore(store, { access, requestsMax: 1 });
  const first = client(handler, READ)("POST", "~size?name=index/a");
  while (store.calls === 0) await new Promise((resolve) => setTimeout(resolve));
  const second = await client(handler, READ)("POST", "~size?name=index/a");
  strictEqual(second.status, 503);
  strictEqual(second.headers.get("retry-after"), "1");
  work.resolve();
  strictEqual((await first).status, 200);
});

Deno.test("serveStore hands an exchange to whoever was named for it", async () => {
  const { handler } = await serving({
    exchange: (body, { right }) => {
      strictEqual(right, "read");
      return Promise.resolve(body.map((byte) => byte + 1));
    },
  });
  const response = await client(handler, READ)("POST", "~exchange", {
    body: new Uint8Array([1, 2]),
  });
  deepStrictEqual([...new Uint8Array(await response.arrayBuffer())], [2, 3]);
  const { handler: without } = await serving();
  strictEqual((await client(without, READ)("POST", "~exchange")).status, 501);
});

Deno.test("serveStore serves a store that only reads", async () => {
  const memory = new MemoryStore();
  await memory.create("index/a", bytes);
  const store: ServedStore = {
    read: memory.read.bind(memory),
    size: memory.size.bind(memory),
    list: memory.list.bind(memory),
  };
  const handler = serveStore(store, { access });
  const ask = client(handler, PRUNE);
  strictEqual((await ask("GET", "index/a")).status, 200);
  strictEqual((await ask("PUT", "index/b", { body: "x" })).status, 405);
  strictEqual((await ask("DELETE", "index/a")).status, 405);
});

Deno.test("a list that fails in the middle does not look whole", async () => {
  const memory = new MemoryStore();
  const store: ServedStore = {
    read: memory.read.bind(memory),
    size: memory.size.bind(memory),
    async *list() {
      yield [{ name: "index/a", size: 1 }];
      await Promise.resolve();
      throw new Error("The disk is gone");
    },
  };
  const lines: AccessLine[] = [];
  const handler = serveStore(store, {
    access,
    onAccess: (line) => lines.push(line),
  });
  const response = await client(handler, READ)("POST", "~list?prefix=");
  await rejects(response.text());
  match(String(lines[0].error), /disk is gone/);
});
