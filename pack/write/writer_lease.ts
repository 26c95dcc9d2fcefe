/**
 * The lease of a writer: renewed while it works, and asked for at its end.
 *
 * @module
 */
import { StoreError, type StoreOptions, type WriteStore } from "@snap/store";
import {
  isOvertaken,
  type Lease,
  type LeaseOptions,
  openLease,
  readRound,
  Renewal,
  type Round,
  type Sleep,
} from "@snap/store/removal";
import { openSpool, type Spool } from "@snap/store/owner";
import { OvertakenError } from "../errors.ts";
import { DelayedSignal } from "./delayed_signal.ts";

/** What is left to be said when the signal is given has so long to arrive. */
const GRACE_MS = 400;

/** Options of {@linkcode openWriterLease}. */
export interface WriterLeaseOptions extends LeaseOptions {
  /** How to wait for the time to renew it. Default: a timer that keeps no process alive. */
  readonly sleep?: Sleep | undefined;
}

/** The lease of a run, with the state of removal when it began. */
export class WriterLease implements AsyncDisposable {
  /** The state of removal, read once the lease was there. */
  readonly round: Promise<Round>;
  /** Saves whose records did not count then, 32 hex digits each. */
  readonly voidSaves: Promise<ReadonlySet<string>>;
  readonly #store: WriteStore;
  readonly #lease: Lease;
  /** All save ids of the run: one of them may be void when another has its record. */
  readonly #saveIds: readonly string[];
  readonly #failed = new AbortController();
  readonly #late: DelayedSignal;
  readonly #renewal: Renewal;
  readonly #spool: Spool | undefined;

  /** Made by {@linkcode openWriterLease}. */
  constructor(
    store: WriteStore,
    parts: { readonly lease: Lease; readonly spool: Spool | undefined },
    options: WriterLeaseOptions,
  ) {
    const { signal, sleep, saveIds = [] } = options;
    const { lease } = parts;
    this.#saveIds = [lease.saveId, ...saveIds];
    this.#spool = parts.spool;
    this.#store = store;
    this.#lease = lease;
    this.round = readRound(store, { signal });
    this.voidSaves = this.round.then(({ voidSaves }) => voidSaves);
    this.voidSaves.catch(() => {}); // Whoever awaits one of the two is told.
    this.#late = new DelayedSignal(signal, GRACE_MS);
    const renew = async (signal: AbortSignal): Promise<void> => {
      await lease.renew({ signal });
      await this.confirm({ signal });
    };
    const onFailure = (error: unknown): void => this.#failed.abort(error);
    this.#renewal = new Renewal(renew, { sleep, onFailure });
  }

  /** Given when the run has to end as a round has gone on without it. */
  get failure(): AbortSignal {
    return this.#failed.signal;
  }

  /**
   * Sees that no round has gone on without the run. Asked after each record.
   *
   * @throws {OvertakenError} If one has: what the run has written does not count.
   * @throws {StoreError} If the store fails.
   */
  async confirm({ signal }: StoreOptions = {}): Promise<void> {
    this.failure.throwIfAborted();
    const since = await this.round;
    const saveIds = this.#saveIds;
    if (await isOvertaken(this.#store, { saveIds, since, signal })) {
      throw new OvertakenError();
    }
  }

  /** Ends the lease. Where the store fails, whoever removes packs waits until it looks dead. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#renewal[Symbol.asyncDispose]();
    try {
      await this.#lease.end({ signal: this.#late.signal });
    } catch (error) {
      if (!(error instanceof StoreError) && !this.#late.signal.aborted) {
        throw error;
      }
    } finally {
      this.#late[Symbol.dispose]();
      this.#spool?.[Symbol.dispose]();
    }
  }
}

/**
 * Begins the lease of a run, which has looked at nothing before.
 *
 * @param store The store.
 * @param options The run.
 * @returns The lease.
 * @throws {StoreError} If the store fails.
 */
export async function openWriterLease(
  store: WriteStore,
  options: WriterLeaseOptions,
): Promise<WriterLease> {
  // Only what lies on a disk leaves files behind.
  const spool = store.localPath === undefined
    ? undefined
    : await openSpool(store, options.saveId);
  try {
    const lease = await openLease(store, options);
    return new WriterLease(store, { lease, spool }, options);
  } catch (error) {
    spool?.[Symbol.dispose]();
    throw error;
  }
}
