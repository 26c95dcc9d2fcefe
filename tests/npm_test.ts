// The npm packages as they are installed: on Node 22 and 24 they do what the sources do on Deno.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash";
import { rebuildIndex } from "@snap/pack/rebuild-index";
import { openFileStore } from "@snap/store/file-store";
import { readPackages, ROOT } from "../_tools/workspace.ts";
import { absentReason } from "./_mount.ts";
import { NAMES, nodeOf, NpmProject } from "./_npm_project.ts";
import { readmeCommand } from "./_run.ts";
import { noise } from "./_snapshots.ts";

const FOR_TYPES = ["typescript@5.9.3", "@types/node@22.20.5"] as const;
/** What takes `await import` only, and what has no types as it exports nothing. */
const NOT_LIBRARY = /\/(node-main|main|(save|restore|mount)-worker)$/;
/** From when a program is told to end to when it has: an idle one takes 50 ms. */
const END_MS_MAX = 10_000;

const { scope, command } = NAMES;
const here = (text: string): string => text.replaceAll("@snap/", `${scope}/`);

/** A program that takes arguments of the command line. */
type Snap = (...args: string[]) => Promise<string>;

/** The project, the Nodes, and the tree that all of them save. */
interface Scene {
  readonly project: NpmProject;
  /** The folder with what a user of the command has installed. */
  readonly installed: string;
  readonly nodes: ReadonlyMap<string, string>;
  readonly source: string;
}

function makeSource(path: string): void {
  mkdirSync(join(path, "empty"), { recursive: true });
  for (let i = 0; i < 400; i++) {
    mkdirSync(join(path, `${i % 7}`), { recursive: true });
    writeFileSync(join(path, `${i % 7}`, `${i}`), noise(i * 9, i + 1));
  }
  // Enough for the lane, in which all threads cut one file.
  writeFileSync(join(path, "large"), noise(34_000_000, 1));
  writeFileSync(join(path, "text"), "some text\n".repeat(10_000));
  writeFileSync(join(path, "run"), "#!/bin/sh\n");
  chmodSync(join(path, "run"), 0o755);
  symlinkSync("text", join(path, "link"));
}

/** The program of the sources, on Deno. */
function onDeno({ project }: Scene): Snap {
  return async (...args) => {
    const main = join(ROOT, "cli/main.ts");
    const { code, stdout, stderr } = await project.run(
      [Deno.execPath(), "run", "-A", main, ...args],
      { env: { DENO_DIR: denoFolder() } },
    );
    equal(code, 0, stderr);
    return stdout;
  };
}

function denoFolder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? "", ".cache");
  return Deno.env.get("DENO_DIR") ?? join(cache, "deno");
}

/** The command that npm installed, on a Node. */
function onNode({ project, installed }: Scene, node: string): Snap {
  return async (...args) => {
    const program = join(installed, "node_modules/.bin", command);
    const { code, stdout, stderr } = await project.run(
      [node, program, ...args],
    );
    equal(code, 0, stderr);
    equal(stderr, "");
    return stdout;
  };
}

/** Runs every command; gives what has to be the same everywhere. */
async function everyCommand(
  snap: Snap,
  { project, source }: Scene,
  name: string,
): Promise<Record<string, string>> {
  const store = project.at(`store-${name}`);
  const target = project.at(`target-${name}`);
  const asked = new Set<string>();
  const say = (...args: string[]): Promise<string> => {
    asked.add(args[0]);
    return snap("--store", store, ...args);
  };
  await say("init");
  const id = (await say("save", source, "--tag", "one", "--workers", "2"))
    .trim();
  await say("restore", id, target, "--workers", "2");
  const same = {
    id,
    "id source": await say("id", source),
    "id target": await say("id", target),
    ls: await say("ls", "-lR", id),
    manifest: await say("manifest", id),
    "manifest target": await say("manifest", target),
    cat: await say("cat", `${id}:text`),
    find: await say("find", "3*", id),
    "diff target": await say("diff", "-a", id, target),
    "diff part": await say("diff", id, `${source}/0`),
    verify: await say("verify", "--data"),
    help: (await say("help", "save")).replaceAll(/\bsnip\b/g, "snap"),
  };
  match(await say("tag"), new RegExp(`^one.*${id.slice(0, 8)}`));
  match(await say("log"), new RegExp(id.slice(0, 8)));
  match(await say("stats"), /^records\t1$/m);
  match(await say("completions", "bash"), /complete/);
  match(await say("version"), /^hasher +native\nfiles +posix$/m);
  equal(await snap("help"), await snap("--help"));
  const commands = [...(await say("help")).matchAll(/^ {2}([a-z]+) {2,}/gm)];
  const missed = commands.map(([, one]) => one)
    .filter((one) => !asked.has(one) && !MOUNT_COMMANDS.has(one));
  deepEqual(missed, []);
  return same;
}

/** What a step of its own runs. */
const MOUNT_COMMANDS: ReadonlySet<string> = new Set([
  "mount",
  "umount",
  "exec",
]);

/** Shows a snapshot of a store as files, and ends that. */
async function mountWith(
  snap: Snap,
  scene: Scene,
  name: string,
  id: string,
): Promise<void> {
  const { project, source } = scene;
  const [store, point] = [
    project.at(`store-${name}`),
    project.at(`mount-${name}`),
  ];
  mkdirSync(point);
  const say = (...args: string[]) => snap("--store", store, ...args);
  equal((await say("mount", id, point)).trim(), point);
  deepEqual(filesBelow(point), filesBelow(source));
  await say("umount", point);
  deepEqual(readdirSync(point), []);
  equal(await say("exec", id, "--", "cat", "run"), "#!/bin/sh\n");
}

/** Ids and kinds of all objects in the packs of a store. */
async function objectsOf(path: string): Promise<Set<string>> {
  const store = await openFileStore(path);
  const { packs, damaged } = await rebuildIndex(store, { hasher: wasmHasher });
  deepEqual(damaged, []);
  return new Set(packs.flatMap(({ table }) =>
    Array.from(
      { length: table.objectCount },
      (_, row) => `${table.idBytes(row).toHex()} ${table.kind(row)}`,
    )
  ));
}

/** What `_published_program.mjs` prints. */
interface ProgramResult {
  readonly id: string;
  readonly damageCount: number;
  readonly fidelity: string;
  readonly errors: readonly string[];
}

/** Runs the program that uses the packages as a library. */
async function runProgram(
  { project, installed, source }: Scene,
  node: string | undefined,
  { name, workers }: { name: string; workers: number },
): Promise<ProgramResult> {
  const plan = JSON.stringify({
    scope: node === undefined ? "@snap" : scope,
    store: project.at(`library-${name}`),
    source: join(source, workers > 0 ? "." : "3"),
    target: project.at(`copy-${name}-${workers}`),
    workers,
  });
  const words = node === undefined
    ? [Deno.execPath(), "run", "-A", join(ROOT, "tests/_published_program.mjs")]
    : [node, join(installed, "_published_program.mjs")];
  const { code, stdout, stderr } = await project.run([...words, plan], {
    cwd: node === undefined ? ROOT : installed,
    env: { DENO_DIR: denoFolder() },
  });
  equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The content of a folder, by path; the `tmp` of a store has chance in it. */
function filesBelow(path: string): Map<string, string> {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\/tmp$/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(entries.map((one) => [
    one.slice(path.length),
    wasmHasher.idOf(readFileSync(one)),
  ]));
}

/** What each `package.json` says. */
function checkPackages({ installed }: Scene): void {
  for (const { folder, name, version, exports } of readPackages()) {
    const path = join(installed, "node_modules", here(name));
    const said = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    deepEqual(
      [said.name, said.version, said.license, said.type, said.engines],
      [here(name), version, "MIT", "module", { node: ">=22.15" }],
    );
    deepEqual(Object.keys(said.exports), Object.keys(exports));
    deepEqual(said.repository, {
      type: "git",
      url: NAMES.repository,
      directory: folder,
    });
    ok(said.description.endsWith("."), said.description);
    for (
      const pin of Object.values<string>({
        ...said.dependencies,
        ...said.optionalDependencies,
      })
    ) match(pin, /^\d+\.\d+\.\d+$/);
    const files = readdirSync(path, { recursive: true }) as string[];
    ok(files.includes("README.md") && files.includes("LICENSE"), name);
    for (const file of files.filter((one) => /\.(ts|js|md)$/.test(one))) {
      ok(!/_test\.|(?<!\.d)\.ts$/.test(file), `${name} has ${file}`);
      const text = readFileSync(join(path, file), "utf8");
      ok(!text.includes("@snap/"), `${name}/${file} has the old scope`);
    }
  }
}

/** A program that imports every entry point, and the one of the README. */
function writePrograms({ installed }: Scene): void {
  const entries = readPackages().flatMap(({ name, exports }) =>
    Object.keys(exports).map((entry) => here(name) + entry.slice(1))
  ).filter((entry) => !NOT_LIBRARY.test(entry));
  const imports = entries.map((entry, i) =>
    `import * as m${i} from "${entry}";\nif (m${i} === undefined) throw new Error("${entry}");\n`
  );
  writeFileSync(join(installed, "every_entry.mts"), imports.join(""));
  writeFileSync(
    join(installed, "every_entry.cjs"),
    `(async () => {
      for (const entry of ${JSON.stringify(entries)}) await import(entry);
      const { wasmHasher } = await import("${scope}/hash");
      console.log(wasmHasher.idOf(Buffer.from("hello")).slice(0, 8));
    })();`,
  );
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, program] = /^```ts\n([^]*?)^```$/m.exec(readme)!;
  writeFileSync(join(installed, "readme.mts"), here(program));
  for (const name of ["_published_program.mjs", "_busy_program.mjs"]) {
    copyFileSync(join(ROOT, "tests", name), join(installed, name));
  }
}

async function checkTypes({ project, installed }: Scene): Promise<void> {
  for (
    const [moduleResolution, module] of [["nodenext", "nodenext"], [
      "bundler",
      "esnext",
    ]]
  ) {
    const flags = [
      "--noEmit",
      "--strict",
      "--target",
      "esnext",
      "--module",
      module,
    ];
    const { code, stdout, stderr } = await project.run([
      "node",
      "node_modules/typescript/bin/tsc",
      ...flags,
      "--moduleResolution",
      moduleResolution,
      "--lib",
      "esnext,dom,dom.iterable,dom.asynciterable",
      "--types",
      "node",
      "every_entry.mts",
      "readme.mts",
    ], { cwd: installed });
    equal(code, 0, `${moduleResolution}: ${stdout}${stderr}`);
  }
}

/** Ends a program while its workers run, and gives how it ended. */
async function endBusy(
  { project, installed, source }: Scene,
  node: string,
  end: "exit" | "exception" | "signal",
): Promise<Deno.CommandStatus> {
  const plan = JSON.stringify({ scope, source, end });
  await using child = new Deno.Command(node, {
    args: [join(installed, "_busy_program.mjs"), plan],
    env: project.env(),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  equal(new TextDecoder().decode((await reader.read()).value), "busy\n");
  const startMs = performance.now();
  if (end === "signal") child.kill("SIGTERM");
  const status = await child.status;
  ok(performance.now() - startMs < END_MS_MAX, `${end} took too long`);
  await reader.cancel();
  return status;
}

/** Ends the command while its workers run: it gives up, and says so to the shell. */
async function interruptCommand(
  { project, installed, source }: Scene,
  name: string,
  node: string,
): Promise<void> {
  const store = project.at(`interrupted-${name}`);
  const program = [node, join(installed, "node_modules/.bin", command)];
  const flags = ["--store", store, "--json"];
  await project.run([...program, ...flags, "init", "--codec", "zstd:12"]);
  await using child = new Deno.Command(program[0], {
    args: [program[1], ...flags, "save", source, "--workers", "2"],
    env: project.env(),
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  match(new TextDecoder().decode((await reader.read()).value), /"progress"/);
  const startMs = performance.now();
  child.kill("SIGTERM");
  equal((await child.status).code, 143);
  ok(performance.now() - startMs < END_MS_MAX);
  await reader.cancel();
  const verified = await project.run([...program, ...flags, "verify"]);
  equal(verified.code, 0, verified.stderr);
}

/** Runs something while a package is not there. */
async function without(
  { installed }: Scene,
  name: string,
  test: () => Promise<void>,
): Promise<void> {
  const path = join(installed, "node_modules", name);
  renameSync(path, `${path}.away`);
  try {
    await test();
  } finally {
    renameSync(`${path}.away`, path);
  }
}

async function checkOptional(
  scene: Scene,
  name: string,
  id: string,
): Promise<void> {
  const { project, installed, nodes, source } = scene;
  const program = [
    nodes.get(name)!,
    join(installed, "node_modules/.bin", command),
  ];
  const snap = (...args: string[]) => project.run([...program, ...args]);
  await without(scene, "@napi-rs", async () => {
    match((await snap("version")).stdout, /^hasher +wasm\nfiles +posix$/m);
    equal((await snap("id", source)).stdout, `${id}\n`);
  });
  await without(scene, "koffi", async () => {
    match((await snap("version")).stdout, /^hasher +native\nfiles +node:fs$/m);
    const store = project.at(`reduced-${name}`);
    const saved = await snap("--store", store, "init");
    equal(saved.code, 0, saved.stderr);
    const { code, stdout, stderr } = await snap(
      "--store",
      store,
      "save",
      source,
    );
    deepEqual([code, stdout], [0, `${id}\n`]);
    match(stderr, /^snip: Reduced fidelity without native calls: .*'koffi'/);
    const target = project.at(`reduced-target-${name}`);
    equal((await snap("--store", store, "restore", id, target)).code, 0);
    equal((await snap("id", target)).stdout, `${id}\n`);
  });
}

/** Each program adds to the store of each other, which then verifies what it did not write. */
async function extendAll(
  { project, source }: Scene,
  stores: ReadonlyMap<string, Snap>,
  id: string,
): Promise<void> {
  for (const [writer, write] of stores) {
    const added = project.at(`added-${writer}`);
    mkdirSync(added);
    writeFileSync(join(added, "new"), noise(9000, 1000 + writer.length));
    symlinkSync(join(source, "3"), join(added, "link"));
    for (const [owner, read] of stores) {
      if (owner === writer) continue;
      const store = project.at(`store-${owner}`);
      equal((await write("--store", store, "save", source)).trim(), id);
      const extended = (await write("--store", store, "save", added)).trim();
      equal(await read("--store", store, "verify", "--data"), "");
      const said = await read("--store", store, "cat", `${extended}:new`);
      equal(said, new TextDecoder().decode(noise(9000, 1000 + writer.length)));
    }
  }
}

/** One thread, no codec, and chance and clock from outside: what is written is the same. */
async function checkLibrary(scene: Scene): Promise<void> {
  const { project, nodes } = scene;
  const runtimes = new Map([["deno", undefined], ...nodes]);
  const runAll = async (workers: number): Promise<void> => {
    const said: ProgramResult[] = [];
    for (const [name, node] of runtimes) {
      const result = await runProgram(scene, node, { name, workers });
      deepEqual([result.damageCount, result.errors], [0, []]);
      equal(result.fidelity, "full");
      said.push(result);
    }
    for (const result of said) deepEqual(result, said[0]);
  };
  await runAll(0);
  const expected = filesBelow(project.at("library-deno"));
  ok([...expected.keys()].some((path) => path.includes("/packs/")));
  for (const name of runtimes.keys()) {
    deepEqual(filesBelow(project.at(`library-${name}`)), expected);
  }
  await runAll(2);
  await compareObjects(scene, "library", [...runtimes.keys()]);
  for (const name of runtimes.keys()) {
    const copy = filesBelow(project.at(`copy-${name}-2`));
    deepEqual(copy, filesBelow(scene.source));
  }
}

Deno.test("npm packages do on Node what the sources do on Deno", async (t) => {
  const nodes = await findNodes();
  if (nodes === undefined) {
    return console.warn("No Node for this machine: skipped");
  }
  await using project = new NpmProject();
  const installed = project.makeFolder("installed");
  const scene = { project, installed, nodes, source: project.at("source") };
  makeSource(scene.source);
  const isReady = await t.step(
    "are built, published and installed",
    () => install(scene),
  );
  if (!isReady) return;
  await t.step("their types hold", () => checkTypes(scene));
  const snaps = new Map([["deno", onDeno(scene)]]);
  for (const [name, node] of nodes) snaps.set(name, onNode(scene, node));
  let id = "";
  await t.step("every command says the same", async () => {
    id = await compareCommands(scene, snaps);
  });
  await t.step("each extends and verifies the stores of others", async () => {
    await compareObjects(scene, "store", [...snaps.keys()]);
    await extendAll(scene, snaps, id);
  });
  await t.step({
    name: "each mounts",
    ignore: absentReason !== undefined && Deno.env.get("CI") === undefined,
    async fn() {
      for (const [name, snap] of snaps) await mountWith(snap, scene, name, id);
    },
  });
  await t.step("as a library", () => checkLibrary(scene));
  for (const [name, node] of nodes) {
    await t.step(
      `ES and CommonJS modules on ${name}`,
      () => checkModules(scene, node),
    );
    await t.step(`workers do not keep ${name}`, async () => {
      equal((await endBusy(scene, node, "exit")).code, 3);
      equal((await endBusy(scene, node, "exception")).code, 1);
      equal((await endBusy(scene, node, "signal")).signal, "SIGTERM");
      await interruptCommand(scene, name, node);
    });
    await t.step(
      `without optional packages on ${name}`,
      () => checkOptional(scene, name, id),
    );
  }
});

async function findNodes(): Promise<Map<string, string> | undefined> {
  const nodes = new Map<string, string>();
  for (const major of [22, 24]) {
    const node = await nodeOf(major);
    if (node === undefined) return undefined;
    nodes.set(`node-${major}`, node);
  }
  return nodes;
}

/** Builds, publishes and installs: the command as the README says, and the library. */
async function install(scene: Scene): Promise<void> {
  const { project, installed, nodes } = scene;
  await project.publish();
  const [, , ...words] = readmeCommand(/^npm install -g /)
    .replace("@snap/", `${scope}/`).split(" ");
  const prefix = project.at("global");
  await project.npm("install", [...words, "--prefix", prefix]);
  const program = join(prefix, "bin", command);
  const { stdout } = await project.run([
    nodes.get("node-24")!,
    program,
    "--version",
  ]);
  match(stdout, /^snip \d/);
  const all = readPackages().map(({ name }) => here(name));
  await project.npm("install", [...all, ...FOR_TYPES], installed);
  checkPackages(scene);
  writePrograms(scene);
}

async function compareCommands(
  scene: Scene,
  snaps: ReadonlyMap<string, Snap>,
): Promise<string> {
  let expected: Record<string, string> | undefined;
  for (const [name, snap] of snaps) {
    const said = await everyCommand(snap, scene, name);
    expected ??= said;
    for (const [what, text] of Object.entries(expected)) {
      equal(said[what], text, `${what} on ${name}`);
    }
  }
  return expected!.id;
}

async function compareObjects(
  { project }: Scene,
  prefix: string,
  names: readonly string[],
): Promise<void> {
  const sets = await Promise.all(
    names.map((name) => objectsOf(project.at(`${prefix}-${name}`))),
  );
  for (const objects of sets) deepEqual(objects, sets[0]);
}

async function checkModules(
  { project, installed }: Scene,
  node: string,
): Promise<void> {
  const flags = ["--no-warnings", "--experimental-strip-types"];
  for (const name of ["readme.mts", "every_entry.mts"]) {
    const words = [node, ...flags, name];
    const { code, stderr } = await project.run(words, { cwd: installed });
    deepEqual([code, stderr], [0, ""]);
  }
  const words = [node, "every_entry.cjs"];
  const cjs = await project.run(words, { cwd: installed });
  deepEqual([cjs.stdout, cjs.stderr], ["ea8f163d\n", ""]);
}
