import {
  errnoMessage,
  O_APPEND,
  O_CREAT,
  O_WRONLY,
} from "@snap/posix/constants";
import { posix } from "@snap/posix";
import type { ChildProcess } from "node:child_process";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { givenOptions, needCommand } from "./start_again.ts";
import type { Session } from "../session.ts";

/** Options of this command that are handed on to the server; the log is opened here. */
const OPTIONS = [
  "all",
  "writable",
  "upper",
  "allow-other",
  "numeric-owner",
  "cache",
  "workers",
  "stats",
  "any",
];

/** The line in which the server says its outcome. */
interface Outcome {
  readonly v: number;
  readonly type: string;
  readonly mountpoint?: string;
  readonly source?: string;
  readonly warnings?: readonly string[];
  readonly message?: string;
  readonly hint?: string;
  readonly name?: string;
}

/**
 * Starts this program again, in a session of its own, and waits until the mount
 * answers.
 *
 * @throws {CommandError} What kept the server from mounting.
 */
export async function startServer(session: Session): Promise<number> {
  const child = await spawnServer(session);
  const onAbort = () => void child.kill("SIGTERM");
  session.signal.addEventListener("abort", onAbort);
  try {
    const outcome = await outcomeOf(child).finally(() =>
      session.signal.throwIfAborted()
    );
    if (outcome.type === "error") throw failureOf(outcome);
    const { v: _, warnings = [], ...fields } = outcome;
    for (const message of warnings) session.warn(message);
    await session.result(outcome.mountpoint!, { ...fields, pid: child.pid });
    session.note(
      `Mounted ${outcome.source}: ${COMMAND} umount ${outcome.mountpoint} ends it`,
    );
  } finally {
    session.signal.removeEventListener("abort", onAbort);
  }
  child.stdout!.destroy();
  child.unref();
  return ExitCode.done;
}

async function spawnServer(session: Session): Promise<ChildProcess> {
  const { args } = session;
  const [program, ...words] = await needCommand(session);
  const { spawn } = await import("node:child_process");
  const log = await openLog(session);
  try {
    return spawn(program, [
      ...words,
      "mount",
      "--foreground",
      "--report",
      ...givenOptions(args, OPTIONS),
      "--",
      ...args.positionals,
    ], { detached: true, stdio: ["ignore", "pipe", log ?? "ignore"] });
  } finally {
    if (log !== undefined) posix!.close(log);
  }
}

async function openLog(session: Session): Promise<number | undefined> {
  const name = session.args.text("log");
  if (name === undefined || posix === undefined) return undefined;
  const path = await resolvePath(session, name);
  const bytes = new TextEncoder().encode(`${path}\0`);
  const fd = posix.open(bytes, O_WRONLY | O_CREAT | O_APPEND, 0o600);
  if (fd >= 0) return fd;
  throw new CommandError(`Cannot open log ${path}: ${errnoMessage(fd)}`);
}

/** Reads the line of the server, or tells how it ended without one. */
function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder();
    let said = "";
    child.stdout!.on("data", (bytes: Uint8Array) => {
      said += decoder.decode(bytes, { stream: true });
      const end = said.indexOf("\n");
      if (end >= 0) resolve(JSON.parse(said.slice(0, end)) as Outcome);
    });
    child.on("error", (cause) =>
      reject(
        new CommandError(
          `Cannot start the server: ${cause.message}`,
          "--foreground needs no second program",
        ),
      ));
    child.on("close", (code, signal) =>
      reject(
        new CommandError(
          `Cannot mount: the server has ended with ${
            signal ?? `exit code ${code}`
          }`,
          "--foreground shows what it says",
        ),
      ));
  });
}

/** The failure of the server, as if it had been here. */
function failureOf({ message, hint, name }: Outcome): Error {
  const error = new CommandError(message ?? "Cannot mount", hint);
  if (name !== undefined) error.name = name;
  return error;
}
