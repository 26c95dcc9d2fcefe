/** Each verb as a function. The rights of the request have been checked. */
import type { PruneStore } from "../store.ts";
import { isStoreName } from "../store_name.ts";
import { type Answer, jsonAnswer, Refusal } from "./answer.ts";
import { type BodyLimits, streamOf, withBody, withRoom } from "./body.ts";
import { PROTOCOL_VERSION, UPLOAD_ID, type Verb } from "./protocol.ts";
import { readVerb } from "./read_verb.ts";
import type { Uploads } from "./uploads.ts";
import type { ExchangeHandler, Right, ServedStore } from "./options.ts";

export interface VerbContext {
  readonly store: ServedStore;
  readonly uploads: Uploads;
  readonly request: Request;
  /** The name, for the verbs that have it in their path. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly right: Right;
  readonly byToken: boolean;
  readonly limits: BodyLimits;
  readonly fileSizeMax: number;
  readonly exchange: ExchangeHandler | undefined;
}

type Handler = (context: VerbContext) => Promise<Answer>;

const SYNC_PREFIXES_MAX = 1000;

/** The verbs; `health` is none for who has rights. */
export const VERBS: Readonly<Record<Exclude<Verb, "health">, Handler>> = {
  hello: ({ right, limits, fileSizeMax, exchange }) =>
    Promise.resolve(jsonAnswer(200, {
      protocol: Number(PROTOCOL_VERSION),
      right,
      bodySizeMax: limits.sizeMax,
      fileSizeMax,
      exchange: exchange !== undefined,
    })),
  read: ({ store, name, request, byToken, limits }) =>
    readVerb({
      store,
      name,
      request,
      isPrivate: byToken,
      idleMs: limits.idleMs,
    }),
  size: async ({ store, query, request: { signal } }) => {
    const size = await store.size(nameIn(query), { signal });
    return jsonAnswer(200, { size: size ?? null });
  },
  list: async ({ store, query, request: { signal }, limits }) => {
    const lines = listLines(store, query.get("prefix") ?? "", signal);
    const first = await lines.next(); // A prefix that is none is refused, not cut off.
    async function* all(): AsyncGenerator<Uint8Array> {
      if (!first.done) yield first.value;
      yield* lines;
    }
    const headers = { "content-type": "text/plain; charset=utf-8" };
    return { status: 200, headers, body: streamOf(all(), limits.idleMs) };
  },
  create: async ({ store, name, request, limits }) => {
    if (request.headers.get("if-none-match") !== "*") {
      throw new Refusal(428, "IFNONEMATCH");
    }
    const { create } = methodsOf(store, "create");
    return await withBody(request, limits, async (body) => {
      const created = await create(name, body, { signal: request.signal });
      return jsonAnswer(created ? 201 : 412, { created });
    });
  },
  remove: async ({ store, name, request: { signal } }) => {
    await methodsOf(store, "remove").remove(name, { signal });
    return { status: 204 };
  },
  sync: async ({ store, request, limits }) => {
    const { sync } = methodsOf(store, "sync");
    const prefixes = await withBody(request, limits, prefixesIn);
    await sync(prefixes, { signal: request.signal });
    return { status: 204 };
  },
  part: async ({ store, uploads, query, request, limits, fileSizeMax }) => {
    methodsOf(store, "adopt");
    const id = uploadIn(query);
    const at = numberIn(query, "offset");
    return await withBody(request, limits, async (body) => {
      if (at + body.length > fileSizeMax) throw new Refusal(413, "FILESIZE");
      const { offset, added } = await uploads.add(id, at, body);
      return jsonAnswer(added ? 200 : 409, { offset });
    });
  },
  join: async ({ store, uploads, query, request: { signal } }) => {
    methodsOf(store, "adopt");
    const size = numberIn(query, "size");
    const name = nameIn(query);
    const joined = await uploads.join(uploadIn(query), { name, size, signal });
    if ("offset" in joined) return jsonAnswer(409, joined);
    return jsonAnswer(joined.created ? 201 : 412, joined);
  },
  exchange: async (context) => {
    const { request, limits, right, exchange, query } = context;
    if (exchange === undefined) throw new Refusal(501, "NOEXCHANGE");
    const { signal } = request;
    const use = async (body: Uint8Array): Promise<Answer> => ({
      status: 200,
      headers: { "content-type": "application/octet-stream" },
      body: await exchange(body, { right, signal }),
    });
    return query.has("id")
      ? await exchangeUpload(context, use)
      : await withBody(request, limits, use);
  },
};

/** Uses a body that came in parts. */
async function exchangeUpload(
  { store, uploads, query, limits, request: { signal } }: VerbContext,
  use: (body: Uint8Array) => Promise<Answer>,
): Promise<Answer> {
  methodsOf(store, "adopt");
  const size = numberIn(query, "size");
  const { gate } = limits;
  if (size > gate.sizeMax) throw new Refusal(413, "TOOLARGE");
  return await withRoom(gate, size, async () => {
    const used = await uploads.use(uploadIn(query), { size, signal }, use);
    return "outcome" in used ? used.outcome : jsonAnswer(409, used);
  });
}

/** The methods of a store that can do something. */
function methodsOf<K extends keyof PruneStore>(
  store: ServedStore,
  method: K,
): Required<Pick<PruneStore, K>> {
  const call = store[method] as unknown;
  if (typeof call !== "function") throw new Refusal(405, "EROFS");
  return { [method]: call.bind(store) } as Required<Pick<PruneStore, K>>;
}

/** Lines `SIZE NAME`, then `end COUNT`, by which a list that was cut off is known. */
async function* listLines(
  store: ServedStore,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let count = 0;
  for await (const batch of store.list(prefix, { signal })) {
    if (batch.length === 0) continue;
    count += batch.length;
    const lines = batch.map(({ name, size }) => `${size} ${name}\n`);
    yield encoder.encode(lines.join(""));
  }
  yield encoder.encode(`end ${count}\n`);
}

function nameIn(query: URLSearchParams): string {
  const name = query.get("name") ?? "";
  if (!isStoreName(name)) throw new Refusal(400, "EINVAL");
  return name;
}

function uploadIn(query: URLSearchParams): string {
  const id = query.get("id") ?? "";
  if (!UPLOAD_ID.test(id)) throw new Refusal(400, "EINVAL");
  return id;
}

function numberIn(query: URLSearchParams, key: string): number {
  const digits = query.get(key) ?? "";
  if (!/^\d{1,15}$/.test(digits)) throw new Refusal(400, "EINVAL");
  return Number(digits);
}

function prefixesIn(body: Uint8Array): Promise<string[]> {
  let prefixes: unknown;
  try {
    ({ prefixes } = JSON.parse(new TextDecoder().decode(body)));
  } catch {
    prefixes = undefined;
  }
  const isList = Array.isArray(prefixes) &&
    prefixes.length <= SYNC_PREFIXES_MAX &&
    prefixes.every((one) => typeof one === "string");
  if (!isList) throw new Refusal(400, "EINVAL");
  return Promise.resolve(prefixes as string[]);
}
