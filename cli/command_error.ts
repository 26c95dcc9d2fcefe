/** Thrown by a command for what no package below has an error for. The program answers 1. */
export class CommandError extends Error {
  /** Advice for the user. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "CommandError";
    this.hint = hint;
  }
}
