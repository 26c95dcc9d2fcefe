import type { FileIdentity } from "@snap/disk/source";
import type { Identified, IdentifyOptions } from "@snap/save/identify";
import { chooseHasher } from "./choose_hasher.ts";
import { ExitCode } from "../exit_code.ts";
import { locateStore } from "../stores/locate_store.ts";
import { readExcludes } from "../arguments/read_excludes.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { fileProgressOf } from "../terminal/progress_line.ts";
import type { Session } from "../session.ts";
import {
  tellChanged,
  tellErrors,
  tellFidelity,
} from "../terminal/tell_errors.ts";
import { workerCount } from "../arguments/worker_count.ts";

/**
 * Names a directory without a store, and says what could not be read, or not in one state. The store that a save would
 * take is left out, as a save does.
 *
 * @param options Whether its trees and pages are kept in memory, and who is told of sockets.
 */
export async function identifyDirectory(
  session: Session,
  path: string,
  options: Pick<IdentifyOptions, "keepTrees" | "onSocket">,
): Promise<{ identified: Identified; exitCode: number }> {
  const { identify } = await import("@snap/save/identify");
  const { diskCalls } = await import("@snap/disk");
  const calls = diskCalls();
  const store = await storeIdentity(session);
  const identified = await identify(await resolvePath(session, path), {
    hasher: await chooseHasher(),
    workers: workerCount(session),
    ignore: await readExcludes(session),
    oneFileSystem: session.args.has("one-file-system"),
    excludeStore: store,
    ...options,
    signal: session.signal,
    onProgress: (progress) => session.progress(fileProgressOf(progress)),
  });
  session.clearProgress();
  if (calls.reduced) await tellFidelity(session);
  const { errors, errorCount, changed, changedCount } = identified;
  tellErrors(session, errors, errorCount);
  await tellChanged(session, changed, changedCount);
  const isWhole = errorCount + changedCount === 0;
  return {
    identified,
    exitCode: isWhole ? ExitCode.done : ExitCode.incomplete,
  };
}

/** The store that a save would leave out; nothing where none can be found. */
async function storeIdentity(
  session: Session,
): Promise<FileIdentity | undefined> {
  const { args, context } = session;
  const isReadable = (path: string): boolean =>
    context.isAllowed?.("read", path) !== false;
  const isNamed = args.has("store") || Boolean(context.env("SNAP_STORE"));
  // Nobody is asked to let this look for one.
  if (!isNamed && !isReadable("/")) return undefined;
  const { identifyPath } = await import("@snap/disk/source");
  try {
    const { place } = await locateStore(session);
    return place.kind === "folder" && isReadable(place.path)
      ? identifyPath(place.path)
      : undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "UsageError") throw error;
    return undefined;
  }
}
