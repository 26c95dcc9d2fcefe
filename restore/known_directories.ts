/** Knowledge of directories of a target. */
export interface KnownDirectories {
  /**
   * Tells whether a directory stands there as a snapshot says, with all that is below it. Asked
   * for each directory in one that is not the same.
   *
   * @param path Its path below the target.
   * @param ids The ids of its tree and of its page, if that can be had.
   */
  isSame(
    path: Uint8Array,
    ids: { readonly tree: Uint8Array; readonly page: Uint8Array | undefined },
  ): Promise<boolean>;
}
