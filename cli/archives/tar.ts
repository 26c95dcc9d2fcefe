import {
  compressedSink,
  type Compression,
  exportTar,
  importTar,
} from "@snap/formats/tar";
import { localOwners } from "@snap/disk";
import { workerCount } from "../arguments/worker_count.ts";
import { formatSize } from "../terminal/units.ts";
import type {
  ArchiveFormat,
  ArchiveReport,
  ExportRequest,
  ImportRequest,
} from "./archive_formats.ts";
import { createArchive, openArchive, sizeHint } from "./open_archive.ts";

const COMPRESSIONS: Readonly<Record<string, Compression | undefined>> = {
  "tar.gz": "gzip",
  "tar.zst": "zstd",
};

/** Writes a tar archive. */
export async function exportArchive(
  request: ExportRequest,
  name: string,
): Promise<ArchiveReport> {
  const { session, snapshots, from, target } = request;
  const { signal } = session;
  const workers = workerCount(session);
  const archive = await createArchive(session, target, sizeHint(from));
  const compression = COMPRESSIONS[name];
  const compressed = compression &&
    compressedSink(compression, archive, { workers });
  try {
    const { view, entry } = from;
    const plain = await exportTar(view, entry, compressed ?? archive, {
      ...{ snapshots, workers, signal },
    });
    const stored = await compressed?.finish();
    await archive.finish();
    session.note(
      `Wrote ${
        formatSize((stored ?? plain).byteCount)
      }; SHA-256 ${plain.sha256}`,
    );
    return {
      ...target !== "-" && { text: plain.sha256 },
      fields: {
        ...plain,
        ...stored && {
          compressedSha256: stored.sha256,
          compressedByteCount: stored.byteCount,
        },
      },
    };
  } finally {
    await compressed?.[Symbol.asyncDispose]();
    await archive[Symbol.asyncDispose]();
  }
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
