/**
 * Finds out how this program was started: the words before its arguments, so
 * that it can start itself again with the same flags of the runtime.
 *
 * @throws {CommandError} If there are no native calls, without which nothing is mounted.
 */
export async function ownCommand(
  program: string,
  argumentCount: number,
): Promise<readonly string[]> {
  const words = new TextDecoder().decode(await commandLine()).split("\0");
  // Each word has its NUL, so that the last one is empty.
  return [program, ...words.slice(1, words.length - 1 - argumentCount)];
}

/** Read by native calls: `node:fs` on Deno wants all permissions for it. */
async function commandLine(): Promise<Uint8Array> {
  const path = "/proc/self/cmdline";
  const { posix, posixAbsentReason } = await import("@snap/posix");
  if (posix === undefined) {
    const { CommandError } = await import("./command_error.ts");
    throw new CommandError(
      `Cannot mount without native calls: ${posixAbsentReason}`,
      "run it on Linux, with --allow-ffi or with koffi installed",
    );
  }
  const { O_RDONLY } = await import("@snap/posix/constants");
  const fd = posix.open(new TextEncoder().encode(`${path}\0`), O_RDONLY, 0);
  let bytes = new Uint8Array(4096);
  try {
    for (let size = 0;;) {
      const count = posix.read(fd, bytes.subarray(size));
      if (count <= 0) return bytes.subarray(0, size);
      size += count;
      if (size < bytes.length) continue;
      const larger = new Uint8Array(2 * bytes.length);
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    posix.close(fd);
  }
}
