import { SyncError } from "../errors.ts";
import type { CopyOptions, SyncReport } from "../options.ts";
import type { Peer } from "../peer/peer.ts";
import type { RecordName } from "@snap/snapshot/records";
import { compareSides } from "./compare_sides.ts";
import { copyRecords } from "./copy_records.ts";
import { type Sides, withSides } from "./session.ts";
import { readShared } from "./shared.ts";

/**
 * Copies one snapshot: the record and all that it reaches, all or nothing.
 *
 * @param from Where it is.
 * @param to Where it goes.
 * @param record Which one.
 * @param options How.
 * @returns What was done.
 * @throws {SyncError} If it could not be copied.
 */
export async function copySnapshot(
  from: Peer,
  to: Peer,
  record: RecordName,
  options: CopyOptions = {},
): Promise<SyncReport> {
  return await withSides({ a: from, b: to }, options, async (sides) => {
    await copyOne(sides, record, options);
    const [error] = sides.report.errors;
    if (error !== undefined) throw error;
  });
}

async function copyOne(
  { a, b, report, context }: Sides,
  name: RecordName,
  options: CopyOptions,
): Promise<void> {
  const { mine, theirs } = await compareSides(a, b);
  const isThere = theirs.live.some(({ record }) => record === name.record);
  if (isThere && options.recheck !== true) return;
  const [document] = await a.readRecords([name]);
  if (document === undefined) {
    throw new SyncError(
      `Cannot copy record ${name.record}: ${a.info.location} does not have it`,
      { code: "GONE" },
    );
  }
  const shared = await readShared(a, b, mine, theirs);
  const work = { from: a, to: b, records: [document], shared, report, context };
  await copyRecords(work, options);
}
