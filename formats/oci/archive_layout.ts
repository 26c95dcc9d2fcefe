import { ExportError } from "../errors.ts";
import { writeEntryHeader } from "../tar/entry_header.ts";
import { TypeFlag } from "../tar/header.ts";
import type { ByteSink } from "../byte_sink.ts";
import { TarOutput } from "../tar/tar_output.ts";
import { blobName } from "./layout.ts";
import { BLOBS, layerDigest, type LayoutTarget } from "./layout_target.ts";

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/** An image layout that is written as a tar archive. */
export interface ArchiveLayout extends LayoutTarget, AsyncDisposable {
  /**
   * Ends the archive.
   *
   * @returns Its SHA-256, 64 hex digits, and how many bytes it has.
   */
  finish(): Promise<{ readonly sha256: string; readonly byteCount: number }>;
}

/**
 * Writes an image layout as a tar archive, into a file, a pipe or a bucket. Each
 * layer is made twice: its name and its size stand before it.
 *
 * @param sink Where the archive goes.
 */
export function archiveLayout(sink: ByteSink): ArchiveLayout {
  const output = new TarOutput(sink);
  let hasFolders = false;
  const begin = async (name: string, size: number): Promise<void> => {
    if (!hasFolders) {
      hasFolders = true;
      for (const folder of ["blobs/", `${BLOBS}/`]) {
        await writeHeader(output, folder, 0);
      }
    }
    await writeHeader(output, name, size);
  };
  return {
    async layer(make) {
      const layer = await layerDigest(make);
      await begin(blobName(layer), layer.size);
      const again = await make(output);
      checkSame(layer.digest, again.digest);
      output.pad();
      return layer;
    },
    async document(name, bytes) {
      await begin(name, bytes.length);
      await output.write(bytes);
      output.pad();
    },
    async finish() {
      const sha256 = await output.finish();
      return { sha256, byteCount: output.byteCount };
    },
    [Symbol.asyncDispose]: () => output[Symbol.asyncDispose](),
  };
}

/**
 * Checks that a layer that was made twice has the same bytes.
 *
 * @throws {ExportError} If it has not.
 */
export function checkSame(first: string, second: string): void {
  if (first === second) return;
  throw new ExportError(
    `Cannot export image as a layer that was made twice has two digests: ${first} and ${second}`,
  );
}

async function writeHeader(
  output: TarOutput,
  name: string,
  size: number,
): Promise<void> {
  const isFolder = name.endsWith("/");
  await writeEntryHeader(output, {
    name: new TextEncoder().encode(name),
    mode: isFolder ? DIRECTORY_MODE : FILE_MODE,
    type: isFolder ? TypeFlag.directory : TypeFlag.file,
    ...{ uid: 0, gid: 0, size, mtime: 0, mtimeNs: 0, records: [] },
  });
}
