/**
 * Freeing space: half of many snapshots forgotten; the same saves in a store of ours
 * and in one of restic; and a year of nightly saves, each with `forget` and `prune`.
 *
 * `deno run -A bench/prune_bench.ts [many] [beside] [nights] [--write]`; `--small`
 * only shows that it runs.
 *
 * @module
 */
import { join } from "node:path";
import { nativeHasher } from "@snap/hash/native";
import { prune } from "@snap/maintenance/prune";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { formatRecordName, listRecordNames } from "@snap/snapshot/records";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openFileStore } from "@snap/store/file";
import { benchArguments } from "./_arguments.ts";
import { describeRun, writeSection } from "./_document.ts";
import { withFolder } from "./_folder.ts";
import { makeManySnapshots } from "./_many_snapshots.ts";
import { measure } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";
import { megabytes, renderLines } from "./_table.ts";

const SIZES = {
  full: {
    snapshots: 10_000,
    objects: 100,
    saves: 60,
    nights: 365,
    files: 1000,
  },
  small: { snapshots: 20, objects: 10, saves: 3, nights: 12, files: 20 },
} as const;

type Sizes = (typeof SIZES)["full" | "small"];

/** What prune takes in a store of many snapshots, half of which are forgotten. */
async function many(folder: string, size: Sizes): Promise<string> {
  const path = join(folder, "many");
  const { snapshots: snapshotCount, objects: objectCount } = size;
  await makeManySnapshots({ path, snapshotCount, objectCount, fileSize: 300 });
  const store = await openFileStore(path);
  const records = await listRecordNames(store);
  for (const [i, file] of records.entries()) {
    if (i % 2 === 0) await store.remove(formatRecordName(file));
  }
  const cost = await measure(`$SNAP prune --store "$MANY" --single-writer`, {
    cwd: folder,
    env: { ...environmentOf(folder), MANY: path },
  });
  return `${snapshotCount} snapshots of ${objectCount} objects each, half of them forgotten:
${cost.wallSeconds.toFixed(1)} s, ${cost.cpuSeconds.toFixed(1)} s of CPU, ${
    megabytes(cost.peakBytes)
  } MB of memory. ${cost.output.trim()}`;
}

/** What prune takes after the same saves in both programs. */
async function beside(folder: string, size: Sizes): Promise<string> {
  const env = environmentOf(folder);
  const tree = new ChangingTree(join(folder, "tree"), size.files);
  const restic = `restic -q -r "${folder}/restic"`;
  const run = (command: string) => measure(command, { cwd: folder, env });
  const hasRestic = await run(`${restic} init`).then(() => true, () => false);
  await run(`$SNAP init "$STORE"`);
  for (let i = 0; i < size.saves; i++) {
    await tree.change(size.files / 10);
    await run(`$SNAP save --store "$STORE" "$TREE"`);
    if (hasRestic) await run(`${restic} backup "$TREE"`);
  }
  const kept = Math.ceil(size.saves / 2);
  await run(`$SNAP forget --store "$STORE" --keep-last ${kept}`);
  const rows = [["program", "time", "CPU", "memory"]];
  const add = async (name: string, command: string): Promise<void> => {
    const { wallSeconds, cpuSeconds, peakBytes } = await run(command);
    const times = [wallSeconds, cpuSeconds].map((one) => `${one.toFixed(2)} s`);
    rows.push([name, ...times, `${megabytes(peakBytes)} MB`]);
  };
  await add("snap prune", `$SNAP prune --store "$STORE" --single-writer`);
  if (hasRestic) {
    await run(`${restic} forget --keep-last ${kept}`);
    await add("restic prune", `${restic} prune`);
  }
  return `After ${size.saves} saves of ${size.files} files, each with a tenth of them changed, half of them forgotten:

${renderLines(rows).trim()}`;
}

/** What a year of saves, each with forget and prune, leaves behind. */
async function nights(folder: string, size: Sizes): Promise<string> {
  const hasher = nativeHasher();
  const source = join(folder, "nightly");
  const tree = new ChangingTree(source, size.files);
  const store = await openFileStore(join(folder, "year"), { create: true });
  await initStore(store, formatSettings(DEFAULT_SETTINGS));
  let pruneMs = 0;
  const nightsOf = new Map<string, number>();
  for (let night = 0; night < size.nights; night++) {
    await tree.change(size.files / 50);
    await using snapshots = await openSnapshots(store, { hasher });
    const { record } = await save(snapshots, source);
    nightsOf.set(record.record, night);
    for (const file of await listRecordNames(store)) {
      const age = night - nightsOf.get(file.record)!;
      const isKept = age < 7 || (age < 60 ? age % 7 === 0 : age % 30 === 0);
      if (!isKept) await store.remove(formatRecordName(file));
    }
    const startMs = performance.now();
    await using fresh = await openSnapshots(store, { hasher });
    await prune(fresh, { singleWriter: true });
    pruneMs += performance.now() - startMs;
  }
  const env: Record<string, string> = {
    ...environmentOf(folder),
    YEAR: store.path,
  };
  await measure(`$SNAP clone "$YEAR" "$STORE-copy"`, { cwd: folder, env });
  const [year, copy] = [store.path, `${env.STORE}-copy`].map(sizeOf);
  return `${size.nights} nightly saves of ${size.files} files, each with a fiftieth of them changed,
\`forget\` and \`prune\`: ${year.packCount} packs below 16 MiB, ${
    megabytes(year.byteCount)
  } MB, ${
    ((year.byteCount / copy.byteCount - 1) * 100).toFixed(1)
  } % more than a fresh copy. A prune took ${
    (pruneMs / size.nights / 1000).toFixed(2)
  } s.`;
}

/** Bytes of packs and index of a store, and its small packs. */
function sizeOf(path: string): { packCount: number; byteCount: number } {
  let packCount = 0, byteCount = 0;
  const add = (folder: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const at = join(folder, name);
      if (isDirectory) {
        add(at);
        continue;
      }
      const { size } = Deno.statSync(at);
      byteCount += size;
      if (folder.includes("/packs") && size < 16 << 20) packCount++;
    }
  };
  for (const name of ["packs", "index"]) add(join(path, name));
  return { packCount, byteCount };
}

/** A tree of which some files change. */
class ChangingTree {
  readonly #path: string;
  readonly #count: number;
  #state = 1;

  constructor(path: string, count: number) {
    this.#path = path;
    this.#count = count;
  }

  /** Changes some files, all of them the first time. */
  async change(count: number): Promise<void> {
    const isNew = this.#state === 1;
    await Deno.mkdir(this.#path, { recursive: true });
    for (let i = 0; i < (isNew ? this.#count : Math.max(1, count)); i++) {
      this.#state = (this.#state * 1103515245 + 12345) % 2 ** 31;
      const number = isNew ? i : this.#state % this.#count;
      const folder = join(this.#path, `d${number % 20}`);
      await Deno.mkdir(folder, { recursive: true });
      const bytes = new Uint8Array(500 + this.#state % 20_000);
      crypto.getRandomValues(bytes.subarray(bytes.length >> 1));
      await Deno.writeFile(join(folder, `f${number}`), bytes);
    }
  }
}

if (import.meta.main) {
  const { names, size, isWritten } = benchArguments(Deno.args, "all");
  const parts = { many, beside, nights };
  await withFolder(async (folder) => {
    const said: string[] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (!names.includes(name) && !names.includes("all")) continue;
      said.push(await part(folder, SIZES[size]));
      console.error(said.at(-1));
    }
    const run = describeRun("deno task bench prune");
    const section = `## Freeing space\n\n${run}.\n\n${said.join("\n\n")}\n`;
    console.log(section);
    if (isWritten) await writeSection("prune", section);
  });
}
