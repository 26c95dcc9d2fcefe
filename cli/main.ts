/**
 * The program as it is run: `deno run -A cli/main.ts`. The only file here that
 * uses Deno; on Node it is `cli/node_main.ts`.
 *
 * @module
 */
import { type CliContext, ClosedPipeError, type Output } from "./context.ts";
import { LOW_PRIORITY } from "./low_priority.ts";
import { main } from "./program.ts";
import { watchInterrupts } from "./interrupts.ts";
import { loadLate } from "./load_late.ts";

const { signal, interrupted, takeSignals } = watchInterrupts({
  listen: Deno.addSignalListener,
  end: (_, code) => Deno.exit(code),
});

// A file above the limit of `ulimit -f` is an error, as on Node, and ends nothing.
Deno.addSignalListener("SIGXFSZ", () => {});

type Stream = typeof Deno.stdout | typeof Deno.stderr;

function outputOf(stream: Stream): Output {
  return {
    get isTerminal() {
      return stream.isTerminal();
    },
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) {
          const rest = at === 0 ? bytes : bytes.subarray(at);
          // A reader that does not read must not keep an interrupted program.
          at += await Promise.race([stream.write(rest), interrupted]);
        }
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Deno.errors.BrokenPipe) {
          throw new ClosedPipeError();
        }
        const { code } = error as { code?: string };
        throw new Error(
          `Cannot write the result: ${code ?? error}`,
          { cause: error },
        );
      }
    },
    columns() {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return undefined;
      }
    },
  };
}

/** Whether something is allowed already, so that nobody is asked. */
function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function env(name: string): string | undefined {
  const isReadable = isGranted({ name: "env", variable: name });
  return isReadable ? Deno.env.get(name) : undefined;
}

/**
 * The folder of the user. A task of this repository runs in its root, whatever
 * folder it was called from.
 */
function userFolder(): string {
  const cwd = currentFolder();
  const calledFrom = env("INIT_CWD");
  const root = new URL("..", import.meta.url);
  const isTask = calledFrom !== undefined && root.protocol === "file:" &&
    decodeURIComponent(root.pathname) === `${cwd}/`;
  return isTask ? calledFrom : cwd;
}

function currentFolder(): string {
  try {
    return Deno.cwd();
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    throw new Error(
      `Cannot use the current folder: its path is not UTF-8: ${error.message}`,
      { cause: error },
    );
  }
}

const context: CliContext = {
  stdout: outputOf(Deno.stdout),
  stderr: outputOf(Deno.stderr),
  signal,
  get cwd() {
    return userFolder();
  },
  env,
  hostname: () =>
    isGranted({ name: "sys", kind: "hostname" }) ? Deno.hostname() : undefined,
  lowerPriority: async () => {
    if (!isGranted({ name: "sys", kind: "setPriority" })) return;
    const { setPriority } = await import("node:os");
    setPriority(LOW_PRIORITY);
  },
  uid: () =>
    isGranted({ name: "sys", kind: "uid" })
      ? Deno.uid() ?? undefined
      : undefined,
  isAllowed: (name, path) => isGranted({ name, path }),
  takeSignals,
  onAsked: (handler) => Deno.addSignalListener("SIGUSR2", handler),
  command: async () => {
    const { ownCommand } = await loadLate(
      "own_command",
    ) as typeof import("./own_command.ts");
    return await ownCommand(Deno.execPath(), Deno.args.length);
  },
  runtime: `deno ${Deno.version.deno}`,
};
Deno.exit(await main(Deno.args, context));
