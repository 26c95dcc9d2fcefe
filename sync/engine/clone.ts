import { formatSettings, initStore } from "@snap/store/format";
import { newMeter, systemEnv } from "../options.ts";
import type { CloneOptions, SyncReport } from "../options.ts";
import type { Hasher } from "@snap/hash";
import type { Peer } from "../peer/peer.ts";
import { storePeer } from "../peer/store_peer.ts";
import type { PruneStore, WriteStore } from "@snap/store";
import { sync } from "./sync.ts";

/**
 * Makes a store with the settings of another, and copies all of it. What fails may
 * be run again: it goes on where it was.
 *
 * @param from Where the snapshots are.
 * @param into An empty place for a store, or a clone that was begun.
 * @param options The hasher, and what is copied.
 * @returns What was done.
 * @throws {SyncError} If the sides cannot go on.
 */
export async function clone(
  from: Peer,
  into: WriteStore & Partial<PruneStore>,
  options: CloneOptions & { readonly hasher: Hasher },
): Promise<SyncReport> {
  const { hasher, env = systemEnv } = options;
  const session = await from.connect({ ...options, meter: newMeter() });
  try {
    const settings = formatSettings(session.info.settings);
    await initStore(into, settings, { saveId: env.random(16) });
  } finally {
    await session[Symbol.asyncDispose]();
  }
  const to = storePeer(into, { hasher, location: "the clone" });
  return await sync(from, to, { ...options, pull: false });
}
