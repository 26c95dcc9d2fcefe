/**
 * A server of the Model Context Protocol: an agent saves, compares and restores
 * directories, and never leaves them.
 *
 * @module
 */
export type { ServerIdentity } from "./make_server.ts";
export type { OpenedSnapshots } from "./opened_snapshots.ts";
export type { Root, Roots } from "./roots/roots.ts";
export * from "./serve_mcp.ts";
export type { ServiceOptions } from "./service.ts";
