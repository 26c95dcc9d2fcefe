// Measures snap and its peers on the same trees in the same run:
//   deno task bench:peers [TREE...] [--runs 5] [--peers restic,borg] [--level default|1] [--print]
// TREE is a folder, or the name of a made tree (see _trees.ts). Stores, caches and restored
// trees are on tmpfs, in fresh folders. The tables go to docs/BENCHMARKS.md.
import { parseArgs } from "node:util";
import { describeMachine, versionOf } from "./_machine.ts";
import { measure, type Measurement } from "./_measure.ts";
import {
  environmentOf,
  type Level,
  type Program,
  programs,
} from "./_programs.ts";
import {
  type Bar,
  megabytes,
  renderTable,
  replaceSection,
  type Row,
} from "./_table.ts";
import { changeTree, TREES } from "./_trees.ts";

const MEMORY = "/dev/shm";
const DOCUMENT = new URL("../docs/BENCHMARKS.md", import.meta.url);
const CHANGED_SHARE = 0.01;

/** Files that are younger than this may be read again by programs that trust times. */
const SETTLE_MS = 2_500;

type Step = "save" | "again" | "changed" | "restore";

const STEP_TITLES: Readonly<Record<Step, string>> = {
  save: "Save into a new store",
  again: "Save again, nothing changed",
  changed: "Save again, 1 % of the files changed",
  restore: "Restore into a new folder",
};

/** What the command line asks for. */
interface Settings {
  readonly trees: string[];
  readonly runCount: number;
  readonly level: Level;
  readonly names: string[] | undefined;
  readonly size: "full" | "small";
  readonly printOnly: boolean;
}

/** Everything that was measured on one tree. */
interface Result {
  readonly tree: string;
  readonly fileCount: number;
  readonly byteCount: number;
  readonly rows: Readonly<
    Record<Step, Map<string, { runs: Measurement[]; storedBytes?: number }>>
  >;
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

/** Returns the programs that are here, with their versions. */
async function findPrograms(
  { level, names }: Settings,
  env: Record<string, string>,
): Promise<Map<Program, string>> {
  const found = new Map<Program, string>();
  for (const program of programs(level)) {
    const wanted = names === undefined || names.includes(program.name) ||
      program.kind === "ours" || program.name === "walk";
    const version = wanted ? await versionOf(program.version, env) : undefined;
    if (version !== undefined) found.set(program, version);
    else if (wanted) console.error(`${program.name} is not installed`);
  }
  return found;
}

/** Measures one tree in `folder` with all programs, in rounds, each round in another order. */
async function measureTree(
  tree: string,
  found: readonly Program[],
  settings: Settings,
  folder: string,
): Promise<Result> {
  const root = `${folder}/tree`;
  const made = TREES[tree];
  if (made !== undefined) await made(root, settings.size);
  else await Deno.symlink(await Deno.realPath(tree), root);
  const rows = {
    save: new Map(),
    again: new Map(),
    changed: new Map(),
    restore: new Map(),
  };
  const result: Result = { tree, ...await countTree(root), rows };
  for (let round = 0; round < settings.runCount; round++) {
    const turn = round % found.length;
    for (const program of [...found.slice(turn), ...found.slice(0, turn)]) {
      const changes = made !== undefined && tree === "source";
      await measureProgram(
        program,
        { folder, changes, compares: round === 0 },
        result,
      );
      console.error(
        `${tree}: round ${round + 1} of ${settings.runCount}, ${program.name}`,
      );
    }
  }
  return result;
}

/** Runs all steps of one program once, in a store of its own. */
async function measureProgram(
  program: Program,
  { folder, changes, compares }: {
    folder: string;
    changes: boolean;
    compares: boolean;
  },
  { rows }: Result,
): Promise<void> {
  const env = environmentOf(folder);
  const step = async (
    name: Step,
    command: string,
    id = "",
  ): Promise<string> => {
    const run = await measure(command, {
      cwd: folder,
      env: { ...env, ID: id },
    });
    const row: { runs: Measurement[]; storedBytes?: number } =
      rows[name].get(program.name) ??
        { runs: [] };
    row.runs.push(run);
    if (name !== "restore" && program.save) {
      row.storedBytes = await sizeOf(env["STORE"]!);
    }
    rows[name].set(program.name, row);
    return run.output;
  };
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  if (program.init) await measure(program.init, { cwd: folder, env });
  let id = "";
  if (program.save) {
    const output = await step("save", program.save);
    if (program.kind === "ours") id = idIn(output);
  }
  if (program.again) await step("again", program.again);
  if (program.restore) {
    await step("restore", program.restore, id);
    if (compares) {
      await measure(`diff -rq --no-dereference "$TREE/" "$TARGET"`, {
        cwd: folder,
        env,
      });
    }
  }
  if (program.again && program.save && changes) {
    const revert = changeTree(env["TREE"]!, CHANGED_SHARE);
    try {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      await step("changed", program.again);
    } finally {
      revert();
    }
  }
  for (const name of ["store", "target", "cache", "store-cache"]) {
    await removeIfThere(`${folder}/${name}`);
  }
}

function idIn(output: string): string {
  const id = /\b[0-9a-f]{64}\b/.exec(output)?.[0];
  if (id === undefined) {
    throw new Error(`Cannot find the id of the snapshot: found ${output}`);
  }
  return id;
}

async function sizeOf(folder: string): Promise<number> {
  const { output } = await measure(`du -sb --apparent-size "$FOLDER"`, {
    cwd: MEMORY,
    env: { FOLDER: folder },
  });
  return parseInt(output);
}

async function countTree(
  root: string,
): Promise<{ fileCount: number; byteCount: number }> {
  const command =
    `find "$ROOT/" -type f -printf '%s\\n' | awk '{ n++; s += $1 } END { print n, s }'`;
  const { output } = await measure(command, {
    cwd: MEMORY,
    env: { ROOT: root },
  });
  const [fileCount, byteCount] = output.split(" ").map(Number);
  return { fileCount: fileCount!, byteCount: byteCount! };
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Returns the bars of a step: what the machine can do, and the best that others do. */
function barsOf(step: Step, found: readonly Program[]): Bar[] {
  const peers = found.filter(({ kind }) => kind === "peer").map(({ name }) =>
    name
  );
  const fastest = { title: "to the fastest peer", names: peers };
  return step === "again"
    ? [fastest, { title: "to a bare walk", names: ["walk"] }]
    : [fastest, { title: "to tar", names: ["tar"] }];
}

/** Renders the section of one tree: how it was measured, then a table for each step. */
function renderResult(
  { tree, fileCount, byteCount, rows }: Result,
  found: ReadonlyMap<Program, string>,
  { runCount, level }: Settings,
): string {
  const title = TREES[tree] ? tree : "A folder of this machine";
  const versions = [...found].map(([{ name }, version]) => `${name} ${version}`)
    .join(", ");
  let text = `## ${title}, ${
    level === "1" ? "everybody at level 1" : "defaults"
  }

${fileCount.toLocaleString("en")} files, ${
    megabytes(byteCount)
  } MB. Printed on ${new Date().toISOString().slice(0, 10)} by

\`\`\`sh
deno task bench:peers ${
    TREES[tree] ? tree : "FOLDER"
  } --runs ${runCount} --level ${level}
\`\`\`

on ${describeMachine()}, Deno ${Deno.version.deno}: trees, stores and caches on tmpfs, medians of
${runCount} interleaved runs. Memory is the sum over a program's processes. ${versions}.
`;
  for (
    const [step, runs] of Object.entries(rows) as [Step, Result["rows"][Step]][]
  ) {
    if (runs.size === 0) continue;
    const ordered = [...found.keys()].flatMap(({ name }): Row[] =>
      runs.has(name) ? [{ name, ...runs.get(name)! }] : []
    );
    text += `\n### ${STEP_TITLES[step]}\n\n${
      renderTable(ordered, barsOf(step, [...found.keys()]))
    }`;
  }
  return text;
}

const settings = readSettings(Deno.args);
const folder = await Deno.makeTempDir({ dir: MEMORY, prefix: "snap-bench-" });
try {
  const found = await findPrograms(settings, environmentOf(folder));
  for (const tree of settings.trees) {
    const result = await measureTree(tree, [...found.keys()], settings, folder);
    const section = renderResult(result, found, settings);
    console.log(section);
    if (!settings.printOnly) {
      const before = await Deno.readTextFile(DOCUMENT);
      await Deno.writeTextFile(
        DOCUMENT,
        replaceSection(before, `${tree} ${settings.level}`, section),
      );
    }
    await removeIfThere(`${folder}/tree`);
  }
} finally {
  await removeIfThere(folder);
}
