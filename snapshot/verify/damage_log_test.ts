import { deepEqual, equal } from "node:assert/strict";
import { parseId } from "@snap/hash";
import { DamageLog } from "./damage_log.ts";

const id = parseId("a".repeat(64));

Deno.test("DamageLog counts a path once for each thing that it needs, however often", () => {
  const log = new DamageLog();
  const found = {
    subject: "object",
    reason: "disk",
    message: "",
    id,
    kind: 1,
  } as const;
  const at = (name: string) => ({
    snapshot: id,
    path: new TextEncoder().encode(name),
  });
  for (const name of ["a", "a", "b", "c", "d", "e", "f", "f"]) {
    log.add(found, at(name));
    log.addPathOf(1, id, at(name));
  }
  equal(log.count, 1);
  equal(log.damages[0].pathCount, 6);
  deepEqual(log.damages[0].paths, ["a", "b", "c", "d", "e"].map(at));
});
