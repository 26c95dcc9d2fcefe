import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { waitFor } from "../tests/_mount.ts";
import { findNode, nodeArguments } from "../tests/_node.ts";
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

const { pathname: folder } = new URL(".", import.meta.url);

/** The program on each runtime; none where that is not here. */
const PROGRAMS: Readonly<Record<string, () => string[] | undefined>> = {
  Deno: () => [Deno.execPath(), "run", "-A", `${folder}main.ts`],
  Node() {
    const node = findNode();
    if (node === undefined) return undefined;
    return [node, ...nodeArguments(`${folder}node_main.ts`)];
  },
};

for (const [runtime, find] of Object.entries(PROGRAMS)) {
  Deno.test({
    name:
      `one signal ends a program on ${runtime} that reads patterns from who says nothing`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const found = find();
      if (found === undefined) return console.log("left out: no Node 22");
      const [program, ...args] = found;
      using folder = new TemporaryFolder();
      const fifo = folder.join("fifo");
      execFileSync("mkfifo", [fifo]);
      const child = new Deno.Command(program, {
        args: [...args, "id", folder.path, "--exclude-from", fifo],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const files: number[] = [];
      let code: number | undefined;
      const status = child.status.then((status) => code = status.code);
      try {
        await waitFor("reading", () => isRead(fifo, files));
        child.kill("SIGINT");
        await waitFor("the end", () => code !== undefined);
      } finally {
        if (code === undefined) child.kill("SIGKILL");
        await status;
        files.forEach(closeSync);
      }
      strictEqual(code, 130);
    },
  });
}
