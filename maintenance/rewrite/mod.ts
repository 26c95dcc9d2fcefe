/**
 * Snapshots without some of their paths, written anew over contents that are there.
 *
 * @module
 */
export * from "./rewrite_snapshot.ts";
export type { RewriteRules, RewriteScope } from "./tree_rewriter.ts";
