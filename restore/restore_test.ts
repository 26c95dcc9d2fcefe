import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { nodeCalls } from "@snap/disk";
import { displayPath } from "@snap/manifest/path";
import {
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
import { EntryNotFoundError } from "./errors.ts";
import type { RestoreProgress } from "./progress.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

for (const workers of [0, 2]) {
  Deno.test({
    name: `restore() brings every kind of entry back, with ${workers} workers`,
    ignore: !isRoot,
    async fn() {
      using folder = new TestFolder();
      const source = makeFullTree(folder, "source");
      // So much that workers are started.
      for (let i = 0; i < 40; i++) {
        folder.file(`source/many/${i}`, noise(250_000 + i, 100 + i));
      }
      const { snapshots, record } = await saveTree(source, folder.at("store"));
      await using _ = snapshots;
      const result = await restore(snapshots, record, folder.at("out"), {
        workers,
      });
      deepEqual(result.errors, []);
      const lines = describeTree(source);
      deepEqual(describeTree(folder.at("out")), lines);
      // The description sees what it has to.
      for (const seen of ['"holes"', '"xattrs"', "%FF", " =b/c/linked "]) {
        ok(lines.some((line) => line.includes(seen)), seen);
      }
      equal(result.fileCount, record.totals.fileCount);
      equal(result.byteCount, record.totals.byteCount);
      equal(result.entryCount, record.totals.entryCount);
      equal(result.unchangedCount, 0);
      equal(result.fidelity, "full");
    },
  });
}

Deno.test("restore() writes content of any size, packed in any way", async () => {
  for (const codec of ["none", "lz4", "zstd:1"]) {
    using folder = new TestFolder();
    const sizes = [1, 8191, 8192, 131_072, 131_073, 300_000, 5_000_001];
    for (const size of sizes) folder.file(`source/${size}`, noise(size, size));
    folder.file("source/text", "text ".repeat(300_000));
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
      { codec },
    );
    await using _ = snapshots;
    const { errors } = await restore(snapshots, record, folder.at("out"));
    deepEqual(errors, []);
    deepEqual(
      describeTree(folder.at("out")),
      describeTree(folder.at("source")),
    );
  }
});

Deno.test("restore() puts one directory of a snapshot into the target", async () => {
  using folder = new TestFolder();
  folder.file("source/a/b/one", "1");
  folder.file("source/a/b/c/two", "2");
  folder.file("source/a/three", "3");
  Deno.chmodSync(folder.at("source/a/b"), 0o705);
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const result = await restore(snapshots, record, folder.at("out"), {
    path: encode("a/b"),
  });
  deepEqual(result.errors, []);
  deepEqual(
    describeTree(folder.at("out")),
    describeTree(folder.at("source/a/b")),
  );
});

Deno.test("restore() puts one file of a snapshot under its name", async () => {
  using folder = new TestFolder();
  folder.file("source/a/file", "content");
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  folder.file("out/other", "stays");
  const options: RestoreOptions = { path: encode("a/file") };
  const result = await restore(snapshots, record, folder.at("out"), options);
  deepEqual(result.errors, []);
  equal(result.fileCount, 1);
  equal(
    Deno.readTextFileSync(folder.at("out/a/file".replace("a/", ""))),
    "content",
  );
  equal(Deno.readTextFileSync(folder.at("out/other")), "stays");
  await rejects(restore(snapshots, record, folder.at("out"), options), {
    name: "TargetNotEmptyError",
    message: /\/out: it already has file$/,
  });
  for (const path of ["a/none", "a/file/below", "../a"]) {
    await rejects(
      restore(snapshots, record, folder.at("new"), { path: encode(path) }),
      EntryNotFoundError,
    );
  }
});

Deno.test("restore() puts one entry where cp would: else the target is its name", async () => {
  using folder = new TestFolder();
  folder.file("source/a/file", "content");
  Deno.chmodSync(folder.at("source/a/file"), 0o604);
  Deno.symlinkSync("file", folder.at("source/a/link"));
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  Deno.mkdirSync(folder.at("out"));
  Deno.symlinkSync("out", folder.at("linked"));
  const put = async (path: string, target: string, more?: RestoreOptions) => {
    const options = { path: encode(path), ...more };
    const result = await restore(
      ...[snapshots, record, folder.at(target), options] as const,
    );
    deepEqual(result.errors, []);
  };
  await put("a/file", "linked");
  await put("a/file", "out/new");
  await put("a/link", "out/symbolic");
  for (const name of ["file", "new"]) {
    equal(Deno.readTextFileSync(folder.at(`out/${name}`)), "content");
    equal(Deno.statSync(folder.at(`out/${name}`)).mode! & 0o777, 0o604);
  }
  equal(Deno.readLinkSync(folder.at("out/symbolic")), "file");
  folder.file("out/new", "mine");
  await rejects(put("a/file", "out/new"), {
    message: /\/out: it already has new$/,
  });
  equal(Deno.readTextFileSync(folder.at("out/new")), "mine");
  await put("a/file", "out/new", { existing: true, dryRun: true });
  equal(Deno.readTextFileSync(folder.at("out/new")), "mine");
  await put("a/file", "out/new", { existing: true });
  equal(Deno.readTextFileSync(folder.at("out/new")), "content");
  for (const target of ["none/new", "none/", "out/new/"]) {
    await rejects(put("a/file", target), { name: "DiskError" }, target);
  }
  deepEqual(
    Array.from(Deno.readDirSync(folder.at("out")), ({ name }) => name).sort(),
    ["file", "new", "symbolic"],
  );
});

Deno.test("restore() refuses a target that is a file or not empty", async () => {
  using folder = new TestFolder();
  folder.file("source/file", "content");
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const file = folder.file("target", "a file");
  await rejects(restore(snapshots, record, file), { code: "ENOTDIR" });
  equal(Deno.readTextFileSync(file), "a file");
  folder.file("full/kept", "kept");
  await rejects(
    restore(snapshots, record, folder.at("full")),
    /Cannot restore into .*full: it already has 1 entry/,
  );
  deepEqual([...Deno.readDirSync(folder.at("full"))].length, 1);
});

Deno.test("restore() leaves the store as it is, wherever it lies", async () => {
  using folder = new TestFolder();
  const store = folder.at("source/deep/store");
  folder.file("source/a", "1");
  folder.file("none/a", "1");
  folder.file("directory/deep/store/config/1", "2");
  folder.file("file/deep/store", "3");
  const { snapshots, record } = await saveTree(folder.at("source"), store);
  await using _ = snapshots;
  const records: NamedRecord[] = [];
  for (const name of ["none", "directory", "file"]) {
    const saved = await saveTree(folder.at(name), store);
    await saved.snapshots[Symbol.asyncDispose]();
    records.push(saved.record);
  }
  const before = marksOf(store);
  const options: RestoreOptions = { existing: true, delete: true };
  folder.file("source/deep/extra", "4");
  for (const dryRun of [true, false]) {
    const deleted: string[] = [];
    const { errors } = await restore(snapshots, record, folder.at("source"), {
      ...options,
      dryRun,
      onChange: ({ kind, path }) => {
        if (kind === "deleted") deleted.push(displayPath(path));
      },
    });
    deepEqual(errors, []);
    deepEqual(deleted, ["deep/extra"]);
  }
  const messages: string[] = [];
  for (const one of records) {
    const { errors } = await restore(
      snapshots,
      one,
      folder.at("source"),
      options,
    );
    messages.push(...errors.map((error) => error.message));
  }
  deepEqual(messages, [
    "Cannot remove deep/store: it is the store (ESTORE)",
    "Cannot open directory deep/store: it is the store (ESTORE)",
    "Cannot create deep/store: it exists (EEXIST)",
  ]);
  for (const into of [store, `${store}/packs`]) {
    await rejects(restore(snapshots, record, into, options), RangeError);
  }
  deepEqual(marksOf(store), before);
});

Deno.test("restore() gives two records of one tree their own times", async () => {
  using folder = new TestFolder();
  const file = folder.file("source/file", "content");
  const store = folder.at("store");
  Deno.utimeSync(file, 1000, 1000);
  const before = await saveTree(folder.at("source"), store);
  await using _ = before.snapshots;
  Deno.utimeSync(file, 2000, 2000);
  Deno.chmodSync(file, 0o640);
  const after = await saveTree(folder.at("source"), store);
  await using __ = after.snapshots;
  equal(before.record.tree, after.record.tree);
  await restore(after.snapshots, before.record, folder.at("before"));
  await restore(after.snapshots, after.record, folder.at("after"));
  const first = Deno.statSync(folder.at("before/file"));
  const second = Deno.statSync(folder.at("after/file"));
  deepEqual([first.mtime!.getTime(), first.mode! & 0o777], [1e6, 0o644]);
  deepEqual([second.mtime!.getTime(), second.mode! & 0o777], [2e6, 0o640]);
});

Deno.test({
  name: isRoot
    ? "restore() counts what gives rights, once, and only what it touched"
    : "skipped, not root: restore() counts what gives rights",
  ignore: !isRoot,
  async fn() {
    using folder = new TestFolder();
    for (const name of ["a", "b", "c"]) {
      Deno.chmodSync(folder.file(`source/${name}`, name), 0o4755);
    }
    Deno.linkSync(folder.at("source/a"), folder.at("source/again"));
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
    );
    await using _ = snapshots;
    const countOf = async (options: RestoreOptions) => {
      const out = folder.at("out");
      const { privilegedCount } = await restore(snapshots, record, out, {
        existing: true,
        ...options,
      });
      return privilegedCount;
    };
    equal(await countOf({ dryRun: true }), 3);
    equal(await countOf({ workers: 1 }), 3);
    equal(await countOf({}), 0);
    Deno.chmodSync(folder.at("out/b"), 0o755);
    equal(await countOf({}), 1);
    equal(await countOf({ owner: false }), 0);
    equal(await countOf({}), 3);
  },
});

Deno.test("restore() leaves out owners and set-id bits, or xattrs, when told", async () => {
  using folder = new TestFolder();
  const file = folder.file("source/file", "content");
  Deno.chmodSync(file, 0o4755);
  if (isRoot) Deno.chownSync(file, 77, 88);
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const result = await restore(snapshots, record, folder.at("out"), {
    owner: false,
    xattrs: false,
  });
  deepEqual(result.errors, []);
  const { mode, uid } = Deno.statSync(folder.at("out/file"));
  equal(mode! & 0o7777, 0o755);
  equal(uid, Deno.uid());
});

Deno.test("restore() does what is left without native calls", async () => {
  using folder = new TestFolder();
  folder.file("source/a/small", "small");
  folder.file("source/a/large", noise(700_000, 2));
  folder.file("source/empty", "");
  Deno.symlinkSync("a/small", folder.at("source/link"));
  Deno.linkSync(folder.at("source/a/small"), folder.at("source/linked"));
  Deno.utimeSync(folder.at("source/a/small"), 1234.567, 1234.567);
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const calls = nodeCalls();
  const result = await restore(snapshots, record, folder.at("out"), { calls });
  deepEqual(result.errors.map(({ message }) => message), []);
  equal(result.fidelity, "reduced");
  const options = { times: "ms" } as const;
  deepEqual(
    describeTree(folder.at("out"), options),
    describeTree(folder.at("source"), options),
  );
  const again = await restore(snapshots, record, folder.at("out"), {
    calls,
    existing: true,
  });
  deepEqual(again.errors, []);
  equal(again.writtenFileCount, 0);
});

Deno.test("restore() tells its progress, and all of it at the end", async () => {
  using folder = new TestFolder();
  for (let i = 0; i < 20; i++) folder.file(`source/${i}`, noise(90_000, i + 1));
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const seen: RestoreProgress[] = [];
  await restore(snapshots, record, folder.at("out"), {
    onProgress: (progress) => seen.push({ ...progress }),
  });
  deepEqual(seen.at(-1), {
    fileCount: 20,
    byteCount: 1_800_000,
    writtenByteCount: 1_800_000,
    foundEntryCount: 20,
    foundFileCount: 20,
    foundByteCount: 1_800_000,
    isWalked: true,
  });
});

for (const workers of [0, 2]) {
  Deno.test(`restore() that is aborted leaves nothing half written, with ${workers} workers`, async () => {
    using folder = new TestFolder();
    for (let i = 0; i < 12; i++) {
      folder.file(`source/${i}`, noise(6_000_000, i + 1));
    }
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
    );
    await using _ = snapshots;
    const stop = new AbortController();
    const restoring = restore(snapshots, record, folder.at("out"), {
      workers,
      signal: stop.signal,
    });
    const watch = setInterval(() => {
      try {
        if ([...Deno.readDirSync(folder.at("out"))].length > 1) {
          stop.abort(new Error("enough"));
        }
      } catch {
        // Not there yet.
      }
    }, 1);
    try {
      await rejects(restoring, /enough/);
    } finally {
      clearInterval(watch);
    }
    const names = [...Deno.readDirSync(folder.at("out"))].map(({ name }) =>
      name
    );
    ok(names.length < 12);
    for (const name of names) {
      ok(/^\d+$/.test(name), name);
      equal(Deno.statSync(folder.at(`out/${name}`)).size, 6_000_000);
    }
  });
}

Deno.test({
  name: "restore() to a full disk fails and leaves nothing half written",
  ignore: !isRoot,
  async fn(test) {
    using folder = new TestFolder();
    for (let i = 0; i < 8; i++) {
      folder.file(`source/${i}`, noise(400_000, i + 1));
    }
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
    );
    await using _ = snapshots;
    const small = folder.at("small");
    Deno.mkdirSync(small);
    const mounted = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=1m", "none", small],
      stderr: "null",
    }).outputSync().success;
    await test.step({
      name: mounted ? "on a tmpfs of 1 MiB" : "skipped: cannot mount a tmpfs",
      ignore: !mounted,
      async fn() {
        for (const workers of [0, 1]) {
          const target = `${small}/out${workers}`;
          await rejects(
            restore(snapshots, record, target, { workers }),
            { code: "ENOSPC" },
          );
          for (const { name } of Deno.readDirSync(target)) {
            equal(
              Deno.statSync(`${target}/${name}`).size,
              400_000,
              displayPath(encode(name)),
            );
          }
          Deno.removeSync(target, { recursive: true });
        }
      },
    });
    if (mounted) {
      new Deno.Command("umount", { args: ["-l", small] }).outputSync();
    }
  },
});
