import { checkBytes } from "./check_bytes.ts";
import { ID_SIZE } from "./id.ts";

/** Throws a RangeError if `out` has no room for an id at `outOffset`. */
export function checkOut(out: Uint8Array, outOffset: number): void {
  checkBytes(out, "place of the id");
  if (outOffset >= 0 && outOffset + ID_SIZE <= out.length) return;
  throw new RangeError(
    `Cannot write id at ${outOffset} of ${out.length} bytes: it needs ${ID_SIZE}`,
  );
}
