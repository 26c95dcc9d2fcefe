/**
 * A server of stores: one for HTTP and for pipes, to embed or to run.
 *
 * @example A store for whoever is on this machine
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { serveStore } from "@snap/store/serve";
 * import { strictEqual } from "node:assert/strict";
 *
 * const handler = serveStore(new MemoryStore(), { access: { loopback: "prune" } });
 * const response = await handler(new Request("http://127.0.0.1/healthz"));
 * strictEqual(response.status, 200);
 * ```
 *
 * `Deno.serve(handler)` serves it; so does Hono with
 * `app.all("/*", (c) => handler(c.req.raw))`, and Node with `nodeListener`. The
 * requests are in docs/PROTOCOL.md.
 *
 * @module
 */
export * from "./node_listener.ts";
export type * from "./options.ts";
export * from "./serve_pipe.ts";
export * from "./serve_store.ts";
