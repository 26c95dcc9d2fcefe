import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";
import { copyBetween } from "../snapshots/copy_snapshots.ts";
import { placeOf } from "../stores/locate_store.ts";

/** `snap sync A B` */
export async function run(session: Session): Promise<number> {
  if (session.args.has("store")) {
    throw new UsageError("Cannot use --store with sync: it names both stores");
  }
  const [a, b] = session.args.positionals;
  const from = await placeOf(session, a), to = await placeOf(session, b);
  return await copyBetween(session, { from, to, isBothWays: true });
}
