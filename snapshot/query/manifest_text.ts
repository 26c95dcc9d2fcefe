import { formatTrees, type TextOptions } from "@snap/manifest/text";
import type { ObjectSource } from "../view/manifest_source.ts";
import { type SideIds, type SideOptions, snapshotSide } from "./diff.ts";

export type { TextOptions } from "@snap/manifest/text";

/**
 * Writes a snapshot, or a directory that was identified, as text: one line for
 * each entry, so that two texts differ in the lines of entries that differ.
 *
 * @param objects What reads its trees and pages.
 * @param ids The ids of its tree and its page: a record, or an entry of a view.
 * @param options What a line has: attributes are left out unless asked for.
 * @returns Batches of lines, without line breaks.
 * @throws {DamageError} If a tree or page is damaged in every copy.
 */
export function manifestText(
  objects: ObjectSource,
  ids: SideIds,
  options: TextOptions = {},
): AsyncGenerator<string[], void, void> {
  const { attributes = false, signal } = options;
  const sideOptions: SideOptions = { attributes };
  if (signal !== undefined) sideOptions.signal = signal;
  return formatTrees(snapshotSide(objects, ids, sideOptions), options);
}
