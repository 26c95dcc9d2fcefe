/** A program that unmounts when this one is gone, in whatever way. */
export interface Watchdog {
  /** Ends it; for after a clean end. */
  standDown(): Promise<void>;
}

/**
 * Waits for a line; without one, the other end is gone. What ends all programs of a terminal does
 * not end this one. The mount may be out of sight, and another one in its place: that one stays.
 * Where root's way is refused, a helper is there for users.
 */
const SCRIPT = `trap "" HUP INT QUIT TERM
read -r line && exit
grep -q " $2 / " /proc/self/mountinfo || exit
umount -l -- "$1" || exec fusermount3 -uzq -- "$1"`;

/** What a watchdog watches over. */
export interface Watched {
  /** The absolute path of the mount. */
  readonly path: string;
  /** The number of its file system, as `major:minor`. */
  readonly number: string | undefined;
}

/**
 * Starts a program that waits for our end, which it sees as the end of its input, and unmounts
 * then. What is in use goes out of sight.
 *
 * @param mount The mount.
 * @param onError Told where it cannot be started.
 */
export async function startWatchdog(
  mount: Watched,
  onError: (error: unknown) => void,
): Promise<Watchdog> {
  try {
    return await start(mount, onError);
  } catch (error) {
    onError(error);
    return { standDown: () => Promise.resolve() };
  }
}

async function start(
  { path, number }: Watched,
  onError: (error: unknown) => void,
): Promise<Watchdog> {
  const { spawn } = await import("node:child_process");
  // Not detached: for that Deno copies its address space, which large reserved memory forbids.
  const child = spawn("sh", ["-c", SCRIPT, "sh", path, number ?? ""], {
    stdio: ["pipe", "ignore", "ignore"],
    // Nothing is kept in use.
    cwd: "/",
  });
  const gone = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.on("error", (error) => {
      onError(error);
      resolve();
    });
  });
  // It may be gone when it is told to stand down.
  child.stdin?.on("error", () => {});
  if (child.pid !== undefined) child.unref();
  return {
    async standDown() {
      if (child.pid === undefined) return;
      child.ref();
      child.stdin!.end("done\n");
      await gone;
    },
  };
}
