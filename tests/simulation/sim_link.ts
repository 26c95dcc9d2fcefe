// A line between two processes: each message is a turn of the schedule, and may go wrong.
import { StoreError, type StoreOptions } from "@snap/store";
import type { Transport } from "@snap/sync";
import type { Faults } from "./faults.ts";
import { KilledError, type Process, type Scheduler } from "./scheduler.ts";
import type { SimServer } from "./sim_server.ts";

/** A message is kept back for so long at most, in milliseconds. */
const LATE_MS = 60_000;

/** What a {@linkcode SimLink} is made of. */
export interface SimLinkParts {
  /** The process that asks. */
  readonly process: Process;
  readonly server: SimServer;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** Changes messages on purpose. */
  readonly liar?: Liar;
}

/** What changes messages on purpose. */
export interface Liar {
  /** Gives a request, or what is sent instead. */
  request(bytes: Uint8Array): Uint8Array;
  /** Gives an answer, or what is sent instead. */
  answer(bytes: Uint8Array, request: Uint8Array): Uint8Array;
}

/** A line from a process to a server. */
export class SimLink implements Transport {
  readonly location: string;
  readonly #parts: SimLinkParts;

  constructor(parts: SimLinkParts) {
    this.#parts = parts;
    this.location = `server ${parts.server.name}`;
  }

  async exchange(
    message: Uint8Array,
    options: StoreOptions = {},
  ): Promise<Uint8Array> {
    const { faults, liar } = this.#parts;
    const sent = message.slice();
    const request = liar?.request(sent) ?? sent;
    await this.#turn(`asks ${verbOf(request)}`, options);
    if (faults.strikes("link.drop")) throw noAnswer();
    if (faults.strikes("link.late")) {
      this.#deliverLater(request, faults.below(LATE_MS));
      throw noAnswer();
    }
    if (faults.strikes("link.twice")) this.#deliverLater(request, 0);
    if (faults.strikes("link.delay")) {
      await this.#turn("waits", options, faults.below(LATE_MS));
    }
    const answer = await this.#deliver(request);
    await this.#turn(`hears ${verbOf(answer)}`, options);
    if (faults.strikes("link.lose")) throw noAnswer();
    if (faults.strikes("link.cut")) {
      return answer.slice(0, faults.below(answer.length));
    }
    if (faults.strikes("link.flip")) {
      answer[faults.below(answer.length)] ^= 1 << faults.below(8);
    }
    return liar?.answer(answer, sent) ?? answer;
  }

  async #deliver(request: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#parts.server.answer(request.slice());
    } catch (error) {
      // The other end of the line is gone; what is this process's own end goes on.
      if (error instanceof KilledError) throw noAnswer();
      throw error;
    }
  }

  /** Delivers a message whose answer nobody hears. */
  #deliverLater(request: Uint8Array, ms: number): void {
    const { server, scheduler } = this.#parts;
    const deliver = async (): Promise<void> => {
      await scheduler.turn(server.line, `comes late ${verbOf(request)}`, ms);
      await this.#deliver(request);
    };
    deliver().catch(() => {});
  }

  async #turn(
    label: string,
    { signal }: StoreOptions,
    ms?: number,
  ): Promise<void> {
    const { scheduler, process, server } = this.#parts;
    signal?.throwIfAborted();
    await scheduler.turn(process, `${server.name} ${label}`, ms);
    signal?.throwIfAborted();
  }
}

/** The number of a verb, and the size: for the trace. */
function verbOf(message: Uint8Array): string {
  return `${message[8]} ${message.length}`;
}

function noAnswer(): StoreError {
  return new StoreError("Cannot reach the server: the connection broke", {
    code: "ECONNRESET",
    action: "open",
  });
}
