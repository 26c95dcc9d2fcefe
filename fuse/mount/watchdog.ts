/** A program that unmounts when this one is gone, in whatever way. */
export interface Watchdog {
  /**
   * Tells it which mount to watch. Until then it takes any dead mount at the path for that one.
   */
  watch(number: string | undefined): void;
  /** Ends it; for after a clean end. */
  standDown(): Promise<void>;
}

/**
 * Waits for two lines; without the second, the other end is gone. What ends all programs of a
 * terminal does not end this one. The mount may be out of sight, and another one in its place:
 * that one stays. Where it was not told which one is mounted, a first look waits until the last
 * thread of the other end is gone. Where root's way is refused, a helper is there for users.
 */
const SCRIPT = `trap "" HUP INT QUIT TERM
export LC_ALL=C
if read -r number; then
  read -r line && exit
  grep -q " $number / " /proc/self/mountinfo || exit
else
  stat -f -- "$1" >/dev/null 2>&1
  found=$(stat -f -- "$1" 2>&1) && exit
  case $found in *"not connected") ;; *) exit ;; esac
fi
umount -l -- "$1" || exec fusermount3 -uzq -- "$1"`;

/**
 * Starts a program that waits for our end, which it sees as the end of its input, and unmounts
 * then. A mount in use goes out of sight. To be called before mounting, so that there is no moment
 * without a watchdog.
 *
 * @param path The absolute path that is mounted on.
 * @param onError Called, once the mount is there, if the program could not be started.
 */
export async function startWatchdog(
  path: string,
  onError: (error: unknown) => void,
): Promise<Watchdog> {
  try {
    return await start(path, onError);
  } catch (error) {
    return { watch: () => onError(error), standDown: () => Promise.resolve() };
  }
}

async function start(
  path: string,
  onError: (error: unknown) => void,
): Promise<Watchdog> {
  const { spawn } = await import("node:child_process");
  // Not detached: for that Deno copies its address space, which large reserved memory forbids.
  const child = spawn("sh", ["-c", SCRIPT, "sh", path], {
    stdio: ["pipe", "ignore", "ignore"],
    // Nothing is kept in use.
    cwd: "/",
  });
  const gone = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<unknown>();
  child.on("close", gone.resolve);
  child.on("error", failed.resolve);
  // It may be gone when it is told to stand down.
  child.stdin?.on("error", () => {});
  if (child.pid !== undefined) child.unref();
  return {
    watch(number) {
      void failed.promise.then(onError);
      if (child.pid !== undefined) child.stdin!.write(`${number ?? ""}\n`);
    },
    async standDown() {
      if (child.pid === undefined) return;
      child.ref();
      child.stdin!.end("done\n");
      await gone.promise;
    },
  };
}
