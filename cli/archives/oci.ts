import {
  exportOci,
  importOci,
  openLayoutArchive,
  openLayoutFolder,
} from "@snap/formats/oci";
import { idFromBytes } from "@snap/hash";
import { resolvePath } from "../arguments/resolve_path.ts";
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

const WAYS = ["gzip", "zstd", "none"] as const;

/** Writes an image layout. */
export async function exportImage(
  { session, snapshots, from, target }: ExportRequest,
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
  const base = args.text("base");
  const image = args.text("image");
  const architecture = args.text("architecture");
  const below = base === undefined
    ? undefined
    : rootOf(await openTarget(session, snapshots, base), base);
  const root = rootOf(from, args.positionals[0]);
  return await intoFolder(session, target, async (folder) => {
    const { manifest, layers } = await exportOci(snapshots, root, folder, {
      ...{ signal, compression, base: below },
      ...image !== undefined && { image },
      ...architecture !== undefined && { architecture },
    });
    return { text: manifest, fields: { manifest, layers } };
  });
}

/** The ids of a directory of a snapshot. */
function rootOf({ entry }: Target, text: string) {
  if (entry.pageId === undefined) {
    throw new CommandError(
      `Cannot export ${JSON.stringify(text)} as an image: it is no directory`,
    );
  }
  return { tree: idFromBytes(entry.id), page: idFromBytes(entry.pageId) };
}

/** Fills a folder that has its name when all of it is there. */
async function intoFolder<T>(
  session: Session,
  target: string,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
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
  const { stat } = await import("node:fs/promises");
  const path = await resolvePath(session, source);
  const isFolder = await stat(path).then(
    (one) => one.isDirectory(),
    () => true,
  );
  const files = isFolder
    ? openLayoutFolder(path)
    : await openLayoutArchive(path);
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
