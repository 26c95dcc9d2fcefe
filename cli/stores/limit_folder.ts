import type { PruneStore } from "@snap/store";
import { Limiter, LimitStore } from "@snap/store/wrap";
import { settingOf } from "../config/settings.ts";
import type { Session } from "../session.ts";
import type { OpenedStore } from "./opened_store.ts";

/** A store in a folder of which all is read through the limit. */
class LimitedFolder extends LimitStore {
  /** None: whoever opens a file itself keeps no limit. */
  override readonly localPath: undefined = undefined;
}

/** Has a store in a folder read no faster than `--limit-rate` or the configuration allows. */
export async function limitFolder(
  session: Session,
  opened: OpenedStore,
): Promise<OpenedStore> {
  const { value } = await settingOf(session, "limit-rate");
  if (typeof value !== "number") return opened;
  const limiter = new Limiter({ bytesPerSecond: value });
  const store: PruneStore = new LimitedFolder(opened.store, limiter);
  return { ...opened, store };
}
