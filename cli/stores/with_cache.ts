import { cacheFolder, openCacheStore } from "@snap/store/cache";
import { expandHome } from "../config/expand_home.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";
import type { FarCache, OpenedStore } from "./opened_store.ts";

/** Puts a cache around a store; without a place that may be written to, the store stays as it is. */
export async function withCache(
  session: Session,
  opened: OpenedStore,
  place: FarCache,
): Promise<OpenedStore> {
  const root = await cacheRoot(session, place);
  if (root === undefined) return opened;
  const { budget } = place;
  const { store, location, identity = location } = opened;
  const cache = openCacheStore(store, {
    location: identity,
    folder: root,
    ...(budget !== undefined && { budget }),
  });
  return {
    ...opened,
    store: cache,
    cache: cache.figures,
    async [Symbol.asyncDispose]() {
      try {
        await cache[Symbol.asyncDispose]();
      } finally {
        await opened[Symbol.asyncDispose]();
      }
      const { failure } = cache.figures;
      if (failure === undefined) return;
      session.detail(
        `Cannot keep what was read in ${root}: ${(failure as Error).message}`,
      );
    },
  };
}

/** The folder of all caches, if there is one that may be written to. */
export async function cacheRoot(
  session: Session,
  { folder }: Pick<FarCache, "folder">,
): Promise<string | undefined> {
  const root = folder === undefined
    ? ownFolder(session)
    : await resolvePath(session, expandHome(session, folder));
  return root !== undefined && isAllowed(session, root) ? root : undefined;
}

/** The user's own folder, if the environment tells it. */
function ownFolder({ context }: Session): string | undefined {
  const XDG_CACHE_HOME = context.env("XDG_CACHE_HOME");
  const HOME = context.env("HOME");
  if (!XDG_CACHE_HOME && !HOME) return undefined;
  return cacheFolder({ XDG_CACHE_HOME, HOME });
}

function isAllowed({ context }: Session, folder: string): boolean {
  return context.isAllowed?.("read", folder) !== false &&
    context.isAllowed?.("write", folder) !== false;
}
