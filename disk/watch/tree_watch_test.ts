import { deepEqual, equal, ok } from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DiskError } from "@snap/disk";
import { openSource, type SourceDirectory } from "@snap/disk/source";
import { type Posix, posix } from "@snap/posix";
import { ENOSPC } from "@snap/posix/constants";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { type SilenceReason, TreeWatch } from "./tree_watch.ts";

const isRoot = Deno.uid() === 0;

/** Looks at what is not the same, as a save does. */
function walk(path: string, watch: TreeWatch): void {
  using source = openSource(path, {
    onDirectory: (path, fd, self) => watch.add(path, fd, self),
  });
  const enter = (directory: SourceDirectory): void => {
    for (let i = 0; i < directory.count; i++) {
      if (!directory.isDirectory(i)) continue;
      if (watch.isSame(directory.pathOf(i))) continue;
      const child = directory.child(i);
      if (!(child instanceof DiskError)) enter(child);
    }
    directory.close();
  };
  enter(source.root());
}

/** A first walk, after which all is known. */
function watched(path: string, options?: { calls: Posix }): TreeWatch {
  const watch = new TreeWatch(new TextEncoder().encode(path), options);
  watch.beginRound();
  walk(path, watch);
  return watch;
}

function isSame(watch: TreeWatch, path: string): boolean {
  return watch.isSame(new TextEncoder().encode(path));
}

/** All that a save looks at, of each directory with all below it. */
function describe(
  root: string,
  path = "",
  found = new Map<string, string>(),
): Map<string, string> {
  let text = "";
  for (const name of readdirSync(join(root, path)).sort()) {
    const below = path === "" ? name : `${path}/${name}`;
    const stats = lstatSync(join(root, below), { bigint: true });
    const { mode, size, ino, mtimeNs, ctimeNs } = stats;
    text += `${name} ${mode} ${ino} `;
    if (!stats.isDirectory()) text += `${size} ${mtimeNs} ${ctimeNs}\n`;
    else text += `(${describe(root, below, found).get(below)})\n`;
  }
  return found.set(path, text);
}

function directoriesOf(root: string): string[] {
  return [...describe(root).keys()];
}

function change(root: string, prng: Prng): void {
  const directories = directoriesOf(root);
  const directory = prng.pick(directories);
  const name = `n${prng.below(6)}`;
  const path = join(root, directory, name);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const isDirectory = stats?.isDirectory() === true;
  switch (prng.below(8)) {
    case 0:
    case 1:
    case 2:
      if (!isDirectory) writeFileSync(path, prng.bytes(prng.below(9)));
      return;
    case 3:
      return void (stats === undefined && mkdirSync(path));
    case 4:
      return rmSync(path, { recursive: true, force: true });
    case 5:
      if (stats?.isSymbolicLink() === false) {
        chmodSync(path, isDirectory ? 0o700 : 0o600);
      }
      return;
    case 6:
      return void (stats === undefined && symlinkSync("nowhere", path));
  }
  // A directory, or a file, goes elsewhere, also over an empty one.
  const target = join(root, prng.pick(directories), `n${prng.below(6)}`);
  try {
    renameSync(path, target);
  } catch {
    // Into itself, or over something else.
  }
}

seededTest("TreeWatch calls nothing the same that is not", (prng) => {
  using folder = new TemporaryFolder();
  const root = folder.path;
  for (let i = 0; i < 60; i++) change(root, prng);
  using watch = watched(root);
  for (let round = 0; round < 20; round++) {
    const before = describe(root);
    const count = prng.below(6);
    for (let i = 0; i < count; i++) {
      change(root, prng);
      if (prng.below(3) === 0) watch.read();
    }
    watch.hasNews();
    watch.beginRound();
    equal(watch.doubt, undefined);
    const after = describe(root);
    let same = 0;
    for (const [path, text] of after) {
      if (!isSame(watch, path)) continue;
      same++;
      equal(text, before.get(path), `${path} in round ${round}`);
    }
    if (count === 0) equal(same, after.size);
    walk(root, watch);
  }
}, { roundCount: 12 });

Deno.test("TreeWatch: of a change only what is above it is not the same", () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("a/b/c"), { recursive: true });
  mkdirSync(folder.join("a/d"));
  using watch = watched(folder.path);
  equal(watch.hasNews(), false);
  writeFileSync(folder.join("a/b/file"), "");
  equal(watch.hasNews(), true);
  watch.beginRound();
  const paths = ["", "a", "a/b", "a/b/c", "a/d", "other"];
  deepEqual(paths.map((path) => isSame(watch, path)), [
    false,
    false,
    false,
    true,
    true,
    false,
  ]);
  walk(folder.path, watch);
  equal(watch.hasNews(), false);
  watch.mark(new TextEncoder().encode("a/b/file"));
  equal(watch.hasNews(), false);
  watch.beginRound();
  equal(isSame(watch, "a/b"), false);
  equal(isSame(watch, "a/d"), true);
});

Deno.test("TreeWatch: what came into a new directory before its watch is seen by the walk", () => {
  using folder = new TemporaryFolder();
  using watch = watched(folder.path);
  mkdirSync(folder.join("new/deep"), { recursive: true });
  writeFileSync(folder.join("new/deep/file"), "");
  watch.hasNews();
  watch.beginRound();
  equal(isSame(watch, "new"), false);
  equal(isSame(watch, "new/deep"), false);
  walk(folder.path, watch);
  equal(isSame(watch, "new/deep"), false);
  watch.beginRound();
  equal(isSame(watch, ""), true);
  writeFileSync(folder.join("new/deep/file"), "more");
  watch.hasNews();
  watch.beginRound();
  equal(isSame(watch, "new/deep"), false);
});

Deno.test("TreeWatch: directories that change places are not the same, nor is what is in them", () => {
  using folder = new TemporaryFolder();
  for (const name of ["a/deep", "b/deep", "c"]) {
    mkdirSync(folder.join(name), { recursive: true });
  }
  using watch = watched(folder.path);
  renameSync(folder.join("a"), folder.join("c/a"));
  renameSync(folder.join("b"), folder.join("a"));
  renameSync(folder.join("c/a"), folder.join("b"));
  watch.hasNews();
  watch.beginRound();
  for (const path of ["a", "a/deep", "b", "b/deep", "c", "c/a"]) {
    equal(isSame(watch, path), false, path);
  }
  walk(folder.path, watch);
  watch.beginRound();
  writeFileSync(folder.join("b/deep/file"), "");
  watch.hasNews();
  watch.beginRound();
  equal(isSame(watch, "b/deep"), false);
  equal(isSame(watch, "a"), true);
});

Deno.test("TreeWatch: with other rules nothing below them is the same", () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("a/b/c"), { recursive: true });
  mkdirSync(folder.join("d"));
  const path = new TextEncoder().encode(folder.path);
  const ruleFile = new TextEncoder().encode(".rules");
  using watch = new TreeWatch(path, { ruleFile });
  watch.beginRound();
  walk(folder.path, watch);
  writeFileSync(folder.join("a/.rules"), "");
  watch.hasNews();
  watch.beginRound();
  deepEqual(["a/b", "a/b/c", "d"].map((path) => isSame(watch, path)), [
    false,
    false,
    true,
  ]);
});

Deno.test("TreeWatch: what is mapped is told of when it is mapped no more", () => {
  using folder = new TemporaryFolder();
  const path = folder.join("mapped");
  writeFileSync(path, "before");
  using watch = watched(folder.path);
  const script = `import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
memory = mmap.mmap(fd, 6)
os.close(fd)
memory[:] = b"behind"
memory.close()`;
  const python = new Deno.Command("python3", { args: ["-c", script, path] });
  ok(python.outputSync().success);
  equal(watch.hasNews(), true);
});

Deno.test("TreeWatch: what a link leads to is not watched, but the one that is the path", () => {
  using folder = new TemporaryFolder();
  using other = new TemporaryFolder();
  mkdirSync(folder.join("tree"));
  symlinkSync(other.path, folder.join("tree/out"));
  symlinkSync("tree", folder.join("path"));
  using watch = watched(folder.join("path"));
  writeFileSync(other.join("file"), "");
  equal(watch.hasNews(), false);
  writeFileSync(folder.join("tree/file"), "");
  equal(watch.hasNews(), true);
  rmSync(folder.join("path"));
  symlinkSync(other.path, folder.join("path"));
  watch.hasNews();
  equal(watch.doubt, "another directory has its name");
});

Deno.test("TreeWatch: a root that is moved, removed or replaced is in doubt", () => {
  for (const how of ["moved", "removed", "parent", "replaced"] as const) {
    using folder = new TemporaryFolder();
    const root = folder.join("a/root");
    mkdirSync(join(root, "b"), { recursive: true });
    using watch = watched(root);
    if (how === "moved") renameSync(root, folder.join("other"));
    else if (how === "removed") rmSync(root, { recursive: true });
    else {
      renameSync(folder.join("a"), folder.join("other"));
      if (how === "replaced") mkdirSync(root, { recursive: true });
    }
    equal(watch.hasNews(), true, how);
    ok(watch.doubt !== undefined, how);
    equal(isSame(watch, "b"), false, how);
  }
});

Deno.test("TreeWatch: more than the queue keeps is a doubt", () => {
  using folder = new TemporaryFolder();
  const root = folder.path;
  using watch = watched(root);
  const max = Number(
    Deno.readTextFileSync("/proc/sys/fs/inotify/max_queued_events"),
  );
  // Events that are alike are one, so two files take turns.
  const files = ["a", "b"].map((name) => Deno.createSync(join(root, name)));
  for (let i = 0; i <= max; i++) files[i % 2].writeSync(new Uint8Array(1));
  for (const file of files) file.close();
  equal(watch.hasNews(), true);
  equal(watch.doubt, "more has changed at once than the kernel keeps");
});

Deno.test("TreeWatch: where watches are used up, the rest is never the same", () => {
  using folder = new TemporaryFolder();
  for (const name of ["a", "b", "c"]) mkdirSync(folder.join(name));
  const said: [string, SilenceReason][] = [];
  let left = 2;
  const calls: Posix = {
    ...posix!,
    addWatch: (...parts) => left-- > 0 ? posix!.addWatch(...parts) : -ENOSPC,
  };
  const path = new TextEncoder().encode(folder.path);
  using watch = new TreeWatch(path, {
    calls,
    onSilence: (path, reason) =>
      said.push([new TextDecoder().decode(path), reason]),
  });
  watch.beginRound();
  walk(folder.path, watch);
  equal(watch.isSilent, true);
  watch.beginRound();
  deepEqual(["", "a", "b", "c"].map((path) => isSame(watch, path)), [
    false,
    true,
    false,
    false,
  ]);
  deepEqual(said, [["b", "watch-limit"]]);
});

Deno.test("TreeWatch: a file system that other machines change is never the same", () => {
  using folder = new TemporaryFolder();
  const said: SilenceReason[] = [];
  const calls: Posix = { ...posix!, fsType: () => 0x6969 };
  const path = new TextEncoder().encode(folder.path);
  using watch = new TreeWatch(path, {
    calls,
    onSilence: (_, reason) => said.push(reason),
  });
  watch.beginRound();
  walk(folder.path, watch);
  watch.beginRound();
  equal(isSame(watch, ""), false);
  deepEqual(said, ["file-system"]);
});

Deno.test({
  name:
    "TreeWatch: what is mounted or unmounted below is a doubt, elsewhere it is none",
  ignore: !isRoot,
  fn() {
    using folder = new TemporaryFolder();
    using other = new TemporaryFolder();
    const place = folder.join("with a blank");
    mkdirSync(join(place, "a"), { recursive: true });
    mkdirSync(join(place, "b"));
    using watch = watched(place);
    if (!mount("--bind", join(place, "b"), other.path)) {
      return console.log("skipped: nothing can be mounted here");
    }
    try {
      equal(watch.hasNews(), false);
    } finally {
      umount(other.path);
    }
    ok(mount("--bind", join(place, "b"), join(place, "a")));
    try {
      equal(watch.hasNews(), true);
      equal(watch.doubt, "something was mounted");
      using again = watched(place);
      equal(again.hasNews(), false);
      // Both are one directory, and have one watch.
      writeFileSync(join(place, "b/file"), "");
      again.hasNews();
      again.beginRound();
      equal(isSame(again, "a"), false);
      equal(isSame(again, "b"), false);
      umount(join(place, "a"));
      equal(again.hasNews(), true);
      ok(again.doubt !== undefined);
    } finally {
      new Deno.Command("umount", { args: [join(place, "a")], stderr: "null" })
        .outputSync();
    }
  },
});

function mount(...args: string[]): boolean {
  return new Deno.Command("mount", { args }).outputSync().success;
}

function umount(path: string): void {
  ok(new Deno.Command("umount", { args: [path] }).outputSync().success);
}
