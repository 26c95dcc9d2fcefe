import {
  type ListRecordsOptions,
  type NamedRecord,
  type RecordSource,
  resolveSnapshot,
  SnapshotNotFoundError,
} from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { type Roots, sourceText } from "./roots.ts";

/** Which snapshots a server lets be seen. */
export interface RecordBounds {
  readonly roots: Roots;
  /** The machine whose snapshots they are; absent where that is not known. */
  readonly host: string | undefined;
  /** Whether snapshots of other folders and hosts may be read, too. */
  readonly isAny: boolean;
}

/** The records of a store that tools may see: of the roots, and saved on this machine. */
export class RootRecords implements RecordSource {
  /** The store. */
  readonly store: RecordSource["store"];
  /** Hasher that checks records. */
  readonly hasher: RecordSource["hasher"];
  readonly #snapshots: Snapshots;
  readonly #bounds: RecordBounds;

  /** Bounds the records of a store. */
  constructor(snapshots: Snapshots, bounds: RecordBounds) {
    this.store = snapshots.store;
    this.hasher = snapshots.hasher;
    this.#snapshots = snapshots;
    this.#bounds = bounds;
  }

  /**
   * Reads the records.
   *
   * @param options Which, and what becomes of damaged ones.
   * @returns Those that may be seen, newest first.
   */
  async records(
    options: Omit<ListRecordsOptions, "hasher"> = {},
  ): Promise<NamedRecord[]> {
    const records = await this.#snapshots.records({
      onDamage: () => {},
      ...options,
    });
    return records.filter((one) => this.#isSeen(one));
  }

  /**
   * Finds the record that a text names.
   *
   * @param text An id or its first digits, `ID@RECORD`, a tag, or `latest`, perhaps with `~2`.
   * @param directory Whose `latest` it is; any if absent.
   * @returns The record.
   * @throws {SnapshotNotFoundError} If no snapshot that may be seen has this name.
   * @throws {AmbiguousIdError} If several ids begin like this.
   */
  async resolve(
    text: string,
    { directory, signal }: {
      readonly directory?: string | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<NamedRecord> {
    const { host, isAny } = this.#bounds;
    const record = await resolveSnapshot(this, text, {
      signal,
      onDamage: () => {},
      ...!isAny && host !== undefined && { host },
      ...directory !== undefined && { folder: sourceText(directory) },
    });
    if (this.#isSeen(record)) return record;
    throw new SnapshotNotFoundError(text, "it is of no root of this server");
  }

  #isSeen({ host, source }: NamedRecord): boolean {
    const { roots, host: own, isAny } = this.#bounds;
    if (isAny) return true;
    return (own === undefined || host === own) && roots.has(source);
  }
}
