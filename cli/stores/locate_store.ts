import type { PassedStore, StoreSource } from "@snap/store/file";
import { NotAStoreError } from "@snap/store";
import { CommandError } from "../command_error.ts";
import { configOf, type ConfigTable } from "../config/config_file.ts";
import { expandHome } from "../config/expand_home.ts";
import { loadLate } from "../load_late.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";
import type { StorePlace } from "./opened_store.ts";
import { parseAddress, type StoreAddress } from "./store_address.ts";

/** An address that is no name. */
type PlacedAddress = Exclude<StoreAddress, { readonly kind: "name" }>;

/** How a store was found. */
export type StoreOrigin = StoreSource | "configuration";

/** The store of a command, and how it was found. */
export interface LocatedStore {
  /** Where it is. */
  readonly place: StorePlace;
  /** How it was found. */
  readonly source: StoreOrigin;
  /** Folders that look like a store and are none of the caller's. */
  readonly passed: readonly PassedStore[];
}

/**
 * Finds the place of the store that a command uses.
 *
 * @throws {UsageError} If what names it is neither an address nor a path.
 * @throws {NotAStoreError} If it is a name that nothing has.
 */
export async function locateStore(session: Session): Promise<LocatedStore> {
  const { findStore } = await import("@snap/store/file");
  const { context, args } = session;
  const names = ["SNAP_STORE", "XDG_DATA_HOME", "HOME"];
  const { path, source, passed } = await findStore({
    explicit: args.text("store"),
    env: Object.fromEntries(names.map((name) => [name, context.env(name)])),
    cwd: context.cwd,
    uid: context.uid?.(),
  });
  switch (source) {
    case "directory":
      return { place: await folderAt(session, path), source, passed };
    case "home": {
      const place = await configuredPlace(session);
      if (place !== undefined) {
        return { place, source: "configuration", passed };
      }
      return { place: await folderAt(session, path), source, passed };
    }
    default:
      return { place: await placeOf(session, path), source, passed };
  }
}

/** Treatment of a word that nothing has for a name. */
export interface PlaceOptions {
  /** Whether it is then the folder of a store that is to be made. */
  readonly isNew?: boolean;
}

/**
 * Finds the place of the store that stands as PATH on the command line, or else of
 * the one that a command uses.
 *
 * @throws {UsageError} If there is a PATH, and `--store` too.
 */
export async function locateArgument(
  session: Session,
  options?: PlaceOptions,
): Promise<StorePlace> {
  const { args } = session;
  const [path] = args.positionals;
  if (path === undefined) return (await locateStore(session)).place;
  if (args.has("store")) {
    throw new UsageError(
      "Cannot use PATH and --store at once: they are two names for one place",
    );
  }
  return await placeOf(session, path, options);
}

/**
 * Finds the place that a text names. A name of the configuration goes before a
 * folder that happens to be called so: what is meant to go far away must not stay
 * here since somebody made one.
 *
 * @throws {UsageError} If it is neither an address nor a path.
 * @throws {NotAStoreError} If it is a name that nothing has.
 */
export async function placeOf(
  session: Session,
  text: string,
  { isNew = false }: PlaceOptions = {},
): Promise<StorePlace> {
  const address = parseAddress(text);
  if (address.kind !== "name") return await addressed(session, address);
  const { path, isThere, stores } = await configOf(session);
  const table = stores.get(address.name);
  if (table !== undefined) return await placeOfTable(session, table);
  const folder = await folderAt(session, address.name);
  if (isNew || await exists(folder.path)) return folder;
  throw new NotAStoreError(
    folder.path,
    isThere
      ? `there is no such folder, nor is there [stores.${address.name}] in ${path}`
      : "there is no such folder, and no configuration that could name a store",
  );
}

/** The store that the configuration names for commands that are given none. */
async function configuredPlace(
  session: Session,
): Promise<StorePlace | undefined> {
  const { top, stores, path } = await configOf(session);
  if (top.store === undefined) return undefined;
  const text = String(top.store);
  const table = stores.get(text);
  if (table !== undefined) return await placeOfTable(session, table);
  const address = parseAddress(text);
  if (address.kind !== "name") return await addressed(session, address);
  throw new CommandError(
    `Cannot use configuration ${path}: store names ${text}, and there is no [stores.${text}]`,
  );
}

async function placeOfTable(
  session: Session,
  table: ConfigTable,
): Promise<StorePlace> {
  // The configuration has been checked: it is no name.
  const address = parseAddress(String(table.url)) as PlacedAddress;
  return await addressed(session, address, table);
}

/** The place of an address or a path; the home of the user is `~` in a configuration. */
async function addressed(
  session: Session,
  address: PlacedAddress,
  table?: ConfigTable,
): Promise<StorePlace> {
  if (address.kind === "folder") {
    return await folderAt(session, expandHome(session, address.path));
  }
  const { farSettings } = await loadLate(
    "config/settings",
  ) as typeof import("../config/settings.ts");
  return {
    ...address,
    ...await farSettings(session, address.scheme, table),
  };
}

async function folderAt(
  session: Session,
  path: string,
): Promise<StorePlace & { readonly kind: "folder" }> {
  return { kind: "folder", path: await resolvePath(session, path) };
}

async function exists(path: string): Promise<boolean> {
  const { existsSync } = await import("node:fs");
  return existsSync(path);
}
