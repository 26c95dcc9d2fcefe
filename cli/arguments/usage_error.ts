/** Thrown when the command line asks for what there is not. The program answers 2. */
export class UsageError extends Error {
  /** Advice for the user. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}
