import type { FileStore } from "@snap/store/file";
import type { OpenedStore } from "./opened_store.ts";
import type { Session } from "../session.ts";

/** Writes the listing of a folder anew, where there is one: it may lag, and should not stay behind. */
export async function renewListing(
  session: Session,
  { store }: OpenedStore,
): Promise<void> {
  if (store.localPath === undefined) return;
  const { stat } = await import("node:fs/promises");
  try {
    await stat(store.localPath("listing"));
  } catch {
    return;
  }
  const { writeListing } = await import("@snap/store/http");
  try {
    await writeListing(store as FileStore, { signal: session.signal });
  } catch (error) {
    session.signal.throwIfAborted();
    session.warn(
      `Cannot write the listing anew, so that readers behind a web server do not see what is new: ${
        (error as Error).message
      }`,
    );
  }
}
