import type { Id } from "@snap/hash";
import type { RecordName } from "@snap/snapshot/records";

/** A snapshot of which something is damaged or gone, so that nobody knows all that it needs. */
export class BrokenSnapshotError extends Error {
  /** The name of the class. */
  override readonly name = "BrokenSnapshotError";
  /** The id of the snapshot. */
  readonly tree: Id;
  /** The id of its record. */
  readonly record: Id;

  /**
   * Names the snapshot.
   *
   * @param file The record.
   * @param cause What is wrong.
   */
  constructor({ tree, record }: RecordName, cause: Error) {
    super(
      `Cannot remove anything while snapshot ${
        tree.slice(0, 12)
      } is broken: ${cause.message}`,
      { cause },
    );
    this.tree = tree;
    this.record = record;
  }
}

/** A store whose writers have no leases: what they rely on cannot be known. */
export class NoLeasesError extends Error {
  /** The name of the class. */
  override readonly name = "NoLeasesError";

  /** Says it. */
  constructor() {
    super(
      "Cannot remove anything beside others who write: programs that are older than this one may write into this store, and nobody would know what they need",
    );
  }
}
