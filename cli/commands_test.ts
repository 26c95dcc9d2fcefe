import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";

import { LINE_TYPES, parseLines } from "./_schema_check.ts";
import { Scene } from "./_test_scene.ts";

const ID = /^[0-9a-f]{64}\n$/;

Deno.test("init, save, log: the id and nothing else, then a line a record", async () => {
  using scene = new Scene();
  strictEqual(await scene.ok("init"), `${scene.at("store")}\n`);
  const id = await scene.ok(
    "save",
    "tree",
    "--workers=0",
    "-mhello",
    "-t",
    "main",
  );
  match(id, ID);
  strictEqual(await scene.ok("save", "tree", "--workers=0", "-mhello"), id);
  const line = (await scene.ok("log")).split("\t");
  strictEqual(line.length, 10);
  strictEqual(`${line[0]}\n`, id);
  deepStrictEqual(line.slice(3, 6), ["box", scene.at("tree"), "4"]);
  deepStrictEqual(line.slice(7), ["main", "hello", "0\n"]);
});

Deno.test("save: a terminal hears a summary, and new attributes", async () => {
  using scene = new Scene();
  await scene.saved();
  utimesSync(scene.at("tree", "a.ts"), 1, 1);
  const args = ["save", "tree", "--workers", "0"];
  const { stdout, stderr } = await scene.snap(args, { isTerminal: true });
  match(stdout, ID);
  match(stderr, /^Store .*store \(--store\)$/m);
  match(
    stderr,
    /Saved 4 files, \d+ B: new attributes, stored in \d+ B, index of [^;]+;/,
  );
  // deno-lint-ignore no-control-regex -- these are what is looked for
  match(stderr.split("\r").at(-1)!, /^\x1b\[K/);
  const again = await scene.snap([...args, "-v"]);
  match(again.stderr, /Saved 4 files, \d+ B: nothing new; \d+ read/);
  strictEqual(
    (await scene.snap([...args, "-q"], { isTerminal: true })).stderr,
    "",
  );
});

Deno.test("save --dry-run: the id, and no record, tag or store", async () => {
  using scene = new Scene();
  const dry = await scene.run(["save", "tree", "-n", "--workers", "0"]);
  match(dry.stdout, ID);
  strictEqual(dry.code, 0);
  match(dry.stderr, /^Would save 4 files, .*\n$/);
  strictEqual(existsSync(scene.at("home")), false);
  await scene.ok("init");
  strictEqual(
    await scene.ok("save", "tree", "-qnt", "main", "--workers", "0"),
    dry.stdout,
  );
  strictEqual(await scene.ok("log"), "");
  strictEqual(await scene.ok("tag"), "");
});

Deno.test("save: leaves out what it is told to", async () => {
  using scene = new Scene();
  await scene.ok("init");
  writeFileSync(scene.at("rules"), "# comment\n*.ts\n!a.ts\n");
  mkdirSync(scene.at("tree", "cache"));
  const tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
  writeFileSync(scene.at("tree", "cache", "CACHEDIR.TAG"), tag);
  writeFileSync(scene.at("tree", "cache", "big"), "x");
  await scene.ok(
    "save",
    "tree",
    "--workers=0",
    "--exclude-from=rules",
    "--exclude",
    "/sub/n*",
    "--exclude-caches",
  );
  strictEqual(
    await scene.ok("ls", "-R", "latest"),
    "a.ts\ncache\ncache/CACHEDIR.TAG\nlink\nsub\nsub/100%25\nsub/empty\n",
  );
});

Deno.test("save without a store makes the user's own; SNAP_STORE and .snap go first", async () => {
  using scene = new Scene();
  const args = ["save", "tree", "--workers", "0"];
  strictEqual((await scene.run(args)).code, 0);
  strictEqual(
    existsSync(scene.at("home/.local/share/snap/store/config/1")),
    true,
  );
  await scene.run(["init"]);
  strictEqual(existsSync(scene.at(".snap/config/1")), true);
  const { stderr } = await scene.run([...args, "-v"]);
  match(stderr, /Store .*\/\.snap \(found above the folder\)/);
  const env = { SNAP_STORE: scene.at("third") };
  strictEqual(
    (await scene.run(["init"], { env })).stdout,
    `${scene.at("third")}\n`,
  );
  match(
    (await scene.run([...args, "-v"], { env })).stderr,
    /third \(SNAP_STORE\)/,
  );
  // The store itself is not saved, though it lies below.
  const whole = await scene.run(["save", ".", "--workers", "0"]);
  const names = await scene.run(["ls", whole.stdout.trim()]);
  strictEqual(names.stdout.includes(".snap"), false);
  // Nor seen by what compares with it.
  const id = await scene.run(["id", ".", "--workers", "0"]);
  strictEqual(id.stdout, whole.stdout);
  const diff = ["diff", whole.stdout.trim(), ".", "--workers", "0"];
  strictEqual((await scene.run(diff)).stdout, "");
});

Deno.test("ls: names, long, below, one file, NUL", async () => {
  using scene = new Scene();
  await scene.saved();
  strictEqual(await scene.ok("ls", "main"), "a.ts\nlink\nsub\n");
  strictEqual(
    await scene.ok("ls", "main:/sub/"),
    "100%25\nb.ts\nempty\nn%FF%0A\n",
  );
  strictEqual(await scene.ok("ls", "main:a.ts"), "a.ts\n");
  strictEqual(
    (await scene.ok("ls", "-R", "main:")).split("\n")[3],
    "sub/100%25",
  );
  const { stdoutBytes } = await scene.snap(["ls", "-0", "main:sub"]);
  deepStrictEqual([...stdoutBytes.slice(-4)], [0x6e, 0xff, 0x0a, 0]);
  chmodSync(scene.at("tree", "a.ts"), 0o754);
  utimesSync(scene.at("tree", "a.ts"), 1, 1.5);
  await scene.ok("save", "tree", "-t", "main", "--workers", "0");
  const [file, link] = (await scene.ok("ls", "-l", "main")).split("\n");
  match(
    file,
    /^-rwxr-xr--\t\S+\t\S+\t6\t1970-01-01T00:00:01.500000000Z\ta.ts$/,
  );
  match(link, /^lrwxrwxrwx\t.*\tlink -> a.ts$/);
  const people = await scene.snap(["ls", "-l", "main"], { isTerminal: true });
  match(people.stdout, /^-rwxr-xr-- {2}\S+ +\S+ +6 B {2}19(70|69)-/m);
});

Deno.test("cat: bytes as they are, also of names that are not UTF-8", async () => {
  using scene = new Scene();
  await scene.saved();
  strictEqual(await scene.ok("cat", "main:a.ts"), "alpha\n");
  strictEqual(await scene.ok("cat", "main:sub/n%FF%0A"), "bytes\n");
  strictEqual(await scene.ok("cat", "main:sub/100%"), "all\n");
  strictEqual(await scene.ok("cat", "main:sub/100%25"), "all\n");
});

Deno.test("ids: full, prefix, @record, tag, latest, ~", async () => {
  using scene = new Scene();
  const first = await scene.saved();
  writeFileSync(scene.at("tree", "new"), "new\n");
  const second = (await scene.ok("save", "tree", "-tmain", "--workers=0"))
    .trim();
  const names: [string, string][] = [
    [first, first],
    [first.slice(0, 12), first],
    ["main", second],
    ["main~0", second],
    ["main~1", first],
    ["latest", second],
    ["latest~1", first],
  ];
  for (const [name, id] of names) {
    const [line] = (await scene.ok("stats", name)).split("\n");
    strictEqual(line, `id\t${id}`, name);
  }
  const [, record] = (await scene.ok("log")).split("\n")[1].split("\t");
  const name = `${first.slice(0, 8)}@${record.slice(0, 8)}`;
  strictEqual(
    (await scene.ok("stats", name)).split("\n")[1],
    `record\t${record}`,
  );
});

Deno.test("latest: of this host, and of the current folder if that was saved", async () => {
  using scene = new Scene();
  await scene.ok("init");
  const save = async (folder: string, ...more: string[]) =>
    (await scene.ok("save", folder, "--workers=0", ...more)).trim();
  const outer = await save("tree");
  const inner = await save("tree/sub");
  const other = await save("tree/sub/empty", "--host", "elsewhere");
  const latest = async (cwd: string, ...more: string[]) =>
    (await scene.snap(["stats", "latest", ...more], { cwd })).stdout
      .slice(3, 67);
  strictEqual(await latest(scene.path), inner);
  strictEqual(await latest(scene.at("tree")), outer);
  strictEqual(await latest(scene.path, "--any"), other);
  strictEqual((await scene.ok("log")).split("\n").length, 3);
  strictEqual((await scene.ok("log", "--any")).split("\n").length, 4);
  const short = await scene.snap(["stats", "latest~1"], {
    cwd: scene.at("tree"),
  });
  match(short.stderr, /Cannot find snapshot latest~1/);
});

Deno.test("diff: snapshots, directories, parts, attributes, exit code", async () => {
  using scene = new Scene();
  const first = await scene.saved();
  strictEqual(await scene.ok("diff", "main", "tree", "-a"), "");
  strictEqual(await scene.ok("diff", "main", "./tree", "--exit-code"), "");
  writeFileSync(scene.at("tree", "a.ts"), "other\n");
  writeFileSync(scene.at("tree", "sub", "new"), "");
  utimesSync(scene.at("tree", "sub", "b.ts"), 1, 1);
  const changes = "~ a.ts\n+ sub/new\n";
  strictEqual(await scene.ok("diff", "main", "tree/"), changes);
  strictEqual(
    (await scene.snap(["diff", "main", "tree", "--exit-code"])).code,
    1,
  );
  match(await scene.ok("diff", "-a", "main", "./tree"), /^a sub\/b\.ts$/m);
  await scene.ok("save", "tree", "-tmain", "--workers", "0");
  strictEqual(await scene.ok("diff", first, "main"), changes);
  strictEqual(await scene.ok("diff", "main:sub", `${first}:sub`), "- new\n");
  strictEqual(await scene.ok("diff", "main:sub", "tree/sub"), "");
  // Two directories need no store.
  const { code, stdout } = await scene.run(["diff", "./tree", "./tree/sub"]);
  strictEqual(code, 0);
  match(stdout, /^\+ n%FF%0A$/m);
});

Deno.test("diff -a: sockets of a directory, in the order of a walk, before a restore that deletes takes them", async () => {
  using scene = new Scene();
  await scene.saved();
  const listen = (name: string): Disposable =>
    Deno.listen({ transport: "unix", path: scene.at("tree", name) });
  using one = listen("a.ts-0");
  using two = listen("sub/c");
  using three = listen("zz");
  strictEqual(one !== two && two !== three, true);
  writeFileSync(scene.at("tree", "sub-1"), "");
  const lines = async (...args: string[]): Promise<string[]> => {
    const text = await scene.ok("diff", ...args);
    return text.split("\n").slice(0, -1).filter((line) => line[0] !== "a");
  };
  const added = ["+ a.ts-0", "+ sub/c", "+ sub-1", "+ zz"];
  deepStrictEqual(await lines("main", "tree", "-a"), added);
  deepStrictEqual(await lines("main", "tree"), ["+ sub-1"]);
  const removed = added.map((line) => line.replace("+", "-"));
  deepStrictEqual(await lines("./tree", "main", "-a"), removed);
  deepStrictEqual(await lines("./tree", "tree/", "-a"), []);
  const { stdout } = await scene.snap(["diff", "main", "tree", "-a", "--json"]);
  const records = parseLines(stdout).filter(({ path }) => path === "sub/c");
  deepStrictEqual(records.map(({ after }) => after), [{ kind: "socket" }]);
  const { code } = await scene.snap([
    ..."restore main tree --existing --delete --workers 0".split(" "),
  ]);
  strictEqual(code, 0);
  strictEqual(await scene.ok("diff", "main", "tree", "-a"), "");
});

Deno.test("diff and find: colours on a terminal, none where they are not wanted", async () => {
  using scene = new Scene();
  await scene.saved();
  writeFileSync(scene.at("tree", "a.ts"), "other\n");
  const args = ["diff", "main", "tree"];
  const colored = await scene.snap(args, { isTerminal: true });
  strictEqual(colored.stdout, "\x1b[33m~ a.ts\x1b[0m\n");
  const env = { NO_COLOR: "1" };
  const plain = await scene.snap(args, { isTerminal: true, env });
  strictEqual(plain.stdout, "~ a.ts\n");
  const option = await scene.snap([...args, "--no-color"], {
    isTerminal: true,
  });
  strictEqual(option.stdout, "~ a.ts\n");
});

Deno.test("find: names, paths, kinds, below a folder", async () => {
  using scene = new Scene();
  await scene.saved();
  strictEqual(await scene.ok("find", "*.ts"), "a.ts\nsub/b.ts\n");
  strictEqual(await scene.ok("find", "sub/*.ts", "main"), "sub/b.ts\n");
  strictEqual(await scene.ok("find", "*.ts", "main:sub"), "sub/b.ts\n");
  strictEqual(await scene.ok("find", "*", "--type", "d"), "sub\nsub/empty\n");
  strictEqual(await scene.ok("find", "*", "--type", "l", "-0"), "link\0");
  strictEqual(await scene.ok("find", "n*", "main"), "sub/n%FF%0A\n");
  strictEqual(await scene.ok("find", "nothing"), "");
});

Deno.test("restore: all, a part, a file, again, deleting", async () => {
  using scene = new Scene();
  await scene.saved();
  const restore = async (...args: string[]) =>
    await scene.ok("restore", "--workers", "0", ...args);
  strictEqual(await restore("main", "out"), "");
  strictEqual(await scene.ok("diff", "-a", "main", "./out"), "");
  strictEqual(readlinkSync(scene.at("out", "link")), "a.ts");
  await restore("main:sub", "part");
  strictEqual(readFileSync(scene.at("part", "b.ts"), "utf8"), "beta\n");
  mkdirSync(scene.at("one"));
  await restore("main:sub/n%FF%0A", "one");
  strictEqual(readdirSync(scene.at("one")).length, 1);
  writeFileSync(scene.at("out", "extra"), "");
  writeFileSync(scene.at("out", "a.ts"), "broken");
  const planned = await restore(
    ...["main", "out", "--existing", "--delete", "-nq"],
  );
  match(planned, /^~ a\.ts$/m);
  match(planned, /^- extra$/m);
  strictEqual(existsSync(scene.at("out", "extra")), true);
  strictEqual(await restore("main", "out", "--existing", "--delete"), "");
  strictEqual(await scene.ok("diff", "-a", "main", "./out"), "");
});

Deno.test("verify: sound, and every damage with what needs it", async () => {
  using scene = new Scene();
  await scene.saved();
  strictEqual(await scene.ok("verify"), "");
  strictEqual(await scene.ok("verify", "main", "--data"), "");
  const spoken = await scene.snap(["verify"], { isTerminal: true });
  match(spoken.stderr, /Verified 1 record, \d+ objects: no damage\n$/);
  const packs = scene.at("store", "packs");
  for (const folder of readdirSync(packs)) {
    for (const name of readdirSync(`${packs}/${folder}`)) {
      const path = `${packs}/${folder}/${name}`;
      const bytes = readFileSync(path);
      bytes[80] ^= 1;
      chmodSync(path, 0o600);
      writeFileSync(path, bytes);
    }
  }
  const { code, stdout } = await scene.snap(["verify", "--data"]);
  strictEqual(code, 4);
  match(stdout, /^Cannot /m);
  const json = await scene.snap(["verify", "--data", "--json"]);
  strictEqual(json.code, 4);
  const lines = parseLines(json.stdout);
  strictEqual(lines.at(-1)!.type, "verified");
  strictEqual(lines[0].type, "damage");
});

Deno.test("verify: what it says to do mends the store", async () => {
  using scene = new Scene();
  await scene.saved();
  const packs = scene.at("store", "packs");
  const [pack] = readdirSync(packs, { recursive: true }).map(String)
    .filter((name) => name.length > 60)
    .map((name) => `${packs}/${name}`)
    .filter((path) => readFileSync(path).includes("alpha"));
  const bytes = readFileSync(pack);
  bytes[80] ^= 1;
  chmodSync(pack, 0o600);
  writeFileSync(pack, bytes);
  const verify = async () =>
    await scene.snap(["verify", "--data"], { isTerminal: true });
  const save = ["save", "tree", "--read-all", "--workers", "0"];
  await scene.ok(...save);
  const { code, stderr } = await verify();
  strictEqual(code, 4);
  match(stderr, /snap repair packs marks damaged packs/);
  rmSync(pack);
  await scene.ok("save", "tree", "--workers", "0");
  strictEqual((await verify()).code, 0);
  await scene.ok("restore", "main", "out", "--workers", "0");
  strictEqual(readFileSync(scene.at("out", "a.ts"), "utf8"), "alpha\n");
});

Deno.test("verify: a damaged config is damage too", async () => {
  using scene = new Scene();
  await scene.saved();
  const path = scene.at("store", "config", "1");
  const bytes = readFileSync(path);
  bytes[100] ^= 1;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
  const { code, stdout } = await scene.snap(["verify"]);
  strictEqual(code, 4);
  match(stdout, /^Cannot /);
  strictEqual((await scene.snap(["log"])).code, 1);
});

Deno.test("tag: sets, lists, keeps the log", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  strictEqual(await scene.ok("tag", "release", "main"), `${id}\n`);
  await scene.ok("tag", "release", "latest");
  const rows = (await scene.ok("tag")).trimEnd().split("\n")
    .map((line) => line.split("\t"));
  deepStrictEqual(rows.map(([tag, tree]) => [tag, tree]), [
    ["main", id],
    ["release", id],
  ]);
  const log = await scene.ok("log", "--tag", "release");
  match(log, /\trelease\t/);
  match(log, /\trelease~1\t/);
});

Deno.test("tag --delete and --move: a tag is gone, its log is not, and only what there is moves", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  strictEqual(await scene.ok("tag", "--delete", "main"), `${id}\n`);
  strictEqual(await scene.ok("tag"), "");
  const failures = [
    [["tag", "--delete", "main"], 1, /Cannot find tag main/],
    [["tag", "--move", "main", "latest"], 1, /Cannot find tag main/],
    [["ls", "main"], 1, /tag main was deleted: main~1 is what it named/],
    [["tag", "--delete"], 2, /--delete without the name of a tag/],
    [["tag", "--move"], 2, /--move without the name of a tag/],
    [["tag", "--delete", "main", "latest"], 2, /--delete with ID/],
  ] as const;
  for (const [args, code, message] of failures) {
    const outcome = await scene.snap(args);
    strictEqual(outcome.code, code, args.join(" "));
    match(outcome.stderr, message);
  }
  match(await scene.ok("log", "--tag", "main"), /\tmain~1\t/);
  strictEqual(await scene.ok("tag", "main", "main~1"), `${id}\n`);
  strictEqual(await scene.ok("tag", "--move", "main", "latest"), `${id}\n`);
  match(await scene.ok("tag"), /^main\t/);
});

Deno.test("id and manifest: of a directory without a store, and of a snapshot", async () => {
  using scene = new Scene();
  const id = await scene.run(["id", "tree", "--workers", "0"]);
  deepStrictEqual([id.code, id.stderr], [0, ""]);
  const text = await scene.run(["manifest", "./tree"]);
  strictEqual(text.code, 0);
  match(text.stdout, /^- [0-9a-f]{64} 6 a\.ts$/m);
  strictEqual(await scene.saved(), id.stdout.trim());
  strictEqual(await scene.ok("manifest", "main"), text.stdout);
  match(await scene.ok("manifest", "-a", "main:sub"), / rw-.* b\.ts$/m);
  strictEqual(
    await scene.ok("manifest", "main:sub"),
    await scene.ok("manifest", "tree/sub"),
  );
});

Deno.test("a path may have U+FFFD in it, where something of this name is there", async () => {
  using scene = new Scene();
  const { stdout } = await scene.run(["id", "tree", "--workers", "0"]);
  symlinkSync("tree", scene.at("\ufffd"));
  const named = await scene.run(["id", "\ufffd", "--workers", "0"]);
  deepStrictEqual([named.stdout, named.stderr], [stdout, ""]);
});

Deno.test("init: settings are kept, and change no id", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const other = scene.at("other");
  await scene.run([
    "init",
    other,
    "--codec=lz4",
    "--chunk-sizes=16k/64k/256k",
    "--bundle-size=512k",
    "--content-size=64k",
    "--pack-size=8m",
  ]);
  const args = ["save", "tree", "--store", other, "--workers", "0"];
  strictEqual((await scene.run(args)).stdout.trim(), id);
  const stats = await scene.run(["stats", "--store", other, "--json"]);
  const [{ settings }] = parseLines(stats.stdout);
  deepStrictEqual(settings, {
    bundleSizeMax: 524288,
    largeFrameTarget: 65536,
    packSizeTarget: 8388608,
    chunk: {
      sizeMin: 16384,
      sizeAverage: 65536,
      sizeMax: 262144,
      gearSeed: 0x9e3779b9,
    },
    codec: "lz4",
  });
});

/** Flips a bit in the first frame of each pack of data. */
function rotPacks(packs: string): void {
  for (const name of readdirSync(packs, { recursive: true })) {
    const path = `${packs}/${name}`;
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    const isData = bytes[bytes.length - 16] === 1;
    if (isData) bytes[72] ^= 1;
    chmodSync(path, 0o600);
    writeFileSync(path, bytes);
  }
}

const here = ["--workers", "0"];
/** Command lines that go well, one after the other. */
const WELL: readonly string[][] = [
  ["init"],
  ["save", "tree", "-t", "main", "-m", "hello", ...here],
  ["log"],
  ["log", "--tag", "main"],
  ["ls", "-R", "main"],
  ["cat", "main:a.ts"],
  ["find", "*"],
  ["diff", "-a", "main", "tree/sub", ...here],
  ["restore", "main", "out", ...here],
  ["restore", "main:sub", "out", "--existing", "--delete", "-n", ...here],
  ["tag", "other", "main"],
  ["tag"],
  ["tag", "-d", "other"],
  ["forget", "--keep-last", "1"],
  ["id", "tree", ...here],
  ["id", "tree/sub/empty", "--as", "snapdir", ...here],
  ["export", "main:sub/empty", "pool", "--as", "snapdir"],
  ["import", "pool", "--from", "snapdir"],
  ["manifest", "main"],
  ["stats"],
  ["stats", "main"],
  ["stats", "--deep"],
  ["stats", "--by", "snapshot"],
  ["stats", "--by", "type", "main"],
  ["save", "tree/sub", "-t", "small", ...here],
  ["stats", "--growth", "main", "small"],
  ["stats", "--packs"],
  ["find", "--history", "a.ts"],
  ["diff", "--stat", "main", "tree/sub", ...here],
  ["verify", "-v"],
  ["verify", "tree", ...here],
  ["repair", "index"],
  ["prune", "--single-writer"],
  ["config"],
  ["pull", "./other", ...here],
  ["listing"],
  ["export", "main", "--as", "tar.gz", "main.tar.gz"],
  ["import", "--from", "tar.gz", "main.tar.gz"],
  ["export", "main", "--as", "oci", "image"],
  ["import", "--from", "oci", "image"],
  ["version"],
  ["help"],
  ["save", "--help"],
  ["save", "-vh"],
  ["completions", "bash"],
  // Last: it is the newest of its source.
  ["rewrite", "main", "--exclude", "sub", "-t", "part"],
];

Deno.test("--json: every command writes what the schema says", async () => {
  using scene = new Scene();
  const seen = new Set<string>();
  const json = async (...args: string[]) => {
    const { stdout, stderr, code } = await scene.snap([...args, "--json"]);
    for (const line of parseLines(stdout + stderr)) seen.add(`${line.type}`);
    return code;
  };
  strictEqual((await scene.run(["init", "--store", "other"])).code, 0);
  for (const args of WELL) {
    strictEqual(await json(...args), 0, args.join(" "));
  }
  strictEqual(await json("ls", "nothing"), 1);
  strictEqual(await json("nothing"), 2);
  strictEqual(await json("log", "--nothing"), 2);
  strictEqual(await json("log", "--tag", "nothing"), 1);
  const ids = `${"0".repeat(64)}-${"1".repeat(64)}-${"2".repeat(32)}`;
  writeFileSync(scene.at("store", "snapshots", ids), "");
  strictEqual(await json("log"), 0);
  strictEqual(await json("verify"), 4);
  rotPacks(scene.at("store", "packs"));
  strictEqual(await json("repair", "packs"), 4);
  strictEqual(await json("repair", "snapshots"), 4);
  rmSync(scene.at("store", "snapshots"), { recursive: true });
  mkdirSync(scene.at("store", "snapshots"));
  strictEqual(await json("recover", "--dry-run"), 0);
  // Those of mounts are seen in mount_test.ts, those of a server in serve_test.ts.
  const expected = LINE_TYPES.filter((type) => {
    return !/^(mount|serving$|access$)/.test(type);
  });
  deepStrictEqual([...seen].sort(), expected.sort());
});
