import { checkView } from "../check_snapshots.ts";
import { EntryKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import type { StoreOptions } from "@snap/store";
import { Glob } from "./glob.ts";
import { Batched } from "../view/batched.ts";
import type { View } from "../view/view.ts";
import type { ViewEntry } from "../view/view_entry.ts";

/** A time, as attribute pages have it. */
export interface FindTime {
  /** Whole seconds since 1970. */
  readonly sec: number;
  /** Nanoseconds after that second. */
  readonly ns: number;
}

/** Conditions of {@linkcode find}: entries that meet all of them. */
export interface FindOptions extends StoreOptions {
  /** Where to look; the root if left out. */
  directory?: ViewEntry;
  /** A pattern that the name matches, as it is or as it is shown. */
  name?: string;
  /** A pattern that the path from the root of the snapshot matches, as it is or as it is shown. */
  path?: string;
  /** Kinds of entries, of which it has one. */
  kinds?: readonly EntryKind[];
  /** Least size in bytes; entries that are no files have none. */
  sizeMin?: number;
  /** Largest size in bytes; entries that are no files have none. */
  sizeMax?: number;
  /** Modified at this time or later. */
  mtimeMin?: FindTime;
  /** Modified at this time or before. */
  mtimeMax?: FindTime;
}

/**
 * Finds entries of a snapshot.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { find } from "@snap/snapshot/query";
 * import { View } from "@snap/snapshot/view";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * const view = await View.open(snapshots, record);
 * for await (const { path } of find(view, { name: "*.ts" })) {
 *   strictEqual(new TextDecoder().decode(path), "src/mod.ts");
 * }
 * await snapshots.close();
 * ```
 *
 * @param options What to look for, and where.
 * @returns Entries in the order of a walk, one by one or in batches.
 * @throws {TypeError} If `view` is none.
 * @throws {SyntaxError} If a pattern is none.
 * @throws {DamageError} If a directory is damaged in every copy.
 */
export function find(
  view: View,
  options: FindOptions = {},
): Batched<ViewEntry> {
  checkView(view, "find");
  return new Batched(() => search(view, options));
}

async function* search(
  view: View,
  options: FindOptions,
): AsyncGenerator<ViewEntry[], void, void> {
  const isNamed = matcherOf(options.name);
  const isAt = matcherOf(options.path);
  const isFound = (entry: ViewEntry): boolean =>
    (options.kinds?.includes(entry.kind) ?? true) &&
    isSized(entry, options) && isTimed(entry, options) &&
    isNamed(entry.name) && isAt(entry.path);
  const { directory = view.root } = options;
  for await (const batch of view.walk(directory, options).batches()) {
    const found = batch.filter(isFound);
    if (found.length > 0) yield found;
  }
}

/**
 * Makes conditions of a pattern as people write it: with a slash in it, it is one for paths from
 * the root of the snapshot, else for names.
 *
 * @returns The condition.
 * @throws {SyntaxError} If it is no pattern.
 */
export function patternOptions(
  pattern: string,
): Pick<FindOptions, "name" | "path"> {
  new Glob(pattern);
  return pattern.includes("/")
    ? { path: pattern.replace(/^\//, "") }
    : { name: pattern };
}

/** Matches bytes as they are, and as {@linkcode displayPath} shows them. */
function matcherOf(
  pattern: string | undefined,
): (bytes: Uint8Array) => boolean {
  if (pattern === undefined) return () => true;
  const glob = new Glob(pattern);
  if (!pattern.includes("%")) return (bytes) => glob.matches(bytes);
  const encoder = new TextEncoder();
  return (bytes) =>
    glob.matches(bytes) || glob.matches(encoder.encode(displayPath(bytes)));
}

function isSized(entry: ViewEntry, options: FindOptions): boolean {
  const { sizeMin, sizeMax } = options;
  if (sizeMin === undefined && sizeMax === undefined) return true;
  if (entry.kind > EntryKind.executable) return false;
  return entry.size >= (sizeMin ?? 0) && entry.size <= (sizeMax ?? Infinity);
}

function isTimed(entry: ViewEntry, options: FindOptions): boolean {
  const { mtimeMin, mtimeMax } = options;
  if (mtimeMin === undefined && mtimeMax === undefined) return true;
  const { page, row } = entry;
  const sec = page.mtimeSec(row + 1);
  const ns = page.mtimeNs(row + 1);
  if (mtimeMin !== undefined && compare(sec, ns, mtimeMin) < 0) return false;
  return mtimeMax === undefined || compare(sec, ns, mtimeMax) <= 0;
}

function compare(sec: number, ns: number, time: FindTime): number {
  return sec - time.sec || ns - time.ns;
}
