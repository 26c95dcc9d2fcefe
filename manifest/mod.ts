/**
 * What a snapshot says: trees, which name the entries of directories, and attribute
 * pages, which hold what does not change an id.
 *
 * Both are views over bytes: {@linkcode Tree.decode} and
 * {@linkcode AttributePage.decode} take exactly one canonical form and refuse the
 * rest; rows are read by number, without an object for each.
 *
 * @example Build a tree and read it
 * ```ts
 * import { displayPath, EntryKind, joinPieces, Tree, TreeDraft } from "@snap/manifest";
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
 * @module
 */
export * from "./attribute_page.ts";
export * from "./diff.ts";
export * from "./draft_owners.ts";
export * from "./entry_kind.ts";
export * from "./entry_row.ts";
export * from "./extras.ts";
export * from "./extras_reader.ts";
export * from "./holes.ts";
export * from "./limits.ts";
export * from "./manifest_syntax_error.ts";
export * from "./page_draft.ts";
export * from "./path.ts";
export * from "./path_pattern.ts";
export * from "./random_bytes.ts";
export * from "./safe_name.ts";
export * from "./text.ts";
export * from "./tree.ts";
export * from "./tree_draft.ts";
export * from "./wide_page.ts";
export * from "./wide_tree.ts";
