import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { ClosedPipeError, InterruptError } from "./context.ts";
import { Scene } from "./_test_scene.ts";

Deno.test("export, import: the id stays, plain and compressed; the digest is that of the plain archive", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const digests = new Set<string>();
  for (const format of ["tar", "tar.gz", "tar.zst"]) {
    const args = ["--as", format, `main.${format}`];
    digests.add(await scene.ok("export", "main", ...args));
    const imported = await scene.ok(
      "import",
      "--from",
      "tar",
      `main.${format}`,
    );
    strictEqual(imported.trim(), id);
  }
  strictEqual(digests.size, 1);
  const [digest] = digests;
  const args = ["import", "--from", "tar", "main.tar"];
  await scene.ok(...args, "--sha256", digest.trim(), "--tag", "again");
  match(await scene.ok("tag"), new RegExp(`^again\t${id}`, "m"));
  const other = await scene.snap([...args, "--sha256", "0".repeat(64)]);
  strictEqual(other.code, 1);
  match(other.stderr, /its SHA-256 is to be 0+: found [0-9a-f]{64}/);
  strictEqual((await scene.snap(["verify", "--data"])).code, 0);
});

Deno.test("export: a part of a snapshot, and one file, into a pipe", async () => {
  using scene = new Scene();
  await scene.saved();
  const part = await scene.snap(["export", "main:sub", "--as", "tar", "-"]);
  strictEqual(part.code, 0);
  writeFileSync(scene.at("part.tar"), part.stdoutBytes);
  await scene.ok("import", "--from", "tar", "part.tar", "--tag", "part");
  strictEqual(
    await scene.ok("ls", "-R", "part"),
    await scene.ok("ls", "-R", "main:sub"),
  );
  await scene.ok("export", "main:sub/b.ts", "--as", "tar", "one.tar");
  await scene.ok("import", "--from", "tar", "one.tar", "--tag", "one");
  strictEqual(await scene.ok("cat", "one:b.ts"), "beta\n");
});

Deno.test("export: a file that is there is only replaced if asked for, and nothing half is left", async () => {
  using scene = new Scene();
  await scene.saved();
  writeFileSync(scene.at("main.tar"), "mine");
  const args = ["export", "main", "--as", "tar", "main.tar"];
  const refused = await scene.snap(args);
  strictEqual(refused.code, 1);
  match(refused.stderr, /it is there\n.*hint: --existing/);
  strictEqual(readFileSync(scene.at("main.tar"), "utf8"), "mine");
  // A signal that comes while it is written.
  const gone = new AbortController();
  gone.abort(new Error("over"));
  await scene.snap([...args, "--existing"], { signal: gone.signal });
  strictEqual(readFileSync(scene.at("main.tar"), "utf8"), "mine");
  ok(!readdirSync(scene.path).some((name) => name.startsWith(".main.tar")));
  await scene.ok(...args, "--existing");
  strictEqual(readFileSync(scene.at("main.tar")).length % 10240, 0);
  const folder = await scene.snap(["export", "main", "--as", "tar", "tree"]);
  strictEqual(folder.code, 1);
  ok(existsSync(scene.at("tree", "a.ts")));
});

Deno.test("export, import: what cannot be meant is refused", async () => {
  using scene = new Scene();
  await scene.saved();
  const run = (...args: string[]) => scene.snap(args);
  strictEqual((await run("export", "main", "x.tar")).code, 2);
  strictEqual((await run("export", "main", "--as", "zip", "x")).code, 2);
  const json = await run("export", "main", "--as", "tar", "-", "--json");
  strictEqual(json.code, 2);
  const terminal = await scene.snap(["export", "main", "--as", "tar", "-"], {
    isTerminal: true,
  });
  strictEqual(terminal.code, 2);
  const none = await run("import", "--from", "tar", "none.tar");
  match(none.stderr, /Cannot read .*none\.tar: there is no such file/);
  const text = await run("import", "--from", "tar", "tree/a.ts");
  match(text.stderr, /as it ends too early; byte 6 of the archive/);
  const records = (await scene.ok("log")).trim().split("\n");
  strictEqual(records.length, 1);
});

Deno.test("export: a signal, a reader that has gone and a full disk leave nothing half", async () => {
  using scene = new Scene();
  // More than is written at once.
  await scene.ok("init");
  writeFileSync(scene.at("tree", "large"), new Uint8Array(5_000_000));
  await scene.ok("save", "tree", "-t", "main", "--workers", "0");
  const left = () => readdirSync(scene.path).sort().join();
  const before = left();
  // The first piece that is written ends it.
  const gone = () => {
    throw new ClosedPipeError();
  };
  const pipe = ["export", "main", "--as", "tar", "-"];
  const closed = await scene.snap(pipe, { onStdout: gone });
  deepStrictEqual([closed.code, closed.stderr], [0, ""]);
  const over = new AbortController();
  const interrupted = await scene.snap(pipe, {
    signal: over.signal,
    onStdout: () => over.abort(new InterruptError("SIGINT", 130)),
  });
  strictEqual(interrupted.code, 130);
  const full = await scene.snap([
    ...["export", "main", "--as", "tar.gz", "/dev/full"],
  ]);
  strictEqual(full.code, 1);
  match(full.stderr, /Cannot write \/dev\/full: no space is left/);
  strictEqual(left(), before);
});

Deno.test("import: a signal while the archive is read leaves no record", async () => {
  using scene = new Scene();
  await scene.saved();
  const over = new AbortController();
  execFileSync("mkfifo", [scene.at("fifo")]);
  const reading = scene.snap(["import", "--from", "tar", "fifo"], {
    signal: over.signal,
  });
  const writer = openSync(scene.at("fifo"), constants.O_RDWR);
  writeSync(writer, new Uint8Array(100));
  over.abort(new InterruptError("SIGTERM", 143));
  closeSync(writer);
  strictEqual((await reading).code, 143);
  strictEqual((await scene.ok("log")).trim().split("\n").length, 1);
});
