import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { NamedRecord } from "@snap/snapshot/records";
import { save } from "@snap/save";
import { identify } from "@snap/save/identify";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { Prng, seedOfRun } from "../tests/_prng.ts";
import { makeMemorySnapshots, TemporaryFolder } from "../tests/_snapshots.ts";
import { Workspace } from "./workspace.ts";

/** Changes of the seeded test; by hand `SNAP_CHANGES=2000`. */
const CHANGE_COUNT = Number(Deno.env.get("SNAP_CHANGES") ?? 150);
const isRoot = Deno.uid() === 0;

function run(command: string, ...args: string[]): boolean {
  return new Deno.Command(command, { args, stderr: "null" }).outputSync()
    .success;
}

function directoriesIn(root: string, path = ""): string[] {
  const found = [path];
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    found.push(...directoriesIn(root, join(path, entry.name)));
  }
  return found;
}

/** Changes a tree at random. */
class Changer {
  readonly #root: string;
  readonly #prng: Prng;
  readonly #kinds: "all" | "files";
  readonly #mounts: string[] = [];
  readonly #queueMax = Number(
    Deno.readTextFileSync("/proc/sys/fs/inotify/max_queued_events"),
  );

  /**
   * Changes nothing yet.
   *
   * @param kinds `files` for neither mounts nor rules.
   */
  constructor(root: string, prng: Prng, kinds: "all" | "files" = "all") {
    this.#root = root;
    this.#prng = prng;
    this.#kinds = kinds;
  }

  /** Does something, and says what. */
  change(): string {
    const path = this.#path();
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const isDirectory = stats?.isDirectory() === true;
    const prng = this.#prng;
    const isAll = this.#kinds === "all";
    const kind = isAll ? prng.below(100) : 3 + prng.below(97);
    if (kind < 2 && isRoot) return this.#mount(isDirectory ? path : undefined);
    if (kind < 3) return this.#overflow();
    if (kind < 30) {
      if (!isDirectory) writeFileSync(path, prng.bytes(prng.below(2000)));
      return `write ${path}`;
    }
    if (kind < 40) return this.#disguise(path, stats?.isFile() === true);
    if (kind < 55) {
      if (stats !== undefined) return `nothing at ${path}`;
      mkdirSync(join(path, "n1"), { recursive: true });
      writeFileSync(join(path, "n1", "n2"), path);
      return `directories ${path}`;
    }
    if (kind < 65) {
      try {
        rmSync(path, { recursive: true, force: true });
      } catch {
        // Something is mounted there.
      }
      return `remove ${path}`;
    }
    if (kind < 70) {
      if (stats === undefined) symlinkSync("nowhere", path);
      return `link ${path}`;
    }
    if (kind < 75) {
      if (stats?.isSymbolicLink() === false) {
        chmodSync(path, isDirectory ? 0o700 : 0o755 - prng.below(2));
      }
      return `mode ${path}`;
    }
    if (kind < 80 && isAll) {
      const rules = prng.pick(["n1\n", "n2/\n", "!n3\n*3\n", ""]);
      if (isDirectory) writeFileSync(join(path, ".snapignore"), rules);
      return `rules ${path}`;
    }
    return this.#rename(path);
  }

  /** Unmounts what is mounted. */
  end(): void {
    for (const place of this.#mounts.splice(0).reverse()) {
      run("umount", "-l", place);
    }
  }

  #path(): string {
    const directory = this.#prng.pick(directoriesIn(this.#root));
    return join(this.#root, directory, `n${this.#prng.below(5)}`);
  }

  /** As many bytes, and the times put back. */
  #disguise(path: string, isFile: boolean): string {
    if (isFile) {
      const { size, atime, mtime } = lstatSync(path);
      writeFileSync(path, this.#prng.bytes(size));
      utimesSync(path, atime, mtime);
    }
    return `disguise ${path}`;
  }

  #rename(path: string): string {
    const target = this.#path();
    try {
      renameSync(path, target);
    } catch {
      // Into itself, or over something else.
    }
    return `rename ${path} to ${target}`;
  }

  #mount(place: string | undefined): string {
    const last = this.#mounts.pop();
    if (last !== undefined) {
      run("umount", "-l", last);
      return `unmount ${last}`;
    }
    if (place === undefined) return "no mount";
    const source = join(this.#root, "n0");
    const isBound = this.#prng.below(2) === 0 &&
      run("mount", "--bind", source, place);
    if (isBound || run("mount", "-t", "tmpfs", "none", place)) {
      this.#mounts.push(place);
      if (!isBound) writeFileSync(join(place, "n1"), "mounted");
    }
    return `mount ${place}`;
  }

  #overflow(): string {
    const files = ["n0", "n1"].map((name) =>
      Deno.openSync(join(this.#root, `${name}.log`), {
        write: true,
        create: true,
      })
    );
    for (let i = 0; i <= this.#queueMax; i++) {
      files[i % 2].writeSync(new Uint8Array(1));
    }
    for (const file of files) file.close();
    return "overflow";
  }
}

Deno.test("Workspace saves what a walk saves, whatever changes", async () => {
  const seed = seedOfRun();
  const prng = new Prng(seed);
  using folder = new TemporaryFolder();
  for (const name of ["n0/n1/n2", "n1/n3", "n4"]) {
    mkdirSync(folder.join(name), { recursive: true });
    writeFileSync(folder.join(name, "n0"), name);
  }
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  const changer = new Changer(folder.path, prng);
  const done: string[] = [];
  try {
    for (let i = 0; i < CHANGE_COUNT;) {
      for (let j = prng.below(4); j >= 0; j--, i++) done.push(changer.change());
      const { id, record, errors } = await workspace.save();
      const plain = await identify(folder.path, { hasher: wasmHasher });
      deepEqual(errors, []);
      const where = `SNAP_SEED=${seed}, ${i} changes: ${done.slice(-4)}`;
      equal(id, plain.id, where);
      equal(record.page, plain.page, where);
      deepEqual(record.totals, plain.totals, where);
    }
  } finally {
    changer.end();
  }
});

Deno.test("Workspace restores what it saved, whatever has changed since", async () => {
  const seed = seedOfRun();
  const prng = new Prng(seed);
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  const changer = new Changer(folder.path, prng, "files");
  const saved: NamedRecord[] = [];
  for (let i = 0; i < CHANGE_COUNT / 5; i++) {
    for (let j = prng.below(12); j >= 0; j--) changer.change();
    const { record } = await workspace.save();
    saved.push(record);
    for (let j = prng.below(4); j > 0; j--) changer.change();
    const wanted = prng.pick(saved);
    const { errors } = await workspace.restore(wanted);
    deepEqual(errors, []);
    const { id } = await identify(folder.path, { hasher: wasmHasher });
    equal(id, wanted.tree, `SNAP_SEED=${seed}, restore ${i}`);
  }
});

Deno.test("Workspace: a restore opens no directory that is as it should be", async () => {
  using folder = new TemporaryFolder();
  for (const name of ["a/b", "c/d"]) {
    mkdirSync(folder.join(name), { recursive: true });
    writeFileSync(folder.join(name, "file"), "first");
  }
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  const { record } = await workspace.save();
  writeFileSync(folder.join("a/b/file"), "second");
  const changed = await workspace.restore(record);
  deepEqual([changed.entryCount, changed.writtenFileCount], [4, 1]);
  await workspace.save();
  const again = await workspace.restore(record);
  deepEqual([again.entryCount, again.unchangedCount], [4, 1]);
  await using fresh = new Workspace(snapshots, folder.path);
  equal((await fresh.restore(record)).entryCount, 6);
});

Deno.test("Workspace opens what has changed and nothing else, until it walks again", async () => {
  using folder = new TemporaryFolder();
  using other = new TemporaryFolder();
  mkdirSync(folder.join("a/b"), { recursive: true });
  writeFileSync(folder.join("a/b/file"), "first");
  // Of what is written through a name outside nothing is told.
  linkSync(folder.join("a/b/file"), other.join("file"));
  let ms = 0;
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path, {
    clock: () => ms,
    walkAgainMs: 600_000,
  });
  const first = await workspace.save();
  appendFileSync(other.join("file"), "unseen");
  deepEqual(await workspace.save(), {
    ...first,
    isNewRecord: false,
    storedByteCount: 0,
    indexByteCount: 0,
    progress: {
      ...first.progress,
      readFileCount: 0,
      newByteCount: 0,
      newObjectCount: 0,
    },
  });
  writeFileSync(folder.join("new"), "");
  const second = await workspace.save();
  equal(second.isNewRecord, true);
  equal(second.progress.readFileCount, 1);
  ms = 600_000;
  const third = await workspace.save();
  equal(third.progress.readFileCount >= 1, true);
  equal(third.id, (await identify(folder.path, { hasher: wasmHasher })).id);
});

Deno.test("Workspace tells again of what cannot be read, and of sockets", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("a/b"), { recursive: true });
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(folder.join("a/b/socket"), () => done());
  });
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  equal((await workspace.save()).socketCount, 1);
  for (let i = 0; i < 3; i++) {
    equal((await workspace.save()).socketCount, 1);
    writeFileSync(folder.join("file"), `${i}`);
    equal((await workspace.save()).socketCount, 1);
  }
  await new Promise((done) => server.close(done));
  equal((await workspace.save()).socketCount, 0);
});

Deno.test("Workspace saves again what was forgotten, and what others have saved meanwhile", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("a"));
  writeFileSync(folder.join("a/file"), "first");
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  const first = await workspace.save();
  const { forget } = await import("@snap/maintenance/forget");
  await forget(snapshots, [first.record]);
  const again = await workspace.save();
  equal(again.isNewRecord, true);
  equal(again.id, first.id);
  writeFileSync(folder.join("a/file"), "second");
  const others = await save(snapshots, folder.path);
  rmSync(folder.join("a/file"));
  const last = await workspace.save();
  ok(last.id !== others.id);
  equal(last.id, (await identify(folder.path, { hasher: wasmHasher })).id);
});

Deno.test("Workspace: a directory that is moved away cannot be saved, and can when it is back", async () => {
  using folder = new TemporaryFolder();
  const root = folder.join("root");
  mkdirSync(join(root, "a"), { recursive: true });
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, root);
  const { id } = await workspace.save();
  renameSync(root, folder.join("away"));
  await rejects(workspace.save(), /Cannot open directory/);
  writeFileSync(folder.join("away/a/file"), "");
  renameSync(folder.join("away"), root);
  ok((await workspace.save()).id !== id);
});

Deno.test("Workspace restores over what has changed since, and keeps on watching", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("a/b"), { recursive: true });
  mkdirSync(folder.join("c"));
  writeFileSync(folder.join("a/b/file"), "first");
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  const first = await workspace.save();
  writeFileSync(folder.join("a/b/file"), "other");
  mkdirSync(folder.join("c/new"));
  const second = await workspace.save();
  writeFileSync(folder.join("a/unsaved"), "");
  const { errors } = await workspace.restore(first.record);
  deepEqual(errors, []);
  equal(readFileSync(folder.join("a/b/file"), "utf8"), "first");
  deepEqual(readdirSync(folder.join("c")), []);
  equal((await workspace.save()).id, first.id);
  await workspace.restore(second.record);
  equal((await workspace.save()).id, second.id);
});

Deno.test("Workspace: a restore removes nothing where that is asked for", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join(".snapignore"), "left-out\n");
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path);
  const { record } = await workspace.save();
  writeFileSync(folder.join("left-out"), "");
  await workspace.restore(record, { delete: false });
  deepEqual(readdirSync(folder.path).sort(), [".snapignore", "left-out"]);
  await workspace.restore(record);
  deepEqual(readdirSync(folder.path), [".snapignore"]);
});

Deno.test("Workspace settles when it is quiet, or has waited long enough", async () => {
  using folder = new TemporaryFolder();
  let ms = 0;
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, folder.path, {
    clock: () => ms,
  });
  await workspace.save();
  const options = { quietMs: 1, waitMaxMs: 1000 };
  const ended = AbortSignal.abort(new Error("ended"));
  await rejects(workspace.settle({ ...options, signal: ended }), /ended/);
  let isSettled = false;
  const settling = workspace.settle(options).then(() => isSettled = true);
  writeFileSync(folder.join("file"), "");
  ms = 1;
  while (!isSettled) {
    await new Promise((done) => setTimeout(done, 1));
    ms++;
  }
  await settling;
  equal((await workspace.save()).isNewRecord, true);
  const busy = workspace.settle({ quietMs: 1_000_000, waitMaxMs: 10 });
  const from = ms;
  let isOver = false;
  void busy.then(() => isOver = true);
  while (!isOver) {
    appendFileSync(folder.join("file"), "more");
    await new Promise((done) => setTimeout(done, 1));
    ms++;
  }
  ok(ms - from >= 10);
});
