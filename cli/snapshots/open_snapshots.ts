import type { OpenSnapshotsOptions, Snapshots } from "@snap/snapshot";
import type { FoundStore, StoreSource } from "@snap/store/file";
import type { WriteStore } from "@snap/store";
import { chooseHasher, type HasherNeed } from "./choose_hasher.ts";
import { COMMAND } from "../product.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";
import { formatCounted } from "../terminal/units.ts";

/** How a store is opened for a command. */
export interface OpenOptions extends HasherNeed {
  /**
   * What becomes of the user's own store when there is none yet: nothing, so
   * that the error says it; `create`; or `memory`, for what stores nothing.
   */
  readonly whenAbsent?: "create" | "memory";
  /** Says which store was taken, also without `--verbose`. */
  readonly isTold?: boolean;
  /** Says nothing of a damaged index, as the command tells of it itself. */
  readonly isQuiet?: boolean;
}

const SOURCES: Readonly<Record<StoreSource, string>> = {
  option: "--store",
  environment: "SNAP_STORE",
  directory: "found above the folder",
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
  use: (snapshots: Snapshots<WriteStore>) => Promise<T>,
): Promise<T> {
  const snapshots = await openCommandSnapshots(session, options);
  try {
    return await use(snapshots);
  } finally {
    await snapshots[Symbol.asyncDispose]();
  }
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
): Promise<Snapshots<WriteStore>> {
  const hasher = await chooseHasher(options);
  const store = await openStore(session, options);
  const { openSnapshots } = await import("@snap/snapshot");
  return await openSnapshots(store, {
    hasher,
    signal: session.signal,
    ...(options.isQuiet ? {} : indexWarnings(session)),
  });
}

/** Finds the place of the store that a command uses. */
export async function locateStore(session: Session): Promise<FoundStore> {
  const { findStore } = await import("@snap/store/file");
  const { context, args } = session;
  const names = ["SNAP_STORE", "XDG_DATA_HOME", "HOME"];
  const found = await findStore({
    explicit: args.text("store"),
    env: Object.fromEntries(names.map((name) => [name, context.env(name)])),
    cwd: context.cwd,
    uid: context.uid?.(),
  });
  return { ...found, path: await resolvePath(session, found.path) };
}

async function openStore(
  session: Session,
  options: OpenOptions,
): Promise<WriteStore> {
  const found = await locateStore(session);
  tell(session, found, options);
  const { openFileStore } = await import("@snap/store/file");
  const isAbsent = options.whenAbsent !== undefined &&
    found.source === "home" && await isUnmade(found.path);
  if (!isAbsent) return await openFileStore(found.path);
  if (options.whenAbsent === "memory") {
    const { MemoryStore } = await import("@snap/store/memory");
    const store = new MemoryStore();
    await initDefaults(store, session);
    return store;
  }
  const store = await openFileStore(found.path, { create: true });
  await initDefaults(store, session);
  session.say(`Made a store in ${found.path}`);
  return store;
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

function tell(session: Session, found: FoundStore, options: OpenOptions): void {
  const text = `Store ${found.path} (${SOURCES[found.source]})`;
  if (options.isTold) session.note(text);
  else session.detail(text);
  for (const { path, reason } of found.passed) {
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
