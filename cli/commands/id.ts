import type { FileHandle } from "node:fs/promises";
import type { Totals } from "@snap/snapshot/records";
import { chooseHasher } from "../snapshots/choose_hasher.ts";
import { ExitCode } from "../exit_code.ts";
import { identifyDirectory } from "../snapshots/identify_directory.ts";
import { isAsSnapdir, loadSnapdirManifest } from "../archives/is_as_snapdir.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";

/** Bytes of a file that are read at once. */
const READ_SIZE = 1 << 20;

/** `snap id PATH` */
export async function run(session: Session): Promise<number> {
  const [given] = session.args.positionals;
  const isSnapdir = isAsSnapdir(session);
  const path = await resolvePath(session, given);
  if (!isSnapdir && await isNoDirectory(path)) {
    return await identifyFile(session, path);
  }
  const options = { keepTrees: isSnapdir };
  const { identified, exitCode } = await identifyDirectory(
    ...[session, given, options] as const,
  );
  const { id, page, totals } = identified;
  if (!isSnapdir) await tell(session, id, { totals });
  else {
    const side = { objects: identified, ids: { tree: id, page } };
    const { snapdirManifest } = await loadSnapdirManifest();
    const { id: snapdirId, leftOut } = await snapdirManifest(session, side);
    await tell(session, snapdirId, { totals, format: "snapdir", leftOut });
  }
  return exitCode;
}

async function tell(
  session: Session,
  id: string,
  fields: { readonly totals: Totals } & Record<string, unknown>,
): Promise<void> {
  await session.result(id, { type: "id", id, ...fields });
}

/** Tells whether a path is there and no directory; other failures are left to the reader. */
async function isNoDirectory(path: string): Promise<boolean> {
  const { stat } = await import("node:fs/promises");
  return await stat(path).then((one) => !one.isDirectory(), () => false);
}

async function identifyFile(session: Session, path: string): Promise<number> {
  const stream = (await chooseHasher()).stream();
  let byteCount = 0;
  for await (const bytes of readPieces(path)) {
    session.signal.throwIfAborted();
    stream.update(bytes);
    byteCount += bytes.length;
  }
  const totals = {
    entryCount: 1,
    fileCount: 1,
    directoryCount: 0,
    byteCount,
    xattrCount: 0,
    hardLinkCount: 0,
    holeCount: 0,
  };
  await tell(session, stream.digest(), { totals });
  return ExitCode.done;
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const [{ open }, { DiskError }] = await Promise.all([
    import("node:fs/promises"),
    import("@snap/disk"),
  ]);
  const bytes = new Uint8Array(READ_SIZE);
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    for (;;) {
      const { bytesRead } = await file.read(bytes);
      if (bytesRead === 0) return;
      yield bytes.subarray(0, bytesRead);
    }
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    throw new DiskError("read", new TextEncoder().encode(path), code);
  } finally {
    await file?.close();
  }
}
