// Snapshots in a store that is somewhere else: saved through a server by who may
// append only, and restored from a web server that knows nothing of stores.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
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
  strictEqual(await tags.append("main", record), 1);
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
  await restore(reading, record, folder.join("copy"));
  await reading[Symbol.asyncDispose]();
  for (const name of ["hello.txt", "sub/noise"]) {
    deepStrictEqual(
      readFileSync(folder.join("copy", name)),
      readFileSync(`${source}/${name}`),
    );
  }
});

/** A snapshot in a folder, and a way to what a web server makes of it now. */
async function servedSnapshot(folder: TemporaryFolder) {
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < 8; i++) writeFileSync(`${source}/${i}`, noise(9000, i));
  const path = folder.join("store");
  const inner = await makeFileStore(path);
  const saving = await openSnapshots(inner, { hasher: wasmHasher });
  const { record } = await save(saving, source);
  await saving[Symbol.asyncDispose]();
  await writeListing(inner);
  const answer = webServer(path);
  return {
    record: record,
    /** The file of the pack with the contents of files. */
    dataPack: readdirSync(`${path}/packs`, { recursive: true })
      .map((name) => `${path}/packs/${name}`)
      .filter((name) => statSync(name).isFile())
      .sort((a, b) => statSync(b).size - statSync(a).size)[0],
    async open() {
      const web = await openHttpStore("https://web.example/", {
        fetch: (url, init) => answer(new Request(url, init)),
      });
      return await openSnapshots(web, { hasher: wasmHasher });
    },
  };
}

Deno.test("a snapshot behind a web server is verified by the packs that its index names", async () => {
  using folder = new TemporaryFolder();
  const { dataPack, open } = await servedSnapshot(folder);
  const damages = async () => {
    const web = await open();
    const report = await verify(web, { data: true });
    await web[Symbol.asyncDispose]();
    strictEqual(report.recordCount, 1);
    return report.damages.map(({ subject, reason }) => `${subject} ${reason}`);
  };
  deepStrictEqual(await damages(), []);

  const bytes = readFileSync(dataPack);
  bytes[100] ^= 1;
  writeFileSync(dataPack, bytes);
  deepStrictEqual(await damages(), ["object disk"]);

  rmSync(dataPack);
  const missing = await damages();
  ok(missing.includes("pack missing"), `${missing}`);
});

Deno.test("a damaged pack behind a web server is called damaged", async () => {
  using folder = new TemporaryFolder();
  const { record, dataPack, open } = await servedSnapshot(folder);
  const bytes = readFileSync(dataPack);
  bytes.fill(0x5a, 100, bytes.length - 100);
  writeFileSync(dataPack, bytes);
  const web = await open();
  const { errors } = await restore(web, record, folder.join("copy"));
  await web[Symbol.asyncDispose]();
  strictEqual(errors.length, 8);
  for (const { code } of errors) strictEqual(code, "EDAMAGED");
});
