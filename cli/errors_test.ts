import {
  deepStrictEqual,
  doesNotMatch,
  match,
  strictEqual,
} from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { FileReader } from "@snap/disk/file";
import { ClosedPipeError, InterruptError } from "./context.ts";
import { COMMANDS } from "./arguments/command_table.ts";
import { ExitCode } from "./exit_code.ts";
import { parseLines } from "./_schema_check.ts";
import { type Outcome, type RunOptions, Sandbox } from "./_testing.ts";

/** A folder with a saved tree. */
async function savedScene(): Promise<Sandbox & { id: string }> {
  const scene = new Sandbox();
  mkdirSync(scene.at("tree"));
  writeFileSync(scene.at("tree", "a"), "alpha\n");
  await scene.run(["init"]);
  const { stdout } = await scene.run(["save", "tree", "--workers", "0"]);
  return Object.assign(scene, { id: stdout.trim() });
}

/** Runs the program, and leaves out which snapshot latest is. */
async function heard(
  scene: Sandbox,
  args: string[],
  options?: RunOptions,
): Promise<Outcome> {
  const said = await scene.run(args, options);
  return { ...said, stderr: said.stderr.replace(/^latest is .*\n/, "") };
}

Deno.test("wrong usage: 2, one line, and a hint", async () => {
  using scene = await savedScene();
  const cases: [string[], RegExp, RegExp?][] = [
    [[], /Cannot tell what to do/, /snap --help lists the commands/],
    [["backup", "x"], /no such command/, /did you mean snap save\?/],
    [["create"], /no such command/, /did you mean snap save\?/],
    [["snapshots"], /no such command/, /did you mean snap log\?/],
    [["list"], /no such command/, /did you mean snap log\?/],
    [["check"], /no such command/, /did you mean snap verify\?/],
    [["extract"], /no such command/, /did you mean snap restore\?/],
    [["checkout"], /no such command/, /did you mean snap restore\?/],
    [["gc"], /no such command/, /snap prune/],
    [["verfy"], /no such command/, /did you mean snap verify\?/],
    [["toString"], /no such command/, /lists the commands/],
    [["frobnicate"], /"frobnicate"/, /lists the commands/],
    [["unmount", "x"], /no such command/, /did you mean snap umount\?/],
    [["mount", "latest"], /DIR is missing/, /snap mount --help/],
    [["mount", "--all", "latest", "x"], /it takes DIR, and "x" is one more/],
    [["mount", "latest", "x", "--cache", "tiny"], /--cache/],
    [["exec", "latest"], /COMMAND is missing/],
    [["exec", "latest", "ls"], /-- belongs before COMMAND/],
    [["ls", "--mounts", "latest"], /it takes no argument/],
    [["help", "sav"], /Cannot help with "sav"/, /did you mean save\?/],
    [["save"], /Cannot run snap save: DIR is missing/, /snap save --help/],
    [["save", "a", "b"], /it takes DIR, and "b" is one more/, /one directory/],
    [["log", "x", "y"], /it takes PATH, and "y" is one more/],
    [["save", ""], /: it is empty/, /the current folder is \./],
    [["restore", "latest", ""], /: it is empty/],
    [["diff", "latest", ""], /: it is empty/],
    [["mount", "latest", "", "-f"], /: it is empty/],
    [["umount", ""], /: it is empty/],
    [["init", ""], /: it is empty/],
    [["restore", "latest", "\ufffd"], /it is not UTF-8/, /symbolic link/],
    [["init", "p\ufffd"], /it is not UTF-8/],
    [["log", "--store", ""], /: it is empty/],
    [["save", "tree", "--tga", "x"], /--tga/, /did you mean --tag\?/],
    [["save", "tree", "--tag", "no/slash"], /Cannot use tag name/],
    [["save", "tree", "--tag", "latest"], /it stands for the newest snapshot/],
    [["save", "tree", "--tag", "deadbeef"], /it reads as an id/],
    [["save", "tree", "--workers", "x"], /--workers .* number from 0 to 256/],
    [["tag", "main"], /without ID/, /snap tag main latest/],
    [["cat", "latest"], /ID:PATH/],
    [["find", "[a"], /Cannot/],
    [["find", "*", "latest:a"], /no directory/],
    [["find", "*", "--type", "q"], /--type/],
    [["restore", "latest", "out", "--delete"], /without --existing/],
    [["restore", "latest", "out", "--owner", "--no-owner"], /at once/],
    [["init", "p", "--codec", "gzip"], /codec/],
    [["init", "p", "--codec", "zstd:99"], /codec/],
    [["init", "p", "--chunk-sizes", "1/2"], /three sizes/],
    [["init", "p", "--chunk-sizes", "3k/5k/7k"], /Cannot/],
    [["init", "p", "--bundle-size", "9g"], /bundleSizeMax/],
    [["init", "p", "--pack-size", "big"], /--pack-size/],
    [["init", "p", "--store", "q"], /two names/],
    [["completions", "tcsh"], /bash, zsh, fish/],
  ];
  for (const [args, message, hint] of cases) {
    const { code, stdout, stderr } = await heard(scene, args);
    const name = args.join(" ");
    strictEqual(code, ExitCode.usage, name);
    strictEqual(stdout, "", name);
    match(stderr, /^snap: Cannot [^\n]+\n( {2}hint: [^\n]+\n)?$/, name);
    match(stderr, message, name);
    if (hint !== undefined) match(stderr.split("\n")[1], hint, name);
  }
  strictEqual(existsSync(scene.at("p")), false);
});

Deno.test("failures: 1, one line that names the thing", async () => {
  using scene = await savedScene();
  mkdirSync(scene.at("full"));
  writeFileSync(scene.at("full", "x"), "");
  symlinkSync("nowhere", scene.at("dangling"));
  symlinkSync("loop", scene.at("loop"));
  const { id } = scene;
  const cases: [string[], RegExp][] = [
    [
      ["save", "absent"],
      /absent: there is no such file or directory \(ENOENT\)/,
    ],
    [["save", "tree/a"], /tree\/a: it is not a directory \(ENOTDIR\)/],
    [["save", "dangling"], /dangling: .*ENOENT/],
    [
      ["save", "tree", "--exclude-from", "absent"],
      /"absent": there is no such file/,
    ],
    [["id", "absent"], /absent: .*ENOENT/],
    [["ls", "absent"], /Cannot find snapshot absent: there is no such tag/],
    [["stats", `${id}:a`], /: a whole snapshot such as/],
    [["ls", "latest~9"], /: the store has 1 record on host box$/m],
    [["ls", "0000"], /Cannot find snapshot 0000/],
    [["ls", "000"], /Cannot find snapshot 000/],
    [["ls", `${id.slice(0, 8)}@0000`], /Cannot find snapshot/],
    [["ls", "absent~1"], /Cannot find snapshot absent~1/],
    [["ls", `${id}:absent`], /Cannot find "absent" in snapshot/],
    [["ls", `${id}:a/b`], /Cannot find "a\/b"/],
    [["ls", `${id}:%ZZ`], /Cannot find "%ZZ"/],
    [["ls", `${id}:..`], /Cannot find "\.\."/],
    [["cat", `${id}:`], /it is no file/],
    [["cat", `${id}:absent`], /no such entry/],
    [["diff", "absent", "tree"], /Cannot find snapshot absent/],
    [["diff", `${id}:a`, "tree"], /it is no directory/],
    [["log", "--tag", "absent"], /Cannot find tag absent/],
    [["stats", "absent"], /Cannot find snapshot absent/],
    [["verify", "absent"], /Cannot find snapshot absent/],
    [["tag", "name", "absent"], /Cannot find snapshot absent/],
    [["restore", id, "full"], /full: it already has 1 entry/],
    [["restore", id, "tree/a"], /tree\/a: .*ENOTDIR/],
    [["restore", `${id}:absent`, "out"], /Cannot restore absent/],
    [["init"], /there is one/],
    [
      ["init", "tree"],
      /empty folder, and a is in it\n {2}hint: name a folder .*\.snap/,
    ],
    [["init", "full"], /Cannot open .*full as a store/],
    [["init", "loop"], /Cannot open .*loop: .*ELOOP/],
    [["log", "--store", "absent"], /Cannot open .*absent as a store/],
    [["log", "--store", "full"], /Cannot open .*full as a store/],
    [["save", "tree", "--store", "tree/a"], /Cannot open .*tree\/a as a store/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await scene.run(args);
    const name = args.join(" ");
    strictEqual(code, ExitCode.failed, `${name}: ${stderr}`);
    strictEqual(stdout, "", name);
    match(stderr, /^snap: Cannot [^\n]+\n( {2}hint: [^\n]+\n)?$/, name);
    match(stderr, message, name);
  }
  deepStrictEqual(readdirSync(scene.at("full")), ["x"]);
  strictEqual(existsSync(scene.at("home/.local")), false);
});

Deno.test("an ambiguous id lists what it may be", async () => {
  using scene = await savedScene();
  const ids: string[] = [];
  // 16 trees share a first digit with another; more are needed for four digits.
  const { initStore } = await import("@snap/store/format");
  const { openFileStore } = await import("@snap/store/file");
  const { encodeRecord } = await import("@snap/snapshot/records");
  const { wasmHasher } = await import("@snap/hash/wasm-hasher");
  const { parseId } = await import("@snap/hash");
  const store = await openFileStore(scene.at(".snap"));
  await initStore(store, {});
  for (const digit of ["0", "1"]) {
    const tree = parseId(`abcd${digit.repeat(60)}`);
    const bytes = encodeRecord({
      tree,
      page: tree,
      time: "2026-11-20T05:46:18.000000000Z",
      startTime: "2026-11-20T05:46:18.000000000Z",
      host: "box",
      user: "",
      source: "/",
      totals: {
        entryCount: 0,
        fileCount: 0,
        directoryCount: 0,
        byteCount: 0,
        xattrCount: 0,
        hardLinkCount: 0,
        holeCount: 0,
      },
      unreadable: { count: 0, first: [] },
      changed: { count: 0, first: [] },
      fidelity: "full",
      program: "",
    }, { saveId: new Uint8Array(16), salt: new Uint8Array(32) });
    const id = wasmHasher.idOf(bytes);
    await store.create(`snapshots/${tree}-${id}-${"00".repeat(16)}`, bytes);
    ids.push(tree);
  }
  const { code, stderr } = await scene.run(["ls", "abcd"]);
  strictEqual(code, 1);
  match(stderr, /Cannot tell which snapshot abcd is/);
  match(stderr, new RegExp(`hint: it may be ${ids.join(", ")}`));
});

Deno.test("verify: what a record says cannot act on a terminal", async () => {
  using scene = await savedScene();
  const { encodeDocument } = await import("@snap/store/format");
  const { openFileStore } = await import("@snap/store/file");
  const { wasmHasher } = await import("@snap/hash/wasm-hasher");
  const store = await openFileStore(scene.at(".snap"));
  const bytes = encodeDocument({
    kind: "RECD",
    saveId: new Uint8Array(16),
    salt: new Uint8Array(32),
    body: { tree: "\u202e\u009b31mred" },
  });
  const name = `snapshots/${scene.id}-${wasmHasher.idOf(bytes)}-${
    "00".repeat(16)
  }`;
  await store.create(name, bytes);
  const { code, stdout } = await scene.run(["verify"]);
  strictEqual(code, ExitCode.damaged);
  match(stdout, /Cannot read/);
  doesNotMatch(stdout, /[\u202e\u009b]/);
});

Deno.test("--json: an error is a line on stderr with its exit code", async () => {
  using scene = await savedScene();
  const { stdout, stderr } = await scene.run(["ls", "absent", "--json"]);
  strictEqual(stdout, "");
  const [line] = parseLines(stderr);
  strictEqual(line.exitCode, 1);
  strictEqual(line.name, "SnapshotNotFoundError");
  const usage = await scene.run(["--json", "sav"]);
  strictEqual(parseLines(usage.stderr)[0].exitCode, 2);
});

Deno.test("names with control characters cannot act on a terminal", async () => {
  using scene = await savedScene();
  const name = "\x1b]0;owned\x07\x1b[31m";
  writeFileSync(scene.at("tree", name), "");
  await scene.run([
    "save",
    "tree",
    "-m",
    name,
    "--host",
    "box",
    "--workers",
    "0",
  ]);
  for (
    const args of [
      ["ls", "latest"],
      ["ls", "-l", "latest"],
      ["find", "*"],
      ["log"],
      ["manifest", "latest"],
      ["diff", scene.id, "latest", "--no-color"],
      ["ls", `latest:${name}x`],
      ["ls", name],
      [name],
      ["log", `--${name}`],
    ]
  ) {
    const { stdout, stderr } = await scene.run(args, { isTerminal: true });
    // deno-lint-ignore no-control-regex -- these are what is looked for
    strictEqual(/\x1b\]|\x07|\x1b\[31m/.test(stdout + stderr), false, args[0]);
  }
});

Deno.test("a reader that goes away ends the program quietly", async () => {
  using scene = await savedScene();
  for (
    const args of [["ls", "latest"], ["cat", "latest:a"], ["log"], ["--help"]]
  ) {
    const { code, stderr } = await heard(scene, args, {
      onStdout: () => {
        throw new ClosedPipeError();
      },
    });
    deepStrictEqual([code, stderr], [0, ""], args[0]);
  }
});

Deno.test("stdout that fails otherwise is a failure", async () => {
  using scene = await savedScene();
  const { code, stderr } = await scene.run(["ls", scene.id], {
    onStdout: () => {
      throw new Error("Cannot write the result: its place is full");
    },
  });
  strictEqual(code, 1);
  match(stderr, /^snap: Cannot write the result/);
});

Deno.test("an interruption gives its exit code and says nothing", async () => {
  using scene = await savedScene();
  for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const signal = AbortSignal.abort(new InterruptError(name, code));
    for (
      const args of [
        ["save", "tree", "--workers", "0"],
        ["restore", "latest", "out", "--workers", "0"],
        ["ls", "latest"],
        ["verify", "--data"],
        ["log"],
        ["id", "tree", "--workers", "0"],
      ]
    ) {
      const outcome = await scene.run(args, { signal });
      deepStrictEqual(
        [outcome.code, outcome.stdout, outcome.stderr],
        [code, "", ""],
        args[0],
      );
    }
  }
  strictEqual(existsSync(scene.at("out")), false);
  const plain = AbortSignal.abort();
  strictEqual((await scene.run(["log"], { signal: plain })).code, 130);
});

Deno.test("help is shown also when something else is wrong", async () => {
  using scene = new Sandbox();
  for (const { name } of COMMANDS) {
    for (
      const args of [["help", name], [name, "--help"], [
        name,
        "a",
        "b",
        "c",
        "d",
        "-h",
      ]]
    ) {
      const { code, stdout, stderr } = await scene.run(args);
      deepStrictEqual([code, stderr], [0, ""], args.join(" "));
      match(stdout, new RegExp(`^snap ${name}: `));
      match(stdout, /\nUsage: snap /);
      const widest = Math.max(...stdout.split("\n").map((line) => line.length));
      strictEqual(widest <= 80, true, `${name}: ${widest} columns`);
    }
  }
  for (const args of [["--help"], ["-h"], ["help"], ["-vh"]]) {
    match((await scene.run(args)).stdout, /^snap: .*\n\nUsage: snap COMMAND/);
  }
  match((await scene.run(["save", "-vh", "x"])).stdout, /^snap save: /);
});

Deno.test("version: short, and what runs", async () => {
  using scene = new Sandbox();
  match((await scene.run(["--version"])).stdout, /^snap \d+\.\d+\.\d+\n$/);
  const { stdout } = await scene.run(["version"]);
  match(
    stdout,
    /^snap .*\nruntime {2}test 1\nhasher {3}(native|wasm)\ndecoders [^\n]+\nfiles {4}(posix|node:fs)\n/,
  );
  match((await scene.run(["log", "--version"])).stdout, /^snap .*\nruntime/);
});

Deno.test("unreadable files: listed, 3, the rest is saved", async () => {
  using scene = await savedScene();
  if (Deno.uid() === 0) return; // Root reads everything; tests/cli_test.ts does it as another user.
  chmodSync(scene.at("tree", "a"), 0);
  const { code, stderr } = await scene.run(["save", "tree", "--workers", "0"]);
  strictEqual(code, 3);
  match(stderr, /Cannot open .*a: permission is denied/);
});

Deno.test("a file that changes while it is read: named, 3", async () => {
  using scene = await savedScene();
  const { read } = FileReader.prototype;
  FileReader.prototype.read = function (...args): number {
    appendFileSync(scene.at("tree", "a"), "more\n");
    return read.apply(this, args);
  };
  try {
    for (
      const args of [
        ["save", "tree"],
        ["id", "tree"],
        ["manifest", "./tree"],
        ["diff", scene.id, "./tree"],
      ]
    ) {
      const { code, stderr } = await scene.run([...args, "--workers", "0"]);
      strictEqual(
        stderr,
        "snap: Cannot read a in one state as it changed meanwhile: taken as last read\n",
        args[0],
      );
      strictEqual(code, 3, args[0]);
    }
  } finally {
    FileReader.prototype.read = read;
  }
});
