#!/usr/bin/env node
/**
 * The program on Node, as `cli/main.ts` is on Deno: what the npm package
 * installs as a command.
 *
 * @module
 */
import { hostname, setPriority } from "node:os";
import process from "node:process";
import type { WriteStream } from "node:tty";
import { type CliContext, ClosedPipeError, type Output } from "./context.ts";
import { LOW_PRIORITY } from "./low_priority.ts";
import { main } from "./program.ts";
import { watchInterrupts } from "./interrupts.ts";
import { loadLate } from "./load_late.ts";

const { signal, interrupted, takeSignals } = watchInterrupts({
  listen: (name, handler) => void process.on(name, handler),
  end,
});

/** Ends the program at once: `process.exit` waits for its threads, and one may wait for a fifo. */
function end(name: NodeJS.Signals): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

function outputOf(stream: WriteStream): Output {
  // Without a listener a reader that has gone would end the program.
  stream.on("error", () => {});
  return {
    isTerminal: stream.isTTY === true,
    async write(bytes) {
      const written = new Promise<void>((resolve, reject) => {
        stream.write(bytes, (error) => error ? reject(error) : resolve());
      });
      try {
        // A reader that does not read must not keep an interrupted program.
        await Promise.race([written, interrupted]);
      } catch (error) {
        signal.throwIfAborted();
        if ((error as NodeJS.ErrnoException).code === "EPIPE") {
          throw new ClosedPipeError();
        }
        const { code } = error as { code?: string };
        throw new Error(
          `Cannot write the result: ${code ?? error}`,
          { cause: error },
        );
      }
    },
    columns: () => stream.columns,
  };
}

const context: CliContext = {
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  signal,
  get cwd() {
    return process.cwd();
  },
  env: (name) => process.env[name],
  hostname,
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  lowerPriority: async () => setPriority(LOW_PRIORITY),
  uid: () => process.getuid?.(),
  takeSignals,
  onAsked: (handler) => void process.on("SIGUSR2", handler),
  command: async () => {
    const { ownCommand } = await loadLate(
      "own_command",
    ) as typeof import("./own_command.ts");
    return await ownCommand(process.execPath, process.argv.length - 2);
  },
  runtime: `node ${process.versions.node}`,
};
const code = await main(process.argv.slice(2), context);
const isWaiting = process.getActiveResourcesInfo().includes("FSReqPromise");
if (signal.aborted && isWaiting) end(signal.reason.signalName);
else process.exit(code);
