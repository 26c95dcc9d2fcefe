import { measure, median } from "./_measure.ts";
import { Mounted, type MountPlace } from "./_mounted.ts";
import { type LargeStore, makeLargeStore } from "./_mount_large_store.ts";
import type { PartOptions } from "./_mount_part.ts";
import type { MountSystem } from "./_mount_systems.ts";
import { LARGE_NAME, makeLargeFile } from "./_mount_tree.ts";
import { installOnNode } from "./_on_node.ts";
import { megabytes, renderLines } from "./_table.ts";

const MANY_READS = new URL("./_mount_many_reads.ts", import.meta.url).pathname;

/** How often each start is measured in a round. */
const START_COUNT = 3;

/** A store that is mounted. */
interface StoreCase {
  readonly name: string;
  readonly store: string;
  readonly id: string;
}

/** A way to start. */
interface StartCase {
  readonly name: string;
  readonly snap: string;
  readonly isBackground: boolean;
}

function systemOf(start: StartCase, { store, id }: StoreCase): MountSystem {
  const way = start.isBackground ? "--background" : "--foreground";
  return {
    name: start.name,
    kind: "ours",
    codec: "zstd",
    version: "true",
    image: store,
    prepare: "true",
    mount:
      `exec ${start.snap} mount ${way} --cache 64MiB --store "$IMAGE" ${id} "$MOUNT"`,
  };
}

/** Times of starts by store and way, in milliseconds. */
async function measureStarts(
  stores: readonly StoreCase[],
  options: PartOptions,
): Promise<string> {
  const { folder, env, runCount, size } = options;
  const roundCount = size === "full" ? runCount * START_COUNT : 1;
  const starts: StartCase[] = [
    { name: "foreground", snap: "$SNAP", isBackground: false },
    { name: "background", snap: "$SNAP", isBackground: true },
  ];
  // The packages take half a minute to build: those of `bench:peers` are tried at every size.
  const snap = size === "full" ? await installOnNode(folder) : undefined;
  if (snap === undefined) console.error("no npm packages: Node is left out");
  else {
    starts.push({
      name: "foreground, Node",
      snap: snap.whole,
      isBackground: false,
    });
  }
  const times = new Map<string, number[]>();
  const empty = `${folder}/empty.ts`;
  await Deno.writeTextFile(empty, "");
  const emptyTimes: number[] = [];
  for (let round = 0; round < roundCount; round++) {
    const program = await measure(`deno run ${empty}`, { cwd: folder, env });
    emptyTimes.push(1000 * program.wallSeconds);
    for (const start of starts) {
      for (const one of stores) {
        const place = placeOf(one, folder, env);
        await using mounted = await Mounted.start(systemOf(start, one), place);
        const key = `${start.name} ${one.name}`;
        times.set(key, [...times.get(key) ?? [], mounted.startMs]);
      }
    }
  }
  const head = ["start to the first `ls`", ...stores.map(({ name }) => name)];
  const rows = starts.map((start) => [
    start.name,
    ...stores.map(({ name }) => {
      const all = times.get(`${start.name} ${name}`)!;
      return `${median(all).toFixed(0)} ms`;
    }),
  ]);
  const note = `An empty program of Deno takes ${
    median(emptyTimes).toFixed(0)
  } ms.`;
  return `### Start\n\n${renderLines([head, ...rows])}\n${note}\n`;
}

function placeOf(
  one: StoreCase,
  folder: string,
  env: MountPlace["env"],
): MountPlace {
  return { tree: "", image: one.store, point: `${folder}/point`, folder, env };
}

/** The most memory after all entries were looked at, and after many reads. */
async function measureMemory(
  large: StoreCase,
  { folder, env }: PartOptions,
  readCount: number,
): Promise<string> {
  const start = { name: "memory", snap: "$SNAP", isBackground: false };
  const place = placeOf(large, folder, env);
  await using mounted = await Mounted.start(systemOf(start, large), place);
  const run = (command: string) =>
    measure(command, { cwd: folder, env: { ROOT: mounted.root } });
  const rows = [["after", "memory, MB", "seconds"]];
  const add = (name: string, seconds: number): void => {
    rows.push([name, megabytes(mounted.memory()), seconds.toFixed(1)]);
  };
  add("the first `ls`", mounted.startMs / 1000);
  const { output, wallSeconds } = await run(
    `find "$ROOT/" -size +1G -o -print`,
  );
  const entryCount = output.split("\n").length - 1;
  add(`${entryCount.toLocaleString("en")} entries looked at`, wallSeconds);
  if (readCount > 0) {
    const command = `deno run -A ${MANY_READS} "$ROOT/${LARGE_NAME}"`;
    const reads = await run(`${command} ${readCount}`);
    add(`${readCount.toLocaleString("en")} random reads`, reads.wallSeconds);
  }
  return `### Memory\n\n${renderLines(rows)}`;
}

/**
 * Measures starts and memory with a store of many snapshots and objects.
 *
 * @param options Where and how often.
 * @param isLong Whether memory is looked at after ten million reads, too.
 * @returns The tables.
 */
export async function measureLarge(
  options: PartOptions,
  isLong: boolean,
): Promise<string> {
  const { folder, size } = options;
  const isFull = size === "full";
  const fileCount = isFull ? 1_000_000 : 300;
  const snapshotCount = isFull ? 1_000 : 5;
  const readCount = isLong ? isFull ? 10_000_000 : 1_000 : 0;
  console.error(`making a store of ${fileCount} files`);
  const make = (name: string, files: number, snapshots: number) =>
    makeLargeStore({
      store: `${folder}/${name}`,
      scratch: `${folder}/scratch`,
      fileCount: files,
      snapshotCount: snapshots,
      addFiles: (root) => {
        if (!isLong) return;
        makeLargeFile(`${root}/${LARGE_NAME}`, isFull ? 2 ** 29 : 2 ** 22);
      },
    });
  const one: LargeStore = await make("one", 1, 1);
  const many: LargeStore = await make("many", fileCount, snapshotCount);
  const counts = `${snapshotCount.toLocaleString("en")} snapshots, ${
    fileCount.toLocaleString("en")
  } objects`;
  const stores = [
    { name: "one snapshot", store: `${folder}/one`, id: one.small },
    { name: counts, store: `${folder}/many`, id: many.small },
    {
      name: `the same, ${fileCount.toLocaleString("en")} files`,
      store: `${folder}/many`,
      id: many.large,
    },
  ];
  const memory = await measureMemory(stores[2], options, readCount);
  if (isLong) return memory;
  return `${await measureStarts(stores, options)}\n${memory}`;
}
