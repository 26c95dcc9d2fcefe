/** The one server behind both carriers. */
import { isStoreName } from "../store_name.ts";
import type { WriteStore } from "../store.ts";
import { checkRight, type Grant, type Sleep } from "./access.ts";
import {
  type Answer,
  failureAnswer,
  jsonAnswer,
  Refusal,
  responseOf,
} from "./answer.ts";
import { type BodyLimits, ByteGate, countedStream } from "./body.ts";
import {
  BODY_SIZE_MAX,
  FILE_SIZE_MAX,
  IDLE_MS,
  POSTED_VERBS,
  type Verb,
} from "./protocol.ts";
import { Uploads } from "./uploads.ts";
import { VERBS } from "./verbs.ts";
import type { PeerInfo, Right, ServedStore, ServeLimits } from "./options.ts";

/** Most of the largest bodies that are in memory at once. */
const BODIES_AT_ONCE = 4;
const REQUESTS_MAX = 256;
/** Time for which a look at the store's health is good, in milliseconds. */
const HEALTH_MS = 5000;

/** A request, taken apart. */
interface Route {
  readonly verb: Verb;
  readonly name: string;
  readonly query: URLSearchParams;
}

/** State of a request while it is at work. */
interface Work {
  readonly request: Request;
  readonly peer: string | undefined;
  readonly startedMs: number;
  route?: Route | undefined;
  right?: Right | undefined;
}

/** Answers requests. */
export class Server {
  readonly #store: ServedStore;
  readonly #options: ServeLimits;
  readonly #base: string;
  readonly #admit: (request: Request) => Promise<Grant>;
  readonly #limits: BodyLimits;
  readonly #uploads: Uploads;
  readonly #now: () => number;
  readonly #drained = Promise.withResolvers<void>();
  /** Requests at work, and those of them that were let in. */
  #active = 0;
  #admitted = 0;
  #health: { atMs: number; answer: Promise<Answer> } | undefined;

  constructor(
    store: ServedStore,
    options: ServeLimits,
    access: {
      base: string;
      admit: (request: Request) => Promise<Grant>;
    },
  ) {
    const { bodySizeMax = BODY_SIZE_MAX, idleMs = IDLE_MS } = options;
    this.#store = store;
    this.#options = options;
    this.#base = access.base;
    this.#admit = access.admit;
    this.#limits = {
      sizeMax: bodySizeMax,
      idleMs,
      gate: new ByteGate(BODIES_AT_ONCE * bodySizeMax),
    };
    this.#uploads = new Uploads(store as WriteStore);
    this.#now = options.now ?? (() => performance.now());
    const { signal } = options;
    const stop = () => this.#settle();
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  }

  /** Resolves when the server was told to end and the last answer is out. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  /** Answers one request. It never rejects. */
  async answer(request: Request, info: PeerInfo = {}): Promise<Response> {
    const peer = info.remoteAddr?.hostname;
    const work: Work = { request, peer, startedMs: this.#now() };
    this.#active++;
    let answer: Answer;
    try {
      answer = await this.#work(work);
    } catch (error) {
      answer = failureAnswer(error);
    }
    const isHead = request.method === "HEAD";
    if (!(answer.body instanceof ReadableStream)) {
      const size = isHead ? 0 : answer.body?.length ?? 0;
      this.#end(work, answer.status, size, answer.error);
      return responseOf(answer, isHead);
    }
    const body = countedStream(answer.body, (bytes, error) => {
      this.#end(work, answer.status, bytes, error);
    });
    return responseOf({ ...answer, body }, isHead);
  }

  /** Gives up what is of no use without this server. */
  async close(): Promise<void> {
    await this.#uploads.close().catch(() => {}); // A folder for temporary files may keep it.
  }

  async #work(work: Work): Promise<Answer> {
    const { request } = work;
    if (this.#options.signal?.aborted) {
      throw new Refusal(503, "STOPPING", { connection: "close" });
    }
    const route = work.route = routeOf(request, this.#base);
    if (route.verb === "health") return await this.#healthAnswer();
    const { right, byToken } = await this.#admit(request);
    work.right = right;
    if (++this.#admitted > (this.#options.requestsMax ?? REQUESTS_MAX)) {
      throw new Refusal(503, "BUSY", { "retry-after": "1" });
    }
    const name = route.name || (route.query.get("name") ?? "");
    checkRight(right, route.verb, name);
    return await VERBS[route.verb]({
      store: this.#store,
      uploads: this.#uploads,
      request,
      name: route.name,
      query: route.query,
      right,
      byToken,
      limits: this.#limits,
      fileSizeMax: this.#options.fileSizeMax ?? FILE_SIZE_MAX,
      exchange: this.#options.exchange,
    });
  }

  /** Whether the store can be read, looked at once in a while whoever asks. */
  async #healthAnswer(): Promise<Answer> {
    const nowMs = this.#now();
    if (
      this.#health === undefined || nowMs - this.#health.atMs > HEALTH_MS
    ) {
      const answer = this.#store.size("config/1").then(
        () => jsonAnswer(200, { ok: true }),
        (error) => ({ ...jsonAnswer(503, { ok: false }), error }),
      );
      this.#health = { atMs: nowMs, answer };
    }
    return await this.#health.answer;
  }

  #end(work: Work, status: number, bytesOut: number, error: unknown): void {
    const { peer, request, startedMs, route, right } = work;
    this.#active--;
    if (right !== undefined) this.#admitted--;
    this.#settle();
    this.#options.onAccess?.({
      peer,
      method: request.method,
      verb: route?.verb,
      subject: subjectOf(route),
      status,
      right,
      bytesIn: Number(request.headers.get("content-length") ?? 0),
      bytesOut,
      durationMs: this.#now() - startedMs,
      error,
    });
  }

  #settle(): void {
    const { signal } = this.#options;
    if (signal?.aborted && this.#active === 0) {
      this.#drained.resolve(this.close());
    }
  }
}

function subjectOf(route: Route | undefined): string | undefined {
  if (route === undefined) return undefined;
  const { name, query } = route;
  return name || (query.get("name") ?? query.get("prefix") ?? query.get("id") ??
    undefined);
}

/** Takes apart what is asked for, and refuses what is nothing. */
function routeOf(request: Request, base: string): Route {
  const { pathname, searchParams: query } = new URL(request.url);
  const { method } = request;
  if (!pathname.startsWith(base)) throw new Refusal(400, "BASE");
  const path = pathname.slice(base.length);
  const isRead = method === "GET" || method === "HEAD";
  if (path === "healthz" && isRead) return { verb: "health", name: "", query };
  if (path.startsWith("~")) {
    const verb = path.slice(1);
    if (!POSTED_VERBS.has(verb)) throw new Refusal(400, "VERB");
    if (method !== "POST") throw new Refusal(405, "METHOD", { allow: "POST" });
    return { verb: verb as Verb, name: "", query };
  }
  const name = nameOf(path);
  if (isRead) return { verb: "read", name, query };
  if (method === "PUT") return { verb: "create", name, query };
  if (method === "DELETE") return { verb: "remove", name, query };
  throw new Refusal(405, "METHOD", { allow: "GET, HEAD, PUT, DELETE" });
}

/** The name in a path: of escapes only that of `%` is one, so each name has one path. */
function nameOf(path: string): string {
  const name = path.replaceAll("%25", "%");
  if (!isStoreName(name) || name.replaceAll("%", "%25") !== path) {
    throw new Refusal(400, "EINVAL");
  }
  return name;
}

/** Waits by a timer. A signal ends the wait, not the waiter. */
export const sleepByTimer: Sleep = (ms, signal) => {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
};
