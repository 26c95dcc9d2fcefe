/**
 * Mounts a snapshot, or all of a store, as a read-only file system.
 *
 * @module
 */
import type { Hasher, Id } from "@snap/hash";
import type { ReadStore } from "@snap/store";
import type { RequestAnswerer } from "./forwarded.ts";
import { localPrefix } from "@snap/pack/read";
import { loadRoot } from "../nodes/load_root.ts";
import { type MountBase, openBase } from "./mount_base.ts";
import { MountControl } from "./mount_control.ts";
import { checkMountPoint, needPosix } from "./mount_point.ts";
import { MountRun } from "./mount_run.ts";
import { MountWorkers } from "./mount_workers.ts";
import { ReplyWriter } from "../device/reply_writer.ts";
import type { CatalogSource } from "../catalog/catalog_source.ts";
import { Counters } from "../counters.ts";
import { MountError } from "./mount_error.ts";
import type { MountLog } from "./mount_log.ts";
import { type MountStatistics, statisticsOf } from "./mount_statistics.ts";
import type { OwnerFiles } from "@snap/posix/owners";
import { readSystemFile } from "./read_system_file.ts";
import type { PreparedMount } from "./prepare_mount.ts";
import type { SessionOptions } from "../session/session_parts.ts";

/** Workers where more are not asked for. */
const WORKERS_MAX = 2;
const CACHE_SIZE = 64 << 20;
const DEADLINE_MS = 30_000;
/** Looking for the next request this long is cheaper than sleeping, where there is a second core. */
const SPIN_US = 30;

/** Options of {@linkcode mount} and {@linkcode mountAll}. */
export interface MountOptions {
  /** The directory to mount on, which must exist. What is in it is hidden. */
  readonly mountpoint: string;
  /** The hasher; workers use one of the same name. */
  readonly hasher: Hasher;
  /** Unmounts, as {@linkcode Mount.unmount} does. */
  readonly signal?: AbortSignal | undefined;
  /** A worker that was started before; it ends where it has another hasher. */
  readonly prepared?: PreparedMount;
  /** Threads that answer; 2 if left out, 1 on one core. */
  readonly workers?: number;
  /** Memory for decoded frames in bytes, 64 MiB if left out. */
  readonly cacheSize?: number;
  /** Whether other users may look, with the rights that were recorded. */
  readonly allowOther?: boolean;
  /**
   * Whether owners have the numbers that were recorded. If left out, those whose name this
   * machine knows have its number for that name, as in a restore.
   */
  readonly numericOwner?: boolean;
  /** How long a read may wait for the store in milliseconds, 30 seconds if left out. */
  readonly deadlineMs?: number;
  /** How long to look for the next request before sleeping, in microseconds. */
  readonly spinUs?: number;
  /** Called with log lines. */
  readonly onLog?: (line: MountLog) => void;
}

/** The root of a snapshot; a `NamedRecord` fits. */
export interface MountRoot {
  /** The root tree. */
  readonly tree: Id;
  /** The attribute page of the root. */
  readonly page: Id;
  /** Totals of the snapshot; without them the kernel asks for more. */
  readonly totals?: {
    readonly entryCount: number;
    readonly byteCount: number;
    readonly xattrCount: number;
    readonly holeCount: number;
  };
}

/** Source, session and answerer of a mount, once they are known. */
interface Plan {
  readonly source: string;
  readonly session: Omit<SessionOptions, "isShared">;
  readonly answererOf?: (device: number) => RequestAnswerer;
}

/** The difference between a mount of one snapshot and of all. */
interface Kind {
  readonly isAll: boolean;
  readonly plan: (base: MountBase) => Promise<Plan>;
}

/** A mount that is there. */
export class Mount implements AsyncDisposable {
  /** The absolute path that it is mounted on. */
  readonly mountpoint: string;
  /** The source that the system shows, such as `snap:0123456789ab`. */
  readonly source: string;
  /**
   * Resolves when the mount has ended, by whomever it was unmounted, and nothing of it is left;
   * rejects if it ended otherwise.
   */
  readonly finished: Promise<void>;
  readonly #run: MountRun;
  readonly #counters: Counters;

  /** Use {@linkcode mount}. */
  constructor(
    parts: {
      readonly path: string;
      readonly source: string;
      readonly run: MountRun;
      readonly counters: Counters;
      readonly finished: Promise<void>;
    },
  ) {
    this.mountpoint = parts.path;
    this.source = parts.source;
    this.finished = parts.finished;
    this.#run = parts.run;
    this.#counters = parts.counters;
  }

  /**
   * Counts the requests so far.
   *
   * @returns The counts.
   */
  statistics(): MountStatistics {
    return statisticsOf(this.#counters);
  }

  /**
   * Unmounts and waits until nothing is left. Where it is in use it goes out of sight, and ends
   * when the last file in it is closed.
   *
   * @throws {MountError} If it cannot be unmounted.
   */
  async unmount(): Promise<void> {
    await this.#run.unmount();
    await this.finished;
  }

  /** Ends at once, also while it is in use: open files fail from now on. */
  async abort(): Promise<void> {
    await this.#run.abort();
    await this.finished;
  }

  /** Unmounts. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmount();
  }
}

/**
 * Mounts a snapshot. Nothing is unpacked: what is read is read from the packs, and checked.
 *
 * @param id The snapshot, which means its newest record; or a record of it, also one that is
 * looked for: the index is opened meanwhile
 * @param options Mount point, hasher, and how
 * @returns The mount, which answers already. It keeps the program running
 * @throws {MountError} If it cannot be mounted; its `hint` says what to do
 * @throws {StoreError} If the store fails
 */
export async function mount(
  store: ReadStore,
  id: Id | MountRoot | Promise<MountRoot>,
  options: MountOptions,
): Promise<Mount> {
  const finding = typeof id === "string"
    ? newestRecord(store, id, options.hasher)
    : Promise.resolve(id);
  finding.catch(() => {}); // Whoever awaits it is told.
  try {
    return await open(store, options, {
      isAll: false,
      async plan({ reader, nodes }) {
        const root = await finding;
        nodes.addVolume(await loadRoot(reader(), root));
        return {
          source: `snap:${root.tree.slice(0, 12)}`,
          session: { ...sessionOf(root), owners: ownersOf(options) },
        };
      },
    });
  } catch (error) {
    await finding; // Its own error goes before.
    throw error;
  }
}

/**
 * Mounts all snapshots of a store, by id and by tag. A new one appears without a remount.
 *
 * @param catalog The source of records and tags
 * @param options Mount point, hasher, and how
 * @returns The mount, which answers already. It keeps the program running
 * @throws {MountError} If it cannot be mounted; its `hint` says what to do
 * @throws {StoreError} If the store fails
 */
export async function mountAll(
  store: ReadStore,
  catalog: CatalogSource,
  options: MountOptions,
): Promise<Mount> {
  return await open(store, options, {
    isAll: true,
    async plan({ reader, nodes, refresh }) {
      const { Catalog } = await import("../catalog/catalog.ts");
      const posix = needPosix();
      const totals = { entryCount: 0, byteCount: 0 };
      const owners = ownersOf(options);
      return {
        source: "snap:all",
        session: {
          ...{ isAll: true, hasXattrs: true, hasHoles: true },
          ...{ totals, owners },
        },
        answererOf(device) {
          const writer = new ReplyWriter(posix, device);
          return new Catalog({
            source: catalog,
            nodes,
            owners,
            loadRoot: (record) => loadRoot(reader(), record),
            refresh,
            send: (reply) => writer.send(reply),
            onFault({ action, error }) {
              const message = `${action} failed: ${(error as Error).message}`;
              options.onLog?.({ level: "error", message, error });
            },
            uid: posix.geteuid(),
            gid: posix.getegid(),
          });
        },
      };
    },
  });
}

/** Names of owners on this machine, where they count. */
function ownersOf({ numericOwner }: MountOptions): OwnerFiles | undefined {
  if (numericOwner === true) return undefined;
  return {
    passwd: readSystemFile("/etc/passwd"),
    group: readSystemFile("/etc/group"),
  };
}

/** Finds the newest record of a snapshot. */
async function newestRecord(
  store: ReadStore,
  treePrefix: Id,
  hasher: Hasher,
): Promise<MountRoot> {
  const { listRecords } = await import("@snap/snapshot/records");
  const [newest] = await listRecords(store, { hasher, treePrefix });
  if (newest !== undefined) return newest;
  throw new MountError(
    "NO_RECORD",
    `Cannot mount ${treePrefix}: the store has no record of it`,
    { hint: "list what there is by: snap log" },
  );
}

function sessionOf({ totals }: MountRoot): Plan["session"] {
  return {
    isAll: false,
    hasXattrs: totals === undefined || totals.xattrCount > 0,
    hasHoles: totals === undefined || totals.holeCount > 0,
    totals: totals ?? { entryCount: 0, byteCount: 0 },
  };
}

async function open(
  store: ReadStore,
  options: MountOptions,
  kind: Kind,
): Promise<Mount> {
  const { prepared, hasher } = options;
  const isUsable = prepared?.hasher === hasher.name;
  try {
    return await start(store, options, {
      ...kind,
      ...isUsable ? { prepared } : {},
    });
  } catch (error) {
    await prepared?.end();
    throw error;
  } finally {
    if (!isUsable) await prepared?.end();
  }
}

/** Mounts by a plan. A worker starts first, as that takes longest. */
async function start(
  store: ReadStore,
  options: MountOptions,
  kind: Kind & { readonly prepared?: PreparedMount },
): Promise<Mount> {
  const { hasher, signal, onLog = () => {} } = options;
  signal?.throwIfAborted();
  const posix = needPosix();
  const { path, hidesEntries } = await checkMountPoint(
    posix,
    options.mountpoint,
    localPrefix(store),
  );
  if (hidesEntries) {
    const message = `${path} is not empty: what is in it is hidden`;
    onLog({ level: "warning", message });
  }
  const count = options.workers ??
    Math.min(navigator.hardwareConcurrency, WORKERS_MAX);
  const control = MountControl.create();
  const workers = new MountWorkers(count, {
    ...kind,
    posix,
    control,
    hasher: hasher.name,
  });
  const counters = Counters.create(count);
  let base: MountBase | undefined;
  try {
    base = await openBase(store, { hasher, isAll: kind.isAll, onLog });
    const plan = await kind.plan(base);
    base.share();
    signal?.throwIfAborted();
    const run = await MountRun.start({
      ...settingsOf(options),
      ...plan,
      ...base,
      posix,
      store,
      workers,
      control,
      counters,
      path,
      onLog,
    });
    const finished = finish(run, base, options);
    return new Mount({ path, source: plan.source, run, counters, finished });
  } catch (error) {
    workers.stop();
    await workers.ended();
    await base?.[Symbol.asyncDispose]();
    throw error;
  }
}

function settingsOf(options: MountOptions): {
  readonly allowOther: boolean;
  readonly cacheSize: number;
  readonly deadlineMs: number;
  readonly spinUs: number;
} {
  const spinUs = navigator.hardwareConcurrency > 1 ? SPIN_US : 0;
  return {
    allowOther: options.allowOther ?? false,
    cacheSize: options.cacheSize ?? CACHE_SIZE,
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
    spinUs: options.spinUs ?? spinUs,
  };
}

/** Has the signal unmount, and closes the reader when all has ended. */
function finish(
  run: MountRun,
  base: MountBase,
  { signal, onLog }: MountOptions,
): Promise<void> {
  const onAbort = () => {
    run.unmount().catch((error) =>
      onLog?.({ level: "error", message: error.message, error })
    );
  };
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  const finished = run.finished.finally(async () => {
    signal?.removeEventListener("abort", onAbort);
    await base[Symbol.asyncDispose]();
  });
  // A caller that waits later still gets the error.
  finished.catch(() => {});
  return finished;
}
