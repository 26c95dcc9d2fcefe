import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hexOf } from "@snap/hash";
import type { WriteStore } from "../store.ts";
import { removeQuietly } from "./remove_quietly.ts";
import { removeAbandoned, SpoolOwner } from "./spool_owner.ts";

/** The files of one run on their way into a store: gone at its end, or when the next run begins. */
export class Spool implements Disposable {
  /** The beginning of their paths. */
  readonly path: string;
  readonly #owner: SpoolOwner | undefined;

  /** Made by {@linkcode openSpool}. */
  constructor(path: string, owner: SpoolOwner | undefined) {
    this.path = path;
    this.#owner = owner;
  }

  /** Removes what is left. */
  [Symbol.dispose](): void {
    removeSpooled(this.path);
    this.#owner?.[Symbol.dispose]();
  }
}

/** Options of {@linkcode openSpool}. */
export interface SpoolOptions {
  /** Whether nothing of the run is to be seen, as it stores nothing. */
  readonly isDry?: boolean;
}

/**
 * Makes room for the files of a run, and removes those of runs that are over.
 *
 * @param store The store that they will go into.
 * @param saveId The save id of the run.
 * @param options Whether it stores anything.
 * @returns The spool. No file of the run is there yet.
 * @throws {StoreError} If the store cannot be written to.
 */
export async function openSpool(
  store: WriteStore,
  saveId: Uint8Array,
  { isDry = false }: SpoolOptions = {},
): Promise<Spool> {
  const path = await store.spoolPath(hexOf(saveId));
  if (isDry) return new Spool(path, undefined);
  removeAbandoned(path);
  return new Spool(path, new SpoolOwner(path));
}

function removeSpooled(spoolPath: string): void {
  const folder = dirname(spoolPath), prefix = `${basename(spoolPath)}-`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // Where no file could be made either, and that was thrown.
  }
  for (const name of names) {
    // The marker goes last: what stops in between is gone on with by the next run.
    if (!name.startsWith(prefix) || name === `${prefix}alive`) continue;
    removeQuietly(join(folder, name));
  }
}
