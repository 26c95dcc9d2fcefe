import type { RecordName } from "@snap/snapshot/records";

/** Thrown for a record that a tag names, and that is to be forgotten. */
export class NamedByTagError extends Error {
  /** The record. */
  readonly record: RecordName;
  /** The tags. */
  readonly tags: readonly string[];

  /** Made by {@linkcode forget}. */
  constructor(record: RecordName, tags: readonly string[]) {
    super(
      `Cannot forget record ${record.record}: ${tags.join(", ")} ${
        tags.length === 1 ? "names" : "name"
      } it`,
    );
    this.name = "NamedByTagError";
    this.record = record;
    this.tags = tags;
  }
}

/** Thrown for rules that would keep nothing, of all or of a group. */
export class NothingKeptError extends Error {
  /** Made by {@linkcode planRetention}. */
  constructor(message: string) {
    super(message);
    this.name = "NothingKeptError";
  }
}
