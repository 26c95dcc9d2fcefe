import { hexOf } from "@snap/hash";

/** Hex digits of 16 random bytes: a save id, a store id, a nonce. */
export function randomHex(): string {
  return hexOf(crypto.getRandomValues(new Uint8Array(16)));
}

/** Refuses what is no save id in hex digits, before it becomes a part of a path. */
export function checkSaveId(text: string): void {
  if (/^[0-9a-f]{32}$/.test(text)) return;
  throw new RangeError(
    `Cannot use save id ${
      JSON.stringify(text)
    }: it has 32 lower-case hex digits`,
  );
}
