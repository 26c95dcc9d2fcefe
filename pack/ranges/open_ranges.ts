import type { ReadStore } from "@snap/store";
import { LocalRanges } from "./local_ranges.ts";
import type { AwaitedRanges } from "./ranges.ts";
import { RemoteRanges, type RemoteRangesOptions } from "./remote_ranges.ts";

/**
 * The beginning of the path of every file of a store, if it has files.
 *
 * @param store The store
 * @returns The prefix; `undefined` if this program may not open its files
 */
export function localPrefix(store: ReadStore): string | undefined {
  const name = "index/0";
  const path = store.localPath?.(name);
  return path?.endsWith(name) ? path.slice(0, -name.length) : undefined;
}

/** Ranges of a store, to be closed by the caller. */
export type OpenRanges = AwaitedRanges & AsyncDisposable;

/** Options of {@linkcode openRanges}. */
export interface OpenRangesOptions {
  /** Bytes of a local file read at once where ranges follow each other; as much as is asked for if left out. */
  readonly aheadSize?: number;
  /** How a store is read whose files this program may not open itself. */
  readonly far?: RemoteRangesOptions;
}

/**
 * Opens the ranges of a store: of its files where this program may open them itself,
 * or else of what the store answers.
 *
 * @param store The store
 * @param options How they are read
 * @returns Its ranges; nothing was read yet
 */
export async function openRanges(
  store: ReadStore,
  { aheadSize, far }: OpenRangesOptions = {},
): Promise<OpenRanges> {
  if (store.localPath === undefined) return new RemoteRanges(store, far);
  // Costs 10 ms at the start of a program: only those pay who need it.
  const { nodeFiles: calls } = await import("./node_files.ts");
  const pathOf = (name: string): string => store.localPath!(name);
  const ahead = aheadSize === undefined ? {} : { aheadSize };
  return new LocalRanges({ ...ahead, pathOf, calls });
}
