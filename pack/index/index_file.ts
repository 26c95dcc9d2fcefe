import { ID_SIZE } from "../bytes.ts";
import { indexName } from "../file_name.ts";
import type { IndexHead } from "./index_table.ts";

/** A table whose head was read. */
export interface IndexFile {
  /** Its name in the store. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its head. */
  readonly head: IndexHead;
  /** All its bytes, where they are in memory and sound: no page of it is asked for. */
  readonly bytes?: Uint8Array | undefined;
  /** Whether it is in memory alone, as the packs in it are in no sound table. */
  readonly isBuilt?: boolean;
}

/**
 * Gives the tables that others replace, which do not count.
 *
 * @param files Tables
 * @returns The names of those that they replace; not all of them need to be there
 */
export function replacedTables(files: Iterable<IndexFile>): Set<string> {
  const replaced = new Set<string>();
  for (const { name, head: { replaces } } of files) {
    for (let at = 0; at < replaces.length; at += ID_SIZE) {
      const other = indexName(replaces, at);
      if (other !== name) replaced.add(other);
    }
  }
  return replaced;
}
