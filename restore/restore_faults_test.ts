import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type DiskCalls, diskCalls } from "@snap/disk";
import { displayPath } from "@snap/manifest/path";
import { posix } from "@snap/posix";
import { errnos, O_CREAT } from "@snap/posix/constants";
import { hooked, textOf } from "../tests/_test_calls.ts";
import {
  NO_TOTALS,
  type TestEntry,
  TestSnapshots,
} from "../tests/_test_snapshots.ts";
import {
  bytesOf,
  describeTree,
  isRoot,
  noise,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import { restore, type RestoreResult } from "./restore.ts";

const real = diskCalls();

function messagesOf({ errors }: RestoreResult): string[] {
  return errors.map(({ action, path, code }) =>
    `${action} ${displayPath(path)} ${code}`
  ).sort();
}

/** One entry of each kind, with all that can be set on it. */
function makeTree(folder: TestFolder): string {
  folder.file("source/a/small", "small");
  folder.file("source/a/large", noise(300_000, 2));
  folder.file("source/a/sparse", "start");
  Deno.truncateSync(folder.at("source/a/sparse"), 300_000);
  Deno.mkdirSync(folder.at("source/b"));
  Deno.symlinkSync("a/small", folder.at("source/b/link"));
  Deno.linkSync(folder.at("source/a/small"), folder.at("source/b/second"));
  const pipe = folder.at("source/b/pipe");
  new Deno.Command("mkfifo", { args: ["-m", "640", pipe] }).outputSync();
  for (const name of ["a", "a/small", "a/large"]) {
    const path = folder.at(`source/${name}`);
    posix!.lsetxattr(bytesOf(path), bytesOf("user.of"), bytesOf(name));
    Deno.chownSync(path, 77, 88);
  }
  posix!.lsetxattr(
    bytesOf(folder.at("source/b/link")),
    bytesOf("trusted.of"),
    bytesOf("link"),
  );
  return folder.at("source");
}

/** Something else under each name. */
function makeOther(folder: TestFolder): void {
  folder.file("out/a/small", "SMALL");
  Deno.mkdirSync(folder.at("out/a/large"));
  folder.file("out/a/sparse", noise(300_000, 3));
  folder.file("out/b/link", "no link");
  folder.file("out/b/second", "second");
  Deno.symlinkSync("nowhere", folder.at("out/b/pipe"));
}

/** Calls by what they do to a target; opening its root is not among them. */
const CALLS = [
  "openAt",
  "openAt2",
  "close",
  "pread",
  "pwrite",
  "ftruncate",
  "statAt",
  "stat",
  "directoryEntries",
  "readlinkAt",
  "mkdirAt",
  "mknodAt",
  "symlinkAt",
  "linkAt",
  "unlinkAt",
  "renameAt",
] as const;
const ATTRIBUTE_CALLS = [
  "fchmod",
  "fchmodAt",
  "fchown",
  "fchownAt",
  "utimensAt",
  "futimens",
  "flistxattr",
  "llistxattr",
  "fsetxattr",
  "lsetxattr",
] as const;

/** Calls of which one fails once. */
function failing(
  name: keyof DiskCalls,
  number: number,
  code: string,
): { readonly calls: DiskCalls; readonly hasFailed: () => boolean } {
  let count = 0;
  const act = real[name] as (...args: unknown[]) => number;
  const hook = (...args: unknown[]): number => {
    const isTurn = count++ === number;
    // A descriptor is closed, whatever close(2) says.
    if (!isTurn || name === "close") {
      const result = act.apply(real, args);
      return isTurn ? -errnos[code] : result;
    }
    return -errnos[code];
  };
  return { calls: hooked({ [name]: hook }), hasFailed: () => count > number };
}

/** All but what was told is as it should be. */
function checkRest(
  path: string,
  expected: string[],
  { errors }: RestoreResult,
): void {
  const told = errors.map(({ path }) => displayPath(path));
  const found = describeTree(path);
  if (told.length === 0) return deepEqual(found, expected);
  // What a file misses all its names miss.
  if (told.includes("a/small")) told.push("b/second");
  if (told.includes("")) told.push(".");
  const rest = new Set(without(found, told));
  const missing = without(expected, told).filter((line) => !rest.has(line));
  equal(missing.join("\n"), "", `${told}`);
}

/** Lines of a tree but for some paths and what is below, and for how files are linked. */
function without(lines: string[], paths: string[]): string[] {
  return lines.map((line) => line.split(" ")).filter(([path]) =>
    !paths.some((one) => path === one || path.startsWith(`${one}/`))
  ).map((words) => words.filter((_, i) => i !== 5 && i !== 8).join(" "));
}

for (
  const [names, code] of [
    [CALLS, "EIO"],
    [["openAt", "openAt2"], "EMFILE"],
    [ATTRIBUTE_CALLS, "ENOSPC"],
  ] as const
) {
  for (const place of ["a new target", "a target of other things"]) {
    Deno.test({
      name:
        `restore() into ${place} survives each call that fails with ${code}, and heals`,
      ignore: !isRoot,
      async fn() {
        using folder = new TestFolder();
        const source = makeTree(folder);
        const expected = describeTree(source);
        const { snapshots, record } = await saveTree(
          source,
          folder.at("store"),
        );
        await using _ = snapshots;
        const run = (calls: DiskCalls): Promise<RestoreResult> =>
          restore(snapshots, record, folder.at("out"), {
            existing: true,
            calls,
          });
        for (const name of names) {
          for (let number = 0;; number++) {
            if (place !== "a new target") makeOther(folder);
            else Deno.mkdirSync(folder.at("out"));
            const { calls, hasFailed } = failing(name, number, code);
            const where = `${name} ${number}`;
            const result = await run(calls).catch((error) => {
              // The root of the target alone ends it.
              const roots = ["", folder.at("out")];
              ok(roots.includes(displayPath(error.path)), `${where}: ${error}`);
            });
            if (result) checkRest(folder.at("out"), expected, result);
            deepEqual(messagesOf(await run(real)), [], where);
            deepEqual(describeTree(folder.at("out")), expected, where);
            Deno.removeSync(folder.at("out"), { recursive: true });
            if (!hasFailed()) break;
          }
        }
      },
    });
  }
}

Deno.test({
  name:
    "an attribute that an entry has no room for is told, and all else restored",
  ignore: !isRoot,
  async fn() {
    using folder = new TestFolder();
    const source = makeTree(folder);
    const { snapshots, record } = await saveTree(source, folder.at("store"));
    await using _ = snapshots;
    for (const code of ["ENOSPC", "EDQUOT", "E2BIG"]) {
      const calls = hooked({
        fsetxattr: () => -errnos[code],
        lsetxattr: () => -errnos[code],
      });
      const result = await restore(snapshots, record, folder.at("out"), {
        calls,
      });
      deepEqual(messagesOf(result), [
        `set attribute trusted.of of b/link ${code}`,
        `set attribute user.of of a ${code}`,
        `set attribute user.of of a/large ${code}`,
        `set attribute user.of of a/small ${code}`,
      ]);
      const plain = (lines: string[]) =>
        lines.map((line) => line.replace(/"xattrs":\[.*?\]/, ""));
      equal(
        plain(describeTree(folder.at("out"))).length,
        plain(describeTree(source)).length,
      );
      equal(Deno.readTextFileSync(folder.at("out/b/second")), "small");
      Deno.removeSync(folder.at("out"), { recursive: true });
    }
  },
});

for (const code of ["ENOSPC", "EDQUOT", "EROFS"]) {
  Deno.test(`a batch does not go on after ${code}`, async () => {
    using folder = new TestFolder();
    for (let i = 0; i < 9; i++) folder.file(`source/${i}`, `content ${i}`);
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
    );
    await using _ = snapshots;
    for (const call of ["pwrite", "openAt"] as const) {
      let count = 0;
      const calls = hooked({
        openAt(directory, name, flags, mode) {
          if ((flags & O_CREAT) !== 0 && ++count >= 3 && call === "openAt") {
            return -errnos[code];
          }
          return real.openAt(directory, name, flags, mode);
        },
        pwrite: (fd, bytes, offset) =>
          count === 3 ? -errnos[code] : real.pwrite(fd, bytes, offset),
      });
      const target = folder.at(`out-${call}`);
      await rejects(restore(snapshots, record, target, { calls }), { code });
      equal(count, 3);
      const names = [...Deno.readDirSync(target)].map(({ name }) => name);
      equal(names.length, 2);
      for (const name of names) {
        equal(Deno.readTextFileSync(`${target}/${name}`), `content ${name}`);
      }
    }
  });
}

Deno.test("an attribute that cannot be set as all is read-only ends the restore", async () => {
  using folder = new TestFolder();
  folder.file("source/a", "a");
  folder.file("source/b", "b");
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  let count = 0;
  const calls = hooked({
    futimens: () => {
      count++;
      return -errnos.EROFS;
    },
  });
  const restoring = restore(snapshots, record, folder.at("out"), { calls });
  await rejects(restoring, { code: "EROFS" });
  equal(count, 1);
});

Deno.test("so many links wait for the files, and no more", async () => {
  for (const [count, isEarly] of [[16_383, false], [16_384, true]] as const) {
    using folder = new TestFolder();
    const store = new TestSnapshots();
    const tree: Record<string, TestEntry> = { zz: { file: "content" } };
    for (let i = 0; i < count; i++) {
      tree[`l${String(i).padStart(6, "0")}`] = { link: "zz" };
    }
    const record = await store.save(tree, {
      totals: { ...NO_TOTALS, entryCount: count + 1 },
    });
    await using snapshots = await store.open();
    const changes: string[] = [];
    const { errors } = await restore(snapshots, record, folder.at("out"), {
      // What is told comes in the same order, and so many are slow to be made.
      dryRun: true,
      onChange: ({ path }) => changes.push(displayPath(path)),
    });
    deepEqual(errors, []);
    equal(changes.length, count + 1);
    equal(changes.indexOf("zz"), isEarly ? count : 0);
  }
});

Deno.test({
  name:
    "a read-only file of an ordinary user is replaced where its extended attributes differ",
  ignore: posix === undefined,
  async fn() {
    using folder = new TestFolder();
    for (const name of ["a", "b", "c"]) {
      const path = bytesOf(folder.file(`source/${name}`, name));
      posix!.lsetxattr(path, bytesOf("user.of"), bytesOf(name));
      Deno.chmodSync(folder.at(`source/${name}`), 0o444);
    }
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
    );
    await using _ = snapshots;
    const run = (calls: DiskCalls) =>
      restore(snapshots, record, folder.at("out"), { existing: true, calls });
    const inodes = () =>
      ["a", "b", "c"].map((name) =>
        Deno.statSync(folder.at(`out/${name}`)).ino
      );
    const user = hooked({ geteuid: () => 1234 });
    await run(user);
    for (const [calls, isReplaced] of [[user, true], [real, false]] as const) {
      if (real.geteuid() !== 0 && !isReplaced) continue;
      const path = bytesOf(folder.at("out/a"));
      posix!.lsetxattr(path, bytesOf("user.of"), bytesOf("other"));
      Deno.utimeSync(folder.at("out/b"), 5, 5);
      const before = inodes();
      deepEqual(messagesOf(await run(calls)), []);
      const after = inodes();
      equal(before[0] !== after[0], isReplaced);
      deepEqual(before.slice(1), after.slice(1));
      const expected = describeTree(folder.at("source"));
      deepEqual(describeTree(folder.at("out")), expected);
    }
  },
});

Deno.test("an entry of which nothing can be told costs none of its neighbours", async () => {
  using folder = new TestFolder();
  for (const name of ["a", "b", "c"]) folder.file(`source/d/${name}`, name);
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  folder.file("out/d/b", "old");
  folder.file("out/d/extra", "extra");
  const calls = hooked({
    statAt(...args) {
      const isGone = ["b", "extra"].includes(textOf(args[1]));
      return isGone ? -errnos.ENOTCONN : real.statAt(...args);
    },
  });
  const result = await restore(snapshots, record, folder.at("out"), {
    existing: true,
    delete: true,
    calls,
  });
  deepEqual(messagesOf(result), ["stat d/extra ENOTCONN"]);
  for (const name of ["a", "b", "c"]) {
    equal(Deno.readTextFileSync(folder.at(`out/d/${name}`)), name);
  }
  ok(Deno.statSync(folder.at("out/d/extra")).isFile);
});
