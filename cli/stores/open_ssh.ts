import { spawn } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { openPipeStore, type Pipe } from "@snap/store/http";
import { CommandError } from "../command_error.ts";
import { COMMAND } from "../product.ts";
import { UsageError } from "../arguments/usage_error.ts";
import type { FarNeed, OpenedStore } from "./opened_store.ts";
import { parseSshUrl, remoteLine } from "./ssh_address.ts";

/** Most bytes of what the other side says beside its answers that are kept. */
const SAID_SIZE_MAX = 4096;
/** How long ssh may take to end when it was asked to, in milliseconds. */
const END_MS = 2000;

/** Opens `ssh://HOST/PATH`: runs `serve --stdio` there, through the user's own ssh. */
export async function open(url: string, need: FarNeed): Promise<OpenedStore> {
  const address = parseSshUrl(url);
  const { signal, settings, limiter, meter } = need;
  const words = splitCommand(settings.sshCommand ?? "ssh");
  const line = remoteLine(settings.remoteCommand ?? COMMAND, address.path);
  const { host, user, port } = address;
  const [program, ...args] = [
    ...words,
    ...port === undefined ? [] : ["-p", port],
    "--",
    user === undefined ? host : `${user}@${host}`,
    line,
  ];
  need.detail(`Runs ${[program, ...args].join(" ")}`);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<string | undefined>((resolve) => {
    child.on("error", (error: Error & { code?: string }) => {
      resolve(error.code === "ENOENT" ? "it is not installed" : error.message);
    });
    child.on("close", () => resolve(undefined));
  });
  // What is written to a program that has ended fails there, too.
  child.stdin.on("error", () => {});
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-SAID_SIZE_MAX);
  });
  const location = url;
  try {
    const store = await openPipeStore({
      readable: Readable.toWeb(child.stdout),
      writable: Writable.toWeb(child.stdin),
    } as unknown as Pipe, { location, signal, limiter, meter });
    return {
      store,
      location,
      meter,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await endOf(child, ended);
      },
    };
  } catch (cause) {
    const failure = await endOf(child, ended);
    signal.throwIfAborted();
    if (failure !== undefined) {
      throw new CommandError(`Cannot run ${program}: ${failure}`);
    }
    throw explained(cause as Error, { location, said, program });
  }
}

/** Splits a command into words at spaces, as GIT_SSH_COMMAND without quotes. */
function splitCommand(text: string): string[] {
  const words = text.split(" ").filter((word) => word !== "");
  if (words.length > 0) return words;
  throw new UsageError("Cannot use an ssh command: it is empty");
}

/** Waits for the program, and ends it if it does not. */
async function endOf(
  child: ReturnType<typeof spawn>,
  ended: Promise<string | undefined>,
): Promise<string | undefined> {
  child.stdin!.destroy();
  const timer = setTimeout(() => child.kill("SIGTERM"), END_MS);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}

/** An error with what the other side said, which knows better. */
function explained(
  cause: Error,
  { location, said, program }: {
    location: string;
    said: string;
    program: string;
  },
): Error {
  const lines = said.split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "");
  const greeting = /must begin with \S+: found (".*")/.exec(cause.message)?.[1];
  if (greeting !== undefined) {
    return new CommandError(
      `Cannot open ${location}: the other side says ${greeting} before its answer`,
      `what its shell prints at login has to go to stderr, or only where there is a terminal`,
    );
  }
  if (lines.length === 0) return cause;
  const isAbsent = /not found|No such file/.test(lines.at(-1)!);
  return new CommandError(
    `Cannot open ${location}: ${lines.slice(-3).join("; ")}`,
    isAbsent
      ? `${COMMAND} has to be installed there; SNAP_REMOTE_COMMAND says where`
      : `${program} has to reach the host without a question`,
  );
}
