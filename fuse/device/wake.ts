import type { Posix } from "@snap/posix";

const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/** Wakes a thread that sleeps on an eventfd. */
export function wake(posix: Posix, eventfd: number): void {
  posix.write(eventfd, ONE);
}
