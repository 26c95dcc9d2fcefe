// nginx as a web server that knows nothing of stores, and as a proxy before one.
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { encodeDocument } from "../format/document.ts";
import { NotFoundError } from "../errors.ts";
import type { FileStore } from "../file/file_store.ts";
import { openFileStore } from "../file/open_file_store.ts";
import type { AccessLine } from "../serve/options.ts";
import { serveStore } from "../serve/serve_store.ts";
import { listen } from "../serve/testdata/listen.ts";
import { initStore, readConfig } from "../format/store_config.ts";
import { TagStore } from "../format/tag_store.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { testStore } from "../testing/test_store.ts";
import { openHttpStore } from "./http_store.ts";
import { writeListing } from "./listing.ts";
import { Nginx, nginxAbsent } from "../../tests/_nginx.ts";

const MIB = 1024 * 1024;
const SAVE_ID = "0123456789abcdef".repeat(2);
const ignore = nginxAbsent();

async function inFolder(
  test: (inner: FileStore, folder: string) => Promise<void>,
): Promise<void> {
  const folder = makeFastFolder();
  try {
    const inner = await openFileStore(`${folder}/store`, { create: true });
    await test(inner, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A location that hands all on to a server, with the limit of bodies that nginx has. */
function proxyTo(url: string): string {
  return `location / {
    proxy_pass ${url}; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $host;
  }`;
}

Deno.test({
  name: "a folder behind nginx is read as the folder itself",
  ignore,
  fn: () =>
    inFolder(async (inner, folder) => {
      await initStore(inner);
      const tags = new TagStore(inner);
      const tag = {
        time: "2026-11-20T05:46:18.000000000Z",
        tree: "aa",
        record: "bb",
      };
      for (let i = 0; i < 3; i++) await tags.append("Main", tag);
      const pack = encodeDocument({
        kind: "RECD",
        saveId: new Uint8Array(16),
        body: { a: "x".repeat(MIB - 100) },
      });
      await inner.create("packs/ab/one", pack);
      await inner.create("gc/empty", new Uint8Array(0));
      await writeListing(inner);
      await using nginx = await Nginx.start(
        `${folder}/nginx`,
        `root ${folder};`,
      );
      const store = await openHttpStore(`${nginx.url}store`);
      strictEqual(store.kind, "web");
      deepStrictEqual(await readConfig(store), await readConfig(inner));
      strictEqual((await new TagStore(store).newest("Main"))?.number, 3);
      deepStrictEqual(await store.read("packs/ab/one"), pack);
      const range = { offset: 500_000, length: 4096 };
      deepStrictEqual(
        await store.read("packs/ab/one", range),
        pack.subarray(500_000, 504_096),
      );
      strictEqual(await store.size("packs/ab/one"), pack.length);
      strictEqual(await store.size("gc/empty"), 0);
      strictEqual(await store.size("packs/ab/none"), undefined);
      await rejects(store.read("packs/ab/none"), NotFoundError);
      await rejects(
        store.read("packs/ab/one", { offset: pack.length - 1, length: 2 }),
        { code: "SHORT" },
      );
      strictEqual(
        (await store.read("packs/ab/one", { offset: pack.length })).length,
        0,
      );
      await rejects(store.create("index/one", pack), { code: "EROFS" });
      const names = (await Array.fromAsync(store.list("tags/"))).flat();
      strictEqual(names.length, 3);
      // It lags until it is written anew.
      await tags.append("Main", tag);
      strictEqual((await new TagStore(store).newest("Main"))?.number, 3);
      await writeListing(inner);
      strictEqual((await new TagStore(store).newest("Main"))?.number, 4);
    }),
});

Deno.test({
  name: "a folder whose nginx refuses a name is no folder without it",
  ignore,
  fn: () =>
    inFolder(async (inner, folder) => {
      await initStore(inner);
      await using nginx = await Nginx.start(
        `${folder}/nginx`,
        `root ${folder}; location /store/config { deny all; }`,
      );
      const store = await openHttpStore(`${nginx.url}store`);
      await rejects(store.size("config/1"), { code: "EACCES" });
    }),
});

Deno.test({
  name: "a proxy with a limit of 1 MiB lets a large pack through",
  ignore,
  fn: () =>
    inFolder(async (inner, folder) => {
      const lines: AccessLine[] = [];
      const onAccess = (line: AccessLine) => void lines.push(line);
      const token = "a-token-that-may-append";
      const access = { tokens: [{ token, right: "append" }] } as const;
      await using served = await listen(
        serveStore(inner, { access, onAccess }),
      );
      await using nginx = await Nginx.start(
        `${folder}/nginx`,
        proxyTo(served.url),
      );
      const store = await openHttpStore(nginx.url, {
        token,
        spoolFolder: folder,
      });
      const bytes = new Uint8Array(12.25 * MIB).map((_, i) => i * i >> 5);
      const path = await store.spoolPath(SAVE_ID);
      writeFileSync(path, bytes);
      strictEqual(await store.adopt("packs/ab/one", path), true);
      deepStrictEqual(await store.read("packs/ab/one"), bytes);
      deepStrictEqual(
        lines.filter(({ verb }) => verb === "part").map(({ bytesIn }) =>
          bytesIn / MIB
        ),
        [...Array.from({ length: 12 }, () => 1), 0.25],
      );
    }),
});

Deno.test({
  name: "a proxy that waits for a dead server is told apart from the server",
  ignore,
  fn: () =>
    inFolder(async (_, folder) => {
      await using nginx = await Nginx.start(
        `${folder}/nginx`,
        proxyTo("http://127.0.0.1:9/"),
      );
      await rejects(openHttpStore(nginx.url), {
        code: "BUSY",
        message: /the proxy does not reach the server \(502\)$/,
      });
    }),
});

if (!ignore) {
  testStore("HTTP store behind nginx", async () => {
    const folder = makeFastFolder();
    const inner = await openFileStore(`${folder}/store`, { create: true });
    const served = await listen(
      serveStore(inner, { access: { loopback: "prune" } }),
    );
    const nginx = await Nginx.start(`${folder}/nginx`, proxyTo(served.url));
    return {
      store: await openHttpStore(nginx.url, { spoolFolder: folder }),
      async [Symbol.asyncDispose]() {
        await nginx[Symbol.asyncDispose]();
        await served[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      },
    };
  });
}
