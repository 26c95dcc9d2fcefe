/**
 * The source of records and tags for a mount of all snapshots.
 *
 * @module
 */
import type { Id } from "@snap/hash";
import type { RecordFile, RecordName } from "@snap/snapshot/records";

/** A record as the catalog needs it; a `NamedRecord` fits. */
export interface CatalogRecord extends RecordFile {
  /** The attribute page of the root. */
  readonly page: Id;
  /** When the save ended, RFC 3339 in UTC. */
  readonly time: string;
}

/** One entry of a tag's log; a `TaggedRecord` fits. */
export interface CatalogTagEntry {
  /** When the tag was set, RFC 3339 in UTC. */
  readonly time: string;
  /** The record, unless the entry is damaged. */
  readonly name?: RecordName;
  /** Nonce of the entry, unless it is damaged. */
  readonly nonce?: string;
  /** The nonce of the entry that the tag named from here on, unless this one is damaged. */
  readonly head?: string;
}

/** The records and tags of a store. An error of it becomes an input/output error. */
export interface CatalogSource {
  /**
   * Lists the records, without reading them.
   *
   * @returns One file of each, in any order.
   */
  recordNames(): Promise<readonly RecordFile[]>;
  /**
   * Reads a record and checks it against its name.
   *
   * @param file One of the files that were listed.
   */
  record(file: RecordFile): Promise<CatalogRecord>;
  /**
   * Lists the tags.
   *
   * @returns For each name the number of its last slot, from 1.
   */
  tags(): Promise<ReadonlyMap<string, number>>;
  /**
   * Lists the numbers of a tag's log: there are gaps where entries were lost.
   *
   * @returns The numbers, ascending.
   */
  tagNumbers(tag: string): Promise<readonly number[]>;
  /**
   * Reads an entry of the log of a tag.
   *
   * @returns The entry, or `undefined` if there is none.
   */
  tagEntry(tag: string, number: number): Promise<CatalogTagEntry | undefined>;
}
