// Builds the npm packages: `deno pack`, and what it leaves out.
//
//     deno task build:npm [FOLDER]
//
// The folder, `npm` if none is given, then holds a tarball of each package.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { buildProgram } from "./build.ts";
import { type Names, readNames, stageWorkspace } from "./stage.ts";
import {
  npmImports,
  type Package,
  readPackages,
  readText,
  ROOT,
} from "./workspace.ts";

/** Node has `node:zlib` with Zstandard from here on. */
export const OLDEST_NODE = "22.15";
/** Native code, without which a package is slower or keeps less. */
const OPTIONAL = new Set(["@napi-rs/blake-hash", "koffi"]);
/** What a member imports by a name that Deno cannot foresee, so that Deno never fetches it. */
const UNSEEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  posix: { koffi: "3.3.4" },
};

/** Modules that do something when they are loaded. */
const PROGRAMS = [
  "./main.js",
  "./node_main.js",
  "./worker.js",
  "./**/*_worker.js",
  "./program/*.js",
] as const;
/** What the command of the package is: built, as that starts faster. */
const COMMAND_FOLDER = "program";

/** Keeps `deno pack` from checking the types again for each package: `deno check` does. */
const UNCHECKED = "// @ts-nocheck\n";

/** A package and where its parts are. */
interface Build {
  readonly one: Package;
  /** Its published name. */
  readonly name: string;
  /** What npm is to pack. */
  readonly folder: string;
}

/** What a package's `package.json` is written from. */
interface Need {
  readonly names: Names;
  /** The versions of all packages that may be imported. */
  readonly versions: ReadonlyMap<string, string>;
  /** The packages that this one imports, itself perhaps among them. */
  readonly needed: readonly string[];
}

/** What `deno info --json` says, as far as it is used here. */
interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly specifier: string }[];
  }[];
}

/**
 * Builds the packages.
 *
 * @param out The folder for the tarballs. What it holds is removed.
 * @param names The scope, and the name of the command.
 * @returns The paths of the tarballs, a package before those that need it.
 */
export async function buildNpm(out: string, names: Names): Promise<string[]> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const stage = mkdtempSync(join(tmpdir(), "snap-stage-"));
  try {
    await stageWorkspace(stage, names);
    const packages = readPackages();
    markUnchecked(stage);
    const versions = new Map([
      ...npmVersions(),
      ...packages.map(({ name, version }): [string, string] => [
        name.replace("@snap", names.scope),
        version,
      ]),
    ]);
    const builds = packages.map((one): Build => ({
      one,
      name: one.name.replace("@snap", names.scope),
      folder: join(stage, "out", one.folder),
    }));
    const imported = await importedPackages(stage, packages);
    // Its command has in it what the others are, and needs what they import.
    imported.set(
      "cli",
      new Set([...imported.values()].flatMap((one) => [...one])),
    );
    await buildProgram(stage, join(stage, "out/cli", COMMAND_FOLDER), {
      main: "cli/node_main.ts",
    });
    await Promise.all(builds.map(async (build) => {
      const { folder } = build.one;
      await unpackPacked(join(stage, folder), build.folder);
      const needed = [
        ...imported.get(folder)!,
        ...Object.keys(UNSEEN[folder] ?? {}),
      ];
      mendPackage(build, { names, versions, needed });
    }));
    const folders = builds.map(({ folder }) => folder);
    const said = await run("npm", [
      "pack",
      "--json",
      "--pack-destination",
      out,
      // What it logs goes with the stage.
      "--cache",
      join(stage, "cache"),
      ...folders,
    ], stage);
    const packed = JSON.parse(said) as { filename: string }[];
    return packed.map(({ filename }) => join(out, filename));
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/** The exact versions of what is imported from npm. */
function npmVersions(): [string, string][] {
  const entries = [...npmImports().values()].map(
    (specifier): [string, string] => {
      const [, name, version] = /^npm:(.+)@(\d[^@]*)$/.exec(specifier) ?? [];
      if (name === undefined) {
        throw new Error(`Cannot tell the exact version of ${specifier}`);
      }
      return [name, version];
    },
  );
  return [...entries, ...Object.values(UNSEEN).flatMap(Object.entries)];
}

/** Lets Deno transpile a member, with declarations, and unpacks what it made. */
async function unpackPacked(member: string, folder: string): Promise<void> {
  const tarball = `${folder}.tgz`;
  mkdirSync(folder, { recursive: true });
  const args = ["pack", "--quiet", "--allow-dirty", "--no-source-maps"];
  await run(Deno.execPath(), [...args, "-o", tarball], member);
  await run("tar", ["xzf", tarball, "--strip-components=1"], folder);
  changeFiles(folder, /\.(js|d\.ts)$/, (text) => text.replace(UNCHECKED, ""));
}

/** Lets Deno take the types of all files as they stand, and load few of its own. */
function markUnchecked(stage: string): void {
  changeFiles(
    stage,
    /\.ts$/,
    (text) => text.replace(/^(#!.*\n)?/, `$&${UNCHECKED}`),
  );
  changeFiles(stage, /^deno\.json$/, (text) =>
    JSON.stringify({
      ...JSON.parse(text),
      compilerOptions: { lib: ["esnext"] },
    }));
}

function changeFiles(
  folder: string,
  names: RegExp,
  change: (text: string) => string,
): void {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    if (!names.test(name)) continue;
    const path = join(folder, name);
    writeFileSync(path, change(readFileSync(path, "utf8")));
  }
}

/** Says in `package.json` what `deno pack` does not: dependencies, the command, the rest. */
function mendPackage(
  { one, name, folder }: Build,
  { names, versions, needed }: Need,
): void {
  const path = join(folder, "package.json");
  const packed = JSON.parse(readFileSync(path, "utf8"));
  const pins = needed.filter((other) => other !== name).sort().map((other) => {
    const version = versions.get(other);
    if (version !== undefined) return [other, version];
    throw new Error(`Cannot tell the version of ${other}, which ${name} needs`);
  });
  const pinsThat = (isOptional: boolean): Record<string, string> =>
    Object.fromEntries(
      pins.filter(([other]) => OPTIONAL.has(other) === isOptional),
    );
  const { repository } = names;
  const mended = {
    ...packed,
    description: descriptionOf(one),
    ...(repository === undefined ? {} : {
      repository: { type: "git", url: repository, directory: one.folder },
    }),
    ...(one.folder === "cli"
      ? { bin: { [names.command]: `./${COMMAND_FOLDER}/node_main.js` } }
      : {}),
    engines: { node: `>=${OLDEST_NODE}` },
    // npm takes a package of a scope for a private one.
    publishConfig: { access: "public" },
    // What only names something is left out of a bundle.
    sideEffects: [...PROGRAMS],
    dependencies: pinsThat(false),
    optionalDependencies: pinsThat(true),
  };
  writeFileSync(path, `${JSON.stringify(mended, null, 2)}\n`);
  if (repository === undefined) return;
  const readme = join(folder, "README.md");
  const links = linksInto(repository, one.folder, readFileSync(readme, "utf8"));
  writeFileSync(readme, links);
}

/** Turns links out of a package into links to the repository, which a tarball has not. */
function linksInto(repository: string, folder: string, text: string): string {
  const base = repository.replace(/^git\+/, "").replace(/\.git$/, "");
  return text.replace(/\]\((\.\.\/[^)\s]+)\)/g, (_link, to: string) => {
    const { pathname, hash } = new URL(to, `https://base/${folder}/`);
    return `](${base}/blob/HEAD${pathname}${hash})`;
  });
}

/** The first sentence of the package's module comment. */
function descriptionOf({ folder }: Package): string {
  const [, comment] = /^\/\*\*\n((?: \*.*\n)+?) (?:\*\n|\*\/)/.exec(
    readText(`${folder}/mod.ts`),
  ) ?? [];
  if (comment === undefined) {
    throw new Error(`Cannot describe ${folder} as its mod.ts has no comment`);
  }
  const text = comment.replace(/^ \* ?/gm, "").replaceAll("\n", " ").trim();
  return text.replace(/\{@\w+ ([^}]+)\}/g, "$1").replace(/(\.) .*$/, "$1");
}

/** Finds the packages that each member imports, by its folder. */
async function importedPackages(
  stage: string,
  packages: readonly Package[],
): Promise<Map<string, Set<string>>> {
  const entries = packages.flatMap(({ folder, exports }) =>
    Object.values(exports).map((file) => join(stage, folder, file))
  );
  const all = join(stage, "all.ts");
  writeFileSync(all, entries.map((path) => `import "${path}";`).join("\n"));
  const { modules } = JSON.parse(
    await run(Deno.execPath(), ["info", "--json", all], stage),
  ) as ModuleGraph;
  const found = new Map(
    packages.map(({ folder }) => [folder, new Set<string>()]),
  );
  for (const { specifier, dependencies = [] } of modules) {
    const [, folder] = /^\/([^/]+)\//.exec(
      specifier.replace(pathToFileURL(stage).href, ""),
    ) ?? [];
    for (const { specifier } of dependencies) {
      if (/^([./]|node:)/.test(specifier)) continue;
      found.get(folder)?.add(/^(@[^/]+\/)?[^/]+/.exec(specifier)![0]);
    }
  }
  return found;
}

async function run(
  command: string,
  args: string[],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(
    `Cannot run ${command} ${args[0]}: ${decoder.decode(stderr)}`,
  );
}

if (import.meta.main) {
  const out = resolve(Deno.args[0] ?? `${ROOT}npm`);
  console.log((await buildNpm(out, readNames())).join("\n"));
}
