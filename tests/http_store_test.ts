// Snapshots in a store that is somewhere else: saved through a server by who may
// append only, and restored from a web server that knows nothing of stores.
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import { openHttpStore, writeListing } from "@snap/store/http";
import { serveStore } from "@snap/store/serve";
import { TagStore } from "@snap/store/format";
import { makeFileStore, noise, TemporaryFolder } from "./_snapshots.ts";

const TOKEN = "a-token-that-may-append";

/** The files of a folder as a web server has them, ranges among them. */
function webServer(folder: string): (request: Request) => Promise<Response> {
  return (request) => {
    const path = folder + decodeURIComponent(new URL(request.url).pathname);
    const isThere = request.method === "GET" &&
      statSync(path, { throwIfNoEntry: false })?.isFile();
    if (!isThere) return Promise.resolve(new Response("", { status: 404 }));
    const bytes = readFileSync(path);
    const [, first, last] = /^bytes=(\d+)-(\d*)$/
      .exec(request.headers.get("range") ?? "") ?? [];
    if (first === undefined) return Promise.resolve(new Response(bytes));
    const end = last === "" ? bytes.length : Number(last) + 1;
    const part = bytes.subarray(Number(first), end);
    const range = `bytes ${first}-${Number(first) + part.length - 1}`;
    const headers = { "content-range": `${range}/${bytes.length}` };
    return Promise.resolve(new Response(part, { status: 206, headers }));
  };
}

Deno.test("a snapshot goes to a server, and comes back from the web", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(`${source}/sub`, { recursive: true });
  writeFileSync(`${source}/hello.txt`, "hello");
  writeFileSync(`${source}/sub/noise`, noise(3_000_000, 7));
  const inner = await makeFileStore(folder.join("store"));

  const handler = serveStore(inner, {
    access: { tokens: [{ token: TOKEN, right: "append" }] },
  });
  const far = await openHttpStore("https://store.example/", {
    token: TOKEN,
    spoolFolder: folder.path,
    fetch: (url, init) => handler(new Request(url, init)),
  });
  const saving = await openSnapshots(far, { hasher: wasmHasher });
  const { record } = await save(saving, source);
  const found = await verify(saving, { data: true });
  strictEqual(found.damageCount + found.missingPackCount, 0);
  await saving[Symbol.asyncDispose]();
  const tags = new TagStore(far);
  strictEqual(await tags.append("main", record!), 1);
  for await (const [{ name }] of inner.list("packs/")) {
    await rejects(far.remove(name), { code: "EACCES" });
  }
  deepStrictEqual(readdirSync(folder.path).sort(), ["source", "store"]);

  await writeListing(inner);
  const answer = webServer(folder.join("store"));
  const web = await openHttpStore("https://web.example/", {
    fetch: (url, init) => answer(new Request(url, init)),
  });
  strictEqual(web.kind, "web");
  const reading = await openSnapshots(web, { hasher: wasmHasher });
  await restore(reading, record!, folder.join("copy"));
  await reading[Symbol.asyncDispose]();
  for (const name of ["hello.txt", "sub/noise"]) {
    deepStrictEqual(
      readFileSync(folder.join("copy", name)),
      readFileSync(`${source}/${name}`),
    );
  }
});
