import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** `snap repair index`, `snap repair packs [PACK…]`, `snap repair snapshots [ID…]` */
export async function run(session: Session): Promise<number> {
  const [part, ...names] = session.args.positionals;
  switch (part) {
    case "index": {
      if (names.length > 0) {
        throw new UsageError("Cannot repair a part of the index: name none");
      }
      if (session.args.has("dry-run")) {
        throw new UsageError(
          "Cannot repair the index with --dry-run",
          `${COMMAND} verify says what is wrong with it`,
        );
      }
      const { repairIndexOf } = await import("../repairing/repair_index.ts");
      return await repairIndexOf(session);
    }
    case "packs": {
      const { repairPacksOf } = await import("../repairing/repair_packs.ts");
      return await repairPacksOf(session, names);
    }
    case "snapshots": {
      const { repairSnapshotsOf } = await import(
        "../repairing/repair_snapshots.ts"
      );
      return await repairSnapshotsOf(session, names);
    }
    default:
      throw new UsageError(
        `Cannot repair ${
          JSON.stringify(part)
        }: only index, packs and snapshots can be`,
      );
  }
}
