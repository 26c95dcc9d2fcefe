import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Prng, seededTest } from "../tests/_prng.ts";
import { type Change, type DiffOptions, diffTrees } from "./diff.ts";
import type { DiffSide } from "./diff_cursor.ts";
import { EntryKind } from "./entry_kind.ts";
import { DEPTH_MAX } from "./limits.ts";
import { displayPath } from "./path/path.ts";
import { COUNTING_ID } from "./testdata/golden.ts";
import { MemoryTrees, type Plan } from "./testdata/memory_trees.ts";
import { Tree } from "./tree/tree.ts";
import { TreeBuilder } from "../tests/_manifest_builders.ts";

async function changes(
  before: DiffSide | undefined,
  after: DiffSide | undefined,
  options?: DiffOptions,
): Promise<Change[]> {
  const all: Change[] = [];
  for await (const batch of diffTrees(before, after, options)) {
    all.push(...batch);
  }
  return all;
}

function lines(all: Change[]): string[] {
  return all.map(({ kind, path }) => `${kind} ${displayPath(path)}`);
}

/** Compares two plans by trees alone. */
async function diffPlans(before: Plan, after: Plan): Promise<string[]> {
  const source = new MemoryTrees();
  const { treeId: beforeId } = source.put(before);
  const { treeId: afterId } = source.put(after);
  return lines(
    await changes({ source, treeId: beforeId }, { source, treeId: afterId }),
  );
}

Deno.test("diffTrees lists changes in the order of a walk", async () => {
  const before = {
    a: "1",
    b: { x: "1", y: "2" },
    "b-": "1",
    d: "1",
    e: "same",
  };
  const after = { a: "2", b: { x: "1", z: "3" }, "b-": "2", c: "1", e: "same" };
  deepStrictEqual(await diffPlans(before, after), [
    "modified a",
    "removed b/y",
    "added b/z",
    "modified b-",
    "added c",
    "removed d",
  ]);
});

Deno.test("diffTrees lists all that is below an added or removed directory", async () => {
  deepStrictEqual(
    await diffPlans({ a: { b: { c: "1" } } }, { z: { y: { x: "1" }, w: {} } }),
    [
      "removed a",
      "removed a/b",
      "removed a/b/c",
      "added z",
      "added z/w",
      "added z/y",
      "added z/y/x",
    ],
  );
});

Deno.test("diffTrees gives one type change, then what was and is below it", async () => {
  deepStrictEqual(
    await diffPlans(
      { a: "file", b: { c: "1", d: { e: "1" } }, f: "l:a", g: "p:" },
      { a: { n: "1" }, b: "file", f: "p:", g: "c:1:3" },
    ),
    [
      "type a",
      "added a/n",
      "type b",
      "removed b/c",
      "removed b/d",
      "removed b/d/e",
      "type f",
      "type g",
    ],
  );
});

Deno.test("diffTrees says modified for content, execute bit, target and device", async () => {
  deepStrictEqual(
    await diffPlans(
      {
        a: "1",
        b: "same",
        c: "l:x",
        d: "c:1:3",
        e: "l:same",
        f: "p:",
        g: "c:1:1",
      },
      {
        a: "",
        b: "x:same",
        c: "l:y",
        d: "c:1:5",
        e: "l:same",
        f: "p:",
        g: "c:1:1",
      },
    ),
    ["modified a", "modified b", "modified c", "modified d"],
  );
});

Deno.test("diffTrees does not read equal sub-trees", async () => {
  const source = new MemoryTrees();
  const same = { a: { b: { c: "1" } }, d: "1" };
  const before = source.put({ same, other: { x: "1" } });
  const after = source.put({ same, other: { x: "2" } });
  deepStrictEqual(
    lines(
      await changes({ source, treeId: before.treeId }, {
        source,
        treeId: after.treeId,
      }),
    ),
    ["modified other/x"],
  );
  strictEqual(source.treeReads, 4);
  strictEqual(source.pageReads, 0);
  strictEqual((await changes(before, before)).length, 0);
  strictEqual(source.treeReads, 4);
});

Deno.test("diffTrees compares attributes where both sides have a page", async () => {
  const source = new MemoryTrees();
  const before = source.put({
    a: { "f@600": "1", same: { x: "1" } },
    "d@700": { y: "1" },
  });
  const after = source.put({
    a: { "f@644": "1", same: { x: "1" } },
    "d@711": { y: "1" },
  });
  deepStrictEqual(before.treeId, after.treeId);
  const all = await changes(before, after);
  deepStrictEqual(lines(all), ["attributes a/f", "attributes d"]);
  strictEqual(all[0].before?.page?.mode(all[0].before.row + 1), 0o600);
  strictEqual(all[0].after?.page?.mode(all[0].after.row + 1), 0o644);
  strictEqual(
    source.treeReads,
    4,
    "root and a on both sides, d and same on none",
  );
  const { treeId } = before;
  strictEqual((await changes({ source, treeId }, after)).length, 0);
});

Deno.test("diffTrees finds names that are of one file on one side only", async () => {
  const compare = async (before: Plan, after: Plan): Promise<string[]> => {
    const source = new MemoryTrees();
    return lines(await changes(source.put(before), source.put(after)));
  };
  const apart = { a: "1", d: { b: "1" }, e: "1", z: "1" };
  const linked = { "a#7": "1", d: { "b#7": "1" }, "e#8": "1", "z#8": "1" };
  const renumbered = { "a#2": "1", d: { "b#2": "1" }, "e#1": "1", "z#1": "1" };
  const others = { "a#7": "1", d: { "b#8": "1" }, "e#7": "1", "z#8": "1" };
  deepStrictEqual(await compare(linked, renumbered), []);
  for (const [x, y] of [[apart, linked], [linked, apart]]) {
    const found = await compare(x, y);
    deepStrictEqual(found, ["attributes d/b", "attributes z"]);
  }
  deepStrictEqual(await compare(linked, others), [
    "attributes d/b",
    "attributes e",
    "attributes z",
  ]);
  const moved = { "a#7": "1", d: { "b#8": "1" }, "e#8": "1", "z#8": "1" };
  deepStrictEqual(await compare(linked, moved), ["attributes d/b"]);
  // The other names are of no entry that both sides have, or of something else.
  deepStrictEqual(await compare({ "a#7": "1" }, { a: "1" }), []);
  const more = { "0#7": "1", "a#7": "1", "b#7": "2" };
  deepStrictEqual(await compare({ a: "1", b: "2" }, more), ["added 0"]);
});

Deno.test("diffTrees finds extended attributes of directories, which are in their own pages", async () => {
  const source = new MemoryTrees();
  const before = source.put({ a: { "b+": { c: "1" }, d: {} } });
  const after = source.put({ a: { b: { c: "1" }, "d+": {} } });
  deepStrictEqual(before.treeId, after.treeId);
  deepStrictEqual(lines(await changes(before, after)), [
    "attributes a/b",
    "attributes a/d",
  ]);
});

Deno.test("diffTrees gives the root's own attributes an empty path and row -1", async () => {
  const source = new MemoryTrees();
  const all = await changes(source.put({}, 1), source.put({}, 2));
  deepStrictEqual(lines(all), ["attributes "]);
  strictEqual(all[0].after?.row, -1);
  strictEqual(all[0].after?.page?.mtimeSec(0), 2);
});

Deno.test("diffTrees takes undefined for nothing", async () => {
  const side = new MemoryTrees().put({ a: { b: "1" }, c: "1" });
  deepStrictEqual(lines(await changes(undefined, side)), [
    "added a",
    "added a/b",
    "added c",
  ]);
  deepStrictEqual(lines(await changes(side, undefined)), [
    "removed a",
    "removed a/b",
    "removed c",
  ]);
  strictEqual((await changes(undefined, undefined)).length, 0);
});

Deno.test("diffTrees bounds batches", async () => {
  const plan = Object.fromEntries(
    Array.from({ length: 25 }, (_, i) => [`f${i}`, `${i}`]),
  );
  const sizes: number[] = [];
  const side = new MemoryTrees().put(plan);
  for await (const batch of diffTrees(undefined, side, { batchCountMax: 10 })) {
    sizes.push(batch.length);
  }
  deepStrictEqual(sizes, [10, 10, 5]);
});

Deno.test("diffTrees refuses a page of another tree", async () => {
  const source = new MemoryTrees();
  const { treeId } = source.put({ a: "1" });
  const { pageId } = source.put({ b: "1" });
  await rejects(
    changes(undefined, { source, treeId, pageId }),
    /it belongs to another tree/,
  );
});

/** A source where every directory holds one directory, to any depth. */
function endless(): DiffSide {
  const builder = new TreeBuilder();
  builder.setTree(
    builder.add(Uint8Array.of(0x61), 0, 1, EntryKind.directory),
    COUNTING_ID,
  );
  const tree = Tree.decode(builder.build());
  return { source: { tree: () => Promise.resolve(tree) }, treeId: COUNTING_ID };
}

Deno.test("diffTrees refuses directories that nest deeper than the limit", async () => {
  let deepest = 0;
  const run = async () => {
    for await (
      const batch of diffTrees(undefined, endless(), { batchCountMax: 1 })
    ) {
      deepest = Math.max(deepest, displayPath(batch[0].path).split("/").length);
    }
  };
  await rejects(run(), /more than 1024 deep/);
  strictEqual(deepest, DEPTH_MAX);
});

Deno.test("diffTrees stops when its signal does", async () => {
  const controller = new AbortController();
  const run = async () => {
    const options = { signal: controller.signal, batchCountMax: 1 };
    for await (const _ of diffTrees(undefined, endless(), options)) {
      controller.abort();
    }
  };
  await rejects(run(), { name: "AbortError" });
  await rejects(
    changes(undefined, endless(), { signal: AbortSignal.abort() }),
    {
      name: "AbortError",
    },
  );
});

function randomPlan(prng: Prng, depth: number): Plan {
  const names = ["a", "b", "c", "d-", "e"].filter(() => prng.below(2) === 0);
  const contents = ["1", "2", "x:1", "l:1", "p:"];
  return Object.fromEntries(names.map((name) => {
    const isDirectory = depth > 0 && prng.below(2) === 0;
    return [
      name,
      isDirectory ? randomPlan(prng, depth - 1) : prng.pick(contents),
    ];
  }));
}

/** Lists a plan as path and content. */
function flatten(plan: Plan, prefix = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of Object.entries(plan)) {
    if (typeof value === "string") all.set(prefix + name, value);
    else {
      all.set(prefix + name, "d:");
      for (const [path, below] of flatten(value, `${prefix}${name}/`)) {
        all.set(path, below);
      }
    }
  }
  return all;
}

seededTest("diffTrees finds what comparing every path finds", async (prng) => {
  const before = randomPlan(prng, 3);
  const after = randomPlan(prng, 3);
  const left = flatten(before);
  const right = flatten(after);
  const type = (value: string) => /^([lpd]):/.exec(value)?.[1] ?? "file";
  const expected: string[] = [];
  for (const path of new Set([...left.keys(), ...right.keys()])) {
    const [was, is] = [left.get(path), right.get(path)];
    if (was === is) continue;
    if (was === undefined) expected.push(`added ${path}`);
    else if (is === undefined) expected.push(`removed ${path}`);
    else {expected.push(
        `${type(was) === type(is) ? "modified" : "type"} ${path}`,
      );}
  }
  const found = await diffPlans(before, after);
  deepStrictEqual([...found].sort(), expected.sort());
  const paths = found.map((line) => line.split(" ")[1].split("/"));
  for (let at = 1; at < paths.length; at++) {
    ok(paths[at - 1] < paths[at], "in order");
  }
});
