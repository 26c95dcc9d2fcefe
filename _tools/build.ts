// Builds the program: files without types and blanks, which start faster than the
// sources do. They are what `deno install` gets here, and the command of npm.
//
//     deno task build [FOLDER]
//
// The folder, `dist/program` if none is given, then holds `main.js`, a file for
// each worker, and parts that are loaded when a command needs them.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type OutputOptions, type Plugin, rolldown } from "rolldown";
import { readNames, stageWorkspace } from "./stage.ts";
import { npmImports, readPackages, ROOT } from "./workspace.ts";

/** The modules of all workers. */
const WORKERS = [
  "formats/formats_worker.ts",
  "fuse/mount/mount_worker.ts",
  "restore/restore_worker.ts",
  "save/save_worker.ts",
  "sync/sync_worker.ts",
] as const;
/** How a module names the worker that it starts. */
const STARTED = /besideUrl\(import\.meta\.url, "(\w+)"\)/g;
/**
 * Modules of files that are always loaded together: a file costs a start 0.1 ms. Each part has what
 * its modules import, as far as the parts before it lack it; what is in no part becomes a file
 * wherever others share it.
 */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  // Not what runs the program: others would wait for its end.
  start: ["cli/program.ts", "cli/interrupts.ts", "cli/load_late.ts"],
  read: [
    "cli/run_command.ts",
    "cli/commands/log.ts",
    "cli/commands/ls.ts",
    "snapshot/mod.ts",
    "snapshot/records/mod.ts",
    "snapshot/view/mod.ts",
    "store/file/mod.ts",
    "hash/wasm_hasher.ts",
    "posix/decoders.ts",
    "pack/ranges/node_files.ts",
    "manifest/diff.ts",
  ],
  disk: ["disk/mod.ts", "disk/source/mod.ts", "hash/native.ts"],
  save: [
    "cli/commands/save.ts",
    "cli/snapshots/save_cache.ts",
    "save/mod.ts",
    "disk/ignore/mod.ts",
  ],
  restore: ["cli/commands/restore.ts", "restore/mod.ts"],
  mount: [
    "cli/commands/mount.ts",
    "cli/mounts/prepare_mount.ts",
    "cli/mounts/serve_mount.ts",
  ],
};
/** What loads modules by computed names, and what names all of them. */
const LATE = "cli/load_late.ts";
const PREFETCH = "cli/prefetch.ts";

/** What is built. */
export interface ProgramOptions {
  /** The module that is run: `cli/main.ts`, or `cli/node_main.ts`. */
  readonly main: string;
  /** What imports each package of npm, by its name, else its name. */
  readonly packages?: ReadonlyMap<string, string>;
}

/**
 * Builds the program from a copy of the workspace.
 *
 * @param stage The copy, as `stageWorkspace` makes it.
 * @param out The folder for the files.
 * @param options What is built.
 */
export async function buildProgram(
  stage: string,
  out: string,
  { main, packages = new Map() }: ProgramOptions,
): Promise<void> {
  const imports = new Map<string, readonly string[]>();
  const plugins = [workspacePlugin(stage, packages), graphPlugin(imports)];
  const write = async (path: string, output: OutputOptions) => {
    await using bundle = await rolldown({
      input: { [basename(path, ".ts")]: join(stage, path) },
      platform: "neutral",
      // Modules that are there for what they do when they are loaded are not told apart.
      treeshake: false,
      logLevel: "silent",
      plugins,
    });
    await bundle.write({
      dir: out,
      format: "esm",
      // Names stay: errors and their stacks tell them.
      minify: { compress: false, mangle: false, codegen: true },
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      ...output,
    });
  };
  let parts: ReadonlyMap<string, string> | undefined;
  const groups = Object.keys(PARTS).map((name, i, { length }) => ({
    name,
    test: (id: string) => (parts ??= partsOf(stage, imports)).get(id) === name,
    priority: length - i,
  }));
  await write(main, { codeSplitting: { groups } });
  for (const worker of WORKERS) await write(worker, {});
  for (const name of readdirSync(out)) {
    const path = join(out, name);
    writeFileSync(path, loadLate(readFileSync(path, "utf8")));
  }
}

/** Finds modules of the workspace by the names that they import each other by. */
function workspacePlugin(
  stage: string,
  packages: ReadonlyMap<string, string>,
): Plugin {
  const read = (path: string) => readFileSync(join(stage, path), "utf8");
  const entries = new Map<string, string>();
  for (const { folder, exports } of readPackages()) {
    const { name } = JSON.parse(read(`${folder}/deno.json`));
    for (const [entry, file] of Object.entries(exports)) {
      entries.set(name + entry.slice(1), join(stage, folder, file));
    }
  }
  return {
    name: "workspace",
    resolveId(name, importer) {
      const file = entries.get(name);
      if (file !== undefined) return file;
      if (name.startsWith("/")) return name;
      if (name.startsWith(".")) return join(dirname(importer!), name);
      const [own] = /^(@[^/]+\/)?[^/]+/.exec(name)!;
      const found = packages.get(own) ?? own;
      return { id: found + name.slice(own.length), external: true };
    },
    load(id) {
      const path = relative(stage, id);
      const text = read(path);
      checkWorkers(path, text);
      return path === LATE ? lateMap(read(PREFETCH)) : text;
    },
  };
}

/** Takes note of what each module imports at once. */
function graphPlugin(imports: Map<string, readonly string[]>): Plugin {
  return {
    name: "graph",
    moduleParsed: ({ id, importedIds }) => void imports.set(id, importedIds),
  };
}

/** The part of each module that is in one. */
function partsOf(
  stage: string,
  imports: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (id: string, part: string) => {
    if (found.has(id) || !imports.has(id)) return;
    found.set(id, part);
    for (const imported of imports.get(id)!) add(imported, part);
  };
  for (const [part, modules] of Object.entries(PARTS)) {
    for (const module of modules) add(join(stage, module), part);
  }
  return found;
}

/** Says so if a module starts a worker that is not in the build. */
function checkWorkers(path: string, text: string): void {
  for (const [, name] of text.matchAll(STARTED)) {
    const worker = join(dirname(path), `${name}.ts`);
    if (WORKERS.some((one) => one === worker)) continue;
    throw new Error(`Cannot build ${path} as nothing builds ${worker}`);
  }
}

/** A module that loads the others by names that are known when it is built. */
function lateMap(prefetch: string): string {
  const names = [...prefetch.matchAll(/import\("\.\/(.+)\.ts"\)/g)];
  const rows = names.map(([call, name]) => `"${name}": () => ${call},`);
  return `const MODULES: Record<string, () => Promise<unknown>> = {
    ${rows.join("\n")}
  };
  export function loadLate(name: string): Promise<unknown> {
    return MODULES[name]();
  }`;
}

/** Hides what is loaded late from Deno, which reads all that it can foresee before it starts. */
function loadLate(text: string): string {
  return text.replace(
    /\bimport\(([`"']\.\/[\w-]+\.js[`"'])\)/g,
    "import(new URL($1,import.meta.url).href)",
  );
}

if (import.meta.main) {
  const out = resolve(Deno.args[0] ?? `${ROOT}dist/program`);
  const stage = mkdtempSync(join(tmpdir(), "snap-stage-"));
  try {
    await stageWorkspace(stage, readNames());
    rmSync(out, { recursive: true, force: true });
    await buildProgram(stage, out, {
      main: "cli/main.ts",
      packages: npmImports(),
    });
    console.log(join(out, "main.js"));
  } finally {
    rmSync(stage, { recursive: true });
  }
}
