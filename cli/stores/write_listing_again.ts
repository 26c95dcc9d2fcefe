import type { PruneStore } from "@snap/store";
import type { FileStore } from "@snap/store/file";
import { writeListing } from "@snap/store/http";
import type { Session } from "../session.ts";

/** Writes the listing of a folder anew; that it cannot be written undoes nothing. */
export async function run(session: Session, store: PruneStore): Promise<void> {
  const { signal } = session;
  try {
    await writeListing(store as FileStore, { signal });
  } catch (error) {
    signal.throwIfAborted();
    session.warn(
      `Cannot write the listing anew, so that readers behind a web server do not see what is new: ${
        (error as Error).message
      }`,
    );
  }
}
