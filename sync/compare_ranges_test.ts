import { deepStrictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { compareRanges, wholeRanges } from "./compare_ranges.ts";
import { FORGOTTEN_KIND, RECORD_KIND } from "./protocol/sections.ts";

Deno.test("a record whose removal was interrupted is listed in both sets, as what each holds", () => {
  const record = hasher.idOf(new Uint8Array(1));
  const tree = hasher.idOf(new Uint8Array(2));
  const set = { live: [{ record, tree }], forgotten: [record] };
  const asked = wholeRanges({ live: [], forgotten: [] }, hasher);
  const { listed, ids } = compareRanges(set, asked, 8, hasher);
  deepStrictEqual(listed, [0, 1]);
  deepStrictEqual(
    [ids.count, ids.kinds[0], ids.kinds[2]],
    [3, RECORD_KIND, FORGOTTEN_KIND],
  );
});
