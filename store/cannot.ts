import type { StoreAction } from "./errors.ts";

/** Actions of a store whose names say nothing to people who do not know it. */
const WORDS: Partial<Record<StoreAction, string>> = {
  adopt: "store",
  size: "find the size of",
};

/** The beginning of the message of an error: `Cannot store packs/ab/...`. */
export function cannot(action: StoreAction, subject: string): string {
  return `Cannot ${WORDS[action] ?? action} ${subject}`;
}
