// Snapshots that nobody saved: whatever they say, nothing outside of the target is touched.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { encodeExtras, encodeHoles, EntryKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { CodecTag, zstdCodec } from "@snap/pack/codecs";
import { posix } from "@snap/posix";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { restore, type RestoreOptions } from "@snap/restore";
import { type FileStore, openFileStore } from "@snap/store/file";
import { MemoryStore } from "@snap/store/memory";
import {
  type HostileDirectory,
  HostileStore,
  latin,
} from "./_hostile_store.ts";

const isRoot = posix?.geteuid() === 0;

/** A folder with a canary beside the target. */
class Cage implements Disposable {
  readonly path: string = fs.mkdtempSync(`${tmpdir()}/snap-hostile-`);
  readonly target: string = `${this.path}/target`;
  readonly #before: string;

  constructor() {
    fs.mkdirSync(`${this.path}/canary/inner`, { recursive: true });
    fs.writeFileSync(`${this.path}/canary/file`, "alive");
    fs.writeFileSync(`${this.path}/canary/inner/file`, "alive");
    fs.utimesSync(`${this.path}/canary/file`, 1, 1);
    this.#before = this.#canary();
  }

  #canary(): string {
    const lines: unknown[] = fs.readdirSync(this.path)
      .filter((name) => !["target", "store"].includes(name));
    for (const name of ["", "/file", "/inner", "/inner/file"]) {
      const path = `${this.path}/canary${name}`;
      const { mode, mtimeMs, ctimeMs, ino, nlink, size, uid } = fs.lstatSync(
        path,
      );
      lines.push([name, mode, mtimeMs, ctimeMs, ino, nlink, size, uid]);
    }
    lines.push(fs.readdirSync(`${this.path}/canary`, { recursive: true }));
    for (const name of ["file", "inner/file"]) {
      lines.push(fs.readFileSync(`${this.path}/canary/${name}`, "utf8"));
    }
    return JSON.stringify(lines);
  }

  /** Restores a hostile directory, from memory and from files; gives the errors of the last. */
  async restore(
    hostile: HostileStore,
    root: HostileDirectory,
    options: RestoreOptions & { readonly entryCount?: number } = {},
  ): Promise<string[]> {
    let errors: string[] = [];
    const memory = new MemoryStore();
    const written = await hostile.write(memory, root, options.entryCount);
    await using inMemory = written.snapshots;
    await using inFiles = await openSnapshots(await this.#dump(memory), {
      hasher: wasmHasher,
    });
    const { record } = written;
    for (const snapshots of [inMemory, inFiles]) {
      if (!options.existing) {
        fs.rmSync(this.target, { recursive: true, force: true });
      }
      try {
        const result = await restore(snapshots, record, this.target, options);
        errors = result.errors.map(({ message }) => message);
      } finally {
        this.check();
      }
    }
    return errors;
  }

  /** The same store in files, which are read in another way. */
  async #dump(memory: MemoryStore): Promise<FileStore> {
    const root = `${this.path}/store`;
    fs.rmSync(root, { recursive: true, force: true });
    for await (const batch of memory.list("")) {
      for (const { name } of batch) {
        const path = `${root}/${name}`;
        fs.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        fs.writeFileSync(path, await memory.read(name));
      }
    }
    return await openFileStore(root);
  }

  /** The canary lives, and no temporary file is left. */
  check(): void {
    equal(this.#canary(), this.#before);
    if (!fs.existsSync(this.target)) return;
    const names = fs.readdirSync(this.target, { recursive: true }) as string[];
    deepEqual(names.filter((name) => /(^|\/)\.snap-/.test(name)), []);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}

/** A good file beside the bad ones: it has to arrive. */
const GOOD = { name: "good", content: "good" };

const BAD_NAMES: Record<string, string> = {
  "parent": "..",
  "itself": ".",
  "empty": "",
  "absolute": "/etc/passwd",
  "way out": "../canary/file",
  "slash at the end": "a/",
  "NUL": "a\0b",
  "NUL at the end": "a\0",
  "too long": "a".repeat(256),
};

for (const [what, name] of Object.entries(BAD_NAMES)) {
  Deno.test(`restore() refuses a name: ${what}`, async () => {
    using cage = new Cage();
    for (
      const more of [{ content: "evil" }, { target: "x" }, {
        kind: EntryKind.fifo,
      }]
    ) {
      const hostile = new HostileStore();
      const below = hostile.directory([{ name, ...more }]);
      const root = hostile.directory([{ name: "bad", below }, GOOD]);
      const errors = await cage.restore(hostile, root);
      equal(errors.length, 1);
      match(
        errors[0],
        /^Cannot restore bad: its tree /,
      );
      deepEqual(fs.readdirSync(cage.target).sort(), ["bad", "good"]);
      deepEqual(fs.readdirSync(`${cage.target}/bad`), []);
    }
  });

  Deno.test(`restore() refuses a name in the root: ${what}`, async () => {
    using cage = new Cage();
    const hostile = new HostileStore();
    const root = hostile.directory([{ name, content: "evil" }]);
    await rejects(cage.restore(hostile, root), { name: "DamagedEntryError" });
    equal(fs.existsSync(cage.target), false);
  });

  Deno.test(`restore() refuses a directory name: ${what}`, async () => {
    using cage = new Cage();
    const hostile = new HostileStore();
    const inner = hostile.directory([{ name: "file", content: "evil" }]);
    const below = hostile.directory([{ name, below: inner }]);
    const root = hostile.directory([{ name: "bad", below }, GOOD]);
    equal((await cage.restore(hostile, root)).length, 1);
    deepEqual(fs.readdirSync(`${cage.target}/bad`), []);
  });
}

const BAD_TREES: Record<string, (tree: Uint8Array) => Uint8Array> = {
  "a million entries": (tree) => setU32(tree, 4, 1_000_000),
  "4 billion entries": (tree) => setU32(tree, 4, 0xffffffff),
  "names of 4 GiB": (tree) => setU32(tree, 8, 0xffffffff),
  "targets of 4 GiB": (tree) => setU32(tree, 12, 0xffffffff),
  "a name that ends before it begins": (tree) =>
    setU32(tree, 16 + 40 * 2, 0xffffffff),
  "one byte less": (tree) => tree.slice(0, -1),
  "one byte more": (tree) => Uint8Array.of(...tree, 0),
  "nothing but a header": (tree) => tree.slice(0, 16),
  "an unknown kind": (tree) => setU8(tree, 16 + 44 * 2, 8),
  "kind 0": (tree) => setU8(tree, 16 + 44 * 2, 0),
  "a size of 2^64 - 1": (tree) =>
    setU32(setU32(tree, 80, 0xffffffff), 84, 0xffffffff),
  "another magic": (tree) => setU8(tree, 0, 0),
};

for (const [what, change] of Object.entries(BAD_TREES)) {
  Deno.test(`restore() refuses a tree with ${what}`, async () => {
    using cage = new Cage();
    const hostile = new HostileStore();
    const rows = [{ name: "a", content: "a" }, { name: "b", content: "b" }];
    const below = hostile.directory(rows, change);
    const root = hostile.directory([{ name: "bad", below }, GOOD]);
    const errors = await cage.restore(hostile, root);
    equal(errors.length, 1);
    match(errors[0], /^Cannot restore bad: its tree /);
    equal(fs.readFileSync(`${cage.target}/good`, "utf8"), "good");
  });
}

Deno.test("restore() refuses names out of order, and names that repeat", async () => {
  using cage = new Cage();
  for (const names of [["b", "a"], ["a", "a"], ["a", "b", "a"]]) {
    const hostile = new HostileStore();
    const rows = names.map((name) => ({ name, content: name }));
    const root = hostile.directory([
      { name: "bad", below: hostile.directory(rows) },
      GOOD,
    ]);
    equal((await cage.restore(hostile, root)).length, 1);
    deepEqual(fs.readdirSync(`${cage.target}/bad`), []);
  }
});

Deno.test("restore() follows no link that stands where a directory belongs", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const below = hostile.directory([
    { name: "file", content: "evil" },
    {
      name: "inner",
      below: hostile.directory([{ name: "file", content: "evil" }]),
    },
  ]);
  const root = hostile.directory([{ name: "x", below }]);
  for (const options of [{}, { delete: true }, { dryRun: true }]) {
    for (const to of ["../canary", `${cage.path}/canary`, ".", "..", "/"]) {
      fs.rmSync(cage.target, { recursive: true, force: true });
      fs.mkdirSync(cage.target);
      fs.symlinkSync(to, `${cage.target}/x`);
      await cage.restore(hostile, root, { existing: true, ...options });
    }
  }
});

Deno.test("restore() writes through no link that the snapshot itself brings", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const root = hostile.directory([
    { name: "a", target: "../canary" },
    { name: "b", target: "../canary/file" },
    { name: "c", target: "a/file" },
    { name: "d", target: "/etc/passwd" },
  ]);
  deepEqual(await cage.restore(hostile, root), []);
  equal(fs.readlinkSync(`${cage.target}/b`), "../canary/file");
  // Then a second snapshot, whose directories and files stand where the links are.
  const inner = hostile.directory([{
    name: "file",
    content: "evil",
    mode: 0o777,
  }]);
  const second = hostile.directory([
    { name: "a", below: inner },
    { name: "b", content: "evil", mode: 0o777 },
    { name: "c", content: "" },
    { name: "d", kind: EntryKind.fifo },
  ]);
  await cage.restore(hostile, second, { existing: true });
  equal(fs.readFileSync(`${cage.target}/a/file`, "utf8"), "evil");
  equal(fs.lstatSync(`${cage.target}/b`).isFile(), true);
});

Deno.test("restore() makes no hard link to what is not the same object", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const root = hostile.directory([
    { name: "a", target: "../canary/file", inode: 7, nlink: 3 },
    { name: "b", content: "not a link", inode: 7, nlink: 3 },
    { name: "c", content: "another", inode: 7, nlink: 3 },
    { name: "d", content: "another", inode: 7, nlink: 3 },
  ]);
  deepEqual(await cage.restore(hostile, root), []);
  const read = (name: string) =>
    fs.readFileSync(`${cage.target}/${name}`, "utf8");
  deepEqual(["b", "c", "d"].map(read), ["not a link", "another", "another"]);
  equal(fs.statSync(`${cage.target}/d`).nlink, 2);
});

Deno.test("restore() refuses content that is not what its id says, whatever the size", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const id = hostile.content(latin("true content"));
  const lie = new Uint8Array(32).fill(9);
  hostile.add(latin("lie"), lie, 1);
  const root = hostile.directory([
    { name: "equal", id, value: 12 },
    { name: "gone", id: new Uint8Array(32).fill(1), value: 3 },
    { name: "huge", id, value: 2 ** 53 - 1 },
    { name: "lie", id: lie, value: 3 },
    { name: "long", id, value: 13 },
    { name: "short", id, value: 5 },
    { name: "tree", id: hostile.directory([]).tree, value: 16 },
  ]);
  const errors = await cage.restore(hostile, root);
  deepEqual(
    errors.map((error) => error.split(/[ :]+/)[2]).sort(),
    ["gone", "huge", "lie", "long", "short", "tree"],
  );
  ok(errors.every((error) => /: its content [0-9a-f]{64} is /.test(error)));
  deepEqual(fs.readdirSync(cage.target), ["equal"]);
});

Deno.test("restore() decodes no more than a frame is said to have", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const bomb = zstdCodec({ level: 1 }).compress(new Uint8Array(4 << 20))!;
  const id = hostile.stored(bomb, CodecTag.zstd, latin("a few bytes"));
  const root = hostile.directory([{ name: "bomb", id, value: 11 }, GOOD]);
  const errors = await cage.restore(hostile, root);
  equal(errors.length, 1);
  match(errors[0], /^Cannot restore bomb: .* damaged in packs\//);
  deepEqual(fs.readdirSync(cage.target), ["good"]);
});

Deno.test("restore() ends where directories nest deeper than 1024", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  let below = hostile.directory([{ name: "file", content: "deep" }]);
  for (let i = 0; i < 1030; i++) {
    below = hostile.directory([{ name: "d", below }]);
  }
  const errors = await cage.restore(hostile, below, { entryCount: 5000 });
  equal(errors.length, 1);
  match(errors[0], /\(EDEPTH\)$/);
});

Deno.test("restore() ends where there are more entries than the record says", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  let below = hostile.directory([]);
  // 2^40 directories in 41 trees.
  for (let i = 0; i < 40; i++) {
    below = hostile.directory([{ name: "a", below }, { name: "b", below }]);
  }
  await rejects(
    cage.restore(hostile, below, { entryCount: 500 }),
    /more than the 500 entries that the record tells of/,
  );
});

Deno.test("restore() takes no attributes from the page of another tree", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const rows = [{ name: "file", content: "plain" }];
  const other = [{ name: "file", content: "other", mode: 0o6777 }];
  const { tree } = hostile.directory(rows);
  const below = { tree, page: hostile.directory(other).page };
  const root = hostile.directory([{ name: "x", below }]);
  const errors = await cage.restore(hostile, root);
  equal(errors.length, 1);
  match(
    errors[0],
    /^Cannot restore x: its attributes /,
  );
  equal(fs.statSync(`${cage.target}/x/file`).mode & 0o7777, 0o644);
});

Deno.test("restore() makes holes only where there are zeros, and no file longer", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const holes = encodeHoles(Float64Array.of(0, 100_000, 200_000, 2 ** 40));
  const extras = encodeExtras({
    xattrs: [],
    holes: { size: holes.length, value: holes },
  });
  const content = "data".repeat(30_000);
  const root = hostile.directory([
    { name: "empty", content: "", extras },
    { name: "full", content, extras },
  ]);
  deepEqual(await cage.restore(hostile, root), []);
  equal(fs.readFileSync(`${cage.target}/full`, "utf8"), content);
  equal(fs.statSync(`${cage.target}/empty`).size, 0);
});

Deno.test({
  name: "restore() says which attributes the system refuses, and goes on",
  ignore: posix === undefined,
  async fn() {
    using cage = new Cage();
    const hostile = new HostileStore();
    const value = latin("x");
    const extras = encodeExtras({
      xattrs: [{ name: latin("nonsense"), size: 1, value }],
    });
    const root = hostile.directory([
      { name: "file", content: "f", extras },
      GOOD,
    ]);
    const errors = await cage.restore(hostile, root);
    equal(errors.length, 1);
    match(errors[0], /^Cannot set attribute nonsense of file: /);
    deepEqual(fs.readdirSync(cage.target), ["file", "good"]);
  },
});

Deno.test({
  name: "restore() by root makes devices, by others it says that it cannot",
  ignore: posix === undefined,
  async fn() {
    using cage = new Cage();
    const hostile = new HostileStore();
    const root = hostile.directory([
      { name: "null", kind: EntryKind.characterDevice, value: 1 + 3 * 2 ** 32 },
    ]);
    const errors = await cage.restore(hostile, root);
    equal(errors.length, isRoot ? 0 : 1);
  },
});

Deno.test("restore() deletes nothing that lies behind a link", async () => {
  using cage = new Cage();
  const hostile = new HostileStore();
  const root = hostile.directory([GOOD]);
  fs.mkdirSync(`${cage.target}/extra`, { recursive: true });
  fs.symlinkSync("../../canary", `${cage.target}/extra/link`);
  fs.symlinkSync("../canary", `${cage.target}/link`);
  await cage.restore(hostile, root, { existing: true, delete: true });
  deepEqual(fs.readdirSync(cage.target), ["good"]);
});

Deno.test("the canary is seen to die", () => {
  using cage = new Cage();
  fs.writeFileSync(`${cage.path}/canary/inner/file`, "dead!");
  let error: unknown;
  try {
    cage.check();
  } catch (thrown) {
    error = thrown;
  }
  ok(error instanceof Error, displayPath(latin(cage.path)));
});

function setU32(tree: Uint8Array, at: number, value: number): Uint8Array {
  new DataView(tree.buffer).setUint32(at, value, true);
  return tree;
}

function setU8(tree: Uint8Array, at: number, value: number): Uint8Array {
  tree[at] = value;
  return tree;
}
