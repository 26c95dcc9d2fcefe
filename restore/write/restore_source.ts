import { LocalRanges, nodeFiles, type Ranges } from "@snap/pack/recipe-content";

/** Most bytes of one read, where frames follow each other in a local pack. */
const LOCAL_AHEAD_SIZE = 512 * 1024;

/** The bytes of the store. */
export interface RestoreSource {
  /** Opens ranges; those that are local read ahead where frames follow each other. */
  readonly makeRanges: () => Ranges & Partial<Disposable>;
  /** Whether a range may be on its way. */
  readonly isFar: boolean;
}

/**
 * Makes the source of a store whose files this program may open itself.
 *
 * @param pathOf Gives the path of a file.
 * @returns The source.
 */
export function localSource(pathOf: (name: string) => string): RestoreSource {
  const options = { pathOf, calls: nodeFiles, aheadSize: LOCAL_AHEAD_SIZE };
  return { makeRanges: () => new LocalRanges(options), isFar: false };
}
