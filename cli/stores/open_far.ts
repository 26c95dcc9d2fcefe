import { Meter } from "@snap/store/wrap";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type { OpenStoreOptions } from "./open_store.ts";
import type { FarPlace, FarStoreModule, OpenedStore } from "./opened_store.ts";
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
  { url, scheme, settings, limits }: FarPlace,
  { create = false }: OpenStoreOptions,
): Promise<OpenedStore> {
  const module = await OPENERS[scheme]() as FarStoreModule;
  const { signal } = session;
  const opened = await module.open(url, {
    settings,
    limiter: storeLimiter(session, limits),
    meter: new Meter(),
    isNew: create,
    env: environmentOf(session),
    signal,
    detail: (message) => session.detail(message),
  });
  session.meter = opened.meter;
  return opened;
}

/** The environment as a record, of which nothing is read that nobody asks for. */
function environmentOf(
  { context }: Session,
): Readonly<Record<string, string | undefined>> {
  return new Proxy({}, {
    get: (_, name) => typeof name === "string" ? context.env(name) : undefined,
  });
}
