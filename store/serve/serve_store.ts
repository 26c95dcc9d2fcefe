/**
 * A store over HTTP.
 *
 * @module
 */
import { Gatekeeper } from "./access.ts";
import { Server, sleepByTimer } from "./server.ts";
import type { Access, PeerInfo, ServedStore, ServeLimits } from "./options.ts";

/** Options of {@link serveStore}. */
export interface ServeOptions extends ServeLimits {
  /** Rights of requests. */
  readonly access: Access;
  /** The path that the store has, from `/` to `/`. Default `/`. */
  readonly base?: string;
}

/** Answers requests to a store, and tells when the last is answered. */
export interface StoreHandler {
  /** Answers one request; of its peer nothing is used but the address in the access log. */
  (request: Request, info?: PeerInfo): Promise<Response>;
  /** Resolves when `signal` is aborted and all that was at work is answered. */
  readonly drained: Promise<void>;
}

/**
 * Serves a store: returns what answers requests, for `Deno.serve`, Hono, or
 * `nodeListener` and `node:http`. TLS is for `node:https` or a proxy.
 *
 * @example A store that whoever has the token may read
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { serveStore } from "@snap/store/serve";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await store.create("index/aa", new Uint8Array(3));
 * const token = "a-long-and-random-token";
 * const handler = serveStore(store, { access: { tokens: [{ token, right: "read" }] } });
 *
 * const url = "https://example.org/index/aa";
 * strictEqual((await handler(new Request(url))).status, 401);
 * const headers = { authorization: `Bearer ${token}` };
 * strictEqual((await handler(new Request(url, { headers }))).status, 200);
 * ```
 *
 * @param store The store. Of one that only reads, the rest is refused.
 * @param options Who may do what, limits, a log, an end.
 * @returns What answers requests.
 * @throws {TypeError} If there is neither a token, nor `anonymous`, nor `loopback`.
 * @throws {RangeError} If a token is too short to be one, or the base is no path.
 */
export function serveStore(
  store: ServedStore,
  options: ServeOptions,
): StoreHandler {
  const { access, base = "/", sleep = sleepByTimer, signal } = options;
  if (!/^\/([^?#]*\/)?$/.test(base)) {
    throw new RangeError(
      `Cannot serve below a path that does not begin and end with /: found ${
        JSON.stringify(base)
      }`,
    );
  }
  const gatekeeper = new Gatekeeper(access, sleep, signal);
  const admit = gatekeeper.admit.bind(gatekeeper);
  const server = new Server(store, options, { base, admit });
  const handler = (request: Request, info?: PeerInfo) =>
    server.answer(request, info);
  return Object.assign(handler, { drained: server.drained });
}
