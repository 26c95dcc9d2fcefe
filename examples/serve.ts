// Serves the files of a snapshot over HTTP, straight from the store:
// deno run -A examples/serve.ts STORE SNAPSHOT [PORT]
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { isFileKind } from "@snap/manifest/extras";
import { resolveSnapshot } from "@snap/snapshot/records";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";

const [place, name, port = "0"] = process.argv.slice(2);
const store = await openFileStore(place);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
const view = await View.open(snapshots, await resolveSnapshot(snapshots, name));

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url!, "http://localhost");
  const path = new TextEncoder().encode(decodeURIComponent(pathname).slice(1));
  const entry = await view.lookup(path);
  if (entry === undefined || !isFileKind(entry.kind)) {
    response.writeHead(404).end();
    return;
  }
  // An id never changes its meaning, so it is the perfect tag.
  const etag = `"${entry.id}"`;
  response.setHeader("etag", etag);
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader("content-length", entry.size);
  // A damaged file ends the connection before its end.
  await pipeline(Readable.fromWeb(view.stream(entry)), response)
    .catch((error) => console.error(error.message));
});
server.listen(Number(port), "127.0.0.1");
await once(server, "listening");
const { port: found } = server.address() as AddressInfo;
console.log(`http://127.0.0.1:${found}/`);
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
await once(server, "close");
await snapshots[Symbol.asyncDispose]();
