/** What was wrong with a call, in words for whoever made it. */
export class ToolError extends Error {
  /** Always `ToolError`. */
  override readonly name: string = "ToolError";
  /** The next thing to try, where there is one. */
  readonly hint: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What could not be done, and why.
   * @param hint The next thing to try.
   * @param options The error behind this one.
   */
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** Advice by the name of the class of an error. */
const HINTS: Readonly<Record<string, string>> = {
  SnapshotNotFoundError: "the tool list names the snapshots that there are",
  AmbiguousIdError: "more digits of the id tell which",
  NotAStoreError: "the server was started without a store: its user makes one",
};

/**
 * Writes an error for whoever made a call.
 *
 * @returns One line, and one more with a hint where there is one.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.message.replace(/\s+/g, " ").trim();
  const text = line.startsWith("Cannot ")
    ? line
    : `Cannot go on after an error in the program: ${error.name}: ${line}`;
  const hint = error instanceof ToolError ? error.hint : HINTS[error.name];
  return hint === undefined ? text : `${text}\nhint: ${hint}`;
}
