import { hexOf } from "@snap/hash";
import { spoolPathOf } from "../adopt_file.ts";
import { nodeModule } from "../node_module.ts";
import type { WriteStore } from "../store.ts";
import { LEASES_PREFIX } from "../removal/leases.ts";
import { removeQuietly } from "./remove_quietly.ts";
import {
  isOwnerGone,
  namesIn,
  removeAbandoned,
  SpoolOwner,
} from "./spool_owner.ts";

const { existsSync } = nodeModule("node:fs");
const { basename, dirname, join } = nodeModule("node:path");

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
  const path = await spoolPathOf(store, hexOf(saveId));
  if (isDry) return new Spool(path, undefined);
  removeAbandoned(path, (saveId) => {
    const lease = store.localPath?.(`${LEASES_PREFIX}${saveId}/0`);
    return lease !== undefined && existsSync(lease);
  });
  return new Spool(path, new SpoolOwner(path));
}

/**
 * Tells whether the process of a run is certainly gone, as it was killed. That of a run on
 * another machine is not known here.
 *
 * @param store The store that the run wrote to.
 * @param saveId The save id of the run, 32 hex digits.
 */
export async function isRunGone(
  store: WriteStore,
  saveId: string,
): Promise<boolean> {
  return isOwnerGone(await spoolPathOf(store, saveId));
}

function removeSpooled(spoolPath: string): void {
  const folder = dirname(spoolPath), prefix = `${basename(spoolPath)}-`;
  for (const name of namesIn(folder)) {
    // The marker goes last: what stops in between is gone on with by the next run.
    if (!name.startsWith(prefix) || name === `${prefix}alive`) continue;
    removeQuietly(join(folder, name));
  }
}
