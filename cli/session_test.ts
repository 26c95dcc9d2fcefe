import { deepStrictEqual } from "node:assert/strict";
import type { Output } from "./context.ts";
import { ParsedArguments } from "./arguments/parse_arguments.ts";
import { Session } from "./session.ts";

Deno.test("Session: a terminal gets a result after what was said before it", async () => {
  const written: string[] = [];
  const output = (name: string, turns: number): Output => ({
    isTerminal: true,
    async write(bytes) {
      const text = new TextDecoder().decode(bytes);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      written.push(name + text);
    },
  });
  const session = new Session(
    {
      stdout: output("1", 0),
      stderr: output("2", 9),
      cwd: "/",
      env: () => undefined,
    },
    new ParsedArguments([], new Map()),
  );
  session.progress({
    unit: "file",
    doneCount: 1,
    doneByteCount: 0,
    isTotalKnown: false,
  });
  session.clearProgress();
  await session.result("id", { type: "id" });
  await session.flush();
  deepStrictEqual(written, ["2\r1 file, 0 B\x1b[K", "2\r\x1b[K", "1id\n"]);
});
