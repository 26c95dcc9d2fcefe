/**
 * A store that fails on demand.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { adoptFile, spoolPathOf } from "../adopt_file.ts";
import { cannot } from "../cannot.ts";
import { type StoreAction, StoreError } from "../errors.ts";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "../store.ts";

/**
 * Ways for a call to fail.
 *
 * - `error`: EIO, and nothing was done.
 * - `full`: ENOSPC, and nothing was done.
 * - `torn`: half of the bytes are there; a create then fails with EIO, a read hands them out.
 * - `lost`: it was done, and the answer is an error.
 * - `flip`: it was done, with one bit flipped.
 * - `slow`: it is done after {@link FaultPlan.wait}.
 * - `gone`: this call and all after it fail, and nothing was done.
 */
export type Fault =
  | "error"
  | "full"
  | "torn"
  | "lost"
  | "flip"
  | "slow"
  | "gone";

/** The calls that fail. */
export interface FaultPlan {
  /** Faults at given calls, the first of which is 1. */
  readonly at?: readonly { readonly call: number; readonly fault: Fault }[];
  /** Faults by chance, drawn from a seed. */
  readonly chance?: {
    /** The seed, a whole number above 0. */
    readonly seed: number;
    /** Share of the calls that fail, 0 to 1. */
    readonly rate: number;
    /** The faults to choose from. */
    readonly faults: readonly Fault[];
  };
  /** Only calls of these kinds count and fail. Default: all. */
  readonly actions?: readonly StoreAction[];
  /** Wait of a slow call. Default: one turn of the event loop. */
  readonly wait?: () => Promise<void>;
}

/** A store over another one that fails as planned, and counts its calls. */
export class FaultStore implements PruneStore {
  readonly #inner: PruneStore;
  readonly #plan: FaultPlan;
  readonly #counts = new Map<StoreAction, number>();
  #calls = 0;
  #isGone = false;
  #random: number;

  /** Wraps a store. */
  constructor(inner: PruneStore, plan: FaultPlan = {}) {
    this.#inner = inner;
    this.#plan = plan;
    this.#random = (plan.chance?.seed ?? 1) >>> 0 || 1;
  }

  /** How many calls the plan has seen. */
  get calls(): number {
    return this.#calls;
  }

  /** How many calls of one kind there were. */
  count(action: StoreAction): number {
    return this.#counts.get(action) ?? 0;
  }

  /**
   * Reads a name or a range of it.
   *
   * @param options The range, and a signal.
   * @returns The bytes, or what the plan makes of them.
   */
  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    const fault = await this.#enter("read", name);
    const bytes = await this.#inner.read(name, options);
    this.#leave(fault, "read", name);
    if (fault === "torn") return bytes.slice(0, bytes.length >> 1);
    return fault === "flip" ? this.#flip(bytes) : bytes;
  }

  /**
   * Says how many bytes a name holds.
   *
   * @returns The size in bytes, or undefined if the name is absent.
   */
  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    const fault = await this.#enter("size", name);
    const size = await this.#inner.size(name, options);
    this.#leave(fault, "size", name);
    return size;
  }

  /**
   * Lists every name that begins with a prefix.
   *
   * @param prefix What the names begin with.
   * @returns Batches of entries. A list that is torn lacks half of each.
   */
  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    const fault = await this.#enter("list", prefix);
    for await (const batch of this.#inner.list(prefix, options)) {
      yield fault === "torn" ? batch.slice(0, batch.length >> 1) : batch;
    }
    this.#leave(fault, "list", prefix);
  }

  /**
   * Creates a name if it is absent.
   *
   * @returns True if this call created the name.
   */
  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    const fault = await this.#enter("create", name);
    const written = fault === "torn"
      ? bytes.subarray(0, bytes.length >> 1)
      : fault === "flip"
      ? this.#flip(bytes)
      : bytes;
    const created = await this.#inner.create(name, written, options);
    this.#leave(fault === "torn" ? "lost" : fault, "create", name);
    return created;
  }

  /**
   * Takes over a finished local file as a name. Torn and flip are lost here.
   *
   * @returns True if this call created the name.
   */
  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    const fault = await this.#enter("adopt", name);
    const created = await adoptFile(this.#inner, { name, path }, options);
    this.#leave(
      fault === "torn" || fault === "flip" ? "lost" : fault,
      "adopt",
      name,
    );
    return created;
  }

  /**
   * Where a file for {@link FaultStore.adopt} is cheapest to make. Never fails.
   *
   * @param saveId The save id, 32 hex digits.
   * @returns A path that no other call gets.
   */
  spoolPath(saveId: string): string | Promise<string> {
    return spoolPathOf(this.#inner, saveId);
  }

  /**
   * Makes everything durable below some prefixes.
   *
   * @param prefixes Prefixes of names.
   */
  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    const fault = await this.#enter("sync", prefixes.join(" "));
    await this.#inner.sync(prefixes, options);
    this.#leave(fault, "sync", prefixes.join(" "));
  }

  /** Removes a name, if it is there. */
  async remove(name: string, options?: StoreOptions): Promise<void> {
    const fault = await this.#enter("remove", name);
    await this.#inner.remove(name, options);
    this.#leave(fault, "remove", name);
  }

  /** Counts a call, and fails where nothing is to be done. */
  async #enter(action: StoreAction, name: string): Promise<Fault | undefined> {
    const { actions, wait = turn } = this.#plan;
    this.#counts.set(action, this.count(action) + 1);
    if (actions !== undefined && !actions.includes(action)) return undefined;
    this.#calls++;
    const fault = this.#draw();
    if (fault === "gone") this.#isGone = true;
    if (this.#isGone) throw planned("ENXIO", action, name);
    if (fault === "error") throw planned("EIO", action, name);
    if (fault === "full") throw planned("ENOSPC", action, name);
    if (fault === "slow") await wait();
    return fault;
  }

  /** Fails where it was done. */
  #leave(fault: Fault | undefined, action: StoreAction, name: string): void {
    if (fault === "lost") throw planned("EIO", action, name);
  }

  #draw(): Fault | undefined {
    const { at, chance } = this.#plan;
    const planned = at?.find(({ call }) => call === this.#calls);
    if (planned !== undefined) return planned.fault;
    if (chance === undefined || this.#next() / 2 ** 32 >= chance.rate) {
      return undefined;
    }
    return chance.faults[this.#next() % chance.faults.length];
  }

  #flip(bytes: Uint8Array): Uint8Array {
    const copy = new Uint8Array(bytes);
    if (copy.length > 0) {
      copy[this.#next() % copy.length] ^= 1 << (this.#next() & 7);
    }
    return copy;
  }

  /** The next number of xorshift, below 2^32. */
  #next(): number {
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return this.#random >>>= 0;
  }
}

function planned(
  code: string,
  action: StoreAction,
  storeName: string,
): StoreError {
  const message = `${
    cannot(action, storeName)
  }: the plan of the test says so (${code})`;
  return new StoreError(message, { code, action, storeName });
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}
