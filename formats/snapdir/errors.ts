/** Thrown where the text of a manifest of snapdir is none. */
export class SnapdirSyntaxError extends SyntaxError {
  /** The number of the line, from 1. */
  readonly line: number;

  /**
   * Names the fault and its line.
   *
   * @param line The number of the line, from 1.
   * @param fault What is wrong with it.
   */
  constructor(line: number, fault: string) {
    super(`Cannot read snapdir manifest: line ${line}: ${fault}`);
    this.name = "SnapdirSyntaxError";
    this.line = line;
  }
}

/** Thrown where a snapshot cannot be one of snapdir, or one of snapdir no snapshot. */
export class SnapdirError extends Error {
  /** Advice for the user. */
  readonly hint: string | undefined;

  /**
   * Says what does not fit.
   *
   * @param message What could not be done, and why.
   * @param hint What can be done about it.
   */
  constructor(message: string, hint?: string) {
    super(message);
    this.name = "SnapdirError";
    this.hint = hint;
  }
}
