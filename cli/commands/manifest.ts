import type { DiffSide } from "@snap/manifest/diff";
import { UsageError } from "../arguments/usage_error.ts";
import { isAsSnapdir, loadSnapdirManifest } from "../archives/is_as_snapdir.ts";
import { openSide, withStoreIfNeeded } from "../snapshots/open_side.ts";
import type { Session } from "../session.ts";

/** `snap manifest ID|DIR` */
export async function run(session: Session): Promise<number> {
  const { args, signal } = session;
  const isSnapdir = isAsSnapdir(session);
  if (isSnapdir && session.isJson) {
    throw new UsageError("Cannot use --json with --as snapdir: it is a text");
  }
  return await withStoreIfNeeded(session, async (useStore) => {
    const side = await openSide(session, args.positionals[0], useStore);
    const { objects, ids, exitCode } = side;
    if (isSnapdir) {
      const { snapdirManifest } = await loadSnapdirManifest();
      await snapdirManifest(session, side, (piece) => session.raw(piece));
      return exitCode;
    }
    const attributes = args.has("attributes");
    const { snapshotSide } = await import("@snap/snapshot/query");
    const entries = snapshotSide(objects, ids, { attributes, signal });
    if (session.isJson) await writeRecords(session, entries);
    else await writeLines(session, entries);
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
  const [{ diffTrees }, { rowFields }, { jsonPath }] = await Promise.all([
    import("@snap/manifest/diff"),
    import("@snap/snapshot/view"),
    import("../terminal/json_line.ts"),
  ]);
  for await (const batch of diffTrees(undefined, side, { signal })) {
    for (const { path, after } of batch) {
      const fields = { ...jsonPath("path", path), ...rowFields(after!) };
      await session.result("", { type: "entry", ...fields });
    }
  }
}
