/** Thrown where a file of rows is not what was written: it is as if there were none. */
export class RowSyntaxError extends SyntaxError {
  /** Makes the error. */
  constructor(fault: string) {
    super(`Cannot use rows of the save before: ${fault}`);
    this.name = "RowSyntaxError";
  }
}
