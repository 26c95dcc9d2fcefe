/**
 * Mounted snapshots beside every program that mounts and is installed:
 * squashfuse, the kernel's squashfs, restic, borg. The same tree for all, in the
 * same run, in turns; what each reader got is compared with the original.
 *
 * `deno task bench:mount [PART...] [--runs 5] [--peers NAME,...] [--write]`, where PART is `reads`,
 * `lists`, `large`, or `long` (ten million reads), which only runs if it is named;
 * `--write` puts the figures into `docs/BENCHMARKS.md`, `--small` only shows
 * that it runs.
 *
 * @module
 */
import { benchArguments } from "./_arguments.ts";
import { buildForBench } from "./_built.ts";
import { describeRun, writeSection } from "./_document.ts";
import { withFolder } from "./_folder.ts";
import { versionOf } from "./_machine.ts";
import { measure } from "./_measure.ts";
import { measureLarge } from "./_mount_large.ts";
import { measureLists } from "./_mount_lists.ts";
import type { PartOptions } from "./_mount_part.ts";
import { mountAbsentReason, unmountAll } from "./_mounted.ts";
import { ReadRounds } from "./_mount_read_rounds.ts";
import { isPeer, type MountSystem, SYSTEMS } from "./_mount_systems.ts";
import { makeReadTree, type ReadTreeSize } from "./_mount_tree.ts";
import { environmentOf } from "./_programs.ts";

const FULL: ReadTreeSize = { fileCount: 2_000, largeSize: 512 * 2 ** 20 };
const SMALL: ReadTreeSize = { fileCount: 50, largeSize: 16 * 2 ** 20 };

/** The parts by name, in the order of the document. */
const PARTS: Readonly<
  Record<string, (options: PartOptions) => Promise<string>>
> = {
  reads: measureReads,
  lists: async (options) =>
    await measureLists(await listedSystems(options), options),
  large: (options) => measureLarge(options, false),
  long: (options) => measureLarge(options, true),
};

const DEFAULT_PARTS = ["reads", "lists", "large"];

/** Ours, and one of each peer: the codec hardly matters where nothing is read. */
async function listedSystems(options: PartOptions): Promise<MountSystem[]> {
  const found = [...(await findSystems(options)).keys()];
  return found.filter(({ kind, codec }) =>
    kind !== "floor" && (kind === "original" || codec === "zstd" ||
      kind === "backup" && options.size === "full")
  );
}

/** Returns the systems that are wanted and here, with their versions. */
async function findSystems(
  { env, peers }: PartOptions,
): Promise<Map<MountSystem, string>> {
  const found = new Map<MountSystem, string>();
  for (const system of SYSTEMS) {
    const [word] = system.name.split(" ");
    if (isPeer(system) && !(peers?.includes(word) ?? true)) continue;
    const version = await versionOf(system.version, env);
    if (version !== undefined) found.set(system, version);
    else console.error(`${system.name} is not here: left out`);
  }
  return found;
}

/** What `snap version --json` says. */
interface OurBackends {
  readonly hasher: string;
  readonly runtime: string;
  readonly decoders: readonly string[];
}

/** Says what hashes and decodes in ours, and refuses figures of anything else. */
async function describeOurs(
  systems: Iterable<MountSystem>,
  { folder, env }: PartOptions,
): Promise<string> {
  let text = "";
  for (const { name, about, codec, kind } of systems) {
    if (about === undefined) continue;
    const { output } = await measure(about, { cwd: folder, env });
    const { hasher, runtime, decoders } = JSON.parse(output) as OurBackends;
    const expected = kind === "floor" ? "wasm" : "native";
    if (hasher !== expected) {
      throw new Error(`Cannot measure ${name}: ${hasher} hashing ran`);
    }
    const decoder = decoders.find((one) => one.startsWith(`lib${codec} `)) ??
      (codec === "lz4" ? "own WASM kernel" : "node:zlib");
    text +=
      `- ${name}: ${runtime}, ${hasher} hashing, ${codec} decoded by ${decoder}\n`;
  }
  return text;
}

async function measureReads(options: PartOptions): Promise<string> {
  const { folder, env, runCount, size } = options;
  const found = await findSystems(options);
  const tree = `${folder}/tree`;
  const treeSize = size === "full" ? FULL : SMALL;
  makeReadTree(tree, treeSize);
  const rounds = new ReadRounds([...found.keys()], {
    tree,
    size: treeSize,
    folder,
    env,
    randomCount: size === "full" ? 20_000 : 500,
    secondsMax: size === "full" ? 4 : 0.2,
  });
  await rounds.prepare();
  for (let round = 1; round <= runCount; round++) await rounds.run(round);
  const versions = [...found].map(([{ name }, version]) =>
    `${name} ${version}`
  );
  return `${treeSize.fileCount} files of 1 KiB to 1 MiB and one of ${
    treeSize.largeSize / 2 ** 20
  } MiB. Images lie in memory and are warm; pages of the mount are forgotten
(\`posix_fadvise\`) before each read, but for the second one, and the first pass
of each kind does not count. The reader is one program for all, which reads by
native calls: pieces of 128 KiB, whole small files, and ${
    size === "full" ? "up to 20,000 " : ""
  }pages of 4 KiB, none of them twice, for at most 4 seconds. Ratios are medians
of the ratios within a round. Versions: ${versions.join(", ")}.

${await describeOurs(found.keys(), options)}
${rounds.render()}`;
}

if (import.meta.main) {
  const { names, runCount, peers, size, isWritten } = benchArguments(
    Deno.args,
    "",
  );
  const reason = mountAbsentReason();
  if (reason !== undefined) {
    console.error(`Cannot measure mounts as ${reason}`);
    Deno.exit(size === "small" ? 0 : 1);
  }
  const parts = names[0] === "" ? DEFAULT_PARTS : names;
  // Before the folder goes.
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, unmountAll);
  }
  await withFolder(async (folder) => {
    const main = buildForBench(folder);
    for (const part of parts) {
      const run = PARTS[part];
      if (run === undefined) throw new RangeError(`Cannot measure ${part}`);
      const own = `${folder}/${part}`;
      await Deno.mkdir(own);
      const env = environmentOf(own, main);
      const tables = await run({ folder: own, env, runCount, peers, size });
      await Deno.remove(own, { recursive: true });
      const command = `deno task bench:mount ${part} --runs ${runCount}${
        peers === undefined ? "" : ` --peers ${peers}`
      }`;
      const section = `## Mounted snapshots: ${part}\n\n${
        describeRun(command)
      }. Medians of ${runCount} rounds.\n\n${tables}`;
      console.log(section);
      if (isWritten) await writeSection(`mount ${part}`, section);
    }
  });
  Deno.exit();
}
