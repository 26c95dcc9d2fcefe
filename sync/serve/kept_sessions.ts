import { hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { FrameRows, StoreState } from "@snap/pack/write";
import { IdSet } from "@snap/snapshot/reach";
import type { WriteStore } from "@snap/store";
import type { Round } from "@snap/store/removal";
import { SessionLease, type SessionLeaseParts } from "./session_lease.ts";
import {
  openSessionLookup,
  openSessionState,
  type SessionStateOptions,
} from "./session_state.ts";

/** Sessions of which something is kept. */
const SESSIONS_MAX = 8;
/** Objects that were put, 20 to 45 bytes of memory each, before an index has to tell of them. */
const OBJECTS_MAX = 1 << 20;
/** Bytes of packs that were put before an index has to tell of them. */
const BYTES_MAX = 1 << 30;

/** A lease that is held. */
export interface HeldLease {
  readonly lease: SessionLease;
  /** The state of removal, read once the lease was there. */
  readonly round: Round;
}

/** What a store held when a session first asked, and what it has put since then. */
class KeptSession {
  #put = new IdSet();
  #putByteCount = 0;
  #state: Promise<StoreState> | undefined;
  /** Its lease, once it has asked for one. */
  lease: SessionLease | undefined;

  /** Whether it is time for an index, and a new beginning. */
  get isFull(): boolean {
    return this.#put.count >= OBJECTS_MAX || this.#putByteCount >= BYTES_MAX;
  }

  /** Forgets all but the lease. */
  clear(): void {
    this.#put = new IdSet();
    this.#putByteCount = 0;
    this.#state = undefined;
  }

  /** Says that a pack is in the store. */
  add(taken: readonly FrameRows[], byteCount: number): void {
    for (const { count, ids, kinds } of taken) {
      for (let row = 0; row < count; row++) {
        this.#put.add(ids, ID_SIZE * row, 0, kinds[row]);
      }
    }
    this.#putByteCount += byteCount;
  }

  /** Whether an object was put, or proved by its recipe. */
  has(ids: Uint8Array, at: number, kind: number): boolean {
    return this.#put.has(ids, at, 0, kind) ||
      this.#put.has(ids, at, 0, ObjectKind.recipe);
  }

  /** What the store held. */
  state(open: () => Promise<StoreState>): Promise<StoreState> {
    this.#state ??= open();
    this.#state.catch(() => this.#state = undefined);
    return this.#state;
  }
}

/**
 * What a server remembers of the sessions that asked it last. All of it stands in
 * the store, too: where it was lost, or another server was asked, the store is
 * opened again.
 */
export class KeptSessions {
  readonly #sessions = new Map<string, KeptSession>();

  /**
   * Remembers what a session has put.
   *
   * @param session Its id.
   * @param taken The objects of a pack, frame by frame.
   * @param byteCount Bytes of the pack.
   */
  add(
    session: Uint8Array,
    taken: readonly FrameRows[],
    byteCount: number,
  ): void {
    this.#take(session).add(taken, byteCount);
  }

  /**
   * Begins the lease of a session, or renews it when it is time to.
   *
   * @param parts The session.
   * @returns The lease, and the state of removal when it began.
   * @throws {SyncError} If the session is over: nothing of it is kept.
   */
  async hold(parts: SessionLeaseParts): Promise<HeldLease> {
    const kept = this.#take(parts.session);
    const lease = kept.lease ??= new SessionLease(parts);
    try {
      return { lease, round: await lease.hold() };
    } catch (error) {
      this.forget(parts.session);
      throw error;
    }
  }

  /**
   * Keeps nothing of a session any more.
   *
   * @param session Its id.
   */
  forget(session: Uint8Array): void {
    this.#sessions.delete(hexOf(session));
  }

  /**
   * Tells which objects are not there.
   *
   * @param store The store.
   * @param rows The objects.
   * @param options The session.
   * @returns A bit for each, 1 for what is not there.
   */
  async missing(
    store: WriteStore,
    rows: Pick<FrameRows, "count" | "ids" | "kinds">,
    options: SessionStateOptions,
  ): Promise<Uint8Array> {
    const { session } = options;
    const kept = this.#take(session);
    if (kept.isFull) kept.clear();
    const state = await kept.state(() => openSessionState(store, options));
    const stored = await openSessionLookup(store, state, options.hasher);
    try {
      const { ids, kinds, count } = rows;
      const bits = new Uint8Array(Math.ceil(count / 8));
      for (let row = 0; row < count; row++) {
        const at = ID_SIZE * row, kind = kinds[row];
        if (kept.has(ids, at, kind)) continue;
        if (await stored.has(ids.slice(at, at + ID_SIZE), kind)) continue;
        bits[row >> 3] |= 1 << (row & 7);
      }
      return bits;
    } finally {
      await stored[Symbol.asyncDispose]();
    }
  }

  /** What is kept of a session, which is now the last that asked. */
  #take(session: Uint8Array): KeptSession {
    // Without a session nothing is put, and what is asked is asked once.
    if (session.every((byte) => byte === 0)) return new KeptSession();
    const key = hexOf(session);
    const kept = this.#sessions.get(key) ?? new KeptSession();
    this.#sessions.delete(key);
    this.#sessions.set(key, kept);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > SESSIONS_MAX) this.#sessions.delete(oldest);
    return kept;
  }
}
