import type { Id } from "@snap/hash";
import type { PeerSession, RecordDifference, RecordSet } from "../peer/peer.ts";

/** What two sides have. */
export interface Compared {
  /** What the first has. */
  readonly mine: RecordSet;
  /** What the second has. */
  readonly theirs: RecordSet;
  /** What they have not in common: `here` the first. */
  readonly apart: RecordDifference;
}

/**
 * Compares two sides. A server says what differs; one of two lists all that it has.
 *
 * @param a A side.
 * @param b The other side.
 * @returns What they have.
 */
export async function compareSides(
  a: PeerSession,
  b: PeerSession,
): Promise<Compared> {
  if (a.isRemote && !b.isRemote) {
    const { mine: theirs, theirs: mine, apart } = await compareSides(b, a);
    return { mine, theirs, apart: { here: apart.there, there: apart.here } };
  }
  const mine = await a.records();
  const { here, there } = await b.compare(mine);
  const apart = { here: there, there: here };
  return { mine, theirs: applied(mine, apart), apart };
}

/** What the other side has, from what this one has and what is apart. */
function applied(
  mine: RecordSet,
  { here, there }: RecordDifference,
): RecordSet {
  const gone = new Set(here.live.map(({ record }) => record));
  const never = new Set<Id>(here.forgotten);
  return {
    live: [
      ...mine.live.filter(({ record }) => !gone.has(record)),
      ...there.live,
    ],
    forgotten: [
      ...mine.forgotten.filter((id) => !never.has(id)),
      ...there.forgotten,
    ],
  };
}
