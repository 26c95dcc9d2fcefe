import type { FileStore } from "@snap/store/file";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type {
  FarCache,
  FarLimits,
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
    readonly limits: FarLimits;
    readonly cache: FarCache;
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

/** The module that puts a cache around a store. */
interface CacheModule {
  withCache(
    session: Session,
    opened: OpenedStore,
    cache: FarCache,
  ): Promise<OpenedStore>;
}

/** How a store is opened. */
export interface OpenStoreOptions {
  /** Whether a folder that is absent or empty becomes one, also on another host. */
  readonly create?: boolean;
}

/**
 * Opens a store wherever it is. Whether there is one far away, whoever reads its
 * config finds out.
 * @throws {NotAStoreError} If a folder is none.
 */
export async function openStore(
  session: Session,
  place: StorePlace,
  options: OpenStoreOptions = {},
): Promise<OpenedStore> {
  if (place.kind === "far") return await openFar(session, place, options);
  const { openFileStore } = await import("@snap/store/file");
  return openedFolder(await openFileStore(place.path, options), place.path);
}

/**
 * Makes a store of this machine one that a command works with.
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
  { url, scheme, settings, limits }: StorePlace & { readonly kind: "far" },
  { create = false }: OpenStoreOptions,
): Promise<OpenedStore> {
  const [{ Limiter, Meter }, module] = await Promise.all([
    import("@snap/store/wrap"),
    OPENERS[scheme]() as Promise<FarStoreModule>,
  ]);
  const { signal } = session;
  const { bytesPerSecond, requestsMax } = limits;
  const opened = await module.open(url, {
    settings,
    limiter: new Limiter({
      ...(bytesPerSecond !== undefined && { bytesPerSecond }),
      ...(requestsMax !== undefined && { requestsMax }),
    }),
    meter: new Meter(),
    isNew: create,
    env: environmentOf(session),
    signal,
    detail: (message) => session.detail(message),
  });
  session.meter = opened.meter;
  return opened;
}

/** Puts a cache around a store far away, unless the user wants none. */
export async function openCached(
  session: Session,
  opened: OpenedStore,
  cache: FarCache,
): Promise<OpenedStore> {
  if (cache.isOff) return opened;
  const { withCache } = await loadLate("stores/with_cache") as CacheModule;
  return await withCache(session, opened, cache);
}

/** The environment as a record, of which nothing is read that nobody asks for. */
function environmentOf(
  { context }: Session,
): Readonly<Record<string, string | undefined>> {
  return new Proxy({}, {
    get: (_, name) => typeof name === "string" ? context.env(name) : undefined,
  });
}
