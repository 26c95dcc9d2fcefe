import type { LeftOut, WrittenManifest } from "@snap/formats/snapdir";
import { chooseHasher } from "../snapshots/choose_hasher.ts";
import type { Side } from "../snapshots/open_side.ts";
import type { Session } from "../session.ts";
import { formatCounted } from "../terminal/units.ts";

/** Writes the manifest of a directory as snapdir does, and says what has no line in it. */
export async function snapdirManifest(
  session: Session,
  { objects, ids }: Pick<Side, "objects" | "ids">,
  onPiece?: (piece: Uint8Array) => Promise<void>,
): Promise<WrittenManifest> {
  const { args, signal } = session;
  const { writeManifest } = await import("@snap/formats/snapdir");
  const hasher = await chooseHasher();
  const noFollow = args.has("no-follow");
  const options = { hasher, noFollow, signal };
  const written = await writeManifest(objects, ids, options, onPiece);
  tellLeftOut(session, written.leftOut);
  return written;
}

/** Says what snapdir cannot hold, or holds in another way. */
export function tellLeftOut(session: Session, leftOut: LeftOut): void {
  const { links, outsideLinks, circularLinks, specialFiles } = leftOut;
  const { hardLinks, xattrs } = leftOut;
  const parts = [
    [links, "link", "links"],
    [outsideLinks, "link out of it", "links out of it"],
    [circularLinks, "link to where it is", "links to where they are"],
    [specialFiles, "pipe or device", "pipes or devices"],
    [hardLinks, "name of a file with several", "names of files with several"],
    [xattrs, "entry's attributes", "entries' attributes"],
  ] as const;
  const told = parts.filter(([count]) => count > 0)
    .map(([count, one, many]) => formatCounted(count, one, many));
  if (told.length === 0) return;
  session.warn(`Left out what snapdir cannot hold: ${told.join(", ")}`, {
    leftOut,
  });
}
