import type { Id } from "@snap/hash";
import type { SideIds } from "@snap/snapshot/query";
import type { ObjectReads } from "@snap/snapshot/reach";
import { formatLine } from "./manifest_line.ts";
import { ManifestPieces } from "./manifest_pieces.ts";
import {
  type LeftOut,
  type ManifestOptions,
  ManifestWalk,
} from "./manifest_walk.ts";

/** What came out of a manifest that was written. */
export interface WrittenManifest {
  /** The id that snapdir has for it: BLAKE3 of the text. */
  readonly id: Id;
  /** What has no line in it. */
  readonly leftOut: LeftOut;
}

/**
 * Writes the manifest that snapdir has for a directory, byte for byte.
 *
 * @param objects What reads trees and pages: of a store, or of an identified directory.
 * @param ids The ids of its tree and its page.
 * @param options The hasher, and whether links are followed.
 * @param onPiece Takes the text, piece by piece; nobody if left out.
 * @returns Its id, and what has no line in it.
 * @throws {ExportError} If a name cannot stand in a manifest.
 * @throws {DamageError} If a directory is damaged in every copy.
 */
export async function writeManifest(
  objects: ObjectReads,
  ids: Required<SideIds>,
  options: ManifestOptions,
  onPiece?: (piece: Uint8Array) => Promise<void>,
): Promise<WrittenManifest> {
  const walk = new ManifestWalk(objects, ids, options);
  const id = options.hasher.stream();
  const pieces = new ManifestPieces();
  const hand = async (piece: Uint8Array): Promise<void> => {
    id.update(piece);
    await onPiece?.(piece);
  };
  for await (const line of walk.lines()) {
    const piece = pieces.add(formatLine(line));
    if (piece !== undefined) await hand(piece);
  }
  await hand(pieces.take());
  return { id: id.digest(), leftOut: walk.leftOut };
}
