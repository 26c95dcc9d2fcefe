import { hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { FrameRows, StoreState } from "@snap/pack/write";
import { IdSet } from "@snap/snapshot/reach";
import type { WriteStore } from "@snap/store";
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

/** What a store held when a session first asked, and what it has put since then. */
class KeptSession {
  readonly #put = new IdSet();
  #putByteCount = 0;
  #state: Promise<StoreState> | undefined;

  /** Whether it is time for an index, and a new beginning. */
  get isFull(): boolean {
    return this.#put.count >= OBJECTS_MAX || this.#putByteCount >= BYTES_MAX;
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
    if (this.#take(session).isFull) this.#sessions.delete(hexOf(session));
    const kept = this.#take(session);
    const state = await kept.state(() => openSessionState(store, options));
    const stored = await openSessionLookup(store, state);
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
