import { match, ok, strictEqual } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
  match(text.stderr, /as the archive ends in it; byte 6 of the archive/);
  const records = (await scene.ok("log")).trim().split("\n");
  strictEqual(records.length, 1);
});
