import { measure } from "./_measure.ts";
import type { MountSystem } from "./_mount_systems.ts";

/** How long a mount may take, in milliseconds. */
const MOUNT_MS_MAX = 60_000;

/** How often it is looked for, in milliseconds. */
const LOOK_MS = 1;

/** What is mounted where. */
export interface MountPlace {
  /** The tree. */
  readonly tree: string;
  /** What was made of it. */
  readonly image: string;
  /** The mount point. */
  readonly point: string;
  /** Where caches and temporary files lie. */
  readonly folder: string;
  /** Variables for its commands. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where something is mounted now. */
const points = new Set<string>();

/** Takes all mounts out of sight, for a bench that is interrupted. */
export function unmountAll(): void {
  for (const point of points) {
    new Deno.Command("umount", { args: ["-l", point] }).outputSync();
  }
}

/** Why nothing can be mounted here, if so. */
export function mountAbsentReason(): string | undefined {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
  } catch (error) {
    return `/dev/fuse cannot be opened: ${(error as Error).message}`;
  }
  return Deno.uid() === 0 ? undefined : "only root may mount";
}

/** The variables of a place, for shell commands. */
export function placeEnvironment(place: MountPlace): Record<string, string> {
  const { tree, image, point, env } = place;
  return { ...env, TREE: tree, IMAGE: image, MOUNT: point };
}

/** A tree that is mounted until this is disposed of. */
export class Mounted implements AsyncDisposable {
  /** The mounted tree. */
  readonly root: string;
  /** Milliseconds from the start of the command until `ls` had answered. */
  readonly startMs: number;
  readonly #child: Deno.ChildProcess;
  readonly #point: string;
  #hasEnded = false;

  private constructor(
    child: Deno.ChildProcess,
    point: string,
    root: string,
    startMs: number,
  ) {
    this.#child = child;
    this.#point = point;
    this.root = root;
    this.startMs = startMs;
    child.status.then(() => this.#hasEnded = true);
  }

  /**
   * Mounts, and lists the root.
   *
   * @param system Whose command.
   * @param place What and where.
   * @returns The mount.
   * @throws {Error} If the command fails, or nothing is mounted within a minute.
   */
  static async start(
    system: Pick<MountSystem, "name" | "mount" | "below">,
    place: MountPlace,
  ): Promise<Mounted> {
    const { point } = place;
    await Deno.mkdir(point, { recursive: true });
    const before = Deno.statSync(point);
    points.add(point);
    const start = performance.now();
    const child = new Deno.Command("bash", {
      args: ["-c", `exec 2>"$MOUNT.said"; ${system.mount}`],
      cwd: place.folder,
      env: placeEnvironment(place),
      stdin: "null",
      stdout: "null",
    }).spawn();
    let ended: number | undefined;
    child.status.then(({ code }) => ended = code);
    for (;;) {
      const { dev, ino } = Deno.statSync(point);
      if (dev !== before.dev || ino !== before.ino) break;
      if (ended || performance.now() - start > MOUNT_MS_MAX) {
        if (ended === undefined) child.kill("SIGKILL");
        const { code } = await child.status;
        points.delete(point);
        throw new Error(
          `Cannot mount by ${system.name}: it ended with ${code}\n${
            Deno.readTextFileSync(`${point}.said`)
          }`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const root = point + (system.below ?? "");
    new Deno.Command("ls", { args: [root], stdout: "null" }).outputSync();
    return new Mounted(child, point, root, performance.now() - start);
  }

  /** The process that serves it, or 0 where the kernel does. */
  get server(): number {
    return this.#hasEnded ? 0 : this.#child.pid;
  }

  /** The most memory of the program and what it started, in bytes, so far. */
  memory(): number {
    return peakOf(this.#child.pid);
  }

  /** Unmounts, and waits for the end of the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    await measure(`umount "$MOUNT"`, {
      cwd: "/",
      env: { MOUNT: this.#point },
    });
    await this.#child.status;
    // One that went into the background still writes the cache of its runtime.
    while (isServed(this.#point)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    points.delete(this.#point);
  }
}

/** Whether a program runs that was told of a mount point. */
function isServed(point: string): boolean {
  return Array.from(Deno.readDirSync("/proc")).some(({ name }) => {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) return false;
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      return words.includes(point);
    } catch {
      return false; // It has ended.
    }
  });
}

/** Adds up the high-water marks of a process and of those that it started. */
function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const own = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return Number(own) * 1024 +
      children.split(" ").filter(Boolean).map(Number).map(peakOf)
        .reduce((sum, one) => sum + one, 0);
  } catch {
    return 0; // It has ended.
  }
}
