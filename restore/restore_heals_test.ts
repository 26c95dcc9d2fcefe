import { deepEqual, notDeepEqual } from "node:assert/strict";
import { displayPath } from "@snap/manifest/path";
import { type Prng, seededTest } from "../tests/_prng.ts";
import {
  differences,
  makeVariedTree,
  MUTATIONS,
} from "../tests/_test_mutations.ts";
import {
  describeTree,
  isRoot,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import type { NamedRecord } from "@snap/snapshot/records";
import { restore, type RestoreOptions } from "./restore.ts";
import type { Snapshots } from "@snap/snapshot";

interface Restored extends AsyncDisposable {
  readonly snapshots: Snapshots;
  readonly record: NamedRecord;
  readonly source: string;
  readonly out: string;
}

/** A tree with every kind of entry, restored into an empty directory. */
async function restored(): Promise<Restored> {
  const folder = new TestFolder();
  const source = folder.at("source");
  const out = folder.at("out");
  makeVariedTree(source);
  const { snapshots, record } = await saveTree(source, folder.at("store"));
  const { errors } = await restore(snapshots, record, out);
  deepEqual(errors, []);
  deepEqual(await differences(snapshots, record, out), []);
  return {
    snapshots,
    record,
    source,
    out,
    async [Symbol.asyncDispose]() {
      await snapshots[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Restores over what is there; gives the paths that changed, or would. */
async function heal(
  { snapshots, record, out }: Restored,
  options: RestoreOptions = {},
): Promise<string[]> {
  const paths = new Set<string>();
  const { errors } = await restore(snapshots, record, out, {
    existing: true,
    delete: true,
    onChange: ({ path }) => paths.add(displayPath(path)),
    ...options,
  });
  deepEqual(errors, []);
  return [...paths].sort();
}

/** Whether a path is one of those, or below one. */
function isWithin(path: string, paths: readonly string[]): boolean {
  return paths.some((one) => path === one || path.startsWith(`${one}/`));
}

/** Here other names are linked to a first name that is made anew: they look as they did. */
const LINKED_ANEW: ReadonlySet<string> = new Set([
  "a first name that is gone",
  "a directory that is gone",
  "a directory of another name",
]);

Deno.test({
  name:
    "diff with attributes shows what a restore over a tree would change, and nothing after it",
  ignore: !isRoot,
  async fn(context) {
    await using one = await restored();
    const { out, record, snapshots, source } = one;
    const tree = describeTree(source);
    for (const [name, mutate] of Object.entries(MUTATIONS)) {
      await context.step(name, async () => {
        mutate((path) => `${out}/${path}`);
        const found = await differences(snapshots, record, out);
        notDeepEqual(found, []);
        const shown = found.map((line) => line.slice(line.indexOf(" ") + 1));
        const planned = await heal(one, { dryRun: true });
        // What is below an entry that comes or goes is shown by one, and told by the other.
        deepEqual(shown.filter((path) => !isWithin(path, planned)), []);
        if (!LINKED_ANEW.has(name)) {
          deepEqual(planned.filter((path) => !shown.includes(path)), []);
        }
        await heal(one);
        deepEqual(await differences(snapshots, record, out), []);
        deepEqual(describeTree(out), tree);
        deepEqual(await heal(one), []);
      });
    }
  },
});

if (isRoot) {
  seededTest(
    "a restore mends whatever happened to a tree",
    async (prng: Prng) => {
      await using one = await restored();
      const { out, record, snapshots, source } = one;
      const names = prng.shuffle(Object.keys(MUTATIONS));
      const done: string[] = [];
      for (const name of names.slice(0, 1 + prng.below(12))) {
        try {
          MUTATIONS[name]((path) => `${out}/${path}`);
          done.push(name);
        } catch {
          // What it would change is gone already.
        }
      }
      const workers = prng.below(2);
      await heal(one, { workers });
      deepEqual(await differences(snapshots, record, out), [], done.join(", "));
      deepEqual(describeTree(out), describeTree(source), done.join(", "));
    },
    { roundCount: 10 },
  );
}
