import { compressedSink, exportTar, importTar } from "@snap/formats/tar";
import { localOwners } from "@snap/disk";
import { formatSize } from "../terminal/units.ts";
import type {
  ArchiveFormat,
  ArchiveReport,
  ExportRequest,
  ImportRequest,
} from "./archive_formats.ts";
import type { ArchiveTarget } from "./archive_streams.ts";
import { createArchive, openArchive, sizeHint } from "./open_archive.ts";

/** Writes a tar archive. */
export async function exportArchive(
  request: ExportRequest,
  name: string,
): Promise<ArchiveReport> {
  const { session, target, from } = request;
  const archive = await createArchive(session, target, sizeHint(from));
  try {
    return await writeTar(archive, request, name);
  } finally {
    await archive[Symbol.asyncDispose]();
  }
}

async function writeTar(
  archive: ArchiveTarget,
  { session, snapshots, from, target }: ExportRequest,
  name: string,
): Promise<ArchiveReport> {
  const { signal } = session;
  const compression = { "tar.gz": "gzip", "tar.zst": "zstd" }[name];
  const compressed = compression === undefined
    ? undefined
    : compressedSink(compression as "gzip" | "zstd", archive);
  const { sha256, byteCount, entryCount } = await exportTar(
    from.view,
    from.entry,
    compressed ?? archive,
    { hasher: snapshots.hasher, signal },
  );
  const stored = await compressed?.finish();
  await archive.finish();
  session.note(
    `Wrote ${formatSize(stored?.byteCount ?? byteCount)}; SHA-256 ${sha256}`,
  );
  return {
    ...target !== "-" && { text: sha256 },
    fields: {
      ...{ sha256, byteCount, entryCount },
      ...stored && {
        compressedSha256: stored.sha256,
        compressedByteCount: stored.byteCount,
      },
    },
  };
}

/** Reads a tar archive. */
export async function importArchive(
  { session, snapshots, source, options }: ImportRequest,
): Promise<Awaited<ReturnType<ArchiveFormat["import"]>>> {
  const { path, pieces } = await openArchive(session, source);
  const wanted = session.args.text("sha256");
  const result = await importTar(snapshots, pieces, {
    source: path,
    owners: localOwners(),
    ...options,
    ...wanted !== undefined && { sha256: wanted },
  });
  const { sha256, archiveByteCount } = result;
  return { ...result, report: { fields: { sha256, archiveByteCount } } };
}
