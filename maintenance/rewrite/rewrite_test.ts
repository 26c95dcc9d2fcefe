import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { idFromBytes } from "@snap/hash";
import { IgnoreRules } from "@snap/disk/ignore";
import { tagSnapshot } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { Prng } from "../../tests/_prng.ts";
import {
  latin,
  NO_TOTALS,
  type TestDirectory,
  TestSnapshots,
} from "../../tests/_test_snapshots.ts";
import { type RewriteOptions, rewriteSnapshot } from "./rewrite_snapshot.ts";

/** Totals under which no count is too large. */
const MANY = { totals: { ...NO_TOTALS, entryCount: 1000 } };

function scope(...patterns: string[]): RewriteOptions["exclude"] {
  return new IgnoreRules({ exclude: patterns }).scope();
}

function someTree(prng: Prng, depth: number): TestDirectory {
  const tree: Record<string, TestDirectory[string]> = {};
  for (const name of ["a", "b", "c", "d"]) {
    const choice = prng.below(4);
    if (choice === 1) tree[name] = { file: `content ${prng.below(4)}` };
    if (choice === 2) tree[name] = { link: "a" };
    if (choice === 3 && depth > 0) {
      tree[name] = { directory: someTree(prng, depth - 1) };
    }
  }
  return tree;
}

/** What stays of a tree, entry by entry; undefined for nothing. */
function filtered(
  tree: TestDirectory,
  stays: (path: string) => boolean | "below",
  path = "",
): TestDirectory | undefined {
  const left: Record<string, TestDirectory[string]> = {};
  for (const [name, entry] of Object.entries(tree)) {
    const at = `${path}${name}`;
    const verdict = stays(at);
    if (verdict === false) continue;
    if (!("directory" in entry)) {
      if (verdict === true) left[name] = entry;
      continue;
    }
    const below = filtered(entry.directory, stays, `${at}/`);
    const isEmpty = below === undefined || Object.keys(below).length === 0;
    if (verdict === "below" && isEmpty) continue;
    left[name] = { directory: below ?? {} };
  }
  return left;
}

Deno.test("what is rewritten has the id of a tree that never had what is left out", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const test = new TestSnapshots();
    const tree = someTree(new Prng(seed), 4);
    const old = await test.save(tree, MANY);
    const snapshots = await test.open();
    // Names anywhere, and one path: a directory of the root, if it is there.
    const without = filtered(
      tree,
      (path) => !/(^|\/)b(\/|$)/.test(path) && path !== "c/a",
    )!;
    const { id } = await rewriteSnapshot(snapshots, old, {
      exclude: scope("b", "/c/a"),
    });
    strictEqual(id, idFromBytes(test.addDirectory(without).tree), `${seed}`);
    const only = filtered(
      tree,
      (path) => /(^|\/)b(\/|$)/.test(path) || "below",
    )!;
    const include = scope("b");
    if (Object.keys(only).length === 0) {
      await rejects(rewriteSnapshot(snapshots, old, { include }), {
        name: "RewriteError",
      });
    } else {
      const { id } = await rewriteSnapshot(snapshots, old, { include });
      strictEqual(id, idFromBytes(test.addDirectory(only).tree), `${seed}`);
    }
    const { damages } = await verify(snapshots, { data: true });
    deepStrictEqual(damages, []);
  }
});

Deno.test("a rewritten record has its own totals and time, and the rest of the old one, which stays", async () => {
  const test = new TestSnapshots();
  const value = latin("value");
  const extras = {
    xattrs: [{ name: latin("user.x"), value, size: value.length }],
  };
  const old = await test.save({
    keep: { directory: { f: { file: "12345", mode: 0o600, extras } } },
    drop: { directory: { g: { file: "123" } } },
  }, { ...MANY, message: "why", unreadable: { count: 1, first: ["x"] } });
  const snapshots = await test.open();
  await tagSnapshot(snapshots, "main", old);
  const { record, id } = await rewriteSnapshot(snapshots, old, {
    exclude: scope("drop"),
    program: "snap 2",
  });
  ok(record !== undefined);
  deepStrictEqual(record.totals, {
    ...NO_TOTALS,
    ...{ entryCount: 2, fileCount: 1, directoryCount: 1, byteCount: 5 },
    xattrCount: 1,
  });
  const { host, source, message, unreadable, program, time } = record;
  deepStrictEqual([host, source, message, unreadable, program, time], [
    old.host,
    old.source,
    "why",
    { count: 1, first: ["x"] },
    "snap 2",
    old.time.replace("000Z", "001Z"),
  ]);
  const records = await snapshots.records();
  deepStrictEqual(
    records.map((one) => one.record),
    [record.record, old.record],
  );
  strictEqual(id, record.tree);
  const view = await View.open(snapshots, record);
  const entry = (await view.lookup(latin("keep/f")))!;
  strictEqual(entry.attributes.mode, 0o600);
  deepStrictEqual((await view.extras(entry))?.xattrs.length, 1);
  deepStrictEqual(await view.read(entry), latin("12345"));
});

Deno.test("nothing is written where nothing is left out, nor in a dry run, which tells the id", async () => {
  const test = new TestSnapshots();
  const old = await test.save({ a: { file: "1" }, b: { file: "2" } }, MANY);
  const snapshots = await test.open();
  const { store } = snapshots;
  // A run that could have written says that it was there.
  const names = async () =>
    (await Array.fromAsync(store.list(""))).flat().map(({ name }) => name)
      .filter((name) => !name.startsWith("leases/")).sort();
  const before = await names();
  const same = await rewriteSnapshot(snapshots, old, { exclude: scope("z") });
  deepStrictEqual([same.id, same.record], [old.tree, undefined]);
  const exclude = scope("a");
  const dry = await rewriteSnapshot(snapshots, old, { exclude, dryRun: true });
  strictEqual(dry.record, undefined);
  deepStrictEqual(await names(), before);
  const done = await rewriteSnapshot(snapshots, old, { exclude });
  strictEqual(done.id, dry.id);
});

Deno.test("rewriting reads no content, and writes no data pack", async () => {
  const test = new TestSnapshots();
  const old = await test.save({ a: { file: "1" }, b: { file: "2" } }, MANY);
  const snapshots = await test.open();
  const { store } = snapshots;
  const [dataPack] = test.packs;
  const read = store.read.bind(store);
  store.read = (name, options) => {
    ok(name !== dataPack, "content was read");
    return read(name, options);
  };
  const { record } = await rewriteSnapshot(snapshots, old, {
    exclude: scope("a"),
  });
  store.read = read;
  const view = await View.open(snapshots, record!);
  deepStrictEqual(
    await view.read((await view.lookup(latin("b")))!),
    latin("2"),
  );
});
