import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { dirname } from "node:path";
import { idFromBytes } from "@snap/hash";
import { displayPath } from "@snap/manifest/path";
import { type Location, ObjectKind } from "@snap/pack";
import { contentId, latin } from "../tests/_test_bytes.ts";
import { NO_TOTALS, TestSnapshots } from "../tests/_test_snapshots.ts";
import {
  describeTree,
  noise,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import type { NamedRecord } from "@snap/snapshot/records";
import { restore } from "./restore.ts";
import { DamagedEntryError } from "./errors.ts";
import { openSnapshots, type Snapshots } from "@snap/snapshot";

interface Saved extends AsyncDisposable {
  readonly folder: TestFolder;
  readonly snapshots: Snapshots;
  readonly record: NamedRecord;
}

const SMALL = noise(5000, 1);
const LARGE = noise(1_000_000, 2);

/** Small and large files in a store without compression. */
async function saved(): Promise<Saved> {
  const folder = new TestFolder();
  folder.file("source/a/small", SMALL);
  folder.file("source/a/zz-good", "good");
  folder.file("source/b/large", LARGE);
  folder.file("source/c/good", noise(9_000_000, 3));
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
    { codec: "none" },
  );
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

/** Where an object lies. */
async function find(
  snapshots: Snapshots,
  id: Uint8Array,
  kind: number,
): Promise<Location> {
  const place = await (await snapshots.index()).locate(id, kind);
  ok(place !== undefined);
  return place;
}

/** Flips a byte of an object. */
function damage({ folder }: Saved, place: Location, at: number): void {
  const path = folder.at(`store/${place.packName}`);
  Deno.chmodSync(path, 0o600);
  const bytes = Deno.readFileSync(path);
  bytes[place.frameOffset + place.offset + at] ^= 1;
  Deno.writeFileSync(path, bytes);
}

/** Puts the packs and tables of another store, with the same objects, in place of those of a store. */
function move(store: string, other: string): void {
  const folders = ["packs", "index"];
  const old = folders.flatMap((name) => filesBelow(`${store}/${name}`));
  for (const name of folders) {
    for (const path of filesBelow(`${other}/${name}`)) {
      const to = `${store}${path.slice(other.length)}`;
      Deno.mkdirSync(dirname(to), { recursive: true });
      Deno.copyFileSync(path, to);
    }
  }
  for (const path of old) Deno.removeSync(path);
}

/** The paths of all files below a folder. */
function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isFile }) =>
    isFile ? [`${folder}/${name}`] : filesBelow(`${folder}/${name}`)
  );
}

/** What is in the target, but for what must be missing. */
function without(lines: string[], ...missing: string[]): string[] {
  return lines.filter((line) =>
    !missing.some((path) => line.startsWith(`${path} `))
  );
}

for (const workers of [0, 1]) {
  const ways = `with ${workers} workers`;

  Deno.test(`restore() names the object, pack and path of a damaged file, ${ways}`, async () => {
    await using one = await saved();
    const place = await find(
      one.snapshots,
      contentId(SMALL),
      ObjectKind.content,
    );
    damage(one, place, 4000);
    const { folder, snapshots, record } = one;
    const result = await restore(snapshots, record, folder.at("out"), {
      workers,
    });
    equal(result.errors.length, 1);
    const [error] = result.errors;
    ok(error instanceof DamagedEntryError);
    equal(displayPath(error.path), "a/small");
    equal(error.id, idFromBytes(contentId(SMALL)));
    equal(error.packName, place.packName);
    equal(
      error.message,
      `Cannot restore a/small: its content ${error.id} is damaged in ${place.packName}`,
    );
    equal(result.fileCount, 3);
    deepEqual(
      describeTree(folder.at("out")),
      without(describeTree(folder.at("source")), "a/small"),
    );
  });

  Deno.test(`restore() follows packs and tables that are moved before it and while it runs, ${ways}`, async () => {
    await using one = await saved();
    const { folder, snapshots, record } = one;
    const others = ["zstd:1", "zstd:5"];
    for (const codec of others) {
      const path = folder.at(codec);
      const other = await saveTree(folder.at("source"), path, { codec });
      await other.snapshots[Symbol.asyncDispose]();
    }
    const moveOn = (): void => {
      const codec = others.shift();
      if (codec !== undefined) move(folder.at("store"), folder.at(codec));
    };
    await snapshots.index();
    moveOn();
    const result = await restore(snapshots, record, folder.at("out"), {
      workers,
      onChange: moveOn,
    });
    deepEqual(result.errors, []);
    deepEqual(others, []);
    deepEqual(
      describeTree(folder.at("out")),
      describeTree(folder.at("source")),
    );
  });

  Deno.test(`restore() names the chunk of a damaged large file, ${ways}`, async () => {
    await using one = await saved();
    const { folder, snapshots, record } = one;
    const [chunk] = await chunksOf(one);
    damage(one, await find(snapshots, chunk, ObjectKind.content), 9);
    const result = await restore(snapshots, record, folder.at("out"), {
      workers,
    });
    deepEqual(result.errors.map(({ path }) => displayPath(path)), ["b/large"]);
    const error = result.errors[0] as DamagedEntryError;
    equal(error.id, idFromBytes(chunk));
    match(error.packName!, /^packs\//);
    deepEqual(
      describeTree(folder.at("out")),
      without(describeTree(folder.at("source")), "b/large"),
    );
  });

  Deno.test(`restore() goes on where a pack is gone, ${ways}`, async () => {
    await using one = await saved();
    const { folder, snapshots, record } = one;
    const place = await find(snapshots, contentId(SMALL), ObjectKind.content);
    Deno.removeSync(folder.at(`store/${place.packName}`));
    const result = await restore(snapshots, record, folder.at("out"), {
      workers,
    });
    ok(result.errors.length > 0);
    ok(
      result.errors.every((error) =>
        error instanceof DamagedEntryError && error.packName === place.packName
      ),
    );
    const failed = result.errors.map(({ path }) => displayPath(path));
    ok(failed.includes("a/small"));
    deepEqual(
      describeTree(folder.at("out")),
      without(describeTree(folder.at("source")), ...failed),
    );
  });

  Deno.test(`restore() leaves what stands there where the new content is damaged, ${ways}`, async () => {
    await using one = await saved();
    const { folder, snapshots, record } = one;
    folder.file("out/a/small", "what stands there");
    folder.file("out/b/large", "what stands there");
    damage(one, await find(snapshots, contentId(SMALL), ObjectKind.content), 1);
    damage(
      one,
      await find(snapshots, (await chunksOf(one)).at(-1)!, ObjectKind.content),
      1,
    );
    const result = await restore(snapshots, record, folder.at("out"), {
      workers,
      existing: true,
    });
    equal(result.errors.length, 2);
    for (const path of ["out/a/small", "out/b/large"]) {
      equal(Deno.readTextFileSync(folder.at(path)), "what stands there");
    }
    deepEqual([...Deno.readDirSync(folder.at("out/b"))].length, 1);
  });
}

/** The ids of the chunks of the large file. */
async function chunksOf({ snapshots }: Saved): Promise<Uint8Array[]> {
  const reader = await snapshots.reader();
  const node = await reader.readStored(contentId(LARGE), ObjectKind.recipe);
  const count = new DataView(node!.buffer, node!.byteOffset).getUint32(8, true);
  return Array.from(
    { length: count },
    (_, i) => node!.slice(24 + 32 * i, 56 + 32 * i),
  );
}

Deno.test("restore() finds chunks in the wrong order", async () => {
  using folder = new TestFolder();
  const one = noise(20_000, 1), two = noise(20_000, 2);
  const store = new TestSnapshots();
  const id = contentId(new Uint8Array([...one, ...two]));
  const record = await store.save({
    good: { chunks: [one, 50_000, two] },
    swapped: { chunks: [two, one], id },
  }, { totals: { ...NO_TOTALS, entryCount: 2 } });
  await using snapshots = await store.open();
  const result = await restore(snapshots, record, folder.at("out"));
  equal(result.errors.length, 1);
  const error = result.errors[0] as DamagedEntryError;
  equal(displayPath(error.path), "swapped");
  equal(error.id, idFromBytes(id));
  equal(error.kind, ObjectKind.recipe);
  match(error.packName!, /^packs\//);
  deepEqual([...Deno.readDirSync(folder.at("out"))].map(({ name }) => name), [
    "good",
  ]);
  const expected = new Uint8Array([...one, ...new Uint8Array(50_000), ...two]);
  deepEqual(Deno.readFileSync(folder.at("out/good")), expected);
});

Deno.test("restore() of a damaged sub-tree restores the rest", async () => {
  using folder = new TestFolder();
  const store = new TestSnapshots();
  const record = await store.save({
    bad: { directory: { x: { file: "x" } }, tree: new Uint8Array(32).fill(5) },
    good: { directory: { y: { file: "y" } } },
  }, { totals: { ...NO_TOTALS, entryCount: 5 } });
  await using snapshots = await store.open();
  const result = await restore(snapshots, record, folder.at("out"));
  deepEqual(result.errors.map(({ message }) => message), [
    `Cannot restore bad: its tree ${"05".repeat(32)} is damaged or gone`,
  ]);
  equal(Deno.readTextFileSync(folder.at("out/good/y")), "y");
});

Deno.test("restore() says that it is the snapshot whose root is damaged", async () => {
  using folder = new TestFolder();
  const store = new TestSnapshots();
  const record = await store.save({ x: { file: "x" } });
  for (const pack of store.packs) await store.store.remove(pack);
  await using snapshots = await store.open();
  await rejects(restore(snapshots, record, folder.at("out")), {
    message: new RegExp(
      `^Cannot restore the snapshot: its tree ${record.tree} is damaged`,
    ),
  });
});

Deno.test("restore() takes the sound one of two copies", async () => {
  using folder = new TestFolder();
  const tree = {
    large: { chunks: [noise(30_000, 1), noise(30_000, 2)] },
    small: { file: noise(3000, 3) },
  };
  const body = { totals: { ...NO_TOTALS, entryCount: 2 } };
  for (const isFirst of [true, false]) {
    const first = new TestSnapshots(), second = new TestSnapshots();
    const record = await first.save(tree, body);
    second.addContent(new Uint8Array(1).fill(1));
    await second.save(tree, body);
    for await (const batch of second.store.list("")) {
      for (const { name } of batch) {
        if (/^(packs|index)\//.test(name)) {
          await first.store.create(name, await second.store.read(name));
        }
      }
    }
    const damaged = isFirst ? first.packs[0] : second.packs[0];
    await first.damage(damaged, (bytes) => bytes.fill(0x55, 72, 60_000));
    await using snapshots = await first.open();
    const target = folder.at(`out${isFirst}`);
    const result = await restore(snapshots, record, target);
    deepEqual(result.errors.map(({ message }) => message), []);
    deepEqual(Deno.readFileSync(`${target}/small`), noise(3000, 3));
  }
});

for (const workers of [0, 1]) {
  Deno.test(`restore() believes no object as another at its place was checked, with ${workers} workers`, async () => {
    using folder = new TestFolder();
    const made = new TestSnapshots();
    // The index says that the evil bytes begin with those of two more files.
    const totals = { ...NO_TOTALS, entryCount: 3 };
    const record = await made.save({
      a: { file: "evil bytes" },
      b: { file: "hello" },
      c: { file: "hello" },
    }, { totals });
    await using source = await made.open();
    const target = folder.at("target");
    await restore(source, record, target, { owner: false });
    for (const name of ["a", "c"]) Deno.removeSync(`${target}/${name}`);
    const hello = idFromBytes(contentId(latin("hello")));
    await made.lieInIndex((rows) => {
      const row = rows.find(({ id }) => idFromBytes(id) === hello)!;
      Object.assign(row, { frame: 0, offset: 0, size: 5 });
    });
    Deno.mkdirSync(folder.at("store"));
    const store = await made.copyToFiles(folder.at("store"));
    await using snapshots = await openSnapshots(store, {
      hasher: source.hasher,
    });
    const options = { existing: true, owner: false, workers };
    const { errors } = await restore(snapshots, record, target, options);
    deepEqual(errors.map((error) => displayPath(error.path!)), ["c"]);
    ok(errors[0] instanceof DamagedEntryError);
    equal(Deno.readTextFileSync(`${target}/a`), "evil bytes");
    equal(Deno.readTextFileSync(`${target}/b`), "hello");
    const names = Array.from(Deno.readDirSync(target), ({ name }) => name);
    deepEqual(names.sort(), ["a", "b"]);
  });
}
