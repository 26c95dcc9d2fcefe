import { idToBytes } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { RecordName } from "@snap/snapshot/records";
import { ObjectRows } from "../object_rows.ts";
import { RECORD_KIND } from "../protocol/sections.ts";

/** Rows that name records: each id of a record is followed by that of its tree. */
export function nameRows(names: readonly RecordName[]): ObjectRows {
  const rows = new ObjectRows();
  for (const { record, tree } of names) {
    rows.add(idToBytes(record), 0, RECORD_KIND, 0);
    rows.add(idToBytes(tree), 0, ObjectKind.tree, 0);
  }
  return rows;
}
