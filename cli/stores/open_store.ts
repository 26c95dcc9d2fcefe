import type { FileStore } from "@snap/store/file";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type {
  FarSettings,
  FarStoreModule,
  OpenedStore,
} from "./opened_store.ts";
import type { SCHEMES } from "./store_address.ts";

/** Where a store is, and how it is reached. */
export type StorePlace =
  | { readonly kind: "folder"; readonly path: string }
  | {
    readonly kind: "far";
    readonly url: string;
    readonly scheme: string;
    readonly settings: FarSettings;
  };

/** Modules that open stores far away: a command that works in a folder loads none of them. */
const OPENERS: Readonly<Record<keyof typeof SCHEMES, () => Promise<unknown>>> =
  {
    s3: () => loadLate("stores/open_s3"),
    http: () => loadLate("stores/open_http"),
    https: () => loadLate("stores/open_http"),
    sftp: () => loadLate("stores/open_sftp"),
    ssh: () => loadLate("stores/open_ssh"),
  };

/** How a store is opened. */
export interface OpenStoreOptions {
  /** Whether a folder that is absent or empty becomes one. */
  readonly create?: boolean;
}

/**
 * Opens a store wherever it is. Whether there is one far away, whoever reads its
 * config finds out.
 *
 * @param session The command.
 * @param place Where it is.
 * @param options Whether a folder is made.
 * @returns The store, to be disposed of by the caller.
 * @throws {NotAStoreError} If a folder is none.
 */
export async function openStore(
  session: Session,
  place: StorePlace,
  options: OpenStoreOptions = {},
): Promise<OpenedStore> {
  if (place.kind === "far") return await openFar(session, place);
  const { openFileStore } = await import("@snap/store/file");
  return openedFolder(await openFileStore(place.path, options), place.path);
}

/**
 * Makes a store of this machine one that a command works with.
 *
 * @param store The store; it needs no end.
 * @param location Where it is.
 * @returns The same as an opened store.
 */
export function openedFolder(
  store: FileStore | OpenedStore["store"],
  location: string,
): OpenedStore {
  const end = () => Promise.resolve();
  return { store, location, [Symbol.asyncDispose]: end };
}

async function openFar(
  session: Session,
  { url, scheme, settings }: StorePlace & { readonly kind: "far" },
): Promise<OpenedStore> {
  const [{ Limiter, Meter }, module] = await Promise.all([
    import("@snap/store/wrap"),
    OPENERS[scheme]() as Promise<FarStoreModule>,
  ]);
  const { context, signal } = session;
  return await module.open(url, {
    settings,
    limiter: new Limiter(),
    meter: new Meter(),
    signal,
    env: (name) => context.env(name),
    detail: (message) => session.detail(message),
  });
}
