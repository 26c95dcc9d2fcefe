import type { DiffSide } from "@snap/manifest/diff";
import { openSide, withStoreIfNeeded } from "../snapshots/open_side.ts";
import type { Session } from "../session.ts";

/** `snap manifest ID|DIR` */
export async function run(session: Session): Promise<number> {
  const { args, signal } = session;
  return await withStoreIfNeeded(session, async (useStore) => {
    const { objects, ids, exitCode } = await openSide(
      session,
      args.positionals[0],
      useStore,
    );
    const attributes = args.has("attributes");
    const { snapshotSide } = await import("@snap/snapshot/query");
    const side = snapshotSide(objects, ids, { attributes, signal });
    if (session.isJson) await writeRecords(session, side);
    else await writeLines(session, side);
    return exitCode;
  });
}

async function writeLines(session: Session, side: DiffSide): Promise<void> {
  const { args, signal } = session;
  const { formatTrees } = await import("@snap/manifest/text");
  const attributes = args.has("attributes");
  for await (const batch of formatTrees(side, { attributes, signal })) {
    for (const text of batch) await session.raw(`${text}\n`);
  }
}

async function writeRecords(session: Session, side: DiffSide): Promise<void> {
  const { signal } = session;
  const [{ diffTrees }, { rowRecord }, { jsonPath }] = await Promise.all([
    import("@snap/manifest/diff"),
    import("../terminal/entry_text.ts"),
    import("../terminal/json_line.ts"),
  ]);
  for await (const batch of diffTrees(undefined, side, { signal })) {
    for (const { path, after } of batch) {
      const fields = { ...jsonPath("path", path), ...rowRecord(after!) };
      await session.result("", { type: "entry", ...fields });
    }
  }
}
