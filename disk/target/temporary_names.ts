import { terminated } from "../read_whole_file.ts";

/** Shape of a temporary name: random, numbered, and with a sum that proves it. */
const SHAPE = /^(\.snap-[0-9a-f]{16}-[0-9]{1,15})-([0-9a-f]{8})$/;
const SIZE_MAX = 64;

/** Names of entries that are not complete yet. No two targets have the same ones. */
export class TemporaryNames {
  readonly #start: string = `.snap-${
    crypto.randomUUID().replaceAll("-", "").slice(0, 16)
  }`;
  #count = 0;

  /** A name and NUL. */
  next(): Uint8Array {
    const text = `${this.#start}-${this.#count++}`;
    return terminated(`${text}-${sumOf(text)}`);
  }
}

/**
 * Whether a name is one that a target gives to what is not complete. What has such a name, and is
 * of no running restore, was left by one that was killed. A name that only looks alike has another
 * sum.
 *
 * @returns Whether it is.
 */
export function isTemporaryName(name: Uint8Array): boolean {
  if (name.length > SIZE_MAX || name[0] !== 0x2e) return false;
  const parts = SHAPE.exec(String.fromCharCode(...name));
  return parts !== null && sumOf(parts[1]) === parts[2];
}

/** FNV-1a of 32 bits. */
function sumOf(text: string): string {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  }
  return (sum >>> 0).toString(16).padStart(8, "0");
}
