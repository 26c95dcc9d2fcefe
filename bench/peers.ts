// Measures snap and its peers on the same trees in the same run:
//   deno task bench:peers [TREE...] [--runs 5] [--peers restic,borg] [--level default|1]
//     [--floors] [--far] [--print]
// TREE is a folder, or the name of a made tree (see _trees.ts). Stores, caches and restored
// trees are on tmpfs, in fresh folders. --floors adds snap with WASM hashing, and its npm packages
// on Node, whole and without their native parts. --far measures those that save into a bucket, on a
// server of S3 (Ceph) that is started on this machine. The tables go to docs/BENCHMARKS.md, or with --print nowhere.
import { parseArgs } from "node:util";
import { buildForBench } from "./_built.ts";
import {
  type BenchTree,
  prepareTree,
  removeTree,
  withFolder,
} from "./_folder.ts";
import { describeRun, writeSection } from "./_document.ts";
import { versionOf } from "./_machine.ts";
import type { Level, Program } from "./_program.ts";
import { environmentOf, floors, programs } from "./_programs.ts";
import { type FarPrograms, farPrograms } from "./_far_programs.ts";
import { Rounds, type Step, STEPS } from "./_rounds.ts";
import { megabytes, renderTable } from "./_table.ts";

const SETTLE_MS = 2_500;

const STEP_TITLES: Readonly<Record<Step, string>> = {
  save: "Save into a new store",
  again: "Save again, nothing changed",
  restore: "Restore into a new folder",
  changed: "Save again, 1 % of the files changed",
};

/** What the command line asks for. */
interface Settings {
  readonly trees: readonly string[];
  readonly runCount: number;
  readonly level: Level;
  readonly names: readonly string[] | undefined;
  readonly hasFloors: boolean;
  readonly isFar: boolean;
  readonly size: "full" | "small";
  readonly printOnly: boolean;
}

function readSettings(args: string[]): Settings {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "5" },
      peers: { type: "string" },
      level: { type: "string", default: "default" },
      floors: { type: "boolean", default: false },
      far: { type: "boolean", default: false },
      print: { type: "boolean", default: false },
      small: { type: "boolean", default: false },
    },
  });
  const { level, small } = values;
  const runCount = small ? 1 : Number(values.runs);
  if (!(runCount >= 1)) throw new RangeError(`Cannot run ${values.runs} times`);
  if (level !== "default" && level !== "1") {
    throw new RangeError(
      `Cannot compress at level ${level}: known are default and 1`,
    );
  }
  return {
    trees: positionals.length > 0 ? positionals : ["source"],
    runCount,
    level,
    names: values.peers?.split(","),
    hasFloors: values.floors,
    isFar: values.far,
    size: small ? "small" : "full",
    printOnly: values.print || small,
  };
}

/** What programs find around them. */
interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly far: FarPrograms | undefined;
}

/** Returns the programs that are wanted and here, with their versions. */
async function findPrograms(
  { level, names, hasFloors }: Settings,
  folder: string,
  { env, far }: Surroundings,
): Promise<Map<Program, string>> {
  const found = new Map<Program, string>();
  const known = far?.programs ?? programs(level);
  if (hasFloors) known.splice(1, 0, ...await floors(level, folder));
  for (const program of known) {
    const isWanted = names === undefined || names.includes(program.name) ||
      program.kind === "ours" || program.name === "bare walk";
    if (!isWanted) continue;
    const version = await versionOf(program.version, env);
    if (version !== undefined) found.set(program, version);
    else console.error(`${program.name} is not here: left out`);
  }
  return found;
}

/** Measures one tree with all programs and renders its section. */
async function measureTree(
  name: string,
  found: ReadonlyMap<Program, string>,
  settings: Settings,
  folder: string,
  { env, far }: Surroundings,
): Promise<string> {
  const tree = await prepareTree(name, folder, settings.size);
  const rounds = new Rounds([...found.keys()], {
    tree: tree.path,
    byteCount: tree.byteCount,
    folder,
    settleMs: settings.size === "full" ? SETTLE_MS : 0,
    changes: name === "source",
    env: { ...env, ...far?.env },
    ...(far === undefined ? {} : { storeSize: far.storeSize }),
  });
  for (let round = 1; round <= settings.runCount; round++) {
    await rounds.run((program) =>
      console.error(
        `${name}: round ${round} of ${settings.runCount}, ${program}`,
      )
    );
  }
  if (tree.isMade) await removeTree(tree.path);
  return renderSection(tree, found, settings) + renderAbout(rounds) +
    renderSteps(rounds);
}

/** Says what was measured, how and where. */
function renderSection(
  { title, isMade, fileCount, byteCount }: BenchTree,
  found: ReadonlyMap<Program, string>,
  { runCount, level, names, hasFloors, isFar }: Settings,
): string {
  const versions = [...found].map(([{ name }, version]) =>
    `${name} ${version}`
  );
  const options = [
    `--runs ${runCount} --level ${level}`,
    ...(names === undefined ? [] : [`--peers ${names}`]),
    ...(hasFloors ? ["--floors"] : []),
    ...(isFar ? ["--far"] : []),
  ];
  const where = isFar ? " in a bucket of S3" : "";
  return `## ${title[0].toUpperCase()}${title.slice(1)}${where}, ${
    level === "1" ? "everybody at level 1" : "defaults"
  }

${fileCount.toLocaleString("en")} files, ${megabytes(byteCount)} MB. ${
    describeRun(
      `deno task bench:peers ${isMade ? title : "FOLDER"} ${options.join(" ")}`,
    )
  }. Times and memory are medians of ${runCount}
rounds, ratios are medians of the ratios within a round. Memory is the sum over a program's
processes.${level === "1" ? " restic and casync know one level only." : ""}
Versions: ${versions.join(", ")}.
`;
}

/** Says what ran within our programs, as they said it themselves. */
function renderAbout(rounds: Rounds): string {
  let text = "";
  for (const [name, said] of rounds.about) {
    const { codec } = said.settings as { codec: string };
    text +=
      `\n- ${name}: ${said.runtime}, ${said.hasher} hashing, files by ${said.files}, ${codec}`;
  }
  return text === "" ? "" : `${text}\n`;
}

/** Renders a table for each step. */
function renderSteps(rounds: Rounds): string {
  let text = "";
  for (const step of STEPS) {
    const rows = rounds.rows(step);
    if (rows.length === 0) continue;
    text += `\n### ${STEP_TITLES[step]}\n\n${renderTable(rows, "snap")}${
      rounds.failures(step)
    }`;
  }
  return text;
}

const settings = readSettings(Deno.args);
await withFolder(async (folder) => {
  const around: Surroundings = {
    env: environmentOf(folder, buildForBench(folder)),
    far: settings.isFar ? await farPrograms(settings.level) : undefined,
  };
  const found = await findPrograms(settings, folder, around);
  for (const name of settings.trees) {
    const section = await measureTree(name, found, settings, folder, around);
    console.log(section);
    if (!settings.printOnly) {
      const place = settings.isFar ? " far" : "";
      await writeSection(`${name} ${settings.level}${place}`, section);
    }
  }
});
