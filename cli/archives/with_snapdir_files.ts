import {
  MANIFESTS,
  OBJECTS,
  openFarFiles,
  openFolderFiles,
  type SnapdirFiles,
} from "@snap/formats/snapdir";
import { UsageError } from "../arguments/usage_error.ts";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import { placeOf } from "../stores/locate_store.ts";
import { withoutPassword } from "../stores/store_address.ts";

/**
 * Opens a store of snapdir, a folder or an address that both programs know, and
 * closes it.
 *
 * @param text TARGET or SOURCE, as it was given.
 * @throws {UsageError} If it is another kind of address.
 */
export async function withSnapdirFiles<T>(
  session: Session,
  text: string,
  use: (files: SnapdirFiles) => Promise<T>,
): Promise<T> {
  // As snapdir writes it.
  const path = text.replace(/^file:\/\/(?=\/)/, "");
  const place = await placeOf(session, path, { isNew: true });
  if (place.kind === "folder") {
    return await use(await openFolderFiles(place.path));
  }
  if (place.scheme !== "s3" && place.scheme !== "sftp") {
    throw new UsageError(
      `Cannot use ${
        JSON.stringify(withoutPassword(text))
      } as a store of snapdir: it is no folder, s3:// or sftp://`,
    );
  }
  const { openFar } = await loadLate(
    "stores/open_far",
  ) as typeof import("../stores/open_far.ts");
  const open = (folder: string) => {
    const url = below(place.url, folder);
    return openFar(session, { ...place, url }, { create: true });
  };
  const objects = await open(OBJECTS);
  try {
    const manifests = await open(MANIFESTS);
    try {
      const location = withoutPassword(place.url);
      return await use(openFarFiles({
        ...{ location, objects: objects.store, manifests: manifests.store },
      }));
    } finally {
      await manifests[Symbol.asyncDispose]();
    }
  } finally {
    await objects[Symbol.asyncDispose]();
  }
}

/** The address of a folder in an address, which may have parameters. */
function below(url: string, folder: string): string {
  const [, place, parameters] = /^([^?]*?)\/*(\?.*)?$/s.exec(url)!;
  return `${place}/${folder}${parameters ?? ""}`;
}
