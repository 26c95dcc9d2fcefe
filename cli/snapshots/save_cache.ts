import { join } from "node:path";
import type { ChangeFinder } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type { OpenedStore } from "../stores/opened_store.ts";

/**
 * Opens what is kept on this machine of the saves before, so that a save looks for what
 * has changed since.
 *
 * @param host The host of the save.
 * @returns What finds changes; nothing where the user wants no cache or has no folder for one.
 */
export async function openSaveCache(
  session: Session,
  { snapshots, opened, host }: {
    readonly snapshots: Snapshots;
    readonly opened: OpenedStore;
    readonly host: string | undefined;
  },
): Promise<ChangeFinder | undefined> {
  const { settingOf } = await loadLate(
    "config/settings",
  ) as typeof import("../config/settings.ts");
  if ((await settingOf(session, "no-cache")).value === true) return undefined;
  const folder = (await settingOf(session, "cache-dir")).value;
  const { cacheRoot } = await loadLate(
    "stores/with_cache",
  ) as typeof import("../stores/with_cache.ts");
  const root = await cacheRoot(session, {
    folder: folder as string | undefined,
  });
  if (root === undefined) return undefined;
  const { StatCache } = await import("@snap/save/rows");
  const { identity = opened.location } = opened;
  return new StatCache({
    folder: join(root, "rows"),
    key: JSON.stringify([identity, host]),
    hasher: snapshots.hasher,
  });
}
