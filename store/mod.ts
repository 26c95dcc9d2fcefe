/**
 * Stores: where packs, indexes, snapshots and tags live. A store knows names and
 * bytes and nothing else, and a name is created once and never overwritten.
 *
 * @example A tag in a store in memory
 * ```ts
 * import { initStore, MemoryStore, TagStore } from "@snap/store";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const tags = new TagStore(store);
 * await tags.append("main", { time: "2026-11-20T05:46:18.000000000Z", tree: "aa", record: "bb" });
 * strictEqual((await tags.newest("main"))?.number, 1);
 * ```
 *
 * The contract suite that every store passes, and a store that fails on purpose,
 * are in `@snap/store/testing`.
 *
 * @module
 */
export * from "./document.ts";
export * from "./errors.ts";
export * from "./file_store.ts";
export * from "./find_store.ts";
export * from "./header.ts";
export * from "./memory_store.ts";
export * from "./once_store.ts";
export * from "./read_document.ts";
export * from "./settings.ts";
export type * from "./store.ts";
export * from "./store_config.ts";
export * from "./store_name.ts";
export * from "./tag_store.ts";
