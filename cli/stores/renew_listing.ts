import { loadLate } from "../load_late.ts";
import type { OpenedStore } from "./opened_store.ts";
import type { Session } from "../session.ts";

/** Writes the listing of a folder anew, where there is one: it may lag, and should not stay behind. */
export async function renewListing(
  session: Session,
  { store }: OpenedStore,
): Promise<void> {
  if (store.localPath === undefined) return;
  const { existsSync } = await import("node:fs");
  if (!existsSync(store.localPath("listing"))) return;
  const { run } = await loadLate(
    "stores/write_listing_again",
  ) as typeof import("./write_listing_again.ts");
  await run(session, store);
}
