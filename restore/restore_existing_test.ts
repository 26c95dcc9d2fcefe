import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { displayPath } from "@snap/manifest/path";
import { posix } from "@snap/posix";
import {
  bytesOf,
  describeTree,
  isRoot,
  makeFullTree,
  marksOf,
  noise,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import type { NamedRecord } from "@snap/snapshot/records";
import { restore, type RestoreOptions } from "./restore.ts";
import type { Snapshots } from "@snap/snapshot";

interface Saved extends AsyncDisposable {
  readonly snapshots: Snapshots;
  readonly record: NamedRecord;
  readonly folder: TestFolder;
}

/** A small tree, saved, and restored once into `out`. */
async function restored(): Promise<Saved> {
  const folder = new TestFolder();
  folder.file("source/a/one", "one");
  folder.file("source/a/two", noise(200_000, 2));
  folder.file("source/b/c/large", noise(400_000, 3));
  folder.file("source/empty", "");
  Deno.symlinkSync("a/one", folder.at("source/link"));
  Deno.linkSync(folder.at("source/a/one"), folder.at("source/b/linked"));
  for (
    const path of ["a/one", "a/two", "b/c/large", "empty", "a", "b", "b/c"]
  ) {
    Deno.utimeSync(folder.at(`source/${path}`), 1000, 1000);
  }
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  const { errors } = await restore(snapshots, record, folder.at("out"));
  deepEqual(errors, []);
  return {
    folder,
    snapshots,
    record,
    async [Symbol.asyncDispose]() {
      await snapshots[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Restores into `out` again; gives the changes in order. */
async function again(
  { folder, snapshots, record }: Saved,
  options: RestoreOptions = {},
): Promise<string[]> {
  const changes: string[] = [];
  const { errors } = await restore(snapshots, record, folder.at("out"), {
    existing: true,
    onChange: ({ kind, path }) => changes.push(`${kind} ${displayPath(path)}`),
    ...options,
  });
  deepEqual(errors.map(({ message }) => message), []);
  return changes.sort();
}

Deno.test("restore() over the same tree touches nothing", async () => {
  await using saved = await restored();
  const marks = marksOf(saved.folder.at("out"));
  deepEqual(await again(saved), []);
  deepEqual(await again(saved, { delete: true, workers: 1 }), []);
  deepEqual(marksOf(saved.folder.at("out")), marks);
});

Deno.test({
  name: "restore() over every kind of entry touches nothing",
  ignore: !isRoot,
  async fn() {
    using folder = new TestFolder();
    const source = makeFullTree(folder, "source");
    const { snapshots, record } = await saveTree(source, folder.at("store"));
    await using _ = snapshots;
    await restore(snapshots, record, folder.at("out"));
    const marks = marksOf(folder.at("out"));
    const result = await restore(snapshots, record, folder.at("out"), {
      existing: true,
      delete: true,
    });
    deepEqual(result.errors, []);
    equal(result.writtenFileCount, 0);
    deepEqual(describeTree(folder.at("out")), describeTree(source));
    deepEqual(marksOf(folder.at("out")), marks);
  },
});

Deno.test("restore() rewrites what differs, by size or by content", async () => {
  await using saved = await restored();
  const { folder } = saved;
  folder.file("out/a/one", "ONE");
  folder.file("out/a/two", "shorter");
  folder.file("out/b/c/large", noise(400_000, 9));
  folder.file("out/empty", "not any more");
  Deno.utimeSync(folder.at("out/a/one"), 1000, 1000);
  const { ino } = Deno.statSync(folder.at("out/a/one"));
  deepEqual(await again(saved, { workers: 1 }), [
    "replaced a/one",
    "replaced a/two",
    "replaced b/c/large",
    "replaced b/linked",
    "replaced empty",
  ]);
  equal(Deno.statSync(folder.at("out/a/one")).ino === ino, false);
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test("restore() sets attributes that differ, and leaves the file", async () => {
  await using saved = await restored();
  const { folder } = saved;
  Deno.chmodSync(folder.at("out/a/two"), 0o600);
  Deno.utimeSync(folder.at("out/empty"), 5, 5);
  Deno.chmodSync(folder.at("out/b/c"), 0o700);
  const { ino } = Deno.statSync(folder.at("out/a/two"));
  deepEqual(await again(saved), ["attributes a/two", "attributes empty"]);
  equal(Deno.statSync(folder.at("out/a/two")).ino, ino);
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test({
  name:
    "restore() sets and removes extended attributes of a file that stands there",
  ignore: posix === undefined,
  async fn() {
    await using saved = await restored();
    const path = bytesOf(saved.folder.at("out/a/two"));
    const result = posix!.lsetxattr(path, bytesOf("user.extra"), bytesOf("x"));
    equal(result, 0);
    deepEqual(await again(saved), ["attributes a/two"]);
    equal(posix!.llistxattr(path, new Uint8Array(100)), 0);
  },
});

Deno.test("restore() leaves the attributes of a file alone that has a name elsewhere", async () => {
  await using saved = await restored();
  const { folder } = saved;
  Deno.linkSync(folder.at("out/a/two"), folder.at("elsewhere"));
  Deno.chmodSync(folder.at("elsewhere"), 0o600);
  deepEqual(await again(saved), ["replaced a/two"]);
  equal(Deno.statSync(folder.at("elsewhere")).mode! & 0o777, 0o600);
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test("restore() keeps what the snapshot does not have, or deletes it when told", async () => {
  await using saved = await restored();
  const { folder } = saved;
  folder.file("out/a/zz/deep/extra", "extra");
  folder.file("out/0-first", "extra");
  Deno.symlinkSync(folder.at("source"), folder.at("out/b/z-link"));
  deepEqual(await again(saved), []);
  equal(Deno.readTextFileSync(folder.at("out/a/zz/deep/extra")), "extra");
  deepEqual(await again(saved, { delete: true }), [
    "deleted 0-first",
    "deleted a/zz",
    "deleted b/z-link",
  ]);
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test("restore() replaces a file where a directory belongs, and the other way", async () => {
  await using saved = await restored();
  const { folder } = saved;
  Deno.removeSync(folder.at("out/b"), { recursive: true });
  folder.file("out/b", "a file");
  Deno.removeSync(folder.at("out/empty"));
  Deno.mkdirSync(folder.at("out/empty"));
  Deno.removeSync(folder.at("out/link"));
  folder.file("out/link", "a file");
  deepEqual(await again(saved), [
    "added b/c",
    "added b/c/large",
    "added b/linked",
    "replaced b",
    "replaced empty",
    "replaced link",
  ]);
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test("restore() replaces a full directory by a file only where it may delete", async () => {
  await using saved = await restored();
  const { folder, snapshots, record } = saved;
  for (const name of ["empty", "link"]) {
    Deno.removeSync(folder.at(`out/${name}`));
    folder.file(`out/${name}/precious`, "precious");
  }
  const options: RestoreOptions = { existing: true };
  const { errors } = await restore(
    snapshots,
    record,
    folder.at("out"),
    options,
  );
  deepEqual(errors.map(({ code, path }) => [code, displayPath(path)]), [
    ["ENOTEMPTY", "empty"],
    ["ENOTEMPTY", "link"],
  ]);
  match(errors[0].message, /^Cannot replace directory empty: /);
  equal(Deno.readTextFileSync(folder.at("out/empty/precious")), "precious");
  await again(saved, { delete: true });
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test("restore() replaces planted links and does not follow them, at any depth", async () => {
  for (
    const part of [
      "a",
      "b",
      "b/c",
      "a/one",
      "a/two",
      "b/c/large",
      "b/linked",
      "empty",
      "link",
    ]
  ) {
    await using saved = await restored();
    const { folder } = saved;
    folder.file("canary/one", "canary");
    folder.file("canary/c/large", "canary");
    const isDirectory = ["a", "b", "b/c"].includes(part);
    Deno.removeSync(folder.at(`out/${part}`), { recursive: true });
    const planted = folder.at(isDirectory ? "canary" : "canary/one");
    Deno.symlinkSync(planted, folder.at(`out/${part}`));
    const before = describeTree(folder.at("canary"));
    await again(saved, { delete: true });
    deepEqual(describeTree(folder.at("canary")), before, part);
    deepEqual(
      describeTree(folder.at("out")),
      describeTree(folder.at("source")),
      part,
    );
  }
});

Deno.test("restore() makes hard links again that were broken", async () => {
  await using saved = await restored();
  const { folder } = saved;
  Deno.removeSync(folder.at("out/b/linked"));
  folder.file("out/b/linked", "one");
  deepEqual(
    await again(saved),
    ["replaced a/one", "replaced b/linked"].slice(1),
  );
  deepEqual(describeTree(folder.at("out")), describeTree(folder.at("source")));
});

Deno.test("a dry run tells every change and writes nothing", async () => {
  await using saved = await restored();
  const { folder } = saved;
  folder.file("out/a/one", "ONE");
  folder.file("out/extra/file", "extra");
  Deno.chmodSync(folder.at("out/a/two"), 0o600);
  Deno.removeSync(folder.at("out/b"), { recursive: true });
  folder.file("out/b", "a file");
  Deno.removeSync(folder.at("out/link"));
  Deno.symlinkSync("elsewhere", folder.at("out/link"));
  Deno.chmodSync(folder.at("out/a"), 0o700);
  const marks = marksOf(folder.at("out"));
  const planned = await again(saved, { delete: true, dryRun: true });
  deepEqual(marksOf(folder.at("out")), marks);
  deepEqual(planned, [
    "added b/c",
    "added b/c/large",
    "added b/linked",
    "attributes ",
    "attributes a",
    "attributes a/two",
    "deleted extra",
    "replaced a/one",
    "replaced b",
    "replaced link",
  ]);
});

Deno.test("a dry run into a target that is absent does not make it", async () => {
  await using saved = await restored();
  const { folder, snapshots, record } = saved;
  const changes: string[] = [];
  const result = await restore(snapshots, record, folder.at("new"), {
    dryRun: true,
    onChange: ({ kind, path }) => changes.push(`${kind} ${displayPath(path)}`),
  });
  deepEqual(result.errors, []);
  equal(changes.length, record.totals.entryCount);
  equal(changes.every((change) => change.startsWith("added ")), true);
  await rejects(Deno.lstat(folder.at("new")), Deno.errors.NotFound);
});

Deno.test("restore lets the event loop turn while it removes entries", async () => {
  await using saved = await restored();
  const { folder, snapshots, record } = saved;
  for (let i = 0; i < 5000; i++) folder.file(`out/a/extra ${i}`, "");
  let rounds = 0, isOver = false;
  const count = (): void => {
    rounds++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const seen: number[] = [];
  const { deletedCount } = await restore(snapshots, record, folder.at("out"), {
    existing: true,
    delete: true,
    onChange: ({ kind }) => void (kind === "deleted" && seen.push(rounds)),
  });
  isOver = true;
  equal(deletedCount, 5000);
  ok(seen.at(-1)! > seen[0], "no round of the event loop in between");
});
