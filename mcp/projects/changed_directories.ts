import type { Change } from "@snap/manifest/diff";
import { pathToText } from "@snap/manifest/path";
import type { KnownDirectories } from "@snap/restore";

/** Directories in which something is going to change; a restore opens no others. */
export class ChangedDirectories implements KnownDirectories {
  /** Their paths as text, and of those above them, relative to what is restored. */
  readonly #changed = new Set<string>();

  /**
   * Takes a plan.
   *
   * @param path What is restored; every change is there or below.
   */
  constructor(changes: readonly Change[], path: Uint8Array) {
    const start = path.length === 0 ? 0 : path.length + 1;
    for (const change of changes) {
      let text = pathToText(change.path.subarray(start));
      while (text !== "" && !this.#changed.has(text)) {
        this.#changed.add(text);
        text = text.slice(0, Math.max(text.lastIndexOf("/"), 0));
      }
    }
  }

  /** Whether nothing in a directory is going to change. */
  isSame(path: Uint8Array): Promise<boolean> {
    return Promise.resolve(!this.#changed.has(pathToText(path)));
  }
}
