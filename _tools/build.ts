// Builds the program: files without types and blanks, which start faster than the
// sources do. They are what `deno install` gets here, and the command of npm.
//
//     deno task build [FOLDER]
//
// The folder, `dist/program` if none is given, then holds `main.js`, a file for
// each worker, and parts that are loaded when a command needs them.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build, type Plugin, stop } from "esbuild";
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
  const { outputFiles } = await build({
    entryPoints: [main, ...WORKERS].map((path) => ({
      in: join(stage, path),
      out: basename(path, ".ts"),
    })),
    outdir: out,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    // Names stay: errors and their stacks tell them.
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
    plugins: [workspacePlugin(stage, packages)],
  }).finally(stop);
  mkdirSync(out, { recursive: true });
  for (const { path, text } of outputFiles) writeFileSync(path, loadLate(text));
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
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) => {
        const file = entries.get(path);
        if (file !== undefined) return { path: file };
        const [name] = /^(@[^/]+\/)?[^/]+/.exec(path)!;
        const found = packages.get(name) ?? name;
        return { path: found + path.slice(name.length), external: true };
      });
      build.onLoad({ filter: /\.ts$/ }, (loaded) => {
        const path = relative(stage, loaded.path);
        const text = read(path);
        checkWorkers(path, text);
        return {
          contents: path === LATE ? lateMap(read(PREFETCH)) : text,
          loader: "ts",
        };
      });
    },
  };
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
    /\bimport\(("\.\/[\w-]+\.js")\)/g,
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
