import { Meter } from "@snap/store/wrap";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type { OpenStoreOptions } from "./open_store.ts";
import type { S3Objects } from "@snap/store/s3";
import type {
  FarNeed,
  FarPlace,
  FarStoreModule,
  OpenedStore,
} from "./opened_store.ts";
import type { SCHEMES } from "./store_address.ts";
import { storeLimiter } from "./store_limiter.ts";

/** Modules that open stores far away. */
const OPENERS: Readonly<Record<keyof typeof SCHEMES, () => Promise<unknown>>> =
  {
    s3: () => loadLate("stores/open_s3"),
    http: () => loadLate("stores/open_http"),
    https: () => loadLate("stores/open_http"),
    sftp: () => loadLate("stores/open_sftp"),
    ssh: () => loadLate("stores/open_ssh"),
  };

/** Opens a store far away, with its limits. */
export async function openFar(
  session: Session,
  place: FarPlace,
  { create = false }: OpenStoreOptions,
): Promise<OpenedStore> {
  const module = await OPENERS[place.scheme]() as FarStoreModule;
  const opened = await module.open(place.url, farNeed(session, place, create));
  session.meter = opened.meter;
  return opened;
}

/** Opens a place in a bucket for objects that are no files of a store. */
export async function openObjects(
  session: Session,
  place: FarPlace,
): Promise<S3Objects> {
  const { openObjects } = await loadLate(
    "stores/open_s3",
  ) as typeof import("./open_s3.ts");
  const objects = await openObjects(place.url, farNeed(session, place, false));
  session.meter = objects.meter;
  return objects;
}

function farNeed(
  session: Session,
  { settings, limits }: FarPlace,
  isNew: boolean,
): FarNeed {
  return {
    settings,
    limiter: storeLimiter(session, limits),
    meter: new Meter(),
    isNew,
    env: environmentOf(session),
    signal: session.signal,
    detail: (message) => session.detail(message),
  };
}

/** The environment as a record, of which nothing is read that nobody asks for. */
function environmentOf(
  { context }: Session,
): Readonly<Record<string, string | undefined>> {
  return new Proxy({}, {
    get: (_, name) => typeof name === "string" ? context.env(name) : undefined,
  });
}
