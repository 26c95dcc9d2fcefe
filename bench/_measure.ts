/** How often a running command is looked at, in milliseconds. */
const POLL_MS = 10;

/** What one run of a command took. */
export interface Measurement {
  /** Wall time in seconds. */
  readonly wallSeconds: number;
  /** User and system time of all its processes in seconds. */
  readonly cpuSeconds: number;
  /** The largest memory of each of its processes, summed, in bytes. */
  readonly peakBytes: number;
  /** What it wrote to its standard output. */
  readonly output: string;
}

/** A command that did not end well. */
export class CommandError extends Error {
  /** The command. */
  readonly command: string;
  /** Its exit code. */
  readonly code: number;

  /** Makes the error for a command, with the end of what it said. */
  constructor(command: string, code: number, said: string) {
    super(
      `Cannot measure a command that fails with ${code}: ${command}\n${
        said.slice(-2000)
      }`,
    );
    this.name = "CommandError";
    this.command = command;
    this.code = code;
  }
}

/** Where and with which environment a command runs. */
export interface MeasureOptions {
  /** The working directory. */
  readonly cwd: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a shell command and measures it with everything that it starts. Times
 * come from bash, which waits for the processes; memory is the high-water mark
 * that the kernel keeps for each process, read until it ends.
 *
 * @param command A command for bash; pipelines count as a whole.
 * @param options Where it runs.
 * @returns What it took.
 * @throws {CommandError} If it fails.
 */
export async function measure(
  command: string,
  options: MeasureOptions,
): Promise<Measurement> {
  const times = await Deno.makeTempFile({ dir: options.cwd });
  const script = `set -o pipefail; TIMEFORMAT='%3R %3U %3S'
{ time { ${command}
} 2>&3; } 3>&2 2>${times}`;
  const child = new Deno.Command("bash", {
    args: ["-c", script],
    cwd: options.cwd,
    env: { ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const peak = new PeakMemory(child.pid);
  const timer = setInterval(() => peak.look(), POLL_MS);
  const { code, stdout, stderr } = await child.output().finally(() =>
    clearInterval(timer)
  );
  const output = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new CommandError(
      command,
      code,
      output + new TextDecoder().decode(stderr),
    );
  }
  const [wall, user, system] = (await Deno.readTextFile(times)).trim().split(
    /\s+/,
  ).map(Number);
  await Deno.remove(times);
  return {
    wallSeconds: wall,
    cpuSeconds: user + system,
    peakBytes: peak.sum(),
    output,
  };
}

/** The high-water marks of a process's descendants; the process itself, a shell, is left out. */
class PeakMemory {
  readonly #root: number;
  readonly #peaks = new Map<number, number>();

  constructor(root: number) {
    this.#root = root;
  }

  look(): void {
    const pending = childrenOf(this.#root);
    for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))
        ?.[1];
      if (kilobytes === undefined) continue; // It has just ended.
      this.#peaks.set(
        pid,
        Math.max(Number(kilobytes) * 1024, this.#peaks.get(pid) ?? 0),
      );
      pending.push(...childrenOf(pid));
    }
  }

  sum(): number {
    return [...this.#peaks.values()].reduce((sum, peak) => sum + peak, 0);
  }
}

function childrenOf(pid: number): number[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) =>
      read(`/proc/${pid}/task/${name}/children`).split(" ").filter(Boolean).map(
        Number,
      )
    );
  } catch {
    return []; // It has just ended.
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // It has just ended.
  }
}

/** Returns the value in the middle of a list that is not empty. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}
