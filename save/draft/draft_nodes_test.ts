import { throws } from "node:assert/strict";
import { EntryKind } from "@snap/manifest/extras";
import { DraftNodes } from "./draft_nodes.ts";

Deno.test("entries have a number at most", () => {
  const nodes = new DraftNodes(2);
  const attributes = { mode: 0, mtimeSec: 0, mtimeNs: 0, owner: 0 };
  nodes.add(EntryKind.file, attributes);
  nodes.add(EntryKind.file, attributes);
  throws(() => nodes.add(EntryKind.file, attributes), {
    name: "EntryError",
    message: "Cannot save entries: there are more than 2",
  });
});
