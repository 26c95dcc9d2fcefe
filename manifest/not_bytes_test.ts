import { throws } from "node:assert/strict";
import { AttributePage } from "./page/attribute_page.ts";
import { EntryKind } from "./entry_kind.ts";
import { decodeExtras, encodeExtras } from "./extras/extras.ts";
import { decodeHoles } from "./extras/holes.ts";
import { PageDraft } from "./page/page_draft.ts";
import { displayPath, joinPath, pathToText, splitPath } from "./path/path.ts";
import { Tree } from "./tree/tree.ts";
import { TreeDraft } from "./tree/tree_draft.ts";

const OTHERS = ["a".repeat(32), undefined, [1, 2], new ArrayBuffer(32)];

Deno.test("manifest: what is not bytes is a TypeError", () => {
  const bytes = new Uint8Array(32);
  const names = Uint8Array.of(97);
  const tree = (kind: EntryKind): TreeDraft => {
    const draft = new TreeDraft({ rowsMax: 1, names, ends: Uint32Array.of(1) });
    draft.add(kind);
    return draft;
  };
  for (const value of OTHERS as unknown as Uint8Array[]) {
    const calls: (() => unknown)[] = [
      () => Tree.decode(value),
      () => AttributePage.decode(value),
      () => decodeExtras(value),
      () => decodeHoles(value),
      () => encodeExtras({ xattrs: [{ name: value, size: 0, value: bytes }] }),
      () => displayPath(value),
      () => pathToText(value),
      () => splitPath(value),
      () => joinPath(value, bytes),
      () => joinPath(bytes, value),
      () => tree(EntryKind.file).setContent(0, 5, value),
      () => tree(EntryKind.directory).setTree(0, value),
      () => tree(EntryKind.symlink).setTarget(0, value),
      () => new PageDraft(1).setExtras(0, value),
    ];
    for (const call of calls) throws(call, TypeError, `${call}: ${value}`);
  }
});
