// Prunes a store by a clock that is ahead: see _prune_rounds.ts.
import { nativeHasher } from "@snap/hash/native";
import { prune } from "@snap/maintenance/prune";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";

/** What the program is told, as JSON in its one argument. */
export interface PrunePlan {
  readonly store: string;
  /** How far its clock is ahead, in milliseconds. */
  readonly aheadMs: number;
  readonly recompress?: string | undefined;
}

if (import.meta.main) {
  const plan: PrunePlan = JSON.parse(Deno.args[0]);
  const hasher = nativeHasher();
  const store = await openFileStore(plan.store);
  await using snapshots = await openSnapshots(store, { hasher });
  const { aheadMs, recompress } = plan;
  const now = () => Date.now() + aheadMs;
  const { waitingFor: _, ...report } = await prune(snapshots, {
    now,
    recompress,
  });
  console.log(JSON.stringify(report));
}
