import type { Hasher } from "@snap/hash";
import { StoreError } from "@snap/store";
import type { PruneStore, ReadStore } from "@snap/store";
import type { ExchangeContext, ExchangeHandler } from "@snap/store/serve";
import { SyncError } from "../errors.ts";
import {
  type Env,
  type Observer,
  type ProofCache,
  systemEnv,
} from "../options.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageType,
  type Section,
  Verb,
} from "../protocol/message.ts";
import { fieldsSection } from "../protocol/sections.ts";
import { Answers } from "./answers.ts";
import { KeptProofs } from "./kept_proofs.ts";
import { KeptSessions } from "./kept_sessions.ts";
import type { ServedRequest } from "./served.ts";

/** How long a request may work before it says where to go on, in milliseconds. */
export const WORK_MS = 10_000;

/** Options of {@linkcode syncHandler}. */
export interface SyncHandlerOptions {
  /** Hasher. */
  readonly hasher: Hasher;
  /**
   * Marks what this server has proved, 32 random bytes; drawn if left out. Servers
   * of one store that share it need not prove anything twice.
   */
  readonly macKey?: Uint8Array;
  /** How long a request may work before it says where to go on. Default: {@linkcode WORK_MS}. */
  readonly workMs?: number;
  /** Proofs of earlier sessions; those of this program are kept in memory if left out. */
  readonly proofs?: ProofCache;
  /** Told of requests. */
  readonly observer?: Observer;
  /** Time, chance, waiting. */
  readonly env?: Env;
}

/**
 * Makes what answers messages of a sync. It relies on nothing but the store: what
 * it knows of sessions only saves time.
 *
 * @param store The store.
 * @param options What hashes.
 * @returns What a server has for `exchange`.
 */
export function syncHandler(
  store: ReadStore & Partial<PruneStore>,
  options: SyncHandlerOptions,
): ExchangeHandler {
  const { env = systemEnv, hasher, observer } = options;
  const { macKey = env.random(32), workMs = WORK_MS } = options;
  const sessions = new KeptSessions();
  const { proofs = new KeptProofs() } = options;
  const answers = new Answers({
    ...{ store, hasher, env, macKey, workMs, sessions, proofs },
  });
  return async (body, context) => {
    const verb = verbName(body);
    const inner = observer?.requestStarted?.({ verb, bytes: body.length });
    let error: unknown;
    const answer = await answerTo(answers, body, context, hasher)
      .catch((thrown) => {
        error = thrown;
        return errorMessage(body, thrown, hasher);
      });
    const end = { bytes: answer.length };
    observer?.requestEnded?.(
      inner,
      error === undefined ? end : { ...end, error },
    );
    return answer;
  };
}

async function answerTo(
  answers: Answers,
  body: Uint8Array,
  context: ExchangeContext,
  hasher: Hasher,
): Promise<Uint8Array> {
  const message = decodeMessage(body, hasher);
  if (message.type !== MessageType.request) {
    throw new SyncError("Cannot answer a message that is no request", {
      code: "FORMAT",
    });
  }
  const { right, signal } = context;
  const request: ServedRequest = { message, right, signal };
  const sections = await sectionsFor(answers, request);
  const type = MessageType.answer;
  return encodeMessage({ ...message, type, limit: 0, sections }, hasher);
}

async function sectionsFor(
  answers: Answers,
  request: ServedRequest,
): Promise<readonly Section[]> {
  switch (request.message.verb) {
    case Verb.hello:
      return await answers.hello(request);
    case Verb.differ:
      return await answers.differ(request);
    case Verb.get:
      return await answers.get(request);
    case Verb.missing:
      return await answers.missing(request);
    case Verb.put:
      return await answers.put(request);
    case Verb.seal:
      return await answers.seal(request);
    case Verb.commit:
      return await answers.commit(request);
    case Verb.tags:
      return await answers.tags(request);
    case Verb.forget:
      return await answers.forget(request);
    case Verb.lease:
      return await answers.lease(request);
  }
}

function verbName(body: Uint8Array): string {
  const found = Object.entries(Verb).find(([, number]) => number === body[8]);
  return found?.[0] ?? "unknown";
}

/** The part of an error that goes out: not the message of the store, which may name paths. */
function errorMessage(
  body: Uint8Array,
  error: unknown,
  hasher: Hasher,
): Uint8Array {
  const { code, message, hint, waitMs = 0 } = asSyncError(error);
  const zeros = new Uint8Array(16);
  const request = body.length >= 56 ? body.slice(40, 56) : zeros;
  const answer: Message = {
    verb: Object.values<number>(Verb).includes(body[8])
      ? body[8] as Verb
      : Verb.hello,
    type: MessageType.error,
    limit: waitMs,
    session: zeros,
    request,
    sections: [
      fieldsSection({ code, message, ...(hint === undefined ? {} : { hint }) }),
    ],
  };
  return encodeMessage(answer, hasher);
}

function asSyncError(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  if (error instanceof StoreError) {
    const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
    return new SyncError(
      isFull
        ? "Cannot store it: the disk of the server is full"
        : `Cannot use the store of the server: it failed (${error.code})`,
      { code: isFull ? "FULL" : "STORE" },
    );
  }
  if (error instanceof SyntaxError) {
    return new SyncError(`Cannot answer: ${error.message}`, {
      code: "MISMATCH",
    });
  }
  return new SyncError("Cannot answer: the server failed", { code: "STORE" });
}
