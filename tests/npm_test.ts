// The npm packages as they are installed: on the oldest Node and on 24 they do what the sources do on Deno.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { OLDEST_NODE } from "../_tools/build_npm.ts";
import { readPackages, ROOT } from "../_tools/workspace.ts";
import { absentReason } from "./_mount.ts";
import { BUNDLERS, runBundles, runStoreTests } from "./_bundles.ts";
import {
  compareCommands,
  compareObjects,
  extendAll,
  mountWith,
  objectsOf,
  onDeno,
  onNode,
  type Scene,
} from "./_npm_commands.ts";
import {
  MEMORY_MAX,
  runNine,
  type Runtime,
  writeNine,
} from "./_nine_programs.ts";
import { NAMES, nodeOf, NpmProject } from "./_npm_project.ts";
import { filesBelow, keptBelow, makeSource } from "./_published_source.ts";
import { denoFolder, readmeCommand, runWell } from "./_run.ts";

const FOR_TYPES = ["typescript@5.9.3", "@types/node@22.20.5"] as const;
/** How TypeScript finds packages, and the kind of module that goes with it. */
const RESOLUTIONS = [["nodenext", "nodenext"], ["bundler", "esnext"]] as const;
/** What is a program, and what has no types as it exports nothing. */
const NOT_LIBRARY =
  /\/(node-main|main|(formats|save|restore|fuse|sync)\/worker)$/;
/** From when a program is told to end to when it has: an idle one takes 50 ms. */
const END_MS_MAX = 10_000;

const { scope, command } = NAMES;
const here = (text: string): string => text.replaceAll("@snap/", `${scope}/`);

/** What `_published_program.mjs` prints. */
interface ProgramResult {
  readonly id: string;
  readonly identified: string;
  readonly lessId: string;
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
    deepEqual(said.publishConfig, { access: "public" });
    deepEqual(said.repository, {
      type: "git",
      url: NAMES.repository,
      directory: folder,
    });
    ok(said.description.endsWith("."), said.description);
    ok(!said.sideEffects.includes("./mod.js"), name);
    const readme = readFileSync(join(path, "README.md"), "utf8");
    ok(!readme.includes("](../"), `${name}'s README leads out of it`);
    const base = "https://example.org/elsewhere/snip/blob/HEAD/";
    for (const rest of readme.split(`](${base}`).slice(1)) {
      const [, to] = /^([^)#]*)/.exec(rest)!;
      ok(existsSync(join(ROOT, to)), `${name} links to ${to}`);
    }
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
      const { wasmHasher } = await import("${scope}/hash/wasm-hasher");
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

async function checkTypes({ project, installed, nodes }: Scene): Promise<void> {
  const flags =
    "--noEmit --strict --target esnext --lib esnext,dom,dom.iterable,dom.asynciterable --types node";
  const compiler = "node_modules/typescript/bin/tsc";
  for (const [resolution, module] of RESOLUTIONS) {
    const { code, stdout } = await project.run([
      nodes.get("node-24")!,
      compiler,
      ...flags.split(" "),
      "--module",
      module,
      "--moduleResolution",
      resolution,
      "every_entry.mts",
      "readme.mts",
    ], { cwd: installed });
    equal(code, 0, `${resolution}: ${stdout}`);
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
    match(
      (await snap("version")).stdout,
      /^hasher +wasm\ndecoders .+\nfiles +posix$/m,
    );
    equal((await snap("id", source)).stdout, `${id}\n`);
  });
  await without(scene, "koffi", async () => {
    match(
      (await snap("version")).stdout,
      /^hasher +native\ndecoders .+\nfiles +node:fs$/m,
    );
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

/** Serves a store, which another process clones, and ends when it is told to. */
async function serveOn(
  { project, installed }: Scene,
  name: string,
  node: string,
): Promise<void> {
  const program = join(installed, "node_modules/.bin", command);
  await using child = new Deno.Command(node, {
    args: [
      program,
      "serve",
      project.at(`store-${name}`),
      "--listen",
      "127.0.0.1:0",
    ],
    env: project.env(),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const url = new TextDecoder().decode((await reader.read()).value).trim();
  const clone = project.at(`clone-${name}`);
  const { code, stderr } = await project.run(
    [node, program, "clone", url, clone],
  );
  equal(code, 0, stderr);
  child.kill("SIGTERM");
  equal((await child.status).code, 0);
  await reader.cancel();
  deepEqual(
    await objectsOf(clone),
    await objectsOf(project.at(`store-${name}`)),
  );
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
      equal(result.identified, result.id);
      notEqual(result.lessId, result.id);
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
    deepEqual(copy, keptBelow(scene.source));
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
  const built = await buildForDeno(scene);
  const snaps = new Map([
    ["deno", onDeno(scene)],
    ["deno-built", onDeno(scene, built)],
  ]);
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
  await t.step("in bundles", () => runBundles(scene));
  await t.step("testStore elsewhere", () => runStoreTests(scene));
  const programs = writeNine(join(installed, "programs"), `${scope}/`);
  for (const [name, node] of nodes) {
    await t.step(`nine programs on ${name}`, async () => {
      const runtime: Runtime = {
        memoryMax: MEMORY_MAX,
        command: (name, args) =>
          new Deno.Command(node, {
            args: ["--no-warnings", programs.get(name)!, ...args],
            ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
            env: project.env(),
          }),
      };
      await runNine(runtime, { mounts: absentReason === undefined });
    });
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
    await t.step(`serves on ${name}`, () => serveOn(scene, name, node));
    await t.step(
      `without optional packages on ${name}`,
      () => checkOptional(scene, name, id),
    );
  }
});

/** Builds the program for Deno, and gives its main module. */
async function buildForDeno({ project }: Scene): Promise<string> {
  const out = project.at("program");
  const tool = join(ROOT, "_tools/build.ts");
  const env = { DENO_DIR: denoFolder() };
  await runWell([Deno.execPath(), "run", "-A", tool, out], { cwd: ROOT, env });
  return join(out, "main.js");
}

async function findNodes(): Promise<Map<string, string> | undefined> {
  const nodes = new Map<string, string>();
  for (const version of [OLDEST_NODE, "24"]) {
    const node = await nodeOf(version);
    if (node === undefined) return undefined;
    nodes.set(`node-${version}`, node);
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
  await project.npm("install", [...all, ...FOR_TYPES, ...BUNDLERS], installed);
  checkPackages(scene);
  writePrograms(scene);
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
