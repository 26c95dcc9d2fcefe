import {
  EINTR,
  ENOENT,
  errnoName,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
} from "@snap/posix/constants";
import { posix, posixAbsentReason } from "@snap/posix";
import { type FileCalls, LocalRanges } from "@snap/pack/objects";

/**
 * Ranges of files, read by calls of the operating system: half the cost of `node:fs`.
 *
 * @returns The ranges; nothing is opened yet.
 * @throws {TypeError} If this runtime cannot call the operating system.
 */
export function posixRanges(prefix: string): LocalRanges {
  return new LocalRanges({
    pathOf: (name) => prefix + name,
    calls: posixFiles(),
  });
}

function posixFiles(): FileCalls {
  const system = posix;
  if (system === undefined) {
    throw new TypeError(`Cannot read files as ${posixAbsentReason}`);
  }
  const text = new TextEncoder();
  return {
    open(path) {
      const bytes = text.encode(`${path}\0`);
      // Nobody waits for a fifo that stands in the place of a pack.
      const flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
      return retried(() => system.open(bytes, flags, 0));
    },
    read: (file, out, offset) => retried(() => system.pread(file, out, offset)),
    close: (file) => void system.close(file),
  };
}

/** Repeats a call that a signal interrupts. */
function retried(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    if (result === -EINTR) continue;
    const code = result === -ENOENT ? "ENOENT" : errnoName(result);
    throw Object.assign(new Error(code), { code });
  }
}
