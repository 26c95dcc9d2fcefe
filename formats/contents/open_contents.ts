import { localPrefix } from "@snap/pack/read";
import type { Snapshots } from "@snap/snapshot";
import type { View } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import type { Contents } from "./contents.ts";
import { FarContents } from "./far_contents.ts";
import { NearContents } from "./near_contents.ts";

/** What {@linkcode openContents} opens. */
export interface OpenContentsOptions extends StoreOptions {
  /** The snapshot whose files are wanted. */
  readonly view: View;
  /** Workers that read them. */
  readonly workers?: number | undefined;
}

/** Opens the contents of a snapshot's files, to be read ahead. */
export async function openContents(
  snapshots: Snapshots,
  { view, workers = 0, signal }: OpenContentsOptions,
): Promise<Contents> {
  const prefix = localPrefix(snapshots.store);
  const options = signal && { signal };
  return prefix === undefined
    ? new FarContents(view, { ...options })
    : await NearContents.open({ ...options, snapshots, view, prefix, workers });
}
