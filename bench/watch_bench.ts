/**
 * A directory that is saved again and again by one process: with a workspace, which the kernel
 * tells what has changed, and with a walk each time; beside it `chkpt save`, a program of its own,
 * where it is on the PATH. Medians of wall and processor time of each step.
 *
 * `deno run -A bench/watch_bench.ts [TREE] [--runs 10] [--write]`, where TREE is the name of a
 * made tree; `--write` puts the figures into `docs/BENCHMARKS.md`, `--small` only shows that it
 * runs.
 *
 * @module
 */
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";
import { initStore } from "@snap/store/format";
import { Workspace } from "@snap/workspace";
import { benchArguments } from "./_arguments.ts";
import { describeRun, writeSection } from "./_document.ts";
import { prepareTree, removeTree, withFolder } from "./_folder.ts";
import { measure } from "./_measure.ts";
import { renderLines } from "./_table.ts";

/** Files that are changed before a save. */
const CHANGED = 5;

/** Wall and processor time of steps, by name. */
class Steps {
  readonly #all = new Map<string, { wall: number; cpu: number }[]>();

  /** Runs a step in this process. */
  async run<T>(name: string, act: () => Promise<T>): Promise<T> {
    const before = process.cpuUsage();
    const start = performance.now();
    const result = await act();
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    this.add(name, { wall, cpu: (user + system) / 1000 });
    return result;
  }

  /** Adds a step, in milliseconds. */
  add(name: string, cost: { wall: number; cpu: number }): void {
    const all = this.#all.get(name) ?? [];
    all.push(cost);
    this.#all.set(name, all);
  }

  /** A table of medians. */
  render(): string {
    const median = (all: number[]): string =>
      all.toSorted((a, b) => a - b)[all.length >> 1].toFixed(1);
    return renderLines([
      ["step", "wall, ms", "processor, ms"],
      ...[...this.#all].map(([name, all]) => [
        name,
        median(all.map(({ wall }) => wall)),
        median(all.map(({ cpu }) => cpu)),
      ]),
    ]);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name)).sort();
}

/** Saves and restores a tree that changes a little each time. */
async function runSteps(
  tree: string,
  folder: string,
  runCount: number,
): Promise<Steps> {
  const steps = new Steps();
  const files = filesBelow(tree);
  let turn = 0;
  const change = (): void => {
    for (let i = 0; i < CHANGED; i++) {
      appendFileSync(files[(++turn * 7919) % files.length], `${turn}\n`);
    }
  };
  const store = await openFileStore(`${folder}/store`, { create: true });
  await initStore(store, {});
  await using snapshots = await openSnapshots(store, { hasher: wasmHasher });
  await using workspace = new Workspace(snapshots, tree);
  const { record } = await steps.run("first save", () => workspace.save());
  for (let i = 0; i < runCount; i++) {
    change();
    await steps.run("save, five files changed", () => workspace.save());
    await steps.run("save, nothing changed", () => workspace.save());
    change();
    await steps.run(
      "restore of the first",
      () => workspace.restore(record),
    );
    await steps.run("save of what was restored", () => workspace.save());
    change();
    await steps.run("a walk, five files changed", () => save(snapshots, tree));
    await workspace.save(); // Another has saved: what is known is of no use once.
  }
  for (let i = 0; i < runCount && await hasChkpt(); i++) {
    change();
    const cost = await measure("chkpt save --include-deps", {
      cwd: tree,
      env: { HOME: folder },
    });
    const { wallSeconds, cpuSeconds } = cost;
    const ms = { wall: wallSeconds * 1000, cpu: cpuSeconds * 1000 };
    steps.add(`chkpt save${i === 0 ? ", the first" : ""}`, ms);
  }
  return steps;
}

async function hasChkpt(): Promise<boolean> {
  try {
    return (await new Deno.Command("chkpt", { args: ["--help"] }).output())
      .success;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const { names, runCount, size, isWritten } = benchArguments(
    Deno.args,
    "source",
  );
  await withFolder(async (folder) => {
    for (const name of names) {
      const tree = await prepareTree(name, folder, size);
      if (!tree.isMade) {
        throw new RangeError(`Cannot bench ${name} as it would be changed`);
      }
      const steps = await runSteps(tree.path, folder, runCount);
      const command = `deno task bench watch ${tree.title} --runs ${runCount}`;
      const section =
        `## Saved again and again, ${tree.title}\n\n${tree.fileCount} files, medians of ${runCount} runs. ${
          describeRun(command)
        }.\n\n${steps.render()}`;
      console.log(section);
      if (isWritten) await writeSection(`watch ${tree.title}`, section);
      await removeTree(`${folder}/store`);
      await removeTree(tree.path);
    }
  });
}
