/**
 * Contents of a snapshot: trees, which name the entries of directories, and attribute
 * pages, which hold what does not change an id.
 *
 * Both are views over bytes: {@linkcode Tree.decode} and
 * {@linkcode AttributePage.decode} take exactly one canonical form and refuse the
 * rest; rows are read by number, without an object for each.
 *
 * @example Build a tree and read it
 * ```ts
 * import { displayPath } from "@snap/manifest/path";
 * import { EntryKind } from "@snap/manifest/extras";
 * import { joinPieces } from "@snap/manifest";
 * import { Tree } from "@snap/manifest";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const names = new TextEncoder().encode("inout");
 * const draft = new TreeDraft({ rowsMax: 2, names, ends: Uint32Array.of(2, 5) });
 * draft.add(EntryKind.fifo);
 * draft.add(EntryKind.fifo);
 *
 * const tree = Tree.decode(joinPieces(draft.finish()));
 * const found = Array.from({ length: tree.count }, (_, row) => displayPath(tree.name(row)));
 * deepStrictEqual(found, ["in", "out"]);
 * ```
 *
 * The parts have entry points of their own:
 *
 * - `@snap/manifest/diff`
 * - `@snap/manifest/draft`: trees and attribute pages of which not everything is known yet
 * - `@snap/manifest/extras`: what an entry has beside its row: extended attributes and holes; kinds and limits
 * - `@snap/manifest/path`: paths and names: what is safe, and how they are shown
 * - `@snap/manifest/pattern`: patterns of paths, as gitignore has them
 * - `@snap/manifest/text`
 * - `@snap/manifest/time`: times as they are written
 *
 * @module
 */
export type { EntryRow } from "./entry_row.ts";
export * from "./page/attribute_page.ts";
export * from "./page/page_owners.ts";
export * from "./random_bytes.ts";
export * from "./tree/tree.ts";
