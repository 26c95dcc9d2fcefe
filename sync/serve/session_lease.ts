/**
 * The lease of a session at a server.
 *
 * @module
 */
import { hexOf } from "@snap/hash";
import { OvertakenError } from "@snap/pack";
import { finishedSaves } from "@snap/snapshot/records";
import { StoreError, type WriteStore } from "@snap/store";
import {
  isOvertaken,
  isSuspected,
  joinLease,
  type Lease,
  LEASE_RENEWAL_MS,
  openLease,
  readRound,
  type Round,
} from "@snap/store/removal";
import { SyncError } from "../errors.ts";
import type { Env } from "../options.ts";

/** Whose lease a {@linkcode SessionLease} is. */
export interface SessionLeaseParts {
  readonly store: WriteStore;
  readonly env: Env;
  /** The session, under whose id its packs stand. */
  readonly session: Uint8Array;
}

/**
 * The lease of a session: begun before anything is looked at for it, renewed by its
 * requests. Another server, or this one after it was ended, goes on with it.
 */
export class SessionLease {
  readonly #parts: SessionLeaseParts;
  readonly #saveId: string;
  /** The state of removal when the lease was begun, or joined. */
  #round: Promise<Round> | undefined;
  #held: Promise<unknown> = Promise.resolve();
  #heldAtMs = 0;

  /** Not begun yet. */
  constructor(parts: SessionLeaseParts) {
    this.#parts = parts;
    this.#saveId = hexOf(parts.session);
  }

  /**
   * Begins the lease, or renews it when it is time to. After an error this object is
   * of no more use.
   *
   * @returns The state of removal, read once the lease was there.
   * @throws {SyncError} If the session is over, or a round has gone on without it.
   * @throws {StoreError} If the store fails.
   */
  async hold(): Promise<Round> {
    const nowMs = this.#parts.env.now();
    if (this.#round === undefined) {
      this.#heldAtMs = nowMs;
      this.#held = this.#round = this.#begin();
    } else if (nowMs - this.#heldAtMs >= LEASE_RENEWAL_MS) {
      this.#heldAtMs = nowMs;
      this.#held = this.#renew([]);
    }
    await this.#held;
    return await this.#round;
  }

  /**
   * Names the save ids of records before the first is written, of a lease that is held.
   *
   * @throws {SyncError} If the session is over, or a round has gone on without it.
   * @throws {StoreError} If the store fails.
   */
  async name(saveIds: readonly string[]): Promise<void> {
    await this.#renew(saveIds);
  }

  /**
   * Sees that no round has gone on without the session. Asked after records are
   * written, of a lease that is held.
   *
   * @param saveIds Save ids of the records.
   * @throws {SyncError} If one has: what the session has written does not count.
   * @throws {StoreError} If the store fails.
   */
  async confirm(saveIds: readonly string[]): Promise<void> {
    const since = await this.#round!;
    const all = [this.#saveId, ...saveIds];
    if (await isOvertaken(this.#parts.store, { saveIds: all, since })) {
      throw overtaken();
    }
  }

  /**
   * Ends the lease, if there is one.
   *
   * @throws {StoreError} If the store fails.
   */
  async end(): Promise<void> {
    try {
      await (await this.#join()).end();
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
    }
  }

  async #begin(): Promise<Round> {
    const { store } = this.#parts;
    const isNew = await this.#open();
    if (!isNew) await (await this.#join()).renew();
    const round = await readRound(store);
    if (isSuspected(round, [this.#saveId])) {
      if (isNew) await this.end();
      throw overtaken();
    }
    if (!isNew) {
      // A round that was over by then may have removed the lease in between.
      await this.#join();
    } else if ((await finishedSaves(store)).has(this.#saveId)) {
      // It had a lease before: whoever removed that may still be removing it.
      await this.end();
      throw over();
    }
    return round;
  }

  async #renew(saveIds: readonly string[]): Promise<void> {
    const lease = await this.#join();
    await lease.renew({ ...(saveIds.length > 0 && { saveIds }) });
    await this.confirm(saveIds);
  }

  /** Begins the lease; false if it was begun before. */
  async #open(): Promise<boolean> {
    try {
      await openLease(this.#parts.store, { ...this.#run, action: "copy" });
      return true;
    } catch (error) {
      if (error instanceof StoreError && error.code === "EEXIST") return false;
      throw error;
    }
  }

  async #join(): Promise<Lease> {
    try {
      return await joinLease(this.#parts.store, this.#run);
    } catch (error) {
      if (error instanceof StoreError && error.code === "ESTALE") throw over();
      throw error;
    }
  }

  get #run(): { readonly saveId: Uint8Array; readonly now: () => number } {
    const { session, env } = this.#parts;
    return { saveId: session, now: () => env.now() };
  }
}

function over(): SyncError {
  return new SyncError("Cannot go on with a session that is over", {
    code: "SESSION",
    hint: "Begin again: what is stored already is not sent once more",
  });
}

function overtaken(): SyncError {
  const { message, hint } = new OvertakenError();
  return new SyncError(message, { code: "VOID", hint });
}
