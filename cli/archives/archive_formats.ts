import type { ImportOptions, ImportResult } from "@snap/formats/tar";
import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import type { Session } from "../session.ts";
import type { Target } from "../snapshots/open_target.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** What a command of a format did: a line for people, and fields for programs. */
export interface ArchiveReport {
  /** The line; nothing where stdout is the archive. */
  readonly text?: string;
  /** The fields, beside those of every format. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What is exported, and where to. */
export interface ExportRequest {
  readonly session: Session;
  readonly snapshots: Snapshots;
  /** The snapshot, and the entry of it. */
  readonly from: Target;
  /** TARGET, as it was given. */
  readonly target: string;
}

/** What is imported, and what its record says. */
export interface ImportRequest {
  readonly session: Session;
  readonly snapshots: Snapshots<WriteStore>;
  /** SOURCE, as it was given. */
  readonly source: string;
  readonly options: ImportOptions;
}

/** One format. */
export interface ArchiveFormat {
  readonly name: string;
  /** Writes what a snapshot holds. */
  readonly export: (request: ExportRequest) => Promise<ArchiveReport>;
  /** Makes a snapshot. */
  readonly import: (
    request: ImportRequest,
  ) => Promise<ImportResult & { readonly report: ArchiveReport }>;
}

/** Loads what reads and writes tar archives, once it is needed. */
function tar(name: string): ArchiveFormat {
  return {
    name,
    export: async (request) =>
      await (await import("./tar.ts")).exportArchive(request, name),
    import: async (request) =>
      await (await import("./tar.ts")).importArchive(request),
  };
}

/** Loads what reads and writes stores of snapdir, once it is needed. */
const snapdir: ArchiveFormat = {
  name: "snapdir",
  export: async (request) =>
    await (await import("./snapdir.ts")).exportArchive(request),
  import: async (request) =>
    await (await import("./snapdir.ts")).importArchive(request),
};

/** Loads what reads and writes images, once it is needed. */
function oci(name: string): ArchiveFormat {
  return {
    name,
    export: async (request) =>
      await (await import("./oci.ts")).exportImage(request, name),
    import: async (request) =>
      await (await import("./oci.ts")).importImage(request),
  };
}

/** All formats. */
export const ARCHIVE_FORMATS: readonly ArchiveFormat[] = [
  tar("tar"),
  tar("tar.gz"),
  tar("tar.zst"),
  oci("oci"),
  oci("oci-archive"),
  snapdir,
];

/**
 * Finds the format that an option names.
 *
 * @throws {UsageError} If there is none.
 */
export function archiveFormat(session: Session, option: string): ArchiveFormat {
  const name = session.args.text(option);
  const found = ARCHIVE_FORMATS.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = ARCHIVE_FORMATS.map((one) => one.name).join(", ");
  throw new UsageError(
    name === undefined
      ? `Cannot go on without --${option}: it is one of ${names}`
      : `Cannot use --${option} ${name}: it is one of ${names}`,
  );
}
