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
  SYNC_VERSION,
  Verb,
} from "../protocol/message.ts";
import {
  type Fields,
  fieldsSection,
  readFields,
} from "../protocol/sections.ts";
import { bytesOfHex } from "../records.ts";
import type { Transport } from "../transport.ts";
import type { SessionOptions } from "./peer.ts";

/** Attempts of a request. */
const TRIES_MAX = 8;
/** Sessions that are opened in the place of one that is over. */
const RENEWALS_MAX = 8;

/** Verbs before whose work the server begins a lease. */
const LEASED: readonly Verb[] = [
  ...[Verb.missing, Verb.put, Verb.seal, Verb.commit],
];

/** Parts of a {@linkcode RemoteConnection}. */
export interface RemoteConnectionOptions extends SessionOptions {
  readonly transport: Transport;
  readonly hasher: Hasher;
}

/** A request, ready to be sent. */
interface Asked {
  readonly verb: Verb;
  readonly limit: number;
  readonly request: Uint8Array;
  readonly body: Uint8Array;
}

/** Asks a server, again where no answer came, and checks what comes. */
export class RemoteConnection {
  /** Requests so far, those that were repeated among them. */
  requestCount = 0;
  /** The session, once there is one. */
  session: Uint8Array = new Uint8Array(16);
  readonly #options: RemoteConnectionOptions;
  readonly #limiter: Limiter;
  #storeId: string | undefined;
  /** The session whose lease the server has begun. */
  #leased: Uint8Array | undefined;
  /** The session under whose id a record was written, or may have been. */
  #recorded: Uint8Array | undefined;
  #renewalCount = 0;
  #renewing: Promise<void> | undefined;

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
    const { session } = this;
    if (LEASED.includes(verb)) this.#leased = session;
    const asked = this.#encode({ verb, session, sections, limit });
    return await retry(
      () => this.#askOnce(asked),
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

  /** Draws the save id of a record: the first one of a session has that of the session. */
  newSaveId(): string {
    const { env = systemEnv } = this.#options;
    const isFirst = this.#recorded !== this.session;
    this.#recorded = this.session;
    return hexOf(isFirst ? this.session : env.random(16));
  }

  /**
   * Ends the lease of the session. Where no answer comes, whoever removes packs waits
   * until it looks dead.
   */
  async close(): Promise<void> {
    const session = this.#leased;
    this.#leased = undefined;
    if (session === undefined) return;
    try {
      const limit = 0, sections: Section[] = [];
      await this.#askOnce(
        this.#encode({ verb: Verb.lease, session, sections, limit }),
      );
    } catch {
      // What was done is done.
    }
  }

  /**
   * Asks what belongs to the session. Where that is over a new one is opened: of what
   * the server was given in the one before it may know nothing any more.
   *
   * @param verb What for.
   * @param sectionsIn Says it in a session.
   * @returns The answer.
   * @throws {SyncError} If the server refuses, or ends each session.
   * @throws {StoreError} If no answer came, however often it was tried.
   */
  async askInSession(
    verb: Verb,
    sectionsIn: (session: Uint8Array) => readonly Section[],
  ): Promise<Message> {
    for (;;) {
      const { session } = this;
      try {
        return await this.ask(verb, sectionsIn(session));
      } catch (error) {
        if (!isSessionOver(error)) throw error;
        await this.renew(session, error);
      }
    }
  }

  /**
   * Opens a session in the place of one that is over, unless another has done so.
   *
   * @param over The one that is over.
   * @param reason The error that said so, which is thrown if this ends in none.
   */
  async renew(over: Uint8Array, reason: unknown): Promise<void> {
    if (this.session !== over) return;
    this.#renewing ??= this.#openAgain(reason).finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  async #openAgain(reason: unknown): Promise<void> {
    if (this.#renewalCount++ >= RENEWALS_MAX) throw reason;
    const version = SYNC_VERSION, features = 0;
    const answer = await this.ask(Verb.hello, [
      // As both sides may be equal by now it is opened for a look at all there is.
      fieldsSection({ version, features, open: true, recheck: true }),
    ]);
    if (!this.takeSession(readFields(sectionOf(answer, SectionKind.fields)))) {
      throw reason;
    }
  }

  /**
   * Takes the session that a server has opened.
   *
   * @param hello What it said.
   * @returns Whether there is one.
   * @throws {SyncError} If another store answers than before.
   */
  takeSession(hello: Fields): boolean {
    const storeId = hello.text("storeId", 64);
    this.#storeId ??= storeId;
    if (storeId !== this.#storeId) {
      throw new SyncError(
        `Cannot go on with ${this.location}: another store is there now`,
        { code: "STORE" },
      );
    }
    const session = hello.text("session", 32);
    if (!/^[0-9a-f]{32}$/.test(session)) return false;
    this.session = bytesOfHex(session);
    return true;
  }

  /** A request has the same bytes each time: what has arrived of it need not be sent again. */
  #encode(
    message: Pick<Message, "verb" | "session" | "sections" | "limit">,
  ): Asked {
    const { env = systemEnv, hasher } = this.#options;
    const { verb, limit } = message;
    const request = env.random(16);
    const type = MessageType.request;
    const body = encodeMessage({ ...message, type, request }, hasher);
    return { verb, limit, request, body };
  }

  async #askOnce({ verb, limit, request, body }: Asked): Promise<Message> {
    const { hasher, transport, signal, observer, meter } = this.#options;
    signal?.throwIfAborted();
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

/** Whether a session is over, or what the server has said in it. */
export function isSessionOver(error: unknown): boolean {
  return error instanceof SyncError && error.isRemote &&
    (error.code === "SESSION" || error.code === "VOID");
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
