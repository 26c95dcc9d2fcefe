import {
  archiveLayout,
  bucketLayout,
  exportOci,
  type ExportOciResult,
  importOci,
  type LayoutFiles,
  type LayoutTarget,
  openLayoutArchive,
  openLayoutBucket,
  openLayoutFolder,
} from "@snap/formats/oci";
import { resolvePath } from "../arguments/resolve_path.ts";
import { workerCount } from "../arguments/worker_count.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";
import { openTarget, type Target } from "../snapshots/open_target.ts";
import type {
  ArchiveFormat,
  ArchiveReport,
  ExportRequest,
  ImportRequest,
} from "./archive_formats.ts";

import { createArchive, sizeHint } from "./open_archive.ts";
import { explained, isAddress, openBucket, openObject } from "./open_bucket.ts";
import { withoutPassword } from "../stores/store_address.ts";

const WAYS = ["gzip", "zstd", "none"] as const;

/** Writes an image layout, or an archive of one. */
export async function exportImage(
  { session, snapshots, from, target }: ExportRequest,
  format: string,
): Promise<ArchiveReport> {
  const { args, signal } = session;
  const compression = WAYS.find((one) =>
    one === (args.text("compression") ?? "gzip")
  );
  if (compression === undefined) {
    throw new UsageError(
      `Cannot use --compression ${args.text("compression")}: it is one of ${
        WAYS.join(", ")
      }`,
    );
  }
  const image = args.text("image");
  const architecture = args.text("architecture");
  const base = args.text("base");
  const below = base === undefined
    ? undefined
    : await openTarget(session, snapshots, base);
  const root = rootOf(from, args.positionals[0]);
  const options = {
    ...{ signal, compression, base: below && rootOf(below, base!) },
    workers: workerCount(session),
    ...image !== undefined && { image },
    ...architecture !== undefined && { architecture },
  };
  const hint = Math.max(
    sizeHint(from),
    below === undefined ? 0 : sizeHint(below),
  );
  const fill = async (layout: string | LayoutTarget) =>
    await exportOci(snapshots, root, layout, options);
  const { manifest, layers } = format === "oci-archive"
    ? await intoArchive(session, target, hint, fill)
    : isAddress(target)
    ? await intoBucket(session, target, hint, fill)
    : await intoFolder(session, target, fill);
  return {
    ...target !== "-" && { text: manifest },
    fields: { manifest, layers },
  };
}

/** Writes an image into a layout. */
type Fill = (layout: string | LayoutTarget) => Promise<ExportOciResult>;

async function intoArchive(
  session: Session,
  target: string,
  hint: number,
  fill: Fill,
): Promise<ExportOciResult> {
  const archive = await createArchive(session, target, hint);
  try {
    const layout = archiveLayout(archive);
    try {
      const result = await fill(layout);
      await layout.finish();
      await archive.finish();
      return result;
    } finally {
      await layout[Symbol.asyncDispose]();
    }
  } finally {
    await archive[Symbol.asyncDispose]();
  }
}

async function intoBucket(
  session: Session,
  target: string,
  sizeHint: number,
  fill: Fill,
): Promise<ExportOciResult> {
  const { args, signal } = session;
  const objects = await openBucket(session, target);
  const isReplacing = args.has("existing");
  const layout = bucketLayout(objects, { isReplacing, sizeHint, signal });
  return await fill(layout).catch(explained(withoutPassword(target)));
}

/** The ids of a directory of a snapshot. */
function rootOf({ entry }: Target, text: string) {
  if (entry.pageId === undefined) {
    throw new CommandError(
      `Cannot export ${JSON.stringify(text)} as an image: it is no directory`,
    );
  }
  return { tree: entry.id, page: entry.pageId };
}

/** Fills a folder that has its name when all of it is there. */
async function intoFolder(
  session: Session,
  target: string,
  fill: Fill,
): Promise<ExportOciResult> {
  const { lstat, mkdtemp, rename, rm, chmod } = await import(
    "node:fs/promises"
  );
  const { basename, dirname, join } = await import("node:path");
  const path = await resolvePath(session, target);
  if (await lstat(path).then(() => true, () => false)) {
    throw new CommandError(`Cannot write ${path}: it is there`);
  }
  const name = `.${basename(path).slice(0, 200)}.`;
  const folder = await mkdtemp(join(dirname(path), name));
  try {
    const result = await fill(folder);
    await chmod(folder, 0o755);
    await rename(folder, path);
    return result;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Reads an image layout. */
export async function importImage(
  { session, snapshots, source, options }: ImportRequest,
): Promise<Awaited<ReturnType<ArchiveFormat["import"]>>> {
  if (source === "-") {
    throw new UsageError(
      "Cannot import an image from stdin: its files are read in their own order",
      "a folder or a file can be SOURCE",
    );
  }
  const { path, files } = isAddress(source)
    ? await openFarLayout(session, source)
    : await openLayout(session, source);
  const image = session.args.text("image");
  const architecture = session.args.text("architecture");
  try {
    const result = await importOci(snapshots, files, {
      ...{ source: path, ...options },
      ...image !== undefined && { image },
      ...architecture !== undefined && { architecture },
    });
    const { manifest, layers } = result;
    return { ...result, report: { fields: { manifest, layers } } };
  } finally {
    await files[Symbol.asyncDispose]();
  }
}

/** A layout that is read, and where it is. */
interface OpenedLayout {
  readonly path: string;
  readonly files: LayoutFiles;
}

async function openLayout(
  session: Session,
  source: string,
): Promise<OpenedLayout> {
  const { stat } = await import("node:fs/promises");
  const path = await resolvePath(session, source);
  const isFolder = await stat(path).then(
    (one) => one.isDirectory(),
    () => true,
  );
  const files = isFolder
    ? openLayoutFolder(path)
    : await openLayoutArchive(path);
  return { path, files };
}

/** Opens a layout in a bucket: an object is an archive of one. */
async function openFarLayout(
  session: Session,
  source: string,
): Promise<OpenedLayout> {
  const { signal } = session;
  const { objects, name, path } = await openObject(session, source);
  if (await objects.size(name, { signal }) === undefined) {
    const folder = await openBucket(session, source);
    return { path, files: openLayoutBucket(folder, { signal }) };
  }
  const files = await openLayoutArchive({
    read: (offset, length) => objects.read(name, { offset, length, signal }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  return { path, files };
}
