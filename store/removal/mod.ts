/**
 * Removal beside writers: leases, rounds, marks. The documents and nothing else:
 * what a pack or a record is nobody knows here.
 *
 * @example A save that was stopped over a whole round
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { appendStep, listLeases, openLease, readRound } from "@snap/store/removal";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * const saveId = new Uint8Array(16);
 * const lease = await openLease(store, { saveId, action: "save" });
 * const { number } = await readRound(store);
 * const pruner = { saveId: new Uint8Array(16).fill(1) };
 * const packs = ["ab".repeat(32)];
 * await appendStep(store, number + 1, { step: "condemned", packs }, pruner);
 *
 * const round = await readRound(store);
 * strictEqual(round.condemned.has(packs[0]), true);
 * strictEqual((await listLeases(store)).get(lease.saveId)?.isOver, false);
 * await lease.end();
 * strictEqual((await listLeases(store)).size, 0);
 * ```
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./lease.ts";
export {
  type LeaseHolder,
  LEASES_PREFIX,
  type LeaseState,
  listLeases,
  type ListLeasesOptions,
  readLease,
  readSaveIds,
} from "./leases.ts";
export {
  type BadPackOptions,
  createVoid,
  listBadPacks,
  listVoidSaves,
  markBadPack,
  type MarkOptions,
} from "./marks.ts";
export * from "./renewal.ts";
export * from "./round.ts";
