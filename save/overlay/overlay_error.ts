/** Thrown where the upper directory of an overlay does not say what it stands for. */
export class OverlayError extends Error {
  /** Advice for the user. */
  readonly hint: string;

  /** Made by a save with `overlay`. */
  constructor(message: string, hint: string) {
    super(message);
    this.name = "OverlayError";
    this.hint = hint;
  }
}
