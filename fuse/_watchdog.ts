/** A program that unmounts when this one is gone, in whatever way. */
export interface Watchdog {
  /** Ends it; for after a clean end. */
  standDown(): Promise<void>;
}

/** Waits for a line; without one, the other end is gone. A helper is there for users. */
const SCRIPT =
  'read -r line || umount -l -- "$1" || exec fusermount3 -uzq -- "$1"';

/**
 * Starts a program of its own session that waits for our end, which it sees as the end of its
 * input, and unmounts then. What is in use goes out of sight.
 *
 * @param path The absolute path of the mount.
 */
export async function startWatchdog(path: string): Promise<Watchdog> {
  const { spawn } = await import("node:child_process");
  const child = spawn("sh", ["-c", SCRIPT, "sh", path], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    // Nothing is kept in use.
    cwd: "/",
  });
  const gone = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.on("error", () => resolve());
  });
  child.stdin!.on("error", () => {});
  child.unref();
  return {
    async standDown() {
      child.ref();
      child.stdin!.end("done\n");
      await gone;
    },
  };
}
