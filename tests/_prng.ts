import { execFileSync } from "node:child_process";

/** Rounds of a seeded test unless it says otherwise. */
const ROUND_COUNT = 50;

/** A small seeded generator of numbers and bytes: SFC32, by Chris Doty-Humphrey. */
export class Prng {
  /** What it was made from. */
  readonly seed: number;
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  /**
   * Makes a generator; equal seeds give equal numbers.
   *
   * @param seed A whole number from 0 to 2^53 - 1.
   */
  constructor(seed: number) {
    this.seed = seed;
    this.#a = seed | 0;
    this.#b = (seed / 2 ** 32) | 0;
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** Returns a whole number from 0 to 2^32 - 1. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** Returns a number from 0 up to, not including, 1. */
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  /** Returns a whole number from 0 up to, not including, `limit`, which is at most 2^32. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** Returns one of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** Fills `bytes` from end to end and returns it. */
  fill(bytes: Uint8Array): Uint8Array {
    const wordCount = bytes.byteOffset % 4 === 0 ? bytes.length >>> 2 : 0;
    const words = new Uint32Array(
      bytes.buffer,
      wordCount && bytes.byteOffset,
      wordCount,
    );
    for (let i = 0; i < wordCount; i++) words[i] = this.u32();
    for (let i = wordCount * 4; i < bytes.length; i++) bytes[i] = this.u32();
    return bytes;
  }

  /** Returns `size` new bytes. */
  bytes(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    this.fill(bytes);
    return bytes;
  }

  /** Puts the items in a random order, in place, and returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

/** Returns the seed of this run: `SNAP_SEED`, else from the commit, so that each commit tries something new. */
export function seedOfRun(): number {
  const text = Deno.env.get("SNAP_SEED");
  if (text !== undefined) {
    const seed = Number(text);
    if (Number.isSafeInteger(seed) && seed >= 0) return seed;
    throw new RangeError(
      `Cannot use SNAP_SEED as it must be a whole number: found ${text}`,
    );
  }
  try {
    const cwd = new URL(".", import.meta.url);
    const commit = execFileSync("git", ["rev-parse", "HEAD"], {
      cwd,
      stdio: "pipe",
    });
    return parseInt(commit.toString().slice(0, 8), 16);
  } catch {
    return 42; // No git, or no commit: a source archive.
  }
}

/** Options of {@linkcode seededTest}. */
export interface SeededTestOptions {
  /** How often the test runs, each time with a generator of its own. */
  readonly roundCount?: number;
}

/**
 * Registers a test that gets a seeded generator. When a round fails the error
 * begins with the seed that replays that round first.
 *
 * @param title The symbol and the behaviour in plain words.
 * @param test The test of one round.
 * @param options How many rounds.
 */
export function seededTest(
  title: string,
  test: (prng: Prng) => void | Promise<void>,
  options?: SeededTestOptions,
): void {
  const { roundCount = ROUND_COUNT } = options ?? {};
  Deno.test(title, async () => {
    const first = seedOfRun();
    for (let seed = first; seed < first + roundCount; seed++) {
      try {
        await test(new Prng(seed));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`SNAP_SEED=${seed}: ${reason}`, { cause });
      }
    }
  });
}
