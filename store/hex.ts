import { hexOf } from "@snap/hash";

/** Hex digits of 16 random bytes: a save id, a store id, a nonce. */
export function randomHex(): string {
  return hexOf(crypto.getRandomValues(new Uint8Array(16)));
}
