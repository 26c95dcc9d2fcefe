import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { rmSync } from "node:fs";
import { encodeDocument } from "../format/document.ts";
import { NotFoundError, StoreError } from "../errors.ts";
import type { FileStore } from "../file/file_store.ts";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { initStore, readConfig } from "../format/store_config.ts";
import type { ReadStore } from "../store.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { encodeListing, PAGES_PREFIX } from "./listing_document.ts";
import { openHttpStore, type OpenHttpStoreOptions } from "./http_store.ts";
import { writeListing } from "./listing.ts";

const BASE = "https://web.example/snaps/";
const HTML = "<!doctype html><title>Log in</title>";

function document(text: string): Uint8Array {
  return encodeDocument({
    kind: "RECD",
    saveId: new Uint8Array(16),
    body: { text },
  });
}

/** A web server that knows nothing of stores, and what becomes of its answers. */
class DumbServer {
  readonly requests: Request[] = [];
  readonly #store: ReadStore;
  /** Answers in place of the server, where it answers at all. */
  instead: (request: Request, name: string) => Response | undefined = () =>
    undefined;

  ignoresRanges = false;

  constructor(store: ReadStore) {
    this.#store = store;
  }

  readonly fetch = async (
    url: string,
    init: RequestInit,
  ): Promise<Response> => {
    const request = new Request(url, init);
    this.requests.push(request);
    const name = decodeURIComponent(
      new URL(url).pathname.replace("/snaps/", ""),
    );
    return this.instead(request, name) ?? await this.answer(request, name);
  };

  async answer(request: Request, name: string): Promise<Response> {
    if (request.method !== "GET") return new Response(HTML, { status: 405 });
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await this.#store.read(name) as Uint8Array<ArrayBuffer>;
    } catch {
      return new Response(HTML, { status: 404 });
    }
    const hash = await crypto.subtle.digest("SHA-1", bytes);
    const etag = `"${new Uint8Array(hash).join("")}"`;
    if (request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304 });
    }
    const size = bytes.length;
    const [, first, last] = /^bytes=(\d+)-(\d*)$/
      .exec(request.headers.get("range") ?? "") ?? [];
    if (first === undefined || this.ignoresRanges) {
      return new Response(bytes, {
        headers: { etag, "content-length": `${size}` },
      });
    }
    const start = Number(first);
    const end = Math.min(size, last === "" ? size : Number(last) + 1);
    if (start >= size) {
      const headers = { "content-range": `bytes */${size}` };
      return new Response(null, { status: 416, headers });
    }
    return new Response(bytes.subarray(start, end), {
      status: 206,
      headers: { etag, "content-range": `bytes ${start}-${end - 1}/${size}` },
    });
  }

  async open(
    options: OpenHttpStoreOptions = {},
  ): ReturnType<typeof openHttpStore> {
    return await openHttpStore(BASE, { ...options, fetch: this.fetch });
  }
}

async function scene(): Promise<{ inner: MemoryStore; server: DumbServer }> {
  const inner = new MemoryStore();
  await initStore(inner);
  await inner.create("packs/ab/one", document("x".repeat(5000)));
  await inner.create("tags/%4dain/1", document("tag"));
  return { inner, server: new DumbServer(inner) };
}

async function list(store: ReadStore, prefix: string): Promise<string[]> {
  const batches = await Array.fromAsync(store.list(prefix));
  return batches.flat().map(({ name }) => name).sort();
}

Deno.test("a web server is read", async () => {
  const { inner, server } = await scene();
  const store = await server.open();
  strictEqual(store.kind, "web");
  deepStrictEqual(await readConfig(store), await readConfig(inner));
  for (const name of ["packs/ab/one", "tags/%4dain/1"]) {
    const bytes = await inner.read(name);
    deepStrictEqual(await store.read(name), bytes);
    deepStrictEqual(
      await store.read(name, { offset: 10, length: 20 }),
      bytes.subarray(10, 30),
    );
    strictEqual(await store.size(name), bytes.length);
    deepStrictEqual(
      await store.read(name, { offset: bytes.length }),
      new Uint8Array(0),
    );
    deepStrictEqual(await store.read(name, { length: 0 }), new Uint8Array(0));
    for (
      const range of [{ offset: 1, length: bytes.length }, {
        offset: bytes.length + 1,
      }, { offset: bytes.length + 1, length: 0 }]
    ) {
      await rejects(store.read(name, range), { code: "SHORT" });
    }
  }
  await rejects(store.read("packs/ab/none"), NotFoundError);
  await rejects(store.read("packs/ab/none", { length: 0 }), NotFoundError);
  strictEqual(await store.size("packs/ab/none"), undefined);
  await inner.create("gc/empty", new Uint8Array(0));
  strictEqual(await store.size("gc/empty"), 0);
  strictEqual((await store.read("gc/empty")).length, 0);
});

Deno.test("a web server takes nothing", async () => {
  const { server } = await scene();
  const store = await server.open();
  const tries = [
    store.create("index/one", document("")),
    store.adopt("index/one", "/none"),
    store.sync(["index/"]),
    store.remove("packs/ab/one"),
    store.exchange(new Uint8Array(1)),
  ];
  for (const one of await Promise.allSettled(tries)) {
    strictEqual(one.status === "rejected" && one.reason.code, "EROFS");
  }
});

Deno.test("403 is no absence, and neither is any other refusal", async () => {
  const { server } = await scene();
  const store = await server.open();
  for (
    const [status, code] of [
      [403, "EACCES"],
      [500, "EREMOTEIO"],
      [503, "BUSY"],
      [429, "THROTTLED"],
      [400, "REFUSED"],
    ] as const
  ) {
    server.instead = () => new Response(HTML, { status });
    await rejects(store.size("packs/ab/none"), { code });
    await rejects(store.read("packs/ab/none"), { code });
    await rejects(list(store, "index/"), { code });
  }
});

Deno.test("the page of a portal is never taken for a file", async () => {
  const { server } = await scene();
  const store = await server.open();
  const headers = { "content-type": "text/html" };
  server.instead = () => new Response(HTML, { headers });
  const reason =
    /must come from the store: found text\/html \(200\), such as the page of a portal/;
  const checks = [
    () => store.read("packs/ab/one"),
    () => store.read("packs/ab/one", { offset: 10, length: 5 }),
    () => store.size("packs/ab/one"),
    () => readConfig(store),
    () => list(store, "index/"),
  ];
  for (const check of checks) {
    await rejects(check(), { code: "PORTAL", message: reason });
  }
  server.instead = () => new Response("sn");
  await rejects(store.read("packs/ab/one"), { code: "PORTAL" });
});

Deno.test("a file that changes is noticed, by its tag and by its size", async () => {
  const { inner, server } = await scene();
  const store = await server.open();
  const range = { offset: 10, length: 20 };
  await store.read("packs/ab/one", range);
  for (const size of [5000, 5001]) {
    await inner.remove("packs/ab/one");
    await inner.create("packs/ab/one", document("y".repeat(size)));
    await rejects(store.read("packs/ab/one", range), { code: "CHANGED" });
    await store.read("packs/ab/one", range); // Said once; then it is what it is.
  }
});

Deno.test("a server that ignores ranges is told apart from one that does not", async () => {
  const { inner, server } = await scene();
  await inner.create("packs/ab/two", document("z".repeat(1024 * 1024 - 200)));
  const store = await server.open();
  server.ignoresRanges = true;
  const bytes = await inner.read("packs/ab/two");
  deepStrictEqual(
    await store.read("packs/ab/two", { offset: 700_000, length: 9 }),
    bytes.subarray(700_000, 700_009),
  );
  strictEqual(await store.size("packs/ab/two"), bytes.length);
  await rejects(store.read("packs/ab/two", { offset: 2_000_000, length: 9 }), {
    code: "RANGE",
  });
});

Deno.test("a token goes nowhere but where it belongs", async () => {
  const { server, inner } = await scene();
  const seen: [string, string | null][] = [];
  const other = new DumbServer(inner);
  const store = await openHttpStore(BASE, {
    token: "secret-of-the-store",
    fetch: async (url, init) => {
      const { origin, pathname } = new URL(url);
      const headers = new Headers(init.headers);
      seen.push([origin, headers.get("authorization")]);
      if (
        origin === "https://web.example" && pathname.startsWith("/snaps/packs/")
      ) {
        const location = "https://cdn.example" + pathname;
        return new Response(null, { status: 302, headers: { location } });
      }
      if (pathname.includes("here")) {
        const location = "/snaps/config/1";
        return new Response(null, { status: 307, headers: { location } });
      }
      return await (origin.includes("cdn") ? other : server).fetch(url, init);
    },
  });
  deepStrictEqual(
    await store.read("packs/ab/one"),
    await inner.read("packs/ab/one"),
  );
  await store.read("index/here");
  const token = "Bearer secret-of-the-store";
  deepStrictEqual(seen, [
    ["https://web.example", token],
    ["https://web.example", token],
    ["https://cdn.example", null],
    ["https://web.example", token],
    ["https://web.example", token],
  ]);
});

Deno.test("redirects that lead nowhere safe are errors", async () => {
  const { server } = await scene();
  const store = await server.open();
  for (
    const location of [
      "http://web.example/x",
      "file:///etc/passwd",
      "https://web.example/snaps/packs/ab/one",
      "https://[",
      undefined,
    ]
  ) {
    server.instead = () =>
      new Response(null, {
        status: 301,
        headers: location === undefined ? {} : { location },
      });
    await rejects(store.read("packs/ab/one"), { code: "REDIRECT" });
  }
  // What would write is never sent on.
  const location = "https://portal.example/login";
  const portal = {
    fetch: () =>
      Promise.resolve(
        new Response(null, { status: 302, headers: { location } }),
      ),
  };
  await rejects(
    openHttpStore(BASE, { ...portal, token: "secret-of-the-store" }),
    {
      code: "REDIRECT",
      message:
        /^Cannot open https:\/\/web.example\/snaps\/: web.example sends it on to https:\/\/portal.example \(302\)/,
    },
  );
  strictEqual((await openHttpStore(BASE, portal)).kind, "web");
});

Deno.test("a user and a password in the URL are sent, and never shown", async () => {
  const { server } = await scene();
  server.instead = (request) =>
    request.headers.get("authorization") ===
        `Basic ${btoa("me:s€cret".replace("€", "\u00e2\u0082\u00ac"))}`
      ? undefined
      : new Response("", { status: 401 });
  await rejects(openHttpStore(BASE, { token: "two\nlines" }), RangeError);
  const url = BASE.replace("//", "//me:s%E2%82%ACcret@");
  const store = await openHttpStore(url, { fetch: server.fetch });
  strictEqual(store.location, BASE);
  await store.read("config/1");
  const wrong = openHttpStore(BASE.replace("//", "//me:wrong@"), {
    fetch: server.fetch,
  });
  await rejects(wrong, (error: Error) => {
    match(error.message, /asks for a token that it knows \(401\)/);
    strictEqual(/wrong/.test(error.message), false);
    return true;
  });
  for (
    const bad of ["ftp://x/", "https://u:pw@x/?a=b", "https://x/#f", "x", ""]
  ) {
    await rejects(
      openHttpStore(bad),
      (error: Error) =>
        error instanceof RangeError && !/pw/.test(error.message),
    );
  }
});

Deno.test("a listing is what a web server lists", async () => {
  const { inner, server } = await scene();
  const store = await server.open();
  await rejects(list(store, "tags/"), {
    code: "NOLISTING",
    message: /^Cannot list tags\/: web.example has no listing/,
  });
  const files = [
    { name: "config/1", size: (await inner.read("config/1")).length },
    { name: "tags/%4dain/1", size: 1 },
    { name: "snapshots/late", size: 5 },
  ];
  await inner.create("listing", encodeListing({ files, pages: [] }));
  deepStrictEqual(await list(store, "tags/"), ["tags/%4dain/1"]);
  const { length } = server.requests;
  deepStrictEqual(await list(store, "c"), ["config/1"]);
  strictEqual(server.requests.length, length + 1);
  strictEqual(server.requests.at(-1)!.headers.has("if-none-match"), true);
  for (const prefix of ["", "pack", "packs/", "packs/ab/"]) {
    await rejects(list(store, prefix), {
      code: "EROFS",
      message: /names no packs/,
    });
  }
  await inner.remove("listing");
  await inner.create("listing", document("another kind"));
  await rejects(list(store, "tags/"), {
    code: "PROTOCOL",
    message: /its kind must be LIST: found RECD/,
  });
});

Deno.test("an entry of the listing that is not there is asked for once more, then absent", async () => {
  const { inner, server } = await scene();
  const files = [{ name: "snapshots/late", size: 5 }];
  await inner.create("listing", encodeListing({ files, pages: [] }));
  const store = await server.open();
  await list(store, "snapshots/");
  server.requests.length = 0;
  await rejects(store.read("snapshots/late"), NotFoundError);
  strictEqual(server.requests.length, 2);
  strictEqual(server.requests[1].headers.get("cache-control"), "no-cache");
  await rejects(store.read("snapshots/other"), NotFoundError);
  strictEqual(server.requests.length, 3);
  let isFirst = true;
  server.instead = () => {
    if (!isFirst) return undefined;
    isFirst = false;
    return new Response("", { status: 404 });
  };
  await inner.create("snapshots/late", document("late"));
  deepStrictEqual(
    await store.read("snapshots/late"),
    await inner.read("snapshots/late"),
  );
});

Deno.test("bodies of a web server that end early are errors", async () => {
  const { server } = await scene();
  const store = await server.open();
  server.instead = () =>
    new Response(document("x").subarray(0, 50) as Uint8Array<ArrayBuffer>, {
      headers: { "content-length": "60" },
    });
  await rejects(store.read("config/1"), { code: "TRUNCATED" });
  server.instead = () =>
    new Response(document("x").subarray(0, 50) as Uint8Array<ArrayBuffer>, {
      status: 206,
      headers: { "content-range": "bytes 0-59/60" },
    });
  await rejects(store.read("config/1"), { code: "TRUNCATED" });
  for (
    const range of [
      "bytes 0-3/*",
      "bytes 1-4/60",
      "bytes 0-99/60",
      "lines 0-3/60",
      "bytes 0-3/60",
    ]
  ) {
    server.instead = () =>
      new Response("snap", {
        status: 206,
        headers: { "content-range": range },
      });
    const outcome = store.read("config/1", { length: 60 });
    await rejects(
      outcome,
      (error) => error instanceof StoreError && error.code !== "SHORT",
      range,
    );
  }
});

Deno.test("servers in trouble are no web servers without a store", async () => {
  for (
    const [status, code] of [
      [401, "EACCES"],
      [429, "THROTTLED"],
      [500, "EREMOTEIO"],
      [502, "BUSY"],
      [503, "BUSY"],
    ] as const
  ) {
    const fetch = () => Promise.resolve(new Response(HTML, { status }));
    await rejects(openHttpStore(BASE, { fetch }), { code });
  }
  for (const status of [200, 403, 404, 405, 501]) {
    const fetch = () => Promise.resolve(new Response(HTML, { status }));
    strictEqual((await openHttpStore(BASE, { fetch })).kind, "web");
  }
});

async function inFolder(
  test: (store: FileStore) => Promise<void>,
): Promise<void> {
  const folder = makeFastFolder();
  try {
    const store = await openFileStore(`${folder}/store`, { create: true });
    await initStore(store);
    await test(store);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Deno.test("writeListing names all but packs, and pages what is older", async () => {
  await inFolder(async (files) => {
    const server = new DumbServer(files);
    const store = await server.open();
    await files.create("packs/ab/one", document("pack"));
    await files.create("gc/1", document("gc"));
    strictEqual(await writeListing(files), 2);
    const names: string[] = [];
    const add = async (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const name = `snapshots/${(i * 7919 % 10_007).toString(16)}`;
        names.push(name);
        await files.create(name, new Uint8Array(1));
      }
    };
    await add(0, 1999);
    strictEqual(await writeListing(files), 2001);
    deepStrictEqual(await list(files, PAGES_PREFIX), []);
    await add(1999, 3500);
    strictEqual(await writeListing(files), 3502);
    const pages = await list(files, PAGES_PREFIX);
    strictEqual(pages.length, 2);
    deepStrictEqual(await list(store, "snapshots/"), [...names].sort());
    deepStrictEqual(await list(store, "gc/"), ["gc/1"]);
    // The newest stay in the listing itself.
    server.requests.length = 0;
    const [first] = await Array.fromAsync(store.list("snapshots/"));
    strictEqual(first.length, 1500);
    const newest = new Set(names.slice(1999));
    strictEqual(first.every(({ name }) => newest.has(name)), true);
    // A page that lost a name goes, the other one stays.
    const { decodeListing } = await import("./listing_document.ts");
    const { files: [lost] } = decodeListing(
      pages[0],
      await files.read(pages[0]),
    );
    await files.remove(lost.name);
    strictEqual(await writeListing(files), 3501);
    deepStrictEqual(
      await list(store, "snapshots/"),
      names.filter((name) => name !== lost.name).sort(),
    );
    deepStrictEqual((await list(files, PAGES_PREFIX)).includes(pages[1]), true);
    // What nobody names goes when nobody can be reading it any more.
    strictEqual((await list(files, PAGES_PREFIX)).length > 2, true);
    await writeListing(files, { nowMs: Date.now() + 2 * 24 * 3600 * 1000 });
    strictEqual((await list(files, PAGES_PREFIX)).includes(pages[0]), false);
    deepStrictEqual(
      await list(store, "snapshots/"),
      names.filter((name) => name !== lost.name).sort(),
    );
    strictEqual(
      (await openFileStore(files.path, { create: true })).path,
      files.path,
    );
  });
});

Deno.test("a page that went while it was wanted is no end of the list", async () => {
  await inFolder(async (files) => {
    for (let i = 0; i < 2500; i++) {
      await files.create(`tags/a/${i + 1}`, new Uint8Array(1));
    }
    await writeListing(files);
    const server = new DumbServer(files);
    const store = await server.open();
    server.instead = (_, name) =>
      name.startsWith("listings/")
        ? new Response("", { status: 404 })
        : undefined;
    await rejects(list(store, "tags/"), { code: "CONFLICT" });
    server.instead = (_, name) =>
      name.startsWith("listings/")
        ? new Response(
          encodeListing({ files: [], pages: [] }) as Uint8Array<ArrayBuffer>,
        )
        : undefined;
    await rejects(list(store, "tags/"), {
      code: "PROTOCOL",
      message: /must have its own name/,
    });
    server.instead = () => undefined;
    strictEqual((await list(store, "tags/a/")).length, 2500);
    strictEqual((await list(store, "snapshots/")).length, 0);
  });
});

Deno.test("writeListing heals a damaged listing", async () => {
  await inFolder(async (files) => {
    await files.create("listing", new Uint8Array(100));
    strictEqual(await writeListing(files), 1);
    const store = await new DumbServer(files).open();
    deepStrictEqual(await list(store, "config/"), ["config/1"]);
  });
});
