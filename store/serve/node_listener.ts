/**
 * A handler of requests for `node:http` and `node:https`.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { PeerInfo } from "./options.ts";

/** Handler of a request, which may be told of its peer. */
export type RequestHandler = (
  request: Request,
  info: PeerInfo,
) => Promise<Response>;

/** Listener that `createServer` of `node:http` and `node:https` takes. */
export type NodeListener = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) => void;

/** A name or an address, perhaps with a port. */
const HOST = /^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d+)?$/i;

/**
 * Makes a listener of a handler.
 *
 * @example A server on loopback
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { nodeListener, serveStore } from "@snap/store/serve";
 * import { strictEqual } from "node:assert/strict";
 * import { once } from "node:events";
 * import { createServer } from "node:http";
 * import type { AddressInfo } from "node:net";
 *
 * const handler = serveStore(new MemoryStore(), { access: { loopback: "prune" } });
 * const server = createServer(nodeListener(handler)).listen(0, "127.0.0.1");
 * await once(server, "listening");
 * const { port } = server.address() as AddressInfo;
 * const response = await fetch(`http://127.0.0.1:${port}/healthz`);
 * strictEqual((await response.json()).ok, true);
 * server.close();
 * ```
 *
 * @param handler What answers a request.
 * @returns The listener.
 */
export function nodeListener(handler: RequestHandler): NodeListener {
  return (incoming, outgoing) => {
    // What fails here fails on the connection, which is gone then.
    serve(handler, incoming, outgoing).catch(() => outgoing.destroy());
  };
}

async function serve(
  handler: RequestHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  // Without a listener an error of the connection would end the program.
  outgoing.on("error", () => gone.abort());
  const request = requestOf(incoming, gone.signal);
  if (request === undefined) {
    outgoing.writeHead(400, { connection: "close" }).end();
    return;
  }
  const { remoteAddress } = incoming.socket;
  const remoteAddr = remoteAddress === undefined
    ? {}
    : { hostname: remoteAddress };
  const { status, headers, body } = await handler(request, { remoteAddr });
  // A body that nobody read would be taken for the next request.
  if (request.body !== null && !incoming.complete) {
    headers.set("connection", "close");
  }
  outgoing.writeHead(status, Object.fromEntries(headers));
  if (body !== null) await send(body, outgoing, gone.signal);
  outgoing.end();
}

/** The request as the web knows it, or undefined if it is none. */
function requestOf(
  incoming: IncomingMessage,
  signal: AbortSignal,
): Request | undefined {
  const { method = "GET", url = "/", headers: { host } } = incoming;
  const scheme = "encrypted" in incoming.socket ? "https" : "http";
  const hasBody = incoming.headers["content-length"] !== undefined ||
    incoming.headers["transfer-encoding"] !== undefined;
  const init: RequestInit & { duplex: "half" } = {
    method,
    headers: headersOf(incoming),
    signal,
    duplex: "half",
  };
  if (hasBody && method !== "GET" && method !== "HEAD") {
    init.body = bodyOf(incoming);
  }
  try {
    // Both are the client's words: a path may not become a host, nor a host a path.
    const isPath = url.startsWith("/") && !url.startsWith("//");
    if (!isPath || !HOST.test(host ?? "")) return undefined;
    return new Request(`${scheme}://${host}${url}`, init);
  } catch {
    return undefined;
  }
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  const { rawHeaders } = incoming;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i], rawHeaders[i + 1]);
  }
  return headers;
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await chunks.return?.();
    },
  }, { highWaterMark: 0 });
}

async function send(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (gone.aborted) throw gone.reason;
      if (outgoing.write(value)) continue;
      await drainOf(outgoing, gone);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
}

async function drainOf(
  outgoing: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = () => reject(gone.reason);
    gone.addEventListener("abort", stop, { once: true });
    outgoing.once("drain", () => {
      gone.removeEventListener("abort", stop);
      resolve();
    });
  });
}
