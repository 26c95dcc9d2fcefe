/** Characters of a reason. */
const REASON_LENGTH_MAX = 200;

/** Folders of this machine in what a program says. */
const FOLDERS = /(\/dev\/shm|\/tmp)\/[\w-]+\//g;

/** Programs that failed, and why: each loses its row, and no other does. */
export class Failures {
  readonly #reasons = new Map<string, string>();

  /** Whether a program has failed. */
  has(name: string): boolean {
    return this.#reasons.has(name);
  }

  /**
   * Does something that a peer may fail to do, unless it has failed before.
   *
   * @param program Its name, and whether the figures of others stand without it.
   * @returns What comes of it; `undefined` if it fails.
   * @throws {Error} If another fails.
   */
  async attempt<T>(
    { name, isPeer }: { readonly name: string; readonly isPeer: boolean },
    run: () => Promise<T> | T,
  ): Promise<T | undefined> {
    if (this.has(name)) return undefined;
    try {
      return await run();
    } catch (error) {
      if (!isPeer) throw error;
      console.error(`${name} has failed: ${error}`);
      this.#reasons.set(name, reasonOf(error));
      return undefined;
    }
  }

  /** Renders a line for each, to stand under a table. */
  render(): string {
    const lines = [...this.#reasons]
      .map(([name, reason]) => `- ${name} is left out: ${reason}\n`);
    return lines.length === 0 ? "" : `\n${lines.join("")}`;
  }
}

/** The last line of what a program said. */
function reasonOf(error: unknown): string {
  const lines = (error as Error).message.trimEnd().split("\n");
  return lines.at(-1)!.replaceAll(FOLDERS, "").trim()
    .slice(0, REASON_LENGTH_MAX);
}
