// What tests of prune share.
import { deepEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import type { PruneStore } from "@snap/store";
import type { PruneOptions } from "./options.ts";
import { prune } from "./prune.ts";
import type { PruneReport } from "./report.ts";

/** Opens a store and prunes it. */
export async function pruneStore(
  store: PruneStore,
  options: PruneOptions = {},
): Promise<PruneReport> {
  await using snapshots = await openSnapshots(store, { hasher });
  return await prune(snapshots, options);
}

/** Sees that all that the records of a store need is there, and sound; gives their number. */
export async function checkWhole(store: PruneStore): Promise<number> {
  await using snapshots = await openSnapshots(store, { hasher });
  const { damages, recordCount } = await verify(snapshots, { data: true });
  deepEqual(damages.map(({ message }) => message), []);
  return recordCount;
}
