/**
 * A list of views that is filled again and again: the bytes of a reply, where
 * they lie.
 */
export class Pieces {
  /** The views; those from {@linkcode Pieces.count} on are left from before. */
  readonly views: Uint8Array[] = [];
  /** Number of views. */
  count = 0;
  /** Number of bytes in them. */
  byteCount = 0;

  /**
   * Adds a view at the end.
   *
   * @param view The bytes; not copied.
   */
  push(view: Uint8Array): void {
    this.views[this.count++] = view;
    this.byteCount += view.length;
  }

  /** Forgets all views. */
  clear(): void {
    this.count = 0;
    this.byteCount = 0;
  }
}
