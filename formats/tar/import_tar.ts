import type { Owners } from "@snap/posix/owners";
import { argumentError } from "@snap/hash";
import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { hashed } from "../compress/hashed.ts";
import { plainArchive } from "../compress/plain_archive.ts";
import {
  type ImportOptions,
  type ImportResult,
  importSnapshot,
} from "../import_snapshot.ts";
import { ImportError } from "../errors.ts";
import { addTar } from "./add_tar.ts";

/** Options of {@linkcode importTar}. */
export interface ImportTarOptions extends ImportOptions {
  /** The SHA-256 of the plain archive, 64 hex digits: another archive is refused. */
  sha256?: string;
  /** Knows the numbers of owners that lists of rights name. */
  owners?: Owners;
}

/** Result of {@linkcode importTar}. */
export interface ImportTarResult extends ImportResult {
  /** The SHA-256 of the plain archive, 64 hex digits. */
  readonly sha256: string;
  /** Bytes of the plain archive. */
  readonly archiveByteCount: number;
}

/**
 * Makes a snapshot of a tar archive, plain or compressed by gzip or zstd. The record
 * is written last, when the archive was read to its end.
 *
 * @example
 * ```ts
 * import { importTar } from "@snap/formats/tar";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const empty = new Blob([new Uint8Array(1024)]); // The end of an archive.
 * const { record } = await importTar(snapshots, empty.stream());
 * strictEqual(record.totals.fileCount, 0);
 * await snapshots.close();
 * ```
 *
 * @param snapshots The store to import into.
 * @param archive The archive, in pieces of any size.
 * @param options What the record says, and the digest that the archive has to have.
 * @returns The snapshot.
 * @throws {ArchiveSyntaxError} If the archive is damaged, or ends too early.
 * @throws {ImportError} If it holds what no snapshot can hold, or has another digest.
 * @throws {StoreError} If the store fails.
 */
export async function importTar(
  snapshots: Snapshots<WriteStore>,
  archive: AsyncIterable<Uint8Array>,
  options: ImportTarOptions = {},
): Promise<ImportTarResult> {
  if (!(Symbol.asyncIterator in Object(archive))) {
    const need = "an async iterable, such as a stream";
    throw argumentError({ archive }, { action: "import", need });
  }
  let archiveByteCount = 0, sha256 = "";
  const result = await importSnapshot(snapshots, {
    fill: async (run) => {
      const counted = hashed(run.limit.pieces(plainArchive(archive)));
      await addTar(run, counted, options);
      ({ sha256, byteCount: archiveByteCount } = counted.digest());
      const { sha256: wanted = sha256 } = options;
      if (wanted.toLowerCase() === sha256) return;
      throw new ImportError(
        `Cannot import archive as its SHA-256 is to be ${wanted}: found ${sha256}`,
      );
    },
  }, options);
  return { ...result, sha256, archiveByteCount };
}
