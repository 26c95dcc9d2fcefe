import { type Mount, mount, mountAll, type MountOptions } from "@snap/fuse";
import type { PreparedMount } from "@snap/fuse/prepare";
import type { NamedRecord } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { ExitCode } from "../exit_code.ts";
import { jsonLine } from "../terminal/json_line.ts";
import { findRoot } from "./mount_root.ts";
import { mountSettings } from "../arguments/mount_settings.ts";
import { tellLog, tellStatistics } from "./mount_words.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import type { Session } from "../session.ts";
import { storeCatalog } from "./store_catalog.ts";

/** A mount, and of which record it is. */
interface Served {
  readonly mount: Mount;
  /** Where it is seen. */
  readonly mountpoint: string;
  /** Ends it, or takes it out of sight where it is in use. */
  readonly unmount: () => Promise<void>;
  /** Absent for a mount of all. */
  readonly record?: NamedRecord;
  /** Warnings about the mount point. */
  readonly warnings: readonly string[];
}

/**
 * Mounts, and answers until it is unmounted.
 *
 * @throws {MountError} If it cannot be mounted.
 */
export async function serveMount(
  session: Session,
  prepared: PreparedMount,
): Promise<number> {
  let served: Served | undefined;
  // From now on, as the signal would end a program that does not listen.
  session.context.onAsked?.(() => {
    if (served === undefined) return;
    void tellStatistics(session, served.mount.statistics());
  });
  try {
    return await withSnapshots(session, {}, async (snapshots, opened) => {
      served = session.args.has("writable")
        ? await startWritable(session, { snapshots, opened, prepared })
        : await start(session, snapshots, prepared);
      await report(session, served);
      return await waitForEnd(session, served);
    });
  } catch (error) {
    if (served !== undefined) throw error;
    await prepared.end();
    if (!session.args.has("report")) throw error;
    return await reportFailure(session, error);
  }
}

async function start(
  session: Session,
  snapshots: Snapshots<WriteStore>,
  prepared: PreparedMount,
): Promise<Served> {
  const { args } = session;
  const { store, hasher } = snapshots;
  const warnings: string[] = [];
  const mountpoint = await resolvePath(session, args.positionals.at(-1)!);
  const options = mountOptions(session, warnings, {
    ...{ mountpoint, hasher, prepared },
  });
  if (args.has("all")) {
    const catalog = storeCatalog(snapshots);
    return servedOf(await mountAll(store, catalog, options), { warnings });
  }
  const [target] = args.positionals;
  const finding = findRoot(session, snapshots, target);
  const mounted = await mount(store, finding.then(({ root }) => root), options);
  const { record } = await finding;
  return servedOf(mounted, { record, warnings });
}

/** Mounts the snapshot in a folder of its own, and an overlay over it. */
async function startWritable(
  session: Session,
  { snapshots, opened, prepared }: {
    readonly snapshots: Snapshots<WriteStore>;
    readonly opened: OpenedStore;
    readonly prepared: PreparedMount;
  },
): Promise<Served> {
  const { mountWritable } = await import("./mount_writable.ts");
  const [target, directory] = session.args.positionals;
  const warnings: string[] = [];
  const { mount, mountpoint, record, unmount } = await mountWritable(session, {
    ...{ snapshots, opened, target },
    mountpoint: await resolvePath(session, directory),
    options: mountOptions(session, warnings, {
      ...{ mountpoint: "", hasher: snapshots.hasher, prepared },
    }),
  });
  return { mount, mountpoint, record, unmount, warnings };
}

function mountOptions(
  session: Session,
  warnings: string[],
  more: Pick<MountOptions, "mountpoint" | "hasher" | "prepared">,
): MountOptions {
  return {
    ...mountSettings(session),
    ...more,
    signal: session.signal,
    onLog(line) {
      if (line.level === "warning") warnings.push(line.message);
      tellLog(session, line);
    },
  };
}

function servedOf(
  mount: Mount,
  parts: Pick<Served, "record" | "warnings">,
): Served {
  const { mountpoint } = mount;
  return { ...parts, mount, mountpoint, unmount: () => mount.unmount() };
}

async function report(
  session: Session,
  { mount, mountpoint, record, warnings }: Served,
): Promise<void> {
  const { source } = mount;
  const line = {
    type: "mount",
    mountpoint,
    source,
    id: record?.tree,
    record: record?.record,
  };
  if (session.args.has("report")) {
    await leaveFolder();
    await session.raw(jsonLine({ ...line, warnings }));
    await session.flush();
  } else {
    await session.result(mountpoint, line);
    await session.flush();
  }
}

/** Keeps no other file system from being unmounted, from the first answer on. */
async function leaveFolder(): Promise<void> {
  const { allowed } = await import("@snap/posix");
  if (!allowed("read", "/")) return;
  const { default: process } = await import("node:process");
  process.chdir("/");
}

async function reportFailure(
  session: Session,
  error: unknown,
): Promise<number> {
  const { explainError } = await import("../terminal/explain_error.ts");
  const { exitCode, ...fields } = explainError(error, session);
  await session.raw(jsonLine({ type: "error", exitCode, ...fields }));
  return exitCode;
}

async function waitForEnd(
  session: Session,
  { mount, unmount }: Served,
): Promise<number> {
  const { context, args } = session;
  let isEnding = false;
  const giveBack = context.takeSignals?.(() => {
    const ending = isEnding ? mount.abort() : unmount();
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
