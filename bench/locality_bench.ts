/**
 * What the order of small files in a store means: its size, what all files of one
 * directory cost a mount that has read nothing yet, on this machine and behind a
 * link whose answers come 50 ms later, what files from anywhere cost it, and the
 * memory of a restore.
 *
 * `deno task bench locality [TREE...] [--runs 3] [--write]`, where TREE is a folder
 * or the name of a made tree; `--small` only shows that it runs.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { Prng } from "../tests/_prng.ts";
import { SlowLink } from "../tests/_slow_link.ts";
import { benchArguments } from "./_arguments.ts";
import { buildForBench } from "./_built.ts";
import { describeRun, writeSection } from "./_document.ts";
import { prepareTree, removeTree, withFolder } from "./_folder.ts";
import { measure, median } from "./_measure.ts";
import { mountAbsentReason, Mounted, type MountPlace } from "./_mounted.ts";
import { cpuSecondsOf } from "./_process_cpu.ts";
import { environmentOf } from "./_programs.ts";
import { Server } from "./_server.ts";
import { megabytes, renderLines } from "./_table.ts";

const SEED = 30;
const DELAY_MS = 50;
const BYTES_PER_SECOND = 20e6;
const SMALL_SIZE_MAX = 32 * 1024;

/** Files of a directory that is read whole, at least and at most. */
const FOLDER_FILES = { min: 25, max: 35 };

/** How much is read. */
interface Size {
  readonly folderCount: number;
  readonly fileCount: number;
}

const FULL: Size = { folderCount: 12, fileCount: 2_000 };
const SMALL: Size = { folderCount: 1, fileCount: 20 };

/** Small files of a tree by their directories, relative to it. */
function smallFiles(root: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const pending = ["."];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    const files: string[] = [];
    for (
      const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })
    ) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      if (!entry.isFile()) continue;
      if (Deno.statSync(`${root}/${path}`).size <= SMALL_SIZE_MAX) {
        files.push(path);
      }
    }
    found.set(folder, files);
  }
  return found;
}

/** What is read of a tree: the same each time. */
interface Plan {
  /** All small files of some directories of about thirty. */
  readonly folders: readonly (readonly string[])[];
  /** Small files from anywhere. */
  readonly files: readonly string[];
}

function planOf(root: string, { folderCount, fileCount }: Size): Plan {
  const prng = new Prng(SEED);
  const byFolder = [...smallFiles(root)].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, files]) => files.sort());
  const fit = byFolder.filter(({ length }) =>
    length >= FOLDER_FILES.min && length <= FOLDER_FILES.max
  );
  return {
    folders: prng.shuffle(
      fit.length > 0 ? fit : byFolder.filter(({ length }) => length > 0),
    )
      .slice(0, folderCount),
    files: prng.shuffle(byFolder.flat()).slice(0, fileCount),
  };
}

/** Figures of one round by the names of their rows, with what they count. */
type Figures = Map<string, number>;

/** A store that is read. */
interface Source {
  readonly tree: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Mounts the newest snapshot of a store for as long as something is done. */
async function whileMounted(
  { tree, folder, env }: Source,
  store: string,
  use: (mounted: Mounted) => Promise<void> | void,
): Promise<void> {
  const place: MountPlace = {
    tree,
    image: store,
    point: `${folder}/mount`,
    folder,
    env,
  };
  await using mounted = await Mounted.start({
    name: "snap",
    mount:
      `exec $SNAP mount --foreground --no-cache --any --store "$IMAGE" latest "$MOUNT"`,
  }, place);
  await use(mounted);
}

/** Reads files one after the other, and sees that each is what was saved. */
function readAll(tree: string, root: string, files: readonly string[]): number {
  const read = files.map(() => new Uint8Array());
  const start = performance.now();
  files.forEach((path, i) => read[i] = readFileSync(`${root}/${path}`));
  const ms = performance.now() - start;
  for (const [i, path] of files.entries()) {
    if (readFileSync(`${tree}/${path}`).equals(read[i])) continue;
    throw new Error(`Cannot measure a mount: ${path} differs`);
  }
  return ms;
}

/** Reads a directory of each new mount; gives the medians. */
async function readFolders(
  source: Source,
  store: string,
  { folders }: Plan,
): Promise<{ ms: number; cpuMs: number }> {
  const all: number[] = [], cpu: number[] = [];
  for (const files of folders) {
    await whileMounted(source, store, ({ root, server }) => {
      const before = cpuSecondsOf(server);
      all.push(readAll(source.tree, root, files));
      cpu.push(1000 * (cpuSecondsOf(server) - before));
    });
  }
  return { ms: median(all), cpuMs: cpu.reduce((a, b) => a + b) / cpu.length };
}

async function readFar(
  source: Source,
  store: string,
  plan: Plan,
): Promise<{ ms: number; kilobytes: number }> {
  await using server = await Server.start(store);
  const link = { delayMs: DELAY_MS, bytesPerSecond: BYTES_PER_SECOND };
  await using slow = new SlowLink({
    ...link,
    port: Number(new URL(server.url).port),
  });
  const port = await slow.listen();
  const address = `http://127.0.0.1:${port}/`;
  const all: number[] = [], bytes: number[] = [];
  for (const files of plan.folders) {
    await whileMounted(source, address, async ({ root }) => {
      // The reader must not hold up the link, which is served by this process.
      const before = slow.downCount;
      const { wallSeconds } = await measure(`cat ${quoted(root, files)}`, {
        cwd: source.folder,
      });
      all.push(1000 * wallSeconds);
      bytes.push(slow.downCount - before);
    });
  }
  return { ms: median(all), kilobytes: median(bytes) / 1000 };
}

function quoted(root: string, files: readonly string[]): string {
  return files.map((path) => `'${root}/${path.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}

async function runRound(source: Source, size: Size): Promise<Figures> {
  const { tree, folder, env } = source;
  const store = `${folder}/store`, target = `${folder}/target`;
  const run = (command: string) =>
    measure(command, {
      cwd: folder,
      env: { ...env, TREE: tree, STORE: store, TARGET: target },
    });
  const plan = planOf(tree, size);
  const figures: Figures = new Map();
  await run(
    `$SNAP init --store "$STORE" && $SNAP save --store "$STORE" "$TREE"`,
  );
  const { output } = await run(`du -sb --apparent-size "$STORE"`);
  figures.set("store, MB", parseInt(output) / 1e6);
  const near = await readFolders(source, store, plan);
  figures.set("a directory of thirty files, ms", near.ms);
  figures.set("the same, CPU of the mount, ms", near.cpuMs);
  const far = await readFar(source, store, plan);
  figures.set(`the same, answers ${DELAY_MS} ms later, ms`, far.ms);
  figures.set("the same, KB that came", far.kilobytes);
  await whileMounted(source, store, async ({ root, server }) => {
    const list = await run(`ls -lR '${root}/' >/dev/null`);
    figures.set("`ls -lR`, ms", 1000 * list.wallSeconds);
    const before = cpuSecondsOf(server);
    const ms = readAll(tree, root, plan.files);
    const cpu = cpuSecondsOf(server) - before;
    figures.set("files from anywhere, us each", 1000 * ms / plan.files.length);
    figures.set(
      "the same, CPU of the mount, us",
      1e6 * cpu / plan.files.length,
    );
  });
  const restore = await run(
    `$SNAP restore --store "$STORE" latest "$TARGET"`,
  );
  figures.set("restore, CPU s", restore.cpuSeconds);
  figures.set("restore, memory in MB", restore.peakBytes / 1e6);
  await removeTree(store);
  await removeTree(target);
  return figures;
}

function render(rounds: readonly Figures[]): string {
  const rows = [...rounds[0].keys()].map((name) => {
    const value = median(rounds.map((figures) => figures.get(name)!));
    return [name, value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0)];
  });
  return renderLines([["", "median"], ...rows]);
}

if (import.meta.main) {
  const { names, runCount, size, isWritten } = benchArguments(
    Deno.args,
    "source",
  );
  const reason = mountAbsentReason();
  if (reason !== undefined) {
    console.error(`Cannot measure mounts as ${reason}`);
    Deno.exit(size === "small" ? 0 : 1);
  }
  await withFolder(async (folder) => {
    const env = environmentOf(folder, buildForBench(folder));
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      const source = { tree: tree.path, folder, env };
      const rounds: Figures[] = [];
      for (let i = 0; i < runCount; i++) {
        rounds.push(await runRound(source, size === "full" ? FULL : SMALL));
      }
      const section =
        `## Order of small files, ${tree.title}\n\n${tree.fileCount} files, ${
          megabytes(tree.byteCount)
        } MB, medians of ${runCount} runs. ${
          describeRun(
            `deno task bench locality ${
              tree.isMade ? tree.title : "FOLDER"
            } --runs ${runCount}`,
          )
        }.\n\n${render(rounds)}`;
      console.log(section);
      if (isWritten) await writeSection(`locality ${tree.title}`, section);
      if (tree.isMade) await removeTree(tree.path);
    }
  });
}
