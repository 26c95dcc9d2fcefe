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
