// Serves a store over HTTP, or HTTPS where a certificate is named, to whoever has
// the token: SNAP_TOKEN=… deno run -A examples/serve_store.ts STORE [CERT KEY]
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { openFileStore } from "@snap/store/file";
import { nodeListener, serveStore } from "@snap/store/serve";

const [place, cert, key] = process.argv.slice(2);
const store = await openFileStore(place);
const stop = new AbortController();
const handler = serveStore(store, {
  // Who has it can add to the store, and destroy nothing.
  access: { tokens: [{ token: process.env.SNAP_TOKEN!, right: "append" }] },
  onAccess: ({ method, subject, status, durationMs }) =>
    console.error(method, subject ?? "", status, Math.round(durationMs)),
  signal: stop.signal,
});

const listener = nodeListener(handler);
// Not by Deno.serve: with TLS it keeps small answers back for 40 ms.
// Longer than clients and proxies keep idle connections, which they would find broken.
const keepAliveTimeout = 120_000;
const server = cert === undefined
  ? createServer({ keepAliveTimeout }, listener)
  : createTlsServer({
    cert: readFileSync(cert),
    key: readFileSync(key),
    keepAliveTimeout,
  }, listener);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
console.log(`http${cert === undefined ? "" : "s"}://localhost:${port}/`);

await once(process, "SIGTERM");
stop.abort(); // What is at work is finished, what comes is refused.
await handler.drained;
server.close();
server.closeAllConnections();
