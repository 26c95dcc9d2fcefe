import { match, rejects, strictEqual } from "node:assert/strict";
import { type Child, startChild } from "./mod.ts";

Deno.test("a program that cannot be started is an error", async () => {
  await rejects(startChild(["no-such-program-here"], "sftp://h/a"), {
    message:
      "Cannot open sftp://h/a as no-such-program-here cannot be started: there is no such program (ENOENT)",
    code: "ENOENT",
  });
});

Deno.test("a program that ends says why", async () => {
  const cases: readonly [string, string, string, boolean][] = [
    ["exit 7", "sh ended with 7 and said nothing", "ECONNRESET", true],
    ["kill -9 $$", "sh was ended by SIGKILL", "ECONNRESET", true],
    [
      "echo 'u@h: Permission denied (publickey).' >&2; exit 255",
      "sh says: u@h: Permission denied (publickey).",
      "EACCES",
      false,
    ],
    ["echo 'Host key verification failed.' >&2", "failed", "EHOSTKEY", false],
    [
      "printf 'a\\033[31mb\\n\\n@@@\\nc\\n' >&2",
      "a[31mb; c",
      "ECONNRESET",
      true,
    ],
    [
      "echo 'connect to host h port 22: Connection refused' >&2",
      "refused",
      "ECONNREFUSED",
      true,
    ],
  ];
  for (const [script, words, code, isTransient] of cases) {
    const child = await startChild(["sh", "-c", script], "sftp://h/a");
    await readAll(child);
    const error = await child.explain();
    strictEqual(error.message.includes(words), true, error.message);
    strictEqual(error.message.startsWith("Cannot reach sftp://h/a: "), true);
    strictEqual(error.code, code);
    strictEqual(error.isTransient, isTransient);
    await child.close(60_000);
  }
});

Deno.test("of a program that says much the end is kept", async () => {
  const script =
    "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done >&2";
  const child = await startChild(["sh", "-c", script], "sftp://h/a");
  await readAll(child);
  match(
    (await child.explain()).message,
    /says: line 2997; line 2998; line 2999 \(/,
  );
  await child.close(60_000);
});

Deno.test("a program that does not end is ended", async () => {
  const child = await startChild([
    "sh",
    "-c",
    "trap '' TERM; sleep 1000 & cat; wait",
  ], "x");
  await child.pipe.writable.close();
  await child.close(0);
  match((await child.explain()).message, /was ended by SIGKILL/);
});

async function readAll(child: Child): Promise<void> {
  for await (const _ of child.pipe.readable);
}
