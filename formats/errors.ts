import { type EntryError, subjectOf } from "@snap/save/draft";

const SLASH = 0x2f;

/** Thrown where the bytes of an archive cannot be what they claim to be. */
export class ArchiveSyntaxError extends SyntaxError {
  /** Where in the plain archive the fault is, in bytes. */
  readonly offset: number;

  /**
   * Names the fault and its place.
   *
   * @param message What could not be done, and why.
   * @param offset Where in the plain archive, in bytes.
   */
  constructor(message: string, offset: number) {
    super(`${message}; byte ${offset} of the archive`);
    this.name = "ArchiveSyntaxError";
    this.offset = offset;
  }
}

/** Thrown where another program has kept what no snapshot can hold, or less than it says. */
export class ImportError extends Error {
  /** What can be done about it. */
  readonly hint: string | undefined;

  /**
   * Says what does not fit.
   *
   * @param message What could not be done, and why.
   * @param hint What can be done about it.
   */
  constructor(message: string, hint?: string) {
    super(message);
    this.name = "ImportError";
    this.hint = hint;
  }
}

/** Thrown where a snapshot holds what another program cannot hold. */
export class ExportError extends Error {
  /** What can be done about it. */
  readonly hint: string | undefined;

  /**
   * Says what does not fit.
   *
   * @param message What could not be done, and why.
   * @param hint What can be done about it.
   */
  constructor(message: string, hint?: string) {
    super(message);
    this.name = "ExportError";
    this.hint = hint;
  }
}

/**
 * Says of an import what an entry was refused for.
 *
 * @param error What a save of the entry ended with.
 * @returns The error of the import.
 */
export function importError({ path, reason }: EntryError): ImportError {
  return new ImportError(
    `Cannot import ${subjectOf(path)}: ${reason}`,
    path?.[0] === SLASH
      ? "tar -P has made it; tar without -P makes paths that can be imported"
      : undefined,
  );
}
