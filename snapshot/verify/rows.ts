import { isPageRequest, type Location } from "@snap/pack";
import { COPIES_MAX } from "@snap/pack/index";
import type { StoreIndex } from "@snap/pack/read";
import type { PackTable } from "@snap/pack/write";
import type { StoreOptions } from "@snap/store";

/** Differences of an index and the table of a pack. */
export interface RowDifferences {
  /** Objects of the pack that the index does not place in it. */
  absentCount: number;
  /** Objects that the index places elsewhere in the pack, or at another size. */
  wrongCount: number;
  /** Rows of the index that are right. */
  rightCount: number;
  /** Whether all rows of the index were seen: no object has too many copies. */
  isComplete: boolean;
}

/** Compares what an index says of a pack with the table of the pack. */
export async function compareRows(
  storeIndex: StoreIndex,
  pack: { readonly name: string; readonly role: number },
  table: PackTable,
  options: StoreOptions,
): Promise<RowDifferences> {
  const { index } = storeIndex;
  const found: RowDifferences = {
    absentCount: 0,
    wrongCount: 0,
    rightCount: 0,
    isComplete: true,
  };
  for (let row = 0; row < table.objectCount; row++) {
    const start = table.idStart(row);
    const kind = table.kind(row);
    const question = () => index.locateAll(table.bytes, start, kind);
    let answer = question();
    if (isPageRequest(answer)) answer = await storeIndex.ask(question, options);
    if (answer.length === COPIES_MAX) found.isComplete = false;
    let copyCount = 0;
    for (let i = 0; i < answer.length; i++) {
      const location = answer[i];
      if (location.packName !== pack.name) continue;
      copyCount++;
      if (isRight(location, pack.role, table, row)) found.rightCount++;
      else found.wrongCount++;
    }
    if (copyCount === 0 && answer.length < COPIES_MAX) found.absentCount++;
  }
  return found;
}

function isRight(
  location: Location,
  role: number,
  table: PackTable,
  row: number,
): boolean {
  const frame = table.frame(row);
  return location.role === role && location.size === table.size(row) &&
    location.offset === table.offset(row) &&
    location.frameOffset === table.frameOffset(frame) &&
    location.storedSize === table.storedSize(frame) &&
    location.plainSize === table.plainSize(frame) &&
    location.codecTag === table.codecTag(frame) &&
    location.crc === table.crc(frame);
}
