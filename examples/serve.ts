// Serves the files of a snapshot over HTTP, whole or by ranges, straight from the
// store: deno run -A examples/serve.ts STORE SNAPSHOT [PORT]
import { createServer } from "node:http";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { resolveSnapshot } from "@snap/snapshot/records";
import { entryResponse, View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";

const [place, name, port = "0"] = process.argv.slice(2);
const snapshots = await openSnapshots(await openFileStore(place), { hasher });
const view = await View.open(snapshots, await resolveSnapshot(snapshots, name));
const server = createServer(async ({ url, method, headers }, response) => {
  try {
    const { href, pathname } = new URL(url!, "http://localhost");
    const entry = await view.lookup(decodeURIComponent(pathname));
    if (!entry?.isFile) return response.writeHead(404).end();
    const init = { method, headers: headers as Record<string, string> };
    const found = entryResponse(view, entry, new Request(href, init));
    response.writeHead(found.status, Object.fromEntries(found.headers));
    await pipeline(found.body ?? [], response);
  } catch (error) {
    response.destroy(error as Error);
  }
}).listen(Number(port), "127.0.0.1");
server.on("listening", () => console.log(server.address()));
