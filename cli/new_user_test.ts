// What somebody meets who uses the program for the first time.
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { Scene } from "./_test_scene.ts";

/** Acts on a terminal, or is not seen. */
const HOSTILE = "\x1b[2J\u202e\u200b\u00ad\u0085\u2028\ufeff\u{e0041}";
// deno-lint-ignore no-control-regex -- these are what is looked for
const INVISIBLE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/u;

Deno.test("what comes from a store is escaped, whatever shows it", async () => {
  using scene = new Scene();
  await scene.saved();
  mkdirSync(scene.at(`home${HOSTILE}`));
  writeFileSync(scene.at(`home${HOSTILE}`, `name${HOSTILE}`), "x");
  await scene.ok(
    ...["save", `home${HOSTILE}`, "--workers=0", "-t", "evil"],
    ...["--host", `host${HOSTILE}`, "-m", `message${HOSTILE}`],
  );
  const commands = [
    ["log", "--any"],
    ["stats", "evil"],
    ["ls", "evil"],
    ["ls", "-lR", "evil"],
    ["find", "n*", "evil"],
    ["manifest", "evil"],
    ["manifest", "-a", "evil"],
    ["diff", "main", "evil", "--no-color"],
    ["stats", "latest", "--any"],
    ["restore", "evil", "out", "-n"],
    ["cat", `evil:name${HOSTILE}x`],
    ["cat", `evil${HOSTILE}:name`],
  ];
  for (const args of commands) {
    for (const isTerminal of [false, true]) {
      for (const more of [[], ["--json"]]) {
        const all = [...args, ...more];
        const { stdout, stderr } = await scene.snap(all, { isTerminal });
        // What draws the line of progress is ours.
        const text = (stdout + stderr).replaceAll(/\t|\r/g, "")
          .replaceAll("\x1b[K", "");
        strictEqual(INVISIBLE.exec(text), null, all.join(" "));
      }
    }
  }
  const [line] = (await scene.ok("ls", "--json", "evil")).trimEnd().split("\n");
  strictEqual(JSON.parse(line).path, `name${HOSTILE}`);
});

Deno.test("latest: which one was taken is told in a pipe too, but not on stdout", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const cwd = scene.at("tree", "sub");
  const said = await scene.snap(["ls", "latest"], { cwd });
  strictEqual(said.stdout, "a.ts\nlink\nsub\n");
  match(said.stderr, new RegExp(`^latest is ${id.slice(0, 12)} of .*/tree, `));
  const quiet = await scene.snap(["ls", "latest", "-q"], { cwd });
  strictEqual(quiet.stderr, "");
  const json = await scene.snap(["ls", "latest", "--json"], { cwd });
  strictEqual(JSON.parse(json.stderr).type, "note");
  const other = await scene.snap(["stats", "latest", "--any"], { cwd });
  match(other.stderr, /^latest is /);
});

Deno.test("latest: of a folder in one that was saved, it is that one's", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  mkdirSync(scene.at("other"));
  await scene.ok("save", "other", "--workers=0");
  const cwd = scene.at("tree", "sub", "empty");
  const { stdout } = await scene.snap(["stats", "latest"], { cwd });
  strictEqual(stdout.slice(3, 67), id);
});

Deno.test("an id is what log shows of a record too, and may be in upper case", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const record = (await scene.ok("log")).split("\t")[1];
  for (const name of [record, record.slice(0, 12), id.toUpperCase()]) {
    deepStrictEqual(
      (await scene.ok("stats", name)).split("\n").slice(0, 2),
      [`id\t${id}`, `record\t${record}`],
    );
  }
});

Deno.test("a tag like which an id begins is said to be the one that was taken", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const tag = id.slice(0, 6);
  writeFileSync(scene.at("tree", "new"), "new\n");
  const saved = await scene.snap(["save", "tree", "-t", tag, "--workers=0"]);
  const warning = new RegExp(
    `^snap: Tag ${tag} goes before the ids .*${id.slice(0, 12)}$`,
    "m",
  );
  match(saved.stderr, warning);
  match((await scene.snap(["tag", tag, "latest"])).stderr, warning);
  const { code, stdout, stderr } = await scene.snap(["stats", tag]);
  deepStrictEqual([code, stdout.slice(3, 68)], [0, saved.stdout]);
  match(stderr, warning);
});

Deno.test("restore: one file goes where cp would put it, and - is stdout", async () => {
  using scene = new Scene();
  await scene.saved();
  mkdirSync(scene.at("out"));
  const restore = async (...args: string[]) =>
    await scene.snap(["restore", "--workers", "0", ...args]);
  for (const target of ["out", "out/new.ts", "new.ts"]) {
    const { code, stderr } = await restore("main:a.ts", target);
    deepStrictEqual([code, stderr], [0, ""], target);
  }
  for (const path of ["out/a.ts", "out/new.ts", "new.ts"]) {
    strictEqual(readFileSync(scene.at(path), "utf8"), "alpha\n", path);
  }
  const taken = await restore("main:sub/b.ts", "new.ts");
  strictEqual(taken.code, 1);
  match(taken.stderr, /it already has new\.ts\n {2}hint: --existing/);
  await restore("main:sub/b.ts", "new.ts", "--existing");
  strictEqual(readFileSync(scene.at("new.ts"), "utf8"), "beta\n");
  const piped = await restore("main:sub/n%FF%0A", "-");
  deepStrictEqual([piped.code, piped.stdout, piped.stderr], [0, "bytes\n", ""]);
  strictEqual((await restore("main", "-")).code, 2);
  strictEqual((await restore("main:a.ts", "-", "-n")).code, 2);
  strictEqual((await restore("main:sub", "-")).code, 1);
  strictEqual(existsSync(scene.at("-")), false);
  match(
    (await restore("main:a.ts", "none/new")).stderr,
    /^snap: Cannot .*none/,
  );
});

Deno.test("log: fits the terminal, and its ids can be used as they are shown", async () => {
  using scene = new Scene();
  const long = "deep/".repeat(30);
  mkdirSync(scene.at(long), { recursive: true });
  await scene.ok("init");
  await scene.ok("save", long, "--workers=0", "-m", "words ".repeat(30));
  await scene.ok("save", "tree", "--workers=0", "-t", "main");
  const { stdout } = await scene.snap(["log"], { isTerminal: true });
  const [title, ...lines] = stdout.trimEnd().split("\n");
  match(title, /^id +record +time +source +files +size +tags +message$/);
  strictEqual(lines.length, 2);
  for (const line of lines) strictEqual(line.length <= 80, true, line);
  match(lines[1], / …\S+deep +0 /);
  match(lines[1], / words\b.*…$/);
  for (const line of lines) {
    for (const id of line.split(/ +/, 2)) await scene.ok("stats", id);
  }
  for (const args of [["ls", "-l", "main"], ["tag"], ["stats", "main"]]) {
    const said = await scene.snap(args, { isTerminal: true });
    strictEqual(/\d\dT\d\d:|\d{9}Z/.test(said.stdout), false, said.stdout);
  }
});

Deno.test("log: of a path, so many, since a time, of a host", async () => {
  using scene = new Scene();
  await scene.ok("init");
  const save = async (...args: string[]) =>
    (await scene.ok("save", ...args, "--workers=0")).trim();
  const whole = await save("tree");
  const part = await save("tree/sub");
  const other = await save("tree/sub/empty", "--host", "elsewhere");
  const log = async (...args: string[]) =>
    (await scene.ok("log", ...args)).split("\n").slice(0, -1)
      .map((line) => line.split("\t")[0]);
  deepStrictEqual(await log("tree"), [whole]);
  deepStrictEqual(await log("tree/sub"), [part, whole]);
  deepStrictEqual(await log("tree/sub/empty", "--any"), [other, part, whole]);
  deepStrictEqual(await log("nowhere"), []);
  deepStrictEqual(await log("-n", "1"), [part]);
  deepStrictEqual(await log("--host", "elsewhere"), [other]);
  deepStrictEqual(await log("--since", "1h"), [part, whole]);
  deepStrictEqual(await log("--since", "2000-01-01 00:00"), [part, whole]);
  deepStrictEqual(await log("--since", "9999-01-01"), []);
  for (const args of [["--since", "soon"], ["--host", "a", "--any"]]) {
    strictEqual((await scene.snap(["log", ...args])).code, 2);
  }
});

Deno.test("restore: a dry run is in order, and ends with a summary that adds up", async () => {
  using scene = new Scene();
  await scene.saved();
  for (const name of ["sub-way", "sub.x", "z"]) {
    writeFileSync(scene.at("tree", name), name);
  }
  linkSync(scene.at("tree", "z"), scene.at("tree", "sub", "z"));
  await scene.ok("save", "tree", "-t", "main", "--workers=0");
  const args = ["restore", "main", "out"];
  const dry = await scene.snap([...args, "-n"]);
  deepStrictEqual(
    dry.stdout.trimEnd().split("\n").map((line) => line.slice(2)),
    (await scene.ok("ls", "-R", "main")).trimEnd().split("\n")
      .sort((a, b) =>
        compare(a.replaceAll("/", "\0"), b.replaceAll("/", "\0"))
      ),
  );
  match(
    dry.stderr,
    /^Would restore 8 files, \d+ B \(7 written, 1 linked or as they were\) and 3 other entries\n$/,
  );
  const done = await scene.snap(args, { isTerminal: true });
  match(
    done.stderr,
    /Restored 8 files, .*7 written, 1 .* and 3 other entries; /,
  );
  const json = await scene.snap([...args, "-n", "--existing", "--json"]);
  strictEqual(JSON.parse(json.stdout).isDryRun, true);
});

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

Deno.test("ls and find: a sign or a colour tells directories", async () => {
  using scene = new Scene();
  await scene.saved();
  strictEqual(await scene.ok("ls", "-F", "main"), "a.ts\nlink@\nsub/\n");
  strictEqual(await scene.ok("find", "sub*", "main", "-F"), "sub/\n");
  match(await scene.ok("ls", "-lF", "main"), /\tsub\/\n$/);
  const shown = async (...args: string[]) =>
    (await scene.snap(args, { isTerminal: true })).stdout;
  const blue = "\x1b[1;34msub\x1b[0m\n";
  strictEqual((await shown("ls", "main")).endsWith(blue), true);
  strictEqual((await shown("ls", "-l", "main")).endsWith(`  ${blue}`), true);
  strictEqual(await shown("ls", "main", "--no-color"), "a.ts\nlink\nsub\n");
});

Deno.test("find: what ls shows is found", async () => {
  using scene = new Scene();
  await scene.saved();
  const paths = (await scene.ok("ls", "-R", "main")).trimEnd().split("\n");
  for (const path of paths) {
    const found = await scene.ok("find", `/${path}`, "main");
    strictEqual(found, `${path}\n`);
  }
  strictEqual(await scene.ok("find", "n%FF*", "main"), "sub/n%FF%0A\n");
  strictEqual(await scene.ok("find", "100%", "main"), "sub/100%25\n");
});

Deno.test("id: of a file it is what b3sum prints", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const file = (await scene.ok("manifest", "main")).split(" ")[1];
  for (const name of ["tree/a.ts", "tree/link"]) {
    strictEqual(await scene.ok("id", name), `${file}\n`);
  }
  strictEqual((await scene.ok("id", "tree", "--workers=0")).trim(), id);
  const json = JSON.parse(await scene.ok("id", "tree/a.ts", "--json"));
  deepStrictEqual([json.id, json.totals.byteCount], [file, 6]);
  strictEqual((await scene.snap(["id", "nowhere"])).code, 1);
});

Deno.test("manifest --json: an entry has fields", async () => {
  using scene = new Scene();
  await scene.saved();
  const text = (await scene.ok("manifest", "main")).trimEnd().split("\n");
  const lines = (await scene.ok("manifest", "--json", "main", "-a")).trimEnd()
    .split("\n").map((line) => JSON.parse(line));
  strictEqual(lines.length, text.length);
  const [, id, size] = text[0].split(" ");
  const { type, path, kind, mode, ...rest } = lines[0];
  deepStrictEqual([type, path, kind], ["entry", "a.ts", "file"]);
  deepStrictEqual([rest.id, String(rest.size)], [id, size]);
  strictEqual(typeof mode, "number");
});

Deno.test("log: letters that are wide, or that take no room, fit too", async () => {
  using scene = new Scene();
  mkdirSync(scene.at("\u96ea".repeat(60)));
  await scene.ok("init");
  const message = "e\u0301".repeat(9);
  await scene.ok("save", "\u96ea".repeat(60), "--workers=0", "-m", message);
  const { stdout } = await scene.snap(["log"], { isTerminal: true });
  const line = stdout.trimEnd().split("\n")[1];
  strictEqual(line.endsWith(message), true);
  const wide = line.replaceAll("\u96ea", "xx").replaceAll("\u0301", "");
  strictEqual([79, 80].includes(wide.length), true, String(wide.length));
});
