/** Where the bytes of an archive go. */
export interface ByteSink {
  /**
   * Takes the next bytes.
   *
   * @param bytes They may change when the promise has settled.
   * @returns What to wait for before more is written, if anything.
   */
  write(bytes: Uint8Array): Promise<void> | undefined;
}
