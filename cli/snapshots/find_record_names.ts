import type { RecordName } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";
import { resolveRecord } from "./resolve_record.ts";

const ID = /^([0-9a-f]{4,64})(?:@([0-9a-f]{4,64}))?$/i;
/** Names of records that an error lists. */
const TOLD_MAX = 5;

/**
 * Finds the one record that each text names. Other than where one is read, an id
 * must not stand for several records; and a record that is damaged can be named.
 *
 * @returns The records, in the order of the texts.
 * @throws {SnapshotNotFoundError} If nothing has one of these names.
 * @throws {CommandError} If several records have one of these names.
 */
export async function findRecordNames(
  session: Session,
  snapshots: Snapshots,
  texts: readonly string[],
): Promise<RecordName[]> {
  const { listRecordNames, listTags } = await import("@snap/snapshot/records");
  const { signal } = session;
  const names = await listRecordNames(snapshots.store, { signal });
  const tags = new Set<string>();
  for (const { tag } of await listTags(snapshots, { signal })) tags.add(tag);
  const found: RecordName[] = [];
  for (const text of texts) {
    const match = tags.has(text) ? null : ID.exec(text.toLowerCase());
    const [, id = "", own = ""] = match ?? [];
    const isNamed = ({ tree, record }: RecordName): boolean =>
      tree.startsWith(id) && record.startsWith(own) ||
      own === "" && record.startsWith(id);
    const fits = match === null ? [] : names.filter(isNamed);
    if (fits.length > 1) throw severalError(text, fits);
    found.push(fits[0] ?? await resolveRecord(session, snapshots, text));
  }
  return found;
}

function severalError(
  text: string,
  names: readonly RecordName[],
): CommandError {
  const texts = names.slice(0, TOLD_MAX)
    .map(({ tree, record }) => `${tree.slice(0, 12)}@${record.slice(0, 12)}`);
  const more = names.length > TOLD_MAX ? ", …" : "";
  return new CommandError(
    `Cannot use ${JSON.stringify(text)}: ${names.length} records have this id`,
    `one of them is named by ${texts.join(", ")}${more}`,
  );
}
