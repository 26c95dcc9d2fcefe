import type { PassedStore, StoreSource } from "@snap/store/file";
import { NotAStoreError } from "@snap/store";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";
import type { StorePlace } from "./open_store.ts";
import { parseAddress } from "./store_address.ts";

/** The store of a command, and how it was found. */
export interface LocatedStore {
  /** Where it is. */
  readonly place: StorePlace;
  /** How it was found. */
  readonly source: StoreSource;
  /** Folders that look like a store and are none of the caller's. */
  readonly passed: readonly PassedStore[];
}

/**
 * Finds the place of the store that a command uses.
 *
 * @param session The command.
 * @returns Where it is, and how it was found.
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
  const isNamed = source === "option" || source === "environment";
  const place = isNamed
    ? await placeOf(session, path)
    : await folderAt(session, path);
  return { place, source, passed };
}

/** What becomes of a word that nothing has for a name. */
export interface PlaceOptions {
  /** Whether it is then the folder of a store that is to be made. */
  readonly isNew?: boolean;
}

/**
 * Finds the place that a text names.
 *
 * @param session The command.
 * @param text An address, a path or a name.
 * @param options What becomes of a word that nothing has for a name.
 * @returns The place.
 * @throws {UsageError} If it is neither an address nor a path.
 * @throws {NotAStoreError} If it is a name that nothing has.
 */
export async function placeOf(
  session: Session,
  text: string,
  { isNew = false }: PlaceOptions = {},
): Promise<StorePlace> {
  const address = parseAddress(text);
  if (address.kind === "far") return { ...address, settings: {} };
  if (address.kind === "folder") return await folderAt(session, address.path);
  const place = await folderAt(session, address.name);
  if (isNew) return place;
  const { existsSync } = await import("node:fs");
  if (existsSync(place.path)) return place;
  throw new NotAStoreError(
    place.path,
    `there is no folder, nor a store of this name`,
  );
}

async function folderAt(
  session: Session,
  path: string,
): Promise<StorePlace & { readonly kind: "folder" }> {
  return { kind: "folder", path: await resolvePath(session, path) };
}
