import {
  type Mount,
  mount,
  mountAll,
  type MountOptions,
} from "@snap/fuse/mount";
import type { NamedRecord } from "@snap/snapshot/record";
import { ExitCode } from "./exit_code.ts";
import { jsonLine } from "./json_line.ts";
import { findRoot } from "./_mount_root.ts";
import { mountSettings } from "./mount_settings.ts";
import { tellLog, tellStatistics } from "./_mount_words.ts";
import { withSnapshots } from "./open_snapshots.ts";
import { resolvePath } from "./resolve_path.ts";
import type { Session } from "./session.ts";
import { storeCatalog } from "./_store_catalog.ts";

/** A mount, and of which record it is. */
interface Served {
  readonly mount: Mount;
  /** Absent for a mount of all. */
  readonly record?: NamedRecord;
}

/**
 * Mounts, and answers until it is unmounted.
 *
 * @param session The command.
 * @returns The answer to the shell.
 * @throws {MountError} If it cannot be mounted.
 */
export async function serveMount(session: Session): Promise<number> {
  return await withSnapshots(session, {}, async (snapshots) => {
    const { args } = session;
    const [target] = args.positionals;
    const options = await optionsOf(session, snapshots.hasher);
    let served: Served | undefined;
    // From now on, as the signal would end a program that does not listen.
    session.context.onAsked?.(() => {
      if (served === undefined) return;
      void tellStatistics(session, served.mount.statistics());
    });
    try {
      if (args.has("all")) {
        const catalog = storeCatalog(snapshots);
        served = { mount: await mountAll(snapshots.store, catalog, options) };
      } else {
        const { record, root } = await findRoot(session, snapshots, target);
        served = { record, mount: await mount(snapshots.store, root, options) };
      }
    } catch (error) {
      if (!args.has("report")) throw error;
      return await reportFailure(session, error);
    }
    await report(session, served);
    return await waitForEnd(session, served.mount);
  });
}

async function optionsOf(
  session: Session,
  hasher: MountOptions["hasher"],
): Promise<MountOptions> {
  const directory = session.args.positionals.at(-1)!;
  return {
    ...mountSettings(session),
    mountpoint: await resolvePath(session, directory),
    hasher,
    signal: session.signal,
    onLog: (line) => tellLog(session, line),
  };
}

async function report(
  session: Session,
  { mount, record }: Served,
): Promise<void> {
  const { mountpoint, source } = mount;
  const line = {
    type: "mount",
    mountpoint,
    source,
    ...(record === undefined ? {} : { id: record.tree, record: record.record }),
  };
  if (session.args.has("report")) {
    await session.raw(jsonLine(line));
    await session.flush();
    const { default: process } = await import("node:process");
    process.chdir("/"); // Keeps no other file system from being unmounted.
  } else {
    await session.result(mountpoint, line);
    await session.flush();
  }
}

async function reportFailure(
  session: Session,
  error: unknown,
): Promise<number> {
  const { explainError } = await import("./explain_error.ts");
  const { exitCode, ...fields } = explainError(error, session);
  await session.raw(jsonLine({ type: "error", exitCode, ...fields }));
  return exitCode;
}

async function waitForEnd(session: Session, mount: Mount): Promise<number> {
  const { context, args } = session;
  let isEnding = false;
  const giveBack = context.takeSignals?.(() => {
    const ending = isEnding ? mount.abort() : mount.unmount();
    isEnding = true;
    ending.catch((error) =>
      tellLog(session, { level: "error", message: error.message })
    );
  });
  try {
    await mount.finished;
  } finally {
    giveBack?.();
    if (args.has("stats")) await tellStatistics(session, mount.statistics());
  }
  return ExitCode.done;
}
