// Tables of packs that lie, for tests. Not part of the package.
import { compareBytes } from "@snap/hash";
import { PackTable } from "@snap/pack/write";

/** A row of an object in the table of a pack. */
export interface TestRow {
  id: Uint8Array;
  kind: number;
  frame: number;
  offset: number;
  size: number;
}

/** Makes another table of that of a pack. */
export function changeTable(
  table: PackTable,
  change: (rows: TestRow[]) => void,
): PackTable {
  const rows = Array.from({ length: table.objectCount }, (_, row): TestRow => ({
    id: table.idBytes(row),
    kind: table.kind(row),
    frame: table.frame(row),
    offset: table.offset(row),
    size: table.size(row),
  }));
  change(rows);
  rows.sort((a, b) => compareBytes(a.id, b.id) || a.kind - b.kind);
  const bytes = new Uint8Array(table.objectsStart + 48 * rows.length);
  bytes.set(table.bytes.subarray(0, table.objectsStart));
  const view = new DataView(bytes.buffer);
  rows.forEach(({ id, kind, frame, offset, size }, row) => {
    const at = table.objectsStart + 48 * row;
    bytes.set(id, at);
    [kind, frame, offset, size].forEach((value, i) =>
      view.setUint32(at + 32 + 4 * i, value, true)
    );
  });
  const { frameCount, tableOffset, objectsStart } = table;
  const objectCount = rows.length;
  const own = { bytes, frameCount, objectCount, tableOffset, objectsStart };
  // Not decoded: that would refuse what lies.
  return Object.assign(Object.create(PackTable.prototype), own);
}
