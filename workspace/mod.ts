/**
 * A directory of which a process keeps in mind what was saved last.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { Workspace } from "@snap/workspace";
 * import assert from "node:assert/strict";
 * import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/workspace-");
 * writeFileSync(`${folder}/letter`, "dear");
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 *
 * const workspace = new Workspace(snapshots, folder);
 * const { record } = await workspace.save();
 * writeFileSync(`${folder}/letter`, "cheap");
 * await workspace.save(); // Opens what has changed.
 * await workspace.restore(record);
 * assert.equal(readFileSync(`${folder}/letter`, "utf8"), "dear");
 *
 * await workspace[Symbol.asyncDispose]();
 * await snapshots[Symbol.asyncDispose]();
 * ```
 *
 * @module
 */
export * from "./workspace.ts";
