// A server: it answers, ends at any moment, and comes back with nothing but its store.
import type { PruneStore } from "@snap/store";
import type { Right } from "@snap/store/serve";
import { syncHandler } from "@snap/sync/serve";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import type { Env } from "@snap/sync";
import type { Faults } from "./faults.ts";
import { KilledError, Process, type Scheduler } from "./scheduler.ts";

/** How long a server is away, in milliseconds. */
const AWAY_MS = 300;

/** What a {@linkcode SimServer} is made of. */
export interface SimServerParts {
  readonly name: string;
  readonly right: Right;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** Opens the store for a process. */
  readonly open: (process: Process) => PruneStore;
  /** Time and chance of a process. */
  readonly env: (process: Process) => Env;
}

/** A server of a store. */
export class SimServer {
  readonly name: string;
  /** What is on its way when nobody waits for it any more. */
  readonly line: Process;
  #process: Process | undefined;
  #backAt = 0;
  #handler: ReturnType<typeof syncHandler> | undefined;
  readonly #parts: SimServerParts;
  readonly #key: Uint8Array;

  constructor(parts: SimServerParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.line = new Process(`line to ${parts.name}`);
    this.#key = new Uint8Array(32).fill(parts.name.length);
  }

  /** The process that answers now, if there is one. */
  get process(): Process | undefined {
    return this.#process;
  }

  /** Ends it. */
  kill(): void {
    const { scheduler } = this.#parts;
    if (this.#process !== undefined) scheduler.kill(this.#process);
    this.#process = undefined;
    this.#handler = undefined;
    this.#backAt = scheduler.now + AWAY_MS;
  }

  /** Answers a message. */
  async answer(request: Uint8Array): Promise<Uint8Array> {
    const handler = this.#handler ?? this.#start();
    const { right } = this.#parts;
    const process = this.#process!;
    const { signal } = process.interrupt;
    const answer = await handler(request, { right, signal });
    // What it still said when it was dead already, nobody has heard.
    if (process.isDead) throw new KilledError(this.name);
    return answer;
  }

  #start(): ReturnType<typeof syncHandler> {
    const { scheduler, faults, open, env, name } = this.#parts;
    if (scheduler.now < this.#backAt) throw new KilledError(name);
    const process = this.#process = new Process(`server ${name}`);
    // One with a key of its own does not know what the one before has marked.
    const macKey = faults.strikes("server.forgetful", 10)
      ? env(process).random(32)
      : this.#key;
    // Some say at once where to go on.
    const workMs = faults.strikes("server.late", 10) ? 20 : 10_000;
    const how = { hasher, env: env(process), macKey, workMs };
    return this.#handler = syncHandler(open(process), how);
  }
}
