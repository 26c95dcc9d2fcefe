import {
  forget,
  planRetention,
  type RetentionRules,
} from "@snap/maintenance/forget";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import type { PruneStore, StoreOptions } from "@snap/store";

/** Options of {@linkcode forgetOld}. */
export interface ForgetOldOptions extends StoreOptions {
  /** The rules are about records of its host and source. */
  readonly like: NamedRecord;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Forgets the records of a directory that no rule keeps and no tag names.
 *
 * @returns How many went.
 * @throws {NothingKeptError} If the rules keep nothing.
 */
export async function forgetOld(
  snapshots: Snapshots<PruneStore>,
  rules: RetentionRules,
  { like, ...options }: ForgetOldOptions,
): Promise<number> {
  const groups = await planRetention(snapshots, rules, {
    ...options,
    select: ({ host, source }) => host === like.host && source === like.source,
    // One that cannot be read is kept, and told of by other commands.
    onDamage: () => {},
  });
  const old = groups.flatMap(({ records }) => records)
    .filter(({ reasons }) => reasons.length === 0)
    .map(({ record }) => record);
  if (old.length === 0) return 0;
  const { forgotten } = await forget(snapshots, old, {
    ...options,
    whenNamed: "keep",
  });
  return forgotten.length;
}
