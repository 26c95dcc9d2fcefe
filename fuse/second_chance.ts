interface Kept<Value> {
  readonly value: Value;
  readonly size: number;
  /** Whether it was asked for since it was last looked at. */
  isUsed: boolean;
}

/** The budget of a {@linkcode SecondChance}. */
export interface SecondChanceOptions<Value> {
  /** Sizes together, at most; one alone may be larger. */
  readonly sizeMax: number;
  /** Called for each value that goes. */
  readonly onDrop?: (value: Value) => void;
}

/**
 * Values within a budget. The oldest one goes, unless it was asked for meanwhile: then it counts
 * as new. A value that is found costs no memory: a `Map` in which it moved to the end would have
 * to be copied every now and then, and a worker that answers millions of reads would grow by it.
 */
export class SecondChance<Key, Value> {
  readonly #options: SecondChanceOptions<Value>;
  readonly #kept = new Map<Key, Kept<Value>>();
  #size = 0;

  constructor(options: SecondChanceOptions<Value>) {
    this.#options = options;
  }

  /** The value, if it is still there. */
  get(key: Key): Value | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    kept.isUsed = true;
    return kept.value;
  }

  /** Keeps a value in place of the one that the key has. */
  set(key: Key, value: Value, size: number): void {
    this.#drop(key);
    this.makeRoom(size);
    this.#kept.set(key, { value, size, isUsed: false });
    this.#size += size;
  }

  /** Drops values until one of this size fits, as far as that helps. */
  makeRoom(size: number): void {
    const { sizeMax } = this.#options;
    // Those that come again at the end are not used any more, so this ends.
    for (const [oldest, kept] of this.#kept) {
      if (this.#size + size <= sizeMax) break;
      if (kept.isUsed) {
        kept.isUsed = false;
        this.#kept.delete(oldest);
        this.#kept.set(oldest, kept);
      } else this.#drop(oldest);
    }
  }

  /** Drops all. */
  clear(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #drop(key: Key): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#size -= kept.size;
    this.#options.onDrop?.(kept.value);
  }
}
