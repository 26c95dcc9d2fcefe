/**
 * Removes what no record needs, and writes again what is stored wastefully, beside
 * those who save, read and copy.
 *
 * @module
 */
export * from "./errors.ts";
export type { PruneHolder } from "./leases.ts";
export type { PruneOptions, PruneSource } from "./options.ts";
export * from "./prune.ts";
export type { PrunePhase, PruneProgress, PruneReport } from "./report.ts";
