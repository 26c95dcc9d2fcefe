// The packages as they are published to JSR: by the real `deno publish` to a registry on loopback,
// used from empty folders, and once more when the registry has gone.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readPackages, ROOT } from "../_tools/workspace.ts";
import { absentReason } from "./_mount.ts";
import {
  MEMORY_MAX,
  runNine,
  type Runtime,
  writeNine,
} from "./_nine_programs.ts";
import {
  checkXattrs,
  filesBelow,
  keptBelow,
  makeSource,
} from "./_published_source.ts";
import { Registry } from "./_registry.ts";
import { readmeCommand, runWell, userSettings } from "./_run.ts";
import { TemporaryFolder } from "./_snapshots.ts";

/** What the first run may take: it fetches the program, and native code from npm. */
const FIRST_RUN_MS_MAX = 60_000;
/** What begins to work when it is imported. */
const PROGRAM = /\/(main|node-main|\w+-worker)$/;
const CLI = ["run", "-A", "jsr:@snap/cli"] as const;

/** Empty folders, an empty cache, and a registry. */
interface Scene {
  readonly folder: TemporaryFolder;
  readonly registry: Registry;
  readonly source: string;
}

/** A program that takes arguments of the command line, and gives what it printed. */
type Snap = (...args: string[]) => Promise<string>;

/** Runs a program with nothing of this checkout; each cache begins empty. */
async function runThere(
  { folder, registry }: Omit<Scene, "source">,
  words: readonly string[],
  { cwd = folder.path, cache = "cache", root = "root" } = {},
): Promise<string> {
  const env = {
    ...envThere({ folder, registry }),
    DENO_DIR: folder.join(cache),
    DENO_INSTALL_ROOT: folder.join(root),
  };
  return (await runWell(words, { cwd, env })).stdout;
}

/** The environment of who knows that registry, and nothing of this checkout. */
function envThere(
  { folder, registry }: Omit<Scene, "source">,
): Record<string, string> {
  return {
    PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`,
    HOME: folder.path,
    XDG_DATA_HOME: folder.join("data"),
    DENO_DIR: folder.join("cache"),
    JSR_URL: registry.url,
  };
}

/** Publishes all packages, and looks at what arrived. */
async function publish({ registry }: Scene): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "publish:jsr", "--token", "any"],
    cwd: ROOT,
    env: { JSR_URL: registry.url, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  equal(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
  const packages = readPackages();
  deepEqual(
    registry.published,
    packages.map(({ name, version }) => `${name}@${version}`).sort(),
  );
  for (const { name, version, exports } of packages) {
    const paths = [...registry.files(`${name}@${version}`).keys()];
    for (const path of ["/LICENSE", "/README.md", ...Object.values(exports)]) {
      ok(paths.includes(path.replace(/^\.?/, "")), `${name} lacks ${path}`);
    }
    deepEqual(paths.filter((path) => /_test\.ts|\/testdata\//.test(path)), []);
  }
}

/** Saves with workers, reads, verifies, restores and, where that can be, mounts. */
async function useEverything(
  snap: Snap,
  { folder, source }: Scene,
  name: string,
): Promise<string> {
  const [store, target] = [folder.join(`store-${name}`), folder.join(name)];
  const say: Snap = (...args) => snap("--store", store, ...args);
  await say("init");
  const id = (await say("save", source, "--workers", "2")).trim();
  match(id, /^[0-9a-f]{64}$/);
  match(await say("version"), /^hasher +native\ndecoders .+\nfiles +posix$/m);
  equal(await say("verify", "--data"), "");
  equal((await say("save", source)).trim(), id);
  const less = await say("save", source, "--exclude", "/[0-9]");
  equal(
    await say("ls", less.trim()),
    ".snapignore\nempty\nkept.log\nlarge\nlink\nrun\ntext\n",
  );
  await say("restore", id, target, "--workers", "2");
  deepEqual(filesBelow(target), keptBelow(source));
  checkXattrs(target);
  equal(await say("diff", "-a", id, target), "");
  await say("restore", id, `${target}-again`, "--workers", "2");
  if (absentReason !== undefined) return id;
  const point = folder.join(`mount-${name}`);
  mkdirSync(point);
  await say("mount", id, point);
  deepEqual(filesBelow(point), keptBelow(source));
  await say("umount", point);
  return id;
}

/** Does the same by a program that imports the packages. */
async function useLibrary(scene: Scene, id: string): Promise<void> {
  const { folder, source } = scene;
  const program = folder.join("library.mjs");
  copyFileSync(join(ROOT, "tests/_published_program.mjs"), program);
  const target = folder.join("library-copy");
  const plan = {
    scope: "jsr:@snap",
    store: folder.join("library-store"),
    source,
    target,
    workers: 2,
  };
  const words = [Deno.execPath(), "run", "-A", program, JSON.stringify(plan)];
  const said = JSON.parse(await runThere(scene, words));
  deepEqual(
    [said.id, said.identified, said.damageCount, said.errors, said.fidelity],
    [id, id, 0, [], "full"],
  );
  notEqual(said.lessId, id);
  deepEqual(filesBelow(target), keptBelow(source));
  checkXattrs(target);
}

/** Runs the programs that a newcomer sees first. */
async function useNine(scene: Scene): Promise<void> {
  const programs = writeNine(scene.folder.join("programs"), "jsr:@snap/");
  const runtime: Runtime = {
    memoryMax: MEMORY_MAX,
    command: (name, args) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", programs.get(name)!, ...args],
        ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
        cwd: scene.folder.path,
        env: envThere(scene),
      }),
  };
  await runNine(runtime, { mounts: absentReason === undefined });
}

/** Nothing that only Node needs is fetched. */
function checkNoKoffi({ folder }: Scene): void {
  const names = readdirSync(folder.path, { recursive: true }) as string[];
  deepEqual(names.filter((name) => /koffi|koromix/.test(name)), []);
}

/** A program for each package that imports all its entry points, in a folder of its own. */
async function importEach(scene: Scene): Promise<void> {
  const { folder } = scene;
  const programs: string[] = [];
  for (const { folder: short, name, exports } of readPackages()) {
    const lines = Object.keys(exports).map((one) => name + one.slice(1))
      .filter((entry) => !PROGRAM.test(entry))
      .map((entry, i) =>
        `import * as m${i} from "jsr:${entry}";\nconsole.assert(m${i} !== undefined);\n`
      );
    const cwd = folder.join(`alone-${short}`);
    mkdirSync(cwd);
    programs.push(join(cwd, "alone.ts"));
    writeFileSync(programs.at(-1)!, lines.join(""));
  }
  await runEach(scene);
  await runThere(scene, [Deno.execPath(), "check", ...programs]);
}

/** Runs those programs, each with a cache of its own. */
async function runEach(scene: Scene): Promise<void> {
  const words = [Deno.execPath(), "run", "-A", "alone.ts"];
  await Promise.all(
    readPackages().map(({ folder }) => {
      const cwd = scene.folder.join(`alone-${folder}`);
      return runThere(scene, words, { cwd, cache: `cache-${folder}` });
    }),
  );
}

Deno.test("jsr packages run from a registry, and without it", async (t) => {
  using folder = new TemporaryFolder();
  const registry = new Registry();
  const scene = { folder, registry, source: folder.join("source") };
  const deno = (...words: string[]) =>
    runThere(scene, [Deno.execPath(), ...words]);
  const installed: Snap = (...args) =>
    runThere(scene, [folder.join("root", "bin", "snap"), ...args]);
  makeSource(scene.source);
  writeFileSync(folder.join(".npmrc"), userSettings());
  let id = "";
  try {
    const isPublished = await t.step("are published", () => publish(scene));
    if (!isPublished) return;
    await t.step("deno run, with nothing in the cache", async () => {
      const startMs = performance.now();
      match(await deno(...CLI, "--version"), /^snap \d/);
      const ms = performance.now() - startMs;
      ok(ms < FIRST_RUN_MS_MAX, `${ms} ms`);
      id = await useEverything(
        (...args) => deno(...CLI, ...args),
        scene,
        "run",
      );
    });
    await t.step("deno install", async () => {
      const line = readmeCommand(/^deno install .* jsr:/);
      await runThere(scene, [Deno.execPath(), ...line.split(" ").slice(1)]);
      equal(await useEverything(installed, scene, "install"), id);
    });
    await t.step("as a library", () => useLibrary(scene, id));
    await t.step("nine programs", () => useNine(scene));
    await t.step("each package alone", () => importEach(scene));
    await t.step(
      "an entry that fetches a command when it runs",
      () => checkLean(scene),
    );
  } finally {
    await registry[Symbol.asyncDispose]();
  }
  await t.step("all of it without the registry", async () => {
    equal(await useEverything(installed, scene, "gone"), id);
    match(await deno(...CLI, "help"), /^Commands:$/m);
    await runEach(scene);
  });
  await t.step("nothing of koffi was fetched", () => checkNoKoffi(scene));
});

async function checkLean(scene: Scene): Promise<void> {
  const { registry, source } = scene;
  const snap: Snap = (...args) =>
    runThere(scene, [
      Deno.execPath(),
      "run",
      "-A",
      "jsr:@snap/cli/main",
      ...args,
    ], { cache: "cache-lean" });
  const before = registry.asked.length;
  match(await snap("--version"), /^snap \d/);
  const asked = registry.asked.slice(before);
  deepEqual(asked.filter((path) => path.includes("/commands/")), []);
  match(await snap("id", source), /^[0-9a-f]{64}\n$/);
}

Deno.test("the program is installed from a checkout", async () => {
  using folder = new TemporaryFolder();
  const [build, line] = [/^deno task build$/, /^deno install .*main\.js$/]
    .map(readmeCommand);
  const env = { DENO_INSTALL_ROOT: folder.path, NO_COLOR: "1" };
  const program = folder.join("program");
  const install = line.replace("dist/program", program);
  for (const words of [`${build} ${program}`, install]) {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: words.split(" ").slice(1),
      cwd: ROOT,
      env,
    }).output();
    ok(success, new TextDecoder().decode(stderr));
  }
  const path = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  const { stdout } = await new Deno.Command(folder.join("bin/snap"), {
    args: ["--version"],
    cwd: folder.path,
    env: { ...env, PATH: path },
  }).output();
  match(new TextDecoder().decode(stdout), /^snap \d/);
});
