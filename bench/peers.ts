// Measures snap and its peers on the same trees in the same run:
//   deno task bench:peers [TREE...] [--runs 5] [--peers restic,borg] [--level default|1] [--print]
// TREE is a folder, or the name of a made tree (see _trees.ts). Stores, caches and restored
// trees are on tmpfs, in fresh folders. The tables go to docs/BENCHMARKS.md.
import { parseArgs } from "node:util";
import { nativeHasher } from "@snap/hash/native";
import { describeMachine, versionOf } from "./_machine.ts";
import { measure } from "./_measure.ts";
import {
  environmentOf,
  type Level,
  type Program,
  programs,
} from "./_programs.ts";
import { removeTree, Rounds, type Step, STEPS } from "./_rounds.ts";
import { type Bar, megabytes, renderTable, replaceSection } from "./_table.ts";
import { TREES } from "./_trees.ts";

const MEMORY = "/dev/shm";
const DOCUMENT = new URL("../docs/BENCHMARKS.md", import.meta.url);
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
    size: small ? "small" : "full",
    printOnly: values.print || small,
  };
}

/** Returns the programs that are wanted and here, with their versions. */
async function findPrograms(
  { level, names }: Settings,
  folder: string,
): Promise<Map<Program, string>> {
  const found = new Map<Program, string>();
  for (const program of programs(level)) {
    const isWanted = names === undefined || names.includes(program.name) ||
      program.kind === "ours" || program.name === "walk";
    if (!isWanted) continue;
    const version = await versionOf(program.version, environmentOf(folder));
    if (version !== undefined) found.set(program, version);
    else console.error(`${program.name} is not installed`);
  }
  return found;
}

/** Measures one tree with all programs and renders its section. */
async function measureTree(
  name: string,
  found: ReadonlyMap<Program, string>,
  settings: Settings,
  folder: string,
): Promise<string> {
  const make = TREES[name];
  const tree = make ? `${folder}/tree` : await Deno.realPath(name);
  await make?.(tree, settings.size);
  const size = await sizeOf(tree);
  const rounds = new Rounds([...found.keys()], {
    tree,
    byteCount: size.byteCount,
    folder,
    settleMs: settings.size === "full" ? SETTLE_MS : 0,
    changes: name === "source",
  });
  for (let round = 1; round <= settings.runCount; round++) {
    await rounds.run((program) =>
      console.error(
        `${name}: round ${round} of ${settings.runCount}, ${program}`,
      )
    );
  }
  if (make) await removeTree(tree);
  return renderSection(make ? name : undefined, size, found, settings) +
    renderSteps(rounds, [...found.keys()]);
}

/** Says what was measured, how and where. */
function renderSection(
  name: string | undefined,
  { fileCount, byteCount }: TreeSize,
  found: ReadonlyMap<Program, string>,
  { runCount, level }: Settings,
): string {
  const versions = [...found].map(([{ name }, version]) =>
    `${name} ${version}`
  );
  const date = new Date().toISOString().slice(0, 10);
  return `## ${name ?? "A folder of this machine"}, ${
    level === "1" ? "everybody at level 1" : "defaults"
  }

${fileCount.toLocaleString("en")} files, ${
    megabytes(byteCount)
  } MB. Printed on ${date} by

\`\`\`sh
deno task bench:peers ${name ?? "FOLDER"} --runs ${runCount} --level ${level}
\`\`\`

on ${describeMachine()}, Deno ${Deno.version.deno}. Trees, stores and caches are on tmpfs, each
figure is the median of ${runCount} interleaved runs, memory is the sum over a program's processes.
\`snap\` hashes with native code.${
    level === "1" ? " restic and casync know one level only." : ""
  } Versions: ${versions.join(", ")}.
`;
}

/** Renders a table for each step, beside what the machine can do and the best that others do. */
function renderSteps(rounds: Rounds, found: readonly Program[]): string {
  const peers = found.filter(({ kind }) => kind === "peer").map(({ name }) =>
    name
  );
  const fastest: Bar = { title: "to the fastest peer", names: peers };
  let text = "";
  for (const step of STEPS) {
    const rows = rounds.rows(step);
    if (rows.length === 0) continue;
    const floor: Bar = step === "again"
      ? { title: "to a bare walk", names: ["walk"] }
      : { title: "to tar", names: ["tar"] };
    text += `\n### ${STEP_TITLES[step]}\n\n${
      renderTable(rows, [fastest, floor])
    }`;
  }
  return text;
}

interface TreeSize {
  readonly fileCount: number;
  readonly byteCount: number;
}

async function sizeOf(tree: string): Promise<TreeSize> {
  const command =
    `find "$TREE" -type f -printf '%s\\n' | awk '{ n++; s += $1 } END { printf "%d %d", n, s }'`;
  const { output } = await measure(command, {
    cwd: MEMORY,
    env: { TREE: tree },
  });
  const [fileCount, byteCount] = output.split(" ").map(Number);
  return { fileCount, byteCount };
}

/** Puts a section into the document and formats it as `deno task ok` wants it. */
async function writeSection(name: string, section: string): Promise<void> {
  const before = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, replaceSection(before, name, section));
  const args = ["fmt", "-q", DOCUMENT.pathname];
  await new Deno.Command(Deno.execPath(), { args }).spawn().status;
}

const settings = readSettings(Deno.args);
nativeHasher(); // Else snap would fall back to WebAssembly: better no figure than a wrong one.
const folder = await Deno.makeTempDir({ dir: MEMORY, prefix: "snap-bench-" });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    Deno.removeSync(folder, { recursive: true }); // It is memory: nothing else would free it.
    Deno.exit(1);
  });
}
try {
  const found = await findPrograms(settings, folder);
  for (const name of settings.trees) {
    const section = await measureTree(name, found, settings, folder);
    console.log(section);
    if (!settings.printOnly) {
      await writeSection(`${name} ${settings.level}`, section);
    }
  }
} finally {
  await removeTree(folder);
}
