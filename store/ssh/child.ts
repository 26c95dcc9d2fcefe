import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { kill } from "node:process";
import { type Readable, Writable } from "node:stream";
import type { Pipe } from "../serve/frames.ts";
import { RemoteError } from "../wrap/remote_error.ts";

/** Most characters that are kept of what a program says, from its end. */
const SAID_SIZE_MAX = 4096;
/** Bytes that are taken from a program before they are read. */
const BUFFER_SIZE: number = 256 * 1024;
/** Most lines of it in a message. */
const SAID_LINES_MAX = 3;
/** How long a program may take to say why it ends, once its pipe has ended, in milliseconds. */
const EXPLAIN_MS = 2000;

/** A program at the other end of a pipe. */
export interface Child {
  /** Its standard output, and its standard input. */
  readonly pipe: Pipe;

  /**
   * Says why the pipe has ended: what the program has written to its standard
   * error, or how it ended. Best called after the pipe has ended.
   *
   * @param cause What was noticed of it.
   * @returns The error.
   */
  explain(cause?: unknown): Promise<RemoteError>;

  /**
   * Waits until the program has ended, and ends it by force when it takes too
   * long. Its standard input should have been closed.
   *
   * @param graceMs How long it may take, in milliseconds.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts a program. A signal from the terminal does not reach it: what is at
 * work ends in order before it.
 *
 * @param command The program and its arguments.
 * @param location What its store is called in messages.
 * @returns The program, at work.
 * @throws {RemoteError} If it cannot be started.
 */
export async function startChild(
  command: readonly string[],
  location: string,
): Promise<Child> {
  const [program, ...args] = command;
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    await once(child, "spawn");
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code !== "string") throw cause;
    const reason = code === "ENOENT" ? "there is no such program" : "it failed";
    throw new RemoteError(
      `Cannot open ${location} as ${program} cannot be started: ${reason} (${code})`,
      { code, action: "open", cause },
    );
  }
  return new RunningChild(child, program, location);
}

class RunningChild implements Child {
  readonly pipe: Pipe;
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #location: string;
  /** The program has ended. */
  readonly #ended: Promise<unknown>;
  /** Nobody holds its pipes any more, as what it has started may do. */
  readonly #closed: Promise<unknown>;
  #said = "";

  constructor(child: ChildProcess, program: string, location: string) {
    this.#child = child;
    this.#program = program;
    this.#location = location;
    this.#ended = new Promise((resolve) => child.once("exit", resolve));
    this.#closed = new Promise((resolve) => child.once("close", resolve));
    child.on("error", () => {}); // How it ended is seen at its pipe.
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_SIZE_MAX);
    });
    this.pipe = {
      readable: streamOf(child.stdout!),
      writable: Writable.toWeb(child.stdin!),
    } as unknown as Pipe;
  }

  async explain(cause?: unknown): Promise<RemoteError> {
    await isSoon(this.#closed, EXPLAIN_MS);
    const said = lastLines(this.#said);
    const known = FAILURES.find(([pattern]) => pattern.test(said));
    const [, code, isTransient] = known ?? [, "ECONNRESET", true];
    const { exitCode, signalCode } = this.#child;
    const end = signalCode !== null
      ? `was ended by ${signalCode}`
      : exitCode === null
      ? "closed the pipe"
      : `ended with ${exitCode}`;
    return new RemoteError(
      `Cannot reach ${this.#location}: ${this.#program} ${
        said === "" ? `${end} and said nothing` : `says: ${said}`
      } (${code})`,
      {
        code,
        action: "open",
        isTransient,
        mayHaveHappened: true,
        cause,
        hint: known?.[3],
      },
    );
  }

  async close(graceMs: number): Promise<void> {
    const child = this.#child;
    if (!await isSoon(this.#ended, graceMs)) {
      killGroup(child.pid!);
      await this.#ended;
    }
    for (const end of [child.stdin, child.stdout, child.stderr]) end?.destroy();
    await this.#closed;
  }
}

/** The output of a program as a stream. `Readable.toWeb` has a quarter of the rate on Deno. */
function streamOf(readable: Readable): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      readable.on("data", (piece: Uint8Array) => {
        // Not as the Buffer that it is, whose slices are no copies.
        const { buffer, byteOffset, length } = piece;
        controller.enqueue(new Uint8Array(buffer, byteOffset, length));
        if (controller.desiredSize! <= 0) readable.pause();
      });
      // Cancelled, or torn by its own end: whoever reads has heard.
      const end = () => {
        readable.removeAllListeners("data");
        try {
          controller.close();
        } catch {
          // It was closed before.
        }
      };
      readable.once("end", end).once("close", end).once("error", end).pause();
    },
    pull: () => void readable.resume(),
    cancel: () => void readable.destroy(),
  }, { highWaterMark: BUFFER_SIZE, size: (piece) => piece.length });
}

/** Ends a program by force, with all that it has started. */
function killGroup(pid: number): void {
  try {
    kill(-pid, "SIGKILL");
  } catch (error) {
    // It may have ended meanwhile.
    if ((error as { code?: unknown }).code !== "ESRCH") throw error;
  }
}

async function isSoon(event: Promise<unknown>, ms: number): Promise<boolean> {
  let timer;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const isOver = await Promise.race([event.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}

/** Messages of `ssh`, whether the cause passes, and a hint for each. */
const FAILURES: readonly (readonly [RegExp, string, boolean, string?])[] = [
  [
    /host key verification failed|remote host identification has changed/i,
    "EHOSTKEY",
    false,
    "ssh to the host once by hand, and compare its key",
  ],
  [
    /permission denied|too many authentication failures/i,
    "EACCES",
    false,
    "nothing is asked here: add the key to ssh-agent, or name it in ~/.ssh/config",
  ],
  [
    /subsystem request failed/i,
    "ENOSYS",
    false,
    "sftp is switched off at that host",
  ],
  [/could not resolve hostname/i, "ENOTFOUND", true],
  [/connection refused/i, "ECONNREFUSED", true],
  [/no route to host|network is unreachable/i, "EHOSTUNREACH", true],
  [/timed out|timeout/i, "ETIMEDOUT", true],
  [
    /command not found|: not found|no such file or directory/i,
    "ENOENT",
    false,
    "the program has to be in the PATH of the other host",
  ],
];

/** The last lines, without what acts on a terminal. */
function lastLines(text: string): string {
  return text.split(/[\r\n]+/)
    .map((line) => line.replace(/[\p{Cc}\p{Cf}]/gu, "").trim())
    .filter((line) => line !== "" && !/^@+$/.test(line))
    .slice(-SAID_LINES_MAX)
    .join("; ");
}
