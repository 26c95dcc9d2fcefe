/**
 * A lease: the sign of a run that puts objects into a store, for whoever removes some.
 *
 * @module
 */
import { hexOf } from "@snap/hash";
import { StoreError } from "../errors.ts";
import { encodeDocument } from "../format/document.ts";
import { timeText } from "../format/fields.ts";
import { randomHex } from "../hex.ts";
import type { PruneStore, StoreOptions, WriteStore } from "../store.ts";
import { hashOfKey, LEASES_PREFIX, listLeases } from "./leases.ts";

/** Options of {@linkcode openLease}. */
export interface LeaseOptions extends StoreOptions {
  /** Save id of the run, 16 bytes. */
  readonly saveId: Uint8Array;
  /** What the run does, for people, such as `save`. */
  readonly action: string;
  /** Other save ids under which the run writes, 32 hex digits each. Default: none. */
  readonly saveIds?: readonly string[];
  /** Where it runs, for people. Default: empty. */
  readonly host?: string;
  /** Which program it is, for people. Default: `snap`. */
  readonly program?: string;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** Options of {@linkcode joinLease}. */
export interface JoinLeaseOptions extends StoreOptions {
  /** Save id of the run, 16 bytes. */
  readonly saveId: Uint8Array;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** Options of {@linkcode Lease.renew}. */
export interface RenewOptions extends StoreOptions {
  /** Other save ids under which the run writes from here on, instead of those named before. */
  readonly saveIds?: readonly string[];
}

/** A lease that this run has. */
export class Lease {
  /** Save id of the run, 32 hex digits. */
  readonly saveId: string;
  readonly #store: WriteStore & Partial<Pick<PruneStore, "remove">>;
  readonly #options: JoinLeaseOptions;
  #number: number;
  #saveIds: readonly string[] | undefined;
  /** What only this run can say of its end; a run that goes on with a lease does not know it. */
  readonly #endKey: string | undefined;
  /** The last renewal of this object. */
  #renewal: number | undefined;
  #end: Promise<void> | undefined;

  /** Made by {@linkcode openLease} and {@linkcode joinLease}. */
  constructor(
    store: WriteStore,
    options: JoinLeaseOptions & Pick<LeaseOptions, "saveIds">,
    { number, endKey }: { readonly number: number; readonly endKey?: string },
  ) {
    this.#store = store;
    this.#options = options;
    this.#number = number;
    this.#endKey = endKey;
    this.#saveIds = options.saveIds;
    this.saveId = hexOf(options.saveId);
  }

  /**
   * Says that the run is alive. Read the round afterwards: a run that is suspected
   * there has to stop.
   *
   * @param options Other save ids of the run.
   * @throws {StoreError} If the store fails.
   */
  async renew(options: RenewOptions = {}): Promise<void> {
    const { signal } = options;
    this.#saveIds = options.saveIds ?? this.#saveIds;
    const { now = Date.now } = this.#options;
    const body = { time: timeText(now()), saveIds: this.#saveIds };
    // Another request of the same run may be as fast.
    while (!await this.#create(`${++this.#number}`, body, signal));
    // The start stays: a list that goes on meanwhile could pass by all others.
    // So do renewals of other requests, which may name save ids.
    const before = this.#renewal;
    this.#renewal = this.#number;
    if (before === undefined) return;
    // It says nothing that the new one does not: it does not matter if it stays.
    await this.#remove(`${LEASES_PREFIX}${this.saveId}/${before}`, signal);
  }

  /**
   * Says that the run is over: by removing the start, else, where it may only add,
   * by an entry. Calls after the first do nothing.
   *
   * @throws {StoreError} If the store fails.
   */
  end(options: StoreOptions = {}): Promise<void> {
    return this.#end ??= this.#finish(options.signal);
  }

  async #finish(signal: AbortSignal | undefined): Promise<void> {
    const prefix = `${LEASES_PREFIX}${this.saveId}/`;
    if (!await this.#remove(`${prefix}0`, signal)) {
      await this.#create("end", { key: this.#endKey }, signal);
      return;
    }
    if (this.#number === 0) return;
    for await (const batch of this.#store.list(prefix, { signal })) {
      for (const { name } of batch) await this.#remove(name, signal);
    }
  }

  async #create(
    entry: string,
    body: Record<string, unknown>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return await createEntry(this.#store, this.#options, {
      entry,
      body,
      signal,
    });
  }

  /** Removes a name; false where that is not allowed, or fails. */
  async #remove(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (this.#store.remove === undefined) return false;
    try {
      await this.#store.remove(name, { signal });
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return false;
    }
  }
}

/**
 * Begins a lease. Only what is looked at afterwards is safe from removal.
 *
 * @param store The store.
 * @param options The run.
 * @returns The lease, which is durable.
 * @throws {StoreError} If the store fails, or (code `EEXIST`) another run has this save id.
 */
export async function openLease(
  store: WriteStore,
  options: LeaseOptions,
): Promise<Lease> {
  const { now = Date.now, host = "", program = "snap" } = options;
  const { action, saveIds } = options;
  const endKey = randomHex();
  const endHash = hashOfKey(endKey);
  const body = {
    ...{ time: timeText(now()), host, program, action },
    ...{ endHash, saveIds },
  };
  const { signal } = options;
  if (!await createEntry(store, options, { entry: "0", body, signal })) {
    throw new StoreError(
      `Cannot begin lease ${hexOf(options.saveId)}: another run has it`,
      { code: "EEXIST", action: "create" },
    );
  }
  return new Lease(store, options, { number: 0, endKey });
}

/**
 * Goes on with the lease of a run that another request has begun.
 *
 * @param store The store.
 * @param options The run.
 * @returns The lease.
 * @throws {StoreError} If the store fails, or (code `ESTALE`) the lease is over or was never begun.
 */
export async function joinLease(
  store: WriteStore,
  options: JoinLeaseOptions,
): Promise<Lease> {
  const saveId = hexOf(options.saveId);
  const known = (await listLeases(store, { ...options, saveId })).get(saveId);
  if (known === undefined || known.isOver) {
    throw new StoreError(
      `Cannot go on with lease ${saveId}: it is over, begin again`,
      { code: "ESTALE", action: "list" },
    );
  }
  return new Lease(store, options, { number: known.number });
}

/** Creates an entry of a lease; false if it is there. */
async function createEntry(
  store: WriteStore,
  { saveId }: JoinLeaseOptions,
  { entry, body, signal }: StoreOptions & {
    readonly entry: string;
    readonly body: Record<string, unknown>;
  },
): Promise<boolean> {
  const bytes = encodeDocument({ kind: "LEAS", saveId, body });
  const name = `${LEASES_PREFIX}${hexOf(saveId)}/${entry}`;
  return await store.create(name, bytes, { signal });
}
