import type { OpenSnapshotsOptions, Snapshots } from "@snap/snapshot";
import type { PruneStore, WriteStore } from "@snap/store";
import { chooseHasher, type HasherNeed } from "./choose_hasher.ts";
import { CommandError } from "../command_error.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import {
  type LocatedStore,
  locateStore,
  type StoreOrigin,
} from "../stores/locate_store.ts";
import { limitFolder } from "../stores/limit_folder.ts";
import { namingStore } from "../stores/naming_store.ts";
import { openCached, openedFolder, openStore } from "../stores/open_store.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import { withoutPassword } from "../stores/store_address.ts";
import { formatCount, formatCounted, formatSize } from "../terminal/units.ts";

/** Options of opening the store of a command. */
export interface OpenOptions extends HasherNeed {
  /**
   * Treatment of the user's own store when there is none yet: nothing, so
   * that the error says it; `create`; or `memory`, for what stores nothing.
   */
  readonly whenAbsent?: "create" | "memory";
  /** Refuses a store beforehand to which nothing can be added. */
  readonly isWriting?: boolean;
  /** Says which store was taken, also without `--verbose`. */
  readonly isTold?: boolean;
  /** Whether all is read from the store itself, as what it has is to be found out. */
  readonly isUncached?: boolean;
  /** Whether a folder is read no faster than asked for, too. */
  readonly isLimited?: boolean;
  /** Says nothing of a damaged index, as the command tells of it itself. */
  readonly isQuiet?: boolean;
}

const SOURCES: Readonly<Record<StoreOrigin, string>> = {
  option: "--store",
  environment: "SNAP_STORE",
  directory: "found above the folder",
  configuration: "the configuration",
  home: "the user's own",
};

/**
 * Opens the store of a command, does something, and closes it.
 *
 * @throws {NotAStoreError} If there is no store.
 */
export async function withSnapshots<T>(
  session: Session,
  options: OpenOptions,
  use: (
    snapshots: Snapshots<PruneStore>,
    opened: OpenedStore,
  ) => Promise<T>,
): Promise<T> {
  const opened = await openCommandSnapshots(session, options);
  try {
    return await use(opened.snapshots, opened.opened);
  } finally {
    await opened[Symbol.asyncDispose]();
    tellTraffic(session);
  }
}

function tellTraffic(session: Session): void {
  const { meter } = session;
  if (meter === undefined) return;
  const repeated = meter.retries === 0
    ? ""
    : `, ${formatCount(meter.retries)} of them again`;
  session.detail(
    `Made ${formatCounted(meter.requests, "request")}${repeated}: received ${
      formatSize(meter.bytesIn)
    }, sent ${formatSize(meter.bytesOut)}`,
  );
}

/** The snapshots of a store, and the store itself, both until they are disposed of. */
export interface CommandSnapshots extends AsyncDisposable {
  readonly snapshots: Snapshots<PruneStore>;
  /** Their store. */
  readonly opened: OpenedStore;
}

/**
 * Opens the store of a command.
 *
 * @returns The snapshots, to be closed by the caller.
 * @throws {NotAStoreError} If there is no store.
 */
export async function openCommandSnapshots(
  session: Session,
  options: OpenOptions = {},
): Promise<CommandSnapshots> {
  const hasher = await chooseHasher(options);
  const opened = await openCommandStore(session, options);
  try {
    if (options.isWriting) checkWritable(opened);
    const [{ openSnapshots }, { nativeDecoders }] = await Promise.all([
      import("@snap/snapshot"),
      import("@snap/posix/decoders"),
    ]);
    const { store, location } = opened;
    const snapshots = await namingStore(location, () =>
      openSnapshots(store, {
        hasher,
        location,
        decoders: nativeDecoders,
        signal: session.signal,
        ...(options.isQuiet ? {} : indexWarnings(session)),
      }));
    return {
      snapshots,
      opened,
      async [Symbol.asyncDispose]() {
        await snapshots[Symbol.asyncDispose]();
        await opened[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

function checkWritable({ location, readOnly }: OpenedStore): void {
  if (readOnly === undefined) return;
  const { reason, hint } = readOnly;
  throw new CommandError(`Cannot add to ${location}: ${reason}`, hint);
}

async function openCommandStore(
  session: Session,
  options: OpenOptions,
): Promise<OpenedStore> {
  const located = await locateStore(session);
  const { place, source } = located;
  tell(session, located, options);
  const isAbsent = options.whenAbsent !== undefined &&
    source === "home" && place.kind === "folder" && await isUnmade(place.path);
  if (!isAbsent) {
    const opened = await openStore(session, place);
    if (place.kind === "folder") {
      return options.isLimited ? await limitFolder(session, opened) : opened;
    }
    if (options.isUncached) return opened;
    return await openCached(session, opened, place.cache);
  }
  if (options.whenAbsent === "memory") {
    const { MemoryStore } = await import("@snap/store/memory");
    const store = new MemoryStore();
    await initDefaults(store, session);
    return openedFolder(store, place.path);
  }
  const opened = await openStore(session, place, { create: true });
  await initDefaults(opened.store, session);
  session.say(`Made a store in ${opened.location}`);
  return opened;
}

async function initDefaults(
  store: WriteStore,
  { signal }: Session,
): Promise<void> {
  const [{ initStore }, { DEFAULT_SETTINGS, formatSettings }] = await Promise
    .all([
      import("@snap/store/format"),
      import("@snap/snapshot"),
    ]);
  await initStore(store, formatSettings(DEFAULT_SETTINGS), { signal });
}

function tell(
  session: Session,
  { place, source, passed }: LocatedStore,
  options: OpenOptions,
): void {
  const where = place.kind === "folder"
    ? place.path
    : withoutPassword(place.url);
  const text = `Store ${where} (${SOURCES[source]})`;
  if (options.isTold) session.note(text);
  else session.detail(text);
  for (const { path, reason } of passed) {
    const message = `Passed ${path}: ${reason}`;
    if (reason === "other owner") session.note(message);
    else session.detail(message);
  }
}

/** Whether nothing is there, or only what a save made that was ended before there was a store. */
async function isUnmade(path: string): Promise<boolean> {
  const { readdir } = await import("node:fs/promises");
  for (const folder of ["config", "snapshots"]) {
    try {
      if ((await readdir(`${path}/${folder}`)).length > 0) return false;
    } catch (error) {
      // Opening it says what else is wrong.
      if ((error as { code?: string }).code !== "ENOENT") return false;
    }
  }
  return true;
}

function indexWarnings(
  session: Session,
): Pick<OpenSnapshotsOptions, "onDamage" | "onMend" | "onUnnamed"> {
  const onDamage = (name: string, error: unknown): void =>
    session.warn(
      `Cannot use ${name}, and go on with what the packs say: ${
        reasonOf(error)
      }`,
    );
  let isTold = false;
  return {
    onDamage,
    onMend: onDamage,
    onUnnamed: ({ packs, damaged }) => {
      for (const { name, error } of damaged) {
        session.warn(`Cannot use ${name}: ${reasonOf(error)}`);
      }
      if (packs.length === 0 || isTold) return;
      isTold = true;
      session.say(
        `Read what ${formatCounted(packs.length, "pack")} ${
          packs.length === 1 ? "says" : "say"
        } as the index does not: ${COMMAND} repair index mends it, and so does the next save`,
      );
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
