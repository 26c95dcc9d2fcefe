import { type Hasher, hexOf } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { type OpenRanges, openRanges, StoreIndex } from "@snap/pack/read";
import {
  openIndexedState,
  openStoreState,
  type StoreState,
} from "@snap/pack/write";
import { listRecordNames } from "@snap/snapshot/records";
import type { StoreOptions, WriteStore } from "@snap/store";
import type { Env } from "../options.ts";

/** Options of {@linkcode openSessionState}. */
export interface SessionStateOptions extends StoreOptions {
  readonly hasher: Hasher;
  readonly env: Env;
  /** The session, whose packs count. */
  readonly session: Uint8Array;
  /** Whether packs that no table names get an index first: who may only read changes nothing. */
  readonly isWriting: boolean;
}

/** Looks up what a store holds, with all that a session has put into it. */
export class SessionLookup implements AsyncDisposable {
  readonly #state: StoreState;
  readonly #index: StoreIndex;
  readonly #ranges: OpenRanges;

  /** Made by {@linkcode openSessionLookup}. */
  constructor(store: WriteStore, state: StoreState, ranges: OpenRanges) {
    this.#state = state;
    this.#index = new StoreIndex(state.index, store, { ranges });
    this.#ranges = ranges;
  }

  /**
   * Tells whether an object is there; large content with all its chunks.
   *
   * @param id 32 bytes.
   * @param kind Its kind.
   */
  async has(id: Uint8Array, kind: number): Promise<boolean> {
    if (await this.holds(id, kind)) return true;
    if (kind === ObjectKind.recipe || !this.#state.isHealthy) return false;
    return await this.holds(id, ObjectKind.recipe);
  }

  /** Tells whether a pack that is there has an object of this kind. */
  async holds(id: Uint8Array, kind: number): Promise<boolean> {
    return await this.#index.locate(id, kind) !== undefined;
  }

  /** Closes the index. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ranges[Symbol.asyncDispose]();
  }
}

/** Opens a state to look things up. */
export async function openSessionLookup(
  store: WriteStore,
  state: StoreState,
): Promise<SessionLookup> {
  return new SessionLookup(store, state, await openRanges(store));
}

/**
 * Looks what a store holds. Packs of the session get an index first.
 *
 * @param store The store.
 * @param options The session.
 * @returns The state.
 */
export async function openSessionState(
  store: WriteStore,
  options: SessionStateOptions,
): Promise<StoreState> {
  const { hasher, env, session, signal } = options;
  const how = {
    ...(signal === undefined ? {} : { signal }),
    hasher,
    damaged: new Set<string>(),
    random: (size: number) => env.random(size),
    now: () => env.now(),
    finishedSaves: async () => {
      const names = await listRecordNames(store, signal ? { signal } : {});
      return new Set(names.map(({ writer }) => writer));
    },
  };
  if (!options.isWriting) {
    return await openStoreState(store, how);
  }
  const believed = new Set([hexOf(session)]);
  return await openIndexedState(store, { ...how, believed });
}
