import type { NamedRecord } from "@snap/snapshot/records";
import type { PeerSession, RecordSet } from "../peer/peer.ts";

/** Records that are looked at to find those that are most alike. */
const SHARED_MAX = 4096;

/**
 * Reads records that both sides have, from the nearer one.
 *
 * @param a A side.
 * @param b The other side.
 * @param mine What the first has.
 * @param theirs What the second has.
 * @returns The records.
 */
export async function readShared(
  a: PeerSession,
  b: PeerSession,
  mine: RecordSet,
  theirs: RecordSet,
): Promise<NamedRecord[]> {
  const known = new Set(theirs.live.map(({ record }) => record));
  const names = mine.live.filter(({ record }) => known.has(record))
    .slice(0, SHARED_MAX);
  const near = a.isRemote && !b.isRemote ? b : a;
  const documents = await near.readRecords(names);
  return documents.filter((one) => one !== undefined)
    .map(({ record }) => record);
}
