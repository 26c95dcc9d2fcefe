/**
 * Stores that are reached over HTTP or through a pipe.
 *
 * @example A store, and what is in it
 * ```ts
 * import { openHttpStore } from "@snap/store/http";
 * import { MemoryStore } from "@snap/store/memory";
 * import { serveStore } from "@snap/store/serve";
 * import { strictEqual } from "node:assert/strict";
 *
 * const handler = serveStore(new MemoryStore(), { access: { loopback: "prune" } });
 * const store = await openHttpStore("http://localhost/", {
 *   fetch: (url, init) => handler(new Request(url, init)),
 * });
 * await store.create("index/aa", new Uint8Array(3));
 * for await (const batch of store.list("")) strictEqual(batch[0].name, "index/aa");
 * ```
 *
 * @module
 */
export { openHttpStore } from "./http_store.ts";
export type { OpenHttpStoreOptions } from "./http_store.ts";
export * from "./listing.ts";
export * from "./pipe_store.ts";
export type * from "./remote_store.ts";
