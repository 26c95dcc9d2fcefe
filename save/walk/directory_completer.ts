import type { DirectoryEncoder } from "./directory_encoder.ts";
import type { PendingDirectory } from "./pending_directory.ts";

/** Names directories once nothing of them is awaited any more, from the leaves to the root. */
export class DirectoryCompleter {
  readonly #encoder: DirectoryEncoder;
  /** Wide directories of which everything is known. */
  readonly #wide: PendingDirectory[] = [];
  #rootIds: Uint8Array | undefined;

  /** Awaits nothing yet. */
  constructor(encoder: DirectoryEncoder) {
    this.#encoder = encoder;
  }

  /** The ids of the root's tree and page, once everything is known. */
  get rootIds(): Uint8Array | undefined {
    return this.#rootIds;
  }

  /** Decrements what a directory waits for, and names it when that was the last. */
  settle(directory: PendingDirectory): void {
    let current: PendingDirectory | undefined = directory;
    while (current !== undefined && --current.waiting === 0) {
      if (current.isWide) {
        this.#wide.push(current);
        return;
      }
      const steps = this.#complete(current);
      let step = steps.next();
      while (!step.done) step = steps.next();
      current = step.value;
    }
  }

  /**
   * Names wide directories of which everything is known.
   *
   * @param between Lets other things happen between two steps.
   */
  async nameWide(between: () => Promise<void>): Promise<void> {
    for (;;) {
      const directory = this.#wide.shift();
      if (directory === undefined) return;
      const steps = this.#complete(directory);
      let step = steps.next();
      for (; !step.done; step = steps.next()) await between();
      if (step.value !== undefined) this.settle(step.value);
    }
  }

  /** Names a directory, and gives the one above it, of which one thing less is awaited. */
  *#complete(
    directory: PendingDirectory,
  ): Generator<void, PendingDirectory | undefined> {
    const { previousIds, isChanged, parent, parentRow } = directory;
    this.#encoder.count(directory);
    const ids = isChanged ? yield* this.#encoder.save(directory) : previousIds!;
    directory.close();
    if (parent === undefined) {
      this.#rootIds = ids;
      return undefined;
    }
    parent.setDirectory(parentRow, ids);
    // The directory above stays as it was only if this one does.
    if (previousIds === undefined || !equals(ids, previousIds)) {
      parent.isChanged = true;
    }
    return parent;
  }
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
