import { type Hasher, hexOf } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { type OpenRanges, openRanges, StoreIndex } from "@snap/pack/read";
import {
  openIndexedState,
  openStoreState,
  RecipeProof,
  type StoreState,
} from "@snap/pack/write";
import { finishedSaves } from "@snap/snapshot/records";
import type { StoreOptions, WriteStore } from "@snap/store";
import type { Round } from "@snap/store/removal";
import type { Env } from "../options.ts";

/** Options of {@linkcode openSessionState}. */
export interface SessionStateOptions extends StoreOptions {
  readonly hasher: Hasher;
  readonly env: Env;
  /** The session, whose packs count. */
  readonly session: Uint8Array;
  /** Whether packs that no table names get an index first: who may only read changes nothing. */
  readonly isWriting: boolean;
  /** The state of removal, read once the session had its lease. */
  readonly round: Round;
}

/** Looks up what a store holds, with all that a session has put into it. */
export class SessionLookup implements AsyncDisposable {
  /** Looks up all that recipes name. */
  readonly proof: RecipeProof;
  readonly #index: StoreIndex;
  readonly #ranges: OpenRanges;

  /** Made by {@linkcode openSessionLookup}. */
  constructor(
    store: WriteStore,
    state: StoreState,
    parts: { readonly ranges: OpenRanges; readonly hasher: Hasher },
  ) {
    const { ranges, hasher } = parts;
    this.#index = new StoreIndex(state.index, store, { ranges });
    this.#ranges = ranges;
    this.proof = new RecipeProof({
      ...{ store, hasher, index: this.#index },
      has: (id, kind) => this.holds(id, kind),
    });
  }

  /**
   * Tells whether an object is there; large content with all its chunks.
   *
   * @param id 32 bytes.
   * @param kind Its kind.
   */
  async has(id: Uint8Array, kind: number): Promise<boolean> {
    const isSmall = kind !== ObjectKind.recipe && await this.holds(id, kind);
    return isSmall || await this.proof.holds(id);
  }

  /** Tells whether a pack that is there has an object of this kind. */
  async holds(id: Uint8Array, kind: number): Promise<boolean> {
    return await this.#index.locate(id, kind) !== undefined;
  }

  /** Closes the index. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.proof[Symbol.asyncDispose]();
    await this.#ranges[Symbol.asyncDispose]();
  }
}

/** Opens a state to look things up. */
export async function openSessionLookup(
  store: WriteStore,
  state: StoreState,
  hasher: Hasher,
): Promise<SessionLookup> {
  const ranges = await openRanges(store);
  return new SessionLookup(store, state, { ranges, hasher });
}

/**
 * Looks what a store holds. Packs of the session get an index first.
 *
 * @param store The store.
 * @param options The session.
 * @returns The state: packs that are being removed or damaged are absent, and it is
 * healthy only where a standing record proves what it reaches.
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
    finishedSaves: () => finishedSaves(store, signal ? { signal } : {}),
  };
  const believed = new Set([hexOf(session)]);
  const state = options.isWriting
    ? await openIndexedState(store, { ...how, believed })
    : await openStoreState(store, how);
  const { absentPacks, steps } = options.round;
  const packs = state.packs.without(absentPacks);
  if (packs !== state.packs) state.index.setPresentPacks(packs);
  const isHealthy = state.isHealthy && packs === state.packs &&
    steps.length === 0;
  return { ...state, packs, isHealthy };
}
