import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { waitFor } from "../tests/_mount.ts";
import { TemporaryFolder } from "../tests/_snapshots.ts";
import { watchInterrupts } from "./interrupts.ts";

Deno.test("the first signal asks the program to end, the next one ends it", () => {
  const handlers = new Map<string, () => void>();
  const ended: unknown[] = [];
  const { signal } = watchInterrupts({
    listen: (name, handler) => void handlers.set(name, handler),
    end: (name, code) => void ended.push(name, code),
  });
  strictEqual(signal.aborted, false);
  handlers.get("SIGINT")!();
  strictEqual(signal.reason.exitCode, 130);
  deepStrictEqual(ended, []);
  handlers.get("SIGTERM")!();
  deepStrictEqual(ended, ["SIGTERM", 143]);
});

/** Opens a fifo for writing, and says nothing: whoever reads it waits. */
function isRead(path: string, files: number[]): boolean {
  try {
    files.push(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false; // Nobody reads it yet.
  }
}

Deno.test({
  name: "signals end a program that reads patterns from who says nothing",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new TemporaryFolder();
    const fifo = folder.join("fifo");
    execFileSync("mkfifo", [fifo]);
    const main = new URL("./main.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", main, "id", folder.path, "--exclude-from", fifo],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let code: number | undefined;
    const status = child.status.then((status) => code = status.code);
    const files: number[] = [];
    await waitFor("reading", () => isRead(fifo, files));
    await waitFor("the end", () => {
      try {
        if (code === undefined) child.kill("SIGINT");
      } catch {
        // It has ended in between.
      }
      return code !== undefined;
    });
    strictEqual(await status, 130);
    files.forEach(closeSync);
  },
});
