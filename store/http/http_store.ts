/**
 * Stores that are reached over HTTP.
 *
 * @module
 */
import { StoreError } from "../errors.ts";
import {
  BODY_SIZE_MAX,
  BODY_SIZE_START,
  IDLE_MS,
  PROTOCOL_VERSION,
} from "../serve/protocol.ts";
import type { Right } from "../serve/options.ts";
import type { StoreOptions } from "../store.ts";
import { Limiter } from "../wrap/limiter.ts";
import { Meter } from "../wrap/meter.ts";
import { failed } from "./failure.ts";
import { type ServedParts, ServedRemoteStore } from "./served_remote_store.ts";
import type { Reply } from "./reply.ts";
import { Sender } from "./sender.ts";
import { WebStore } from "./web_store.ts";
import type { RemoteStore, RemoteStoreOptions } from "./remote_store.ts";

/** Options of {@link openHttpStore}. */
export interface OpenHttpStoreOptions extends RemoteStoreOptions {
  /** The token, which goes to the origin of the URL and nowhere else. */
  readonly token?: string;
  /** The function that sends a request. Default: `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

const RIGHTS: ReadonlySet<unknown> = new Set<Right>([
  "read",
  "append",
  "prune",
]);

/**
 * Opens a store at a URL: of a `snap serve` with all verbs that the token allows,
 * of any other web server to read, by its `listing`.
 *
 * One request tells them apart. Whether there is a store at all, whoever reads
 * its config finds out.
 *
 * @example A server that a program embeds
 * ```ts
 * import { openHttpStore } from "@snap/store/http";
 * import { MemoryStore } from "@snap/store/memory";
 * import { serveStore } from "@snap/store/serve";
 * import { strictEqual } from "node:assert/strict";
 *
 * const handler = serveStore(new MemoryStore(), { access: { loopback: "append" } });
 * const store = await openHttpStore("http://localhost/", {
 *   fetch: (url, init) => handler(new Request(url, init)),
 * });
 * strictEqual(await store.create("index/aa", new Uint8Array(3)), true);
 * strictEqual(await store.create("index/aa", new Uint8Array(4)), false);
 * ```
 *
 * @param url Where the store is: `http:` or `https:`. A user and a password in it
 * are sent as such.
 * @param options A token, a deadline, a signal.
 * @returns The store.
 * @throws {RangeError} If the URL is none of a store, or the token cannot be one.
 * @throws {StoreError} If the server cannot be reached, or refuses.
 */
export async function openHttpStore(
  url: string,
  options: OpenHttpStoreOptions = {},
): Promise<RemoteStore> {
  const { base, location, basic } = takeApart(url);
  const { token, timeoutMs = IDLE_MS } = options;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new RangeError(
      "Cannot open store: its token has other than visible ASCII characters",
    );
  }
  const sender = new Sender({
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    base,
    authorization: token === undefined ? basic : `Bearer ${token}`,
    timeoutMs,
    limiter: options.limiter ?? new Limiter(),
    meter: options.meter ?? new Meter(),
  });
  let reply: Reply;
  try {
    reply = await hello(sender, location, options);
  } catch (error) {
    // A web server that only reads may send every POST elsewhere.
    const isElsewhere = error instanceof StoreError &&
      error.code === "REDIRECT" && token === undefined;
    if (!isElsewhere) throw error;
    return new WebStore(sender, location);
  }
  const { status, isOurs } = reply;
  if (!isOurs) {
    const isTrouble = status === 401 || status === 407 || status === 408 ||
      status === 429 || (status >= 500 && status !== 501);
    if (isTrouble) throw await reply.failure();
    await reply.discard();
    return new WebStore(sender, location);
  }
  const close = () => Promise.resolve();
  return await served(reply, { ...options, sender, location, close });
}

/** Asks what a server is. */
export async function hello(
  sender: Sender,
  location: string,
  { signal }: StoreOptions,
): Promise<Reply> {
  return await sender.send({
    action: "open",
    subject: location,
    method: "POST",
    path: "~hello",
    signal,
  });
}

/** The store of a server that said what it is. */
export async function served(
  reply: Reply,
  parts: Omit<ServedParts, "right" | "bodySizeMax">,
): Promise<RemoteStore> {
  if (reply.status !== 200) throw await reply.failure();
  const { protocol, right, bodySizeMax = BODY_SIZE_START } = await reply.json();
  const isKnown = protocol === Number(PROTOCOL_VERSION) && RIGHTS.has(right) &&
    Number.isSafeInteger(bodySizeMax);
  if (!isKnown) {
    throw failed(
      reply.doing,
      "PROTOCOL",
      `the server must speak version ${PROTOCOL_VERSION}: found ${
        JSON.stringify(protocol)
      }`,
    );
  }
  return new ServedRemoteStore({
    ...parts,
    right: right as Right,
    bodySizeMax: Math.min(BODY_SIZE_MAX, bodySizeMax as number),
  });
}

/** The parts of a URL: where, what may be said of it, and who asks. */
function takeApart(
  url: string,
): { base: string; location: string; basic: string | undefined } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (
    parsed === undefined || !/^https?:$/.test(parsed.protocol) ||
    parsed.search !== "" || parsed.hash !== ""
  ) {
    throw new RangeError(
      `Cannot open store ${
        JSON.stringify(url.replace(/\/\/[^/@]*@/, "//"))
      }: its URL is http: or https:, without ? and #`,
    );
  }
  const { username, password } = parsed;
  parsed.username = parsed.password = "";
  if (!parsed.pathname.endsWith("/")) parsed.pathname += "/";
  const user = new TextEncoder().encode(
    `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  );
  return {
    base: parsed.href,
    location: parsed.href,
    basic: username === ""
      ? undefined
      : `Basic ${btoa(String.fromCharCode(...user))}`,
  };
}
