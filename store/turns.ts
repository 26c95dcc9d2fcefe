/** Does things of the same name one after the other: a single writer may still do several at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs something when all before it of that name are over, however they ended. */
  take<T>(name: string, run: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const turn = before.then(run, run);
    this.#last.set(name, turn);
    const end = () => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    };
    turn.then(end, end);
    return turn;
  }
}
