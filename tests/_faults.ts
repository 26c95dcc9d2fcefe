// What tests of saves that fail share.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save, type SaveOptions } from "@snap/save";
import type { WriteStore } from "@snap/store";
import { namesIn, noise, open } from "./_snapshots.ts";

/** Enough for several batches, several packs and a recipe. */
export function makeSource(path: string): void {
  mkdirSync(path, { recursive: true });
  for (let i = 0; i < 600; i++) {
    mkdirSync(join(path, `${i % 5}`), { recursive: true });
    writeFileSync(join(path, `${i % 5}`, `${i}`), noise(200 + i, i + 1));
  }
  writeFileSync(join(path, "large"), noise(150_000, 7));
}

/** How many records a store has. */
export async function recordCount(store: WriteStore): Promise<number> {
  return (await namesIn(store, "snapshots/")).length;
}

/** Saves, and gives the error. */
export async function saveInto(
  store: WriteStore,
  source: string,
  options: SaveOptions,
): Promise<unknown> {
  try {
    await using snapshots = await open(store);
    await save(snapshots, source, options);
    return undefined;
  } catch (error) {
    return error;
  }
}
