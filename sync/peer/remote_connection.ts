import { type Hasher, hexOf } from "@snap/hash";
import {
  isTransient as isStoreTransient,
  Limiter,
  retry,
  systemTiming,
} from "@snap/store/wrap";
import { SYNC_ERROR_CODES, SyncError, type SyncErrorCode } from "../errors.ts";
import { systemEnv } from "../options.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageType,
  type Section,
  SectionKind,
  sectionOf,
  Verb,
} from "../protocol/message.ts";
import { readFields } from "../protocol/sections.ts";
import type { Transport } from "../transport.ts";
import type { SessionOptions } from "./peer.ts";

/** Attempts of a request. */
const TRIES_MAX = 8;

/** Parts of a {@linkcode RemoteConnection}. */
export interface RemoteConnectionOptions extends SessionOptions {
  readonly transport: Transport;
  readonly hasher: Hasher;
}

/** Asks a server, again where no answer came, and checks what comes. */
export class RemoteConnection {
  /** Requests so far, those that were repeated among them. */
  requestCount = 0;
  /** The session, once there is one. */
  session: Uint8Array = new Uint8Array(16);
  readonly #options: RemoteConnectionOptions;
  readonly #limiter: Limiter;

  constructor(options: RemoteConnectionOptions) {
    this.#options = options;
    const { requests, bytesInFlight, bytesPerSecond } = options.limits ?? {};
    this.#limiter = new Limiter({
      ...(requests === undefined ? {} : { requestsMax: requests }),
      ...(bytesInFlight === undefined
        ? {}
        : { bytesInFlightMax: bytesInFlight }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    });
  }

  /** Where the server is. */
  get location(): string {
    return this.#options.transport.location ?? "the server";
  }

  /**
   * Asks.
   *
   * @param verb What for.
   * @param sections What is said.
   * @param limit Most bytes of the answer.
   * @returns The answer.
   * @throws {SyncError} If the server refuses, or says what cannot be.
   * @throws {StoreError} If no answer came, however often it was tried.
   */
  async ask(
    verb: Verb,
    sections: readonly Section[],
    limit = 0,
  ): Promise<Message> {
    const { env = systemEnv, signal } = this.#options;
    return await retry(
      () => this.#askOnce(verb, sections, limit),
      {
        triesMax: TRIES_MAX,
        isTransient,
        timing: {
          ...systemTiming,
          random: () =>
            env.random(4).reduce((sum, one) => (sum + one) / 256, 0),
          wait: (ms) => env.sleep(ms, signal),
        },
      },
    );
  }

  async #askOnce(
    verb: Verb,
    sections: readonly Section[],
    limit: number,
  ): Promise<Message> {
    const { env = systemEnv, hasher, transport, signal, observer, meter } =
      this.#options;
    signal?.throwIfAborted();
    const request = env.random(16);
    const { session } = this;
    const type = MessageType.request;
    const body = encodeMessage(
      { verb, type, limit, session, request, sections },
      hasher,
    );
    const name = verbName(verb);
    const context = observer?.requestStarted?.({
      verb: name,
      bytes: body.length,
    });
    this.requestCount++;
    meter.waiting++;
    try {
      const how = signal === undefined ? {} : { signal };
      const bytes = await this.#limiter.run(
        { bytes: body.length + limit, signal },
        () => transport.exchange(body, how),
      );
      const answer = decodeMessage(bytes, hasher);
      observer?.requestEnded?.(context, { bytes: bytes.length });
      return checkAnswer(answer, verb, request, this.location);
    } catch (error) {
      observer?.requestEnded?.(context, { bytes: 0, error });
      throw error;
    } finally {
      meter.waiting--;
    }
  }
}

function checkAnswer(
  answer: Message,
  verb: Verb,
  request: Uint8Array,
  location: string,
): Message {
  if (hexOf(answer.request) !== hexOf(request)) {
    throw new SyncError(
      `Cannot use an answer of ${location}: it is to another request`,
      { code: "FORMAT" },
    );
  }
  if (answer.type === MessageType.error) throw errorOf(answer, location);
  if (answer.type !== MessageType.answer || answer.verb !== verb) {
    throw new SyncError(
      `Cannot use an answer of ${location}: it is none to ${verbName(verb)}`,
      { code: "FORMAT" },
    );
  }
  return answer;
}

function errorOf(answer: Message, location: string): SyncError {
  const fields = readFields(sectionOf(answer, SectionKind.fields));
  const code = fields.text("code", 20);
  const hint = fields.text("hint");
  return new SyncError(`${fields.text("message")} (says ${location})`, {
    code: SYNC_ERROR_CODES.has(code) ? code as SyncErrorCode : "STORE",
    isRemote: true,
    ...(hint === "" ? {} : { hint }),
    ...(answer.limit === 0 ? {} : { waitMs: answer.limit }),
  });
}

/** Failures after which a second request may go well: no answer, half an answer, a busy server. */
function isTransient(error: unknown): boolean {
  if (error instanceof SyncError) {
    return error.isRemote
      ? error.code === "BUSY" || error.code === "STORE"
      : error.code === "FORMAT";
  }
  return isStoreTransient(error);
}

function verbName(verb: Verb): string {
  return Object.entries(Verb).find(([, one]) => one === verb)![0];
}
