import process from "node:process";
import { Readable, Writable } from "node:stream";
import { type Pipe, type Right, servePipe } from "@snap/store/serve";
import type { PruneStore } from "@snap/store";
import { syncHandler } from "@snap/sync/serve";
import { ExitCode } from "../exit_code.ts";
import { AccessLog } from "./access_log.ts";
import { serveLimits } from "./serve_limits.ts";
import { chooseHasher } from "../snapshots/choose_hasher.ts";
import type { Session } from "../session.ts";

/** Serves a store to whoever is at the other end of standard input and output. */
export async function serveStdio(
  session: Session,
  store: PruneStore,
  right: Right,
): Promise<number> {
  const limits = serveLimits(session);
  const log = await AccessLog.open(session);
  const pipe = {
    readable: Readable.toWeb(process.stdin),
    writable: Writable.toWeb(process.stdout),
  } as unknown as Pipe;
  try {
    await servePipe(store, pipe, {
      ...limits,
      right,
      exchange: syncHandler(store, { hasher: await chooseHasher() }),
      signal: session.signal,
      ...(log && { onAccess: (line) => log.write(line) }),
    });
    session.signal.throwIfAborted();
    return ExitCode.done;
  } finally {
    await log?.close();
  }
}
