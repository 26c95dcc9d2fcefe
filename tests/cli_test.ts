import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { posix } from "@snap/posix";
import { AT_FDCWD, O_CREAT, O_WRONLY } from "@snap/posix/constants";

const ROOT = new URL("..", import.meta.url).pathname;
const MAIN = `${ROOT}cli/main.ts`;
const ID = /^[0-9a-f]{64}\n$/;
const CACHE = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly flags?: readonly string[];
  readonly env?: Record<string, string>;
}

/** An empty folder with a home of its own, in which the real program runs. */
class Scene {
  readonly path: string = Deno.makeTempDirSync({ prefix: "snap-cli-" });

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  write(name: string, text: string | Uint8Array): void {
    const path = this.at(name);
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (typeof text === "string") Deno.writeTextFileSync(path, text);
    else Deno.writeFileSync(path, text);
  }

  env(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: Deno.env.get("PATH")!,
      HOME: this.path,
      XDG_DATA_HOME: this.at("data"),
      DENO_DIR: CACHE,
      ...more,
    };
  }

  command(args: readonly string[], options: RunOptions = {}): Deno.Command {
    const { cwd = this.path, flags = ["-A"], env } = options;
    return new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, MAIN, ...args],
      cwd,
      clearEnv: true,
      env: this.env(env),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async snap(args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return decode(await this.command(args, options).output());
  }

  /** Runs a line of bash, in which `snap` is the program. */
  async bash(line: string): Promise<Outcome> {
    const snap = `snap() { "${Deno.execPath()}" run -A "${MAIN}" "$@"; }`;
    return decode(
      await new Deno.Command("bash", {
        args: ["-c", `${snap}\n${line}`],
        cwd: this.path,
        clearEnv: true,
        env: this.env(),
        stdin: "null",
      }).output(),
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function decode(output: Deno.CommandOutput): Outcome {
  const { code, stdout, stderr } = output;
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Bytes that do not compress, others for each seed. */
function noise(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let x = seed;
  for (let i = 0; i < size; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return bytes;
}

function filesBelow(path: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(path)) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory) found.push(...filesBelow(below));
    else found.push(below);
  }
  return found;
}

Deno.test("cli: a directory into the user's own store and back", async () => {
  using scene = new Scene();
  scene.write("tree/sub/a", "alpha\n");
  const saved = await scene.snap(["save", "tree"]);
  match(saved.stdout, ID);
  const store = scene.at("data/snap/store");
  deepStrictEqual([saved.code, saved.stderr], [
    0,
    `Made a store in ${store}\n`,
  ]);
  strictEqual(Deno.statSync(store).isDirectory, true);
  const restored = await scene.snap(["restore", "-q", "latest", "out"]);
  deepStrictEqual(restored, { code: 0, stdout: "", stderr: "" });
  strictEqual(Deno.readTextFileSync(scene.at("out/sub/a")), "alpha\n");
  strictEqual((await scene.snap(["diff", "tree", "./out", "-a"])).stdout, "");
  strictEqual((await scene.snap(["id", "out"])).stdout, saved.stdout);
  strictEqual((await scene.snap(["--version"])).code, 0);
});

Deno.test("cli: a name that is not UTF-8 goes all the way", async () => {
  using scene = new Scene();
  Deno.mkdirSync(scene.at("tree"));
  const name = new TextEncoder().encode(scene.at("tree/??\0"));
  name.set([0xff, 0xfe], name.length - 3);
  const fd = posix!.openAt(AT_FDCWD, name, O_CREAT | O_WRONLY, 0o600);
  posix!.write(fd, new TextEncoder().encode("odd\n"));
  posix!.close(fd);
  await scene.snap(["save", "tree"]);
  strictEqual((await scene.snap(["ls", "latest"])).stdout, "%FF%FE\n");
  strictEqual((await scene.snap(["find", "*"])).stdout, "%FF%FE\n");
  strictEqual((await scene.snap(["cat", "latest:%FF%FE"])).stdout, "odd\n");
  const { stdout } = await scene.snap(["ls", "latest", "--json"]);
  strictEqual(JSON.parse(stdout).pathBytes, btoa("\xff\xfe"));
  await scene.snap(["restore", "latest", "out"]);
  strictEqual((await scene.snap(["diff", "latest", "./out", "-a"])).stdout, "");
  const { stdout: found } = await scene.bash("cat out/*; diff -r tree out");
  strictEqual(found, "odd\n");
});

Deno.test("cli: head closes the pipe, and all is well", async () => {
  using scene = new Scene();
  const long = "x".repeat(200);
  for (let i = 0; i < 2000; i++) scene.write(`tree/${long}${i}`, "");
  scene.write("tree/big", noise(1 << 20));
  await scene.snap(["save", "tree"]);
  for (
    const line of [
      "snap -q ls latest | head -1",
      "snap -q ls -l latest | head -1",
      "snap -q manifest latest | head -1",
      "snap -q cat latest:big | head -c 1",
      "snap --help | true",
      "snap --version | true",
    ]
  ) {
    const { stderr, stdout } = await scene.bash(
      `${line} > first; echo "\${PIPESTATUS[@]}"`,
    );
    deepStrictEqual([stderr, stdout.split(" ")[0]], ["", "0"], line);
  }
});

Deno.test("cli: a reader that does not read keeps no interrupted program", async () => {
  using scene = new Scene();
  scene.write("tree/big", noise(1 << 20));
  await scene.snap(["save", "tree"]);
  const child = scene.command(["cat", "latest:big"]).spawn();
  const reader = child.stdout.getReader({ mode: "byob" });
  await reader.read(new Uint8Array(1)); // Now the pipe is full.
  child.kill("SIGTERM");
  const { code } = await child.status;
  strictEqual(code, 143);
  await reader.cancel();
  await child.stderr.cancel();
});

Deno.test("cli: a full disk behind stdout is a failure", async () => {
  using scene = new Scene();
  const { stdout, stderr } = await scene.bash(
    "snap --help > /dev/full; echo $?",
  );
  strictEqual(stdout, "1\n");
  match(stderr, /^snap: Cannot write the result/);
});

/** Starts the program, waits until a file appears, and sends a signal. */
async function interrupt(
  scene: Scene,
  args: readonly string[],
  { folder, signal }: { folder: string; signal: Deno.Signal },
): Promise<Outcome & { ms: number }> {
  const watcher = Deno.watchFs(folder);
  const child = scene.command(args).spawn();
  for await (const event of watcher) {
    if (event.kind === "create" || event.kind === "modify") break;
  }
  const startMs = performance.now();
  child.kill(signal);
  const outcome = decode(await child.output());
  return { ...outcome, ms: performance.now() - startMs };
}

Deno.test("cli: an interrupted save leaves nothing behind", async () => {
  using scene = new Scene();
  // At this level a save of this size takes many seconds.
  for (let i = 0; i < 24; i++) scene.write(`tree/${i}`, noise(1 << 20, i + 1));
  await scene.snap(["init", "--codec", "zstd:19"]);
  const before = filesBelow(scene.at(".snap"));
  const cases = [["SIGINT", 130, "1"], ["SIGTERM", 143, "2"]] as const;
  for (const [signal, code, workers] of cases) {
    const args = ["save", "tree", "--workers", workers];
    const folder = scene.at(".snap/tmp");
    const outcome = await interrupt(scene, args, { folder, signal });
    deepStrictEqual(
      [outcome.code, outcome.stdout, outcome.stderr],
      [code, "", ""],
      signal,
    );
    strictEqual(outcome.ms < 5000, true, `${signal}: ${outcome.ms} ms`);
    deepStrictEqual(filesBelow(scene.at(".snap")), before, signal);
  }
});

Deno.test("cli: an interrupted restore leaves no temporary file", async () => {
  using scene = new Scene();
  const content = noise(4000);
  for (let i = 0; i < 10_000; i++) {
    content[i % 4000]++;
    scene.write(`tree/${i % 100}/${i}`, content);
  }
  await scene.snap(["save", "tree"]);
  const args = ["restore", "-q", "latest", "out", "--workers", "0"];
  const folder = scene.at("out");
  // On a fast disk the signal may come too late; then it is sent once more.
  let outcome = { code: 0, stdout: "", stderr: "", ms: 0 };
  for (let round = 0; outcome.code === 0 && round < 10; round++) {
    if (round > 0) Deno.removeSync(folder, { recursive: true });
    Deno.mkdirSync(folder);
    outcome = await interrupt(scene, args, { folder, signal: "SIGINT" });
  }
  deepStrictEqual(
    [outcome.code, outcome.stdout, outcome.stderr],
    [130, "", ""],
  );
  strictEqual(outcome.ms < 5000, true, `${outcome.ms} ms`);
  const odd = filesBelow(folder).filter((path) => !/\/\d+\/\d+$/.test(path));
  deepStrictEqual(odd, []);
  const again = await scene.snap(
    ["restore", "-q", "latest", "out", "--existing"],
  );
  deepStrictEqual(again, { code: 0, stdout: "", stderr: "" });
  strictEqual((await scene.snap(["diff", "latest", "./out", "-a"])).stdout, "");
});

Deno.test("cli: with fewer permissions it does less, says so once, and asks nothing", async () => {
  using scene = new Scene();
  scene.write("tree/a", "alpha\n");
  const flags = ["--no-prompt", "-R", "-W", "-E", "--allow-sys"];
  const save = await scene.snap(["save", "tree"], { flags });
  strictEqual(save.code, 0);
  match(save.stdout, ID);
  strictEqual(save.stderr.match(/Reduced fidelity/g)?.length, 1, save.stderr);
  const restore = await scene.snap(["restore", "latest", "out"], { flags });
  strictEqual(restore.code, 0, restore.stderr);
  strictEqual(restore.stderr.match(/Reduced fidelity/g)?.length, 1);
  strictEqual(Deno.readTextFileSync(scene.at("out/a")), "alpha\n");
  const version = await scene.snap(["version"], { flags });
  match(
    version.stdout,
    /^hasher {3}wasm\ndecoders portable\nfiles {4}node:fs$/m,
  );
  match((await scene.snap(["version"])).stdout, /^files {4}posix$/m);
  strictEqual((await scene.snap(["id", "tree"])).stdout, save.stdout);
});

Deno.test("cli: a missing permission is named", async () => {
  using scene = new Scene();
  scene.write("tree/a", "alpha\n");
  const cases: [string[], string[], RegExp][] = [
    [["--allow-read", "--allow-env"], ["save", "tree"], /--allow-write/],
    [["--allow-env"], ["log"], /--allow-read/],
    [[`--allow-read=${ROOT}`, "--allow-env"], ["save", "tree"], /--allow-read/],
    [[`--allow-read=${ROOT}`, "--allow-env"], ["id", "tree"], /--allow-read/],
    [["--allow-read"], ["log"], /HOME/],
  ];
  for (const [flags, args, expected] of cases) {
    const { code, stdout, stderr } = await scene.snap(args, {
      flags: ["--no-prompt", ...flags],
    });
    deepStrictEqual([code, stdout], [1, ""], stderr);
    match(stderr, expected);
    match(stderr, /^snap: Cannot [^\n]*\n( {2}hint: [^\n]*\n)?$/);
  }
  const { stdout } = await scene.snap(["--version"], {
    flags: ["--no-prompt"],
  });
  match(stdout, /^snap /);
});

Deno.test("cli: a folder or path that is not UTF-8 is said to be", async () => {
  using scene = new Scene();
  const lines: [string, number, RegExp][] = [
    [
      "mkdir $'\\xff' && cd $'\\xff' && snap log",
      1,
      /^snap: Cannot use the current folder: its path is not UTF-8: .*\\xFF/,
    ],
    ["snap init $'a\\xff'", 2, /^snap: Cannot use path .*: it is not UTF-8/],
  ];
  for (const [line, expected, message] of lines) {
    const { code, stderr } = await scene.bash(line);
    match(stderr, message);
    strictEqual(code, expected);
  }
});

Deno.test("cli: a task resolves paths from where it was called", async () => {
  using scene = new Scene();
  scene.write("tree/a", "alpha\n");
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "task",
      "--quiet",
      "--config",
      `${ROOT}deno.json`,
      "snap",
      "save",
      ".",
    ],
    cwd: scene.at("tree"),
    clearEnv: true,
    env: scene.env(),
    stderr: "inherit",
  }).output();
  strictEqual(code, 0);
  match(new TextDecoder().decode(stdout), ID);
  const log = await scene.snap(["log"]);
  strictEqual(log.stdout.split("\t")[4], scene.at("tree"));
  // Elsewhere the variable is somebody else's.
  const env = { INIT_CWD: "/" };
  const own = await scene.snap(["save", "."], { cwd: scene.at("tree"), env });
  strictEqual(own.stdout, new TextDecoder().decode(stdout));
});

Deno.test({
  name: "cli: unreadable files are listed, the rest is saved, 3",
  ignore: Deno.uid() !== 0,
  async fn() {
    using scene = new Scene();
    scene.write("tree/a", "alpha\n");
    scene.write("tree/secret", "secret\n");
    scene.write("tree/closed/b", "beta\n");
    Deno.chmodSync(scene.at("tree/secret"), 0);
    Deno.chmodSync(scene.at("tree/closed"), 0);
    const { code, stdout, stderr } = decode(
      await new Deno.Command("setpriv", {
        // Root without what lets it read everything.
        args: [
          "--bounding-set=-dac_override,-dac_read_search",
          Deno.execPath(),
          "run",
          "-A",
          MAIN,
          "save",
          "tree",
        ],
        cwd: scene.path,
        clearEnv: true,
        env: scene.env(),
      }).output(),
    );
    strictEqual(code, 3, stderr);
    match(stdout, ID);
    match(stderr, /^snap: Cannot open \S*secret: permission is denied/m);
    match(
      stderr,
      /^snap: Cannot open directory \S*closed: permission is denied/m,
    );
    const id = stdout.trim();
    match((await scene.snap(["ls", id])).stdout, /^a\n/);
    // That something is missing is said wherever the snapshot is met.
    match((await scene.snap(["log"])).stdout, /\t2\n$/);
    match((await scene.snap(["stats", id])).stdout, /^not read\t2$/m);
    match(
      (await scene.snap(["restore", id, "out"])).stderr,
      /^This snapshot lacks 2 entries that could not be read when/m,
    );
  },
});
