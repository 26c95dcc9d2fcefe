import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import process from "node:process";
import {
  type Access,
  type NodeListener,
  nodeListener,
  type Right,
  serveStore,
} from "@snap/store/serve";
import type { PruneStore } from "@snap/store";
import { syncHandler } from "@snap/sync/serve";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { AccessLog } from "./access_log.ts";
import { readTls, type Tls } from "./read_tls.ts";
import { readTokens } from "./read_tokens.ts";
import { serveLimits } from "./serve_limits.ts";
import { chooseHasher } from "../snapshots/choose_hasher.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** Default address of a server. */
export const LISTEN = "127.0.0.1:7627";
/** Longest time for the head of a request, in milliseconds. */
const HEADERS_MS = 30_000;

/** An address to listen at. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly isLoopback: boolean;
}

/** Serves a store over HTTP, until a signal ends it: then what is at work is finished. */
export async function serveHttp(
  session: Session,
  store: PruneStore,
  right: Right,
): Promise<number> {
  const place = placeOf(session.args.text("listen") ?? LISTEN);
  const limits = serveLimits(session);
  const access = await accessOf(session, place, right);
  const tls = await readTls(session);
  if (!place.isLoopback && tls === undefined && "tokens" in access) {
    session.warn(
      "Tokens and content go over the network for all to read: --tls-cert, or a proxy in front, ends that",
    );
  }
  const log = await AccessLog.open(session);
  const stop = new AbortController();
  const handler = serveStore(store, {
    ...limits,
    access,
    exchange: syncHandler(store, { hasher: await chooseHasher() }),
    signal: stop.signal,
    ...(log && { onAccess: (line) => log.write(line) }),
  });
  const answers = new Answers(nodeListener(handler));
  const server = makeServer(tls, answers.listener);
  try {
    await listen(server, place);
    const { port } = server.address() as AddressInfo;
    const host = place.host.includes(":") ? `[${place.host}]` : place.host;
    const url = `${tls === undefined ? "http" : "https"}://${host}:${port}/`;
    await session.result(url, { type: "serving", url });
    await session.flush();
    // Its address is free for another server from then on.
    stop.signal.addEventListener("abort", () => server.close());
    await untilSignal(session, stop, async () => {
      await handler.drained;
      await answers.sent();
    });
    return ExitCode.done;
  } finally {
    stop.abort();
    server.closeAllConnections();
    await log?.close();
  }
}

/** The answers that are on their way out: not every runtime knows which connections are idle. */
class Answers {
  readonly listener: NodeListener;
  readonly #open = new Set<ServerResponse>();
  #onSent = () => {};

  constructor(inner: NodeListener) {
    this.listener = (incoming, outgoing) => {
      this.#open.add(outgoing);
      const end = () => {
        this.#open.delete(outgoing);
        if (this.#open.size === 0) this.#onSent();
      };
      outgoing.once("finish", end).once("close", end);
      inner(incoming, outgoing);
    };
  }

  /** Waits until the last byte of each is handed to the system. */
  async sent(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => this.#onSent = resolve);
  }
}

/** Takes `HOST:PORT`, `:PORT` for every address, or `PORT` for loopback. */
function placeOf(text: string): Place {
  const [, hostText = "127.0.0.1", digits = ""] =
    /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
  const host = hostText.replace(/^\[(.*)\]$/, "$1") || "0.0.0.0";
  const port = Number(digits);
  if (digits === "" || port > 65_535) {
    throw new UsageError(
      `Cannot use --listen ${JSON.stringify(text)}: it takes HOST:PORT`,
      "such as 127.0.0.1:7627, or :7627 for all addresses of this machine",
    );
  }
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
  return { host, port, isLoopback };
}

async function accessOf(
  session: Session,
  { isLoopback }: Place,
  right: Right,
): Promise<Access> {
  const { args } = session;
  const name = args.text("tokens");
  const anonymous = args.has("anonymous") ? "read" as const : undefined;
  if (name !== undefined) {
    const tokens = await readTokens(session, name);
    return { tokens, ...(anonymous && { anonymous }) };
  }
  if (anonymous !== undefined) return { tokens: [], anonymous };
  if (isLoopback) return { loopback: right };
  throw new UsageError(
    "Cannot serve to other machines without tokens",
    "--tokens FILE names some, --anonymous lets all read",
  );
}

function makeServer(
  tls: Tls | undefined,
  listener: NodeListener,
): Server {
  // How long a body may take, its reader limits.
  const options = { requestTimeout: 0, headersTimeout: HEADERS_MS };
  if (tls === undefined) return createServer(options, listener);
  return createTlsServer({ ...options, ...tls }, listener);
}

async function listen(server: Server, { host, port }: Place): Promise<void> {
  const listening = Promise.withResolvers<void>();
  server.once("listening", listening.resolve);
  server.once("error", listening.reject);
  // Deno throws where nobody can catch it if the network is not allowed.
  process.once("uncaughtException", listening.reject);
  try {
    server.listen(port, host);
    await listening.promise;
  } catch (cause) {
    throw listenFailure(`${host}:${port}`, cause as Error);
  } finally {
    process.removeListener("uncaughtException", listening.reject);
  }
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program does",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such host",
  EACCES: "it is not permitted",
};

function listenFailure(
  at: string,
  cause: Error & { readonly code?: string },
): Error {
  const { code, name } = cause;
  if (name === "NotCapable") return cause;
  if (code === undefined) return cause;
  return new CommandError(
    `Cannot listen at ${at}: ${
      LISTEN_REASONS[code] ?? cause.message
    } (${code})`,
    code === "EADDRINUSE"
      ? "--listen names another port, 0 for any"
      : undefined,
  );
}

/** Waits for a signal, then for what is at work; the second signal ends that, too. */
async function untilSignal(
  { context, signal }: Session,
  stop: AbortController,
  finish: () => Promise<void>,
): Promise<void> {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  stop.signal.addEventListener("abort", () => first.resolve(), { once: true });
  const end = () => stop.signal.aborted ? second.resolve() : stop.abort();
  const giveBack = context.takeSignals?.(end);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    await first.promise;
    await Promise.race([second.promise, finish()]);
  } finally {
    signal.removeEventListener("abort", end);
    giveBack?.();
  }
}
