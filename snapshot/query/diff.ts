/**
 * Snapshots, and directories that were identified, side by side.
 *
 * @module
 */
import { type Id, idToBytes } from "@snap/hash";
import { type Change, type DiffSide, diffTrees } from "@snap/manifest/diff";
import type { StoreOptions } from "@snap/store";
import { Batched } from "../view/batched.ts";
import { ManifestSource, type ObjectSource } from "../view/manifest_source.ts";

export type { Change, ChangeKind, DiffSide } from "@snap/manifest/diff";
export type { ObjectSource } from "../view/manifest_source.ts";

/** Ids of a directory of a snapshot: a record, or an entry of a view. */
export interface SideIds {
  /** Its tree: an id, or its 32 bytes. */
  readonly tree: Id | Uint8Array;
  /** Its page; without it no attributes are read. */
  readonly page?: Id | Uint8Array;
}

/** Options of {@linkcode snapshotSide}. */
export interface SideOptions extends StoreOptions {
  /**
   * Whether attributes are read, too.
   *
   * @default {true}
   */
  attributes?: boolean;
}

/**
 * Makes a directory one side of a comparison.
 *
 * @param objects What reads its trees and pages: a store reader, or what identified a directory.
 * @param ids The ids of its tree and its page.
 * @param options Whether attributes are read, what ends the wait.
 * @returns The side.
 */
export function snapshotSide(
  objects: ObjectSource,
  ids: SideIds,
  options: SideOptions = {},
): DiffSide {
  const { attributes = true, signal } = options;
  const source = new ManifestSource(objects, signal);
  const treeId = idToBytes(ids.tree);
  if (!attributes || ids.page === undefined) return { source, treeId };
  return { source, treeId, pageId: idToBytes(ids.page) };
}

/**
 * Compares two sides. Changes come in the order of a walk; what is below
 * directories with equal ids is not read.
 *
 * @param before What there was; `undefined` for nothing.
 * @param after What there is; `undefined` for nothing.
 * @param options What ends the comparison.
 * @returns Changes, one by one or in batches.
 * @throws {DamageError} If a tree or page is damaged in every copy.
 * @throws {ManifestSyntaxError} If a tree or page is not one.
 */
export function diffSnapshots(
  before: DiffSide | undefined,
  after: DiffSide | undefined,
  options: StoreOptions = {},
): Batched<Change> {
  const { signal } = options;
  return new Batched(() => diffTrees(before, after, signal && { signal }));
}
