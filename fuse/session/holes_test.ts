import { strictEqual } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import { dataSize, seekData, seekHole } from "./holes.ts";

/** Says of each byte whether it is in a hole. */
function paint(holes: Float64Array, fileSize: number): boolean[] {
  const isHole = new Array<boolean>(fileSize).fill(false);
  for (let i = 0; i < holes.length; i += 2) {
    const end = Math.min(fileSize, holes[i] + holes[i + 1]);
    isHole.fill(true, Math.min(fileSize, holes[i]), end);
  }
  return isHole;
}

seededTest("holes are found as byte by byte", (prng) => {
  const fileSize = prng.below(64);
  const holes: number[] = [];
  let at = prng.below(3);
  // Some begin or end behind the end of the file, as nobody has compared them with it.
  while (at < fileSize + prng.below(9)) {
    const size = 1 + prng.below(7);
    holes.push(at, size);
    at += size + prng.below(5);
  }
  const list = Float64Array.from(holes);
  const isHole = paint(list, fileSize);
  strictEqual(dataSize(list, fileSize), isHole.filter((hole) => !hole).length);
  for (let offset = 0; offset < fileSize + 5; offset++) {
    strictEqual(
      seekData(list, fileSize, offset),
      isHole.indexOf(false, offset),
    );
    const hole = isHole.indexOf(true, offset);
    const expected = offset >= fileSize ? -1 : hole < 0 ? fileSize : hole;
    strictEqual(seekHole(list, fileSize, offset), expected);
  }
});
