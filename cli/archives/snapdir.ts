import {
  exportSnapdir,
  importSnapdir,
  onlyManifest,
} from "@snap/formats/snapdir";
import { CommandError } from "../command_error.ts";
import { tellLeftOut } from "./snapdir_manifest.ts";
import type { Session } from "../session.ts";
import { formatCounted, formatSize } from "../terminal/units.ts";
import type {
  ArchiveFormat,
  ArchiveReport,
  ExportRequest,
  ImportRequest,
} from "./archive_formats.ts";
import { withSnapdirFiles } from "./with_snapdir_files.ts";

/** Writes into a store of snapdir. */
export async function exportArchive(
  { session, snapshots, from, target }: ExportRequest,
): Promise<ArchiveReport> {
  const { signal, args } = session;
  const { entry } = from;
  if (entry.pageId === undefined) {
    throw new CommandError(
      `Cannot export ${
        JSON.stringify(args.positionals[0])
      } as snapdir: it is no directory`,
    );
  }
  const ids = { tree: entry.id, page: entry.pageId };
  const reader = await snapshots.reader();
  const { hasher } = snapshots;
  const options = { hasher, noFollow: args.has("no-follow"), signal };
  const exported = await withSnapdirFiles(
    session,
    target,
    (files) =>
      exportSnapdir(reader, ids, files, {
        ...options,
        onProgress: ({ objectCount, byteCount }) =>
          tellProgress(session, "object", objectCount, byteCount),
      }),
  );
  session.clearProgress();
  const { id, newObjectCount, newByteCount, leftOut } = exported;
  tellLeftOut(session, leftOut);
  session.note(
    `Wrote ${formatCounted(newObjectCount, "object")}, ${
      formatSize(newByteCount)
    }`,
  );
  const fields = { snapdirId: id, newObjectCount, newByteCount, leftOut };
  return { text: id, fields };
}

/** Reads out of a store of snapdir. */
export async function importArchive(
  { session, snapshots, source, options }: ImportRequest,
): Promise<Awaited<ReturnType<ArchiveFormat["import"]>>> {
  const { signal, args } = session;
  const result = await withSnapdirFiles(session, source, async (files) => {
    const id = args.positionals[1] ?? await onlyManifest(files, { signal });
    return await importSnapdir(snapshots, files, id, {
      source: files.location,
      ...options,
      onProgress: ({ fileCount, byteCount }) =>
        tellProgress(session, "file", fileCount, byteCount),
    });
  });
  const { snapdirId, otherSizeCount } = result;
  if (otherSizeCount > 0) {
    session.warn(
      `Took ${
        formatCounted(otherSizeCount, "file")
      } with the size of the content, as the manifest tells that of a link: the snapshot has another id in snapdir`,
      { otherSizeCount },
    );
  }
  return { ...result, report: { fields: { snapdirId, otherSizeCount } } };
}

function tellProgress(
  session: Session,
  unit: string,
  doneCount: number,
  doneByteCount: number,
): void {
  session.progress({ unit, doneCount, doneByteCount, isTotalKnown: false });
}
