import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { displayPath } from "@snap/manifest/path";
import { ObjectKind } from "@snap/pack";
import { zstdCodec } from "@snap/pack/codecs";
import { DOCUMENT_SIZE_MAX, encodeDocument } from "@snap/store/format";
import { StoreError } from "@snap/store";
import { contentId, latin, noise, plainOf } from "../../tests/_test_bytes.ts";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { formatRecordName } from "../records/record.ts";
import { openSnapshots } from "../snapshots.ts";
import { tagSnapshot } from "../records/tags.ts";
import type { Damage } from "./damage.ts";
import { verify } from "./verify.ts";
import type { VerifyOptions, VerifyReport } from "./verify_options.ts";
import type { VerifyProgress } from "./verify_progress.ts";

const CHUNKS = [noise(1, 9000), 200_000, noise(2, 12_000)] as const;

const FILES = {
  a: { file: "hello" },
  b: {
    directory: {
      same: { file: "hello" },
      x: { file: noise(5, 700) },
    },
  },
  big: { chunks: CHUNKS },
  copy: { chunks: CHUNKS },
  empty: { file: "" },
  link: { link: "a" },
} as const;

/** Verifies a store in memory, then the same in files, which is read in another way. */
async function run(
  test: TestSnapshots,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const report = await verify(await test.open(), options);
  const folder = Deno.makeTempDirSync({ prefix: "snapshot-" });
  try {
    const store = await test.copyToFiles(folder);
    const snapshots = await openSnapshots(store, { hasher: wasmHasher });
    const other = await verify(snapshots, options);
    deepStrictEqual(
      other.damages.map(shortOf).toSorted(),
      report.damages.map(shortOf).toSorted(),
    );
    strictEqual(other.byteCount, report.byteCount);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  return report;
}

/** What was found, in short. */
function shortOf(damage: Damage): string {
  const kinds = Object.entries(ObjectKind);
  const kind = kinds.find(([, number]) => number === damage.kind)?.[0];
  const paths = damage.paths.map(({ path }) => displayPath(path) || "/");
  return [
    kind ?? damage.subject,
    damage.reason,
    ...paths.toSorted(),
  ].join(" ");
}

async function found(
  test: TestSnapshots,
  options: VerifyOptions = {},
): Promise<string[]> {
  const report = await run(test, options);
  strictEqual(report.damageCount, report.damages.length);
  return report.damages.map(shortOf).toSorted();
}

for (const data of [false, true]) {
  Deno.test(`verify finds nothing in a sound store, data: ${data}`, async () => {
    const test = new TestSnapshots({ codec: zstdCodec({ level: 1 }) });
    const first = await test.save(FILES);
    await test.save({ ...FILES, c: { file: "new" } });
    await test.addRecord({
      tree: Uint8Array.fromHex(first.tree),
      page: Uint8Array.fromHex(first.page),
    });
    const snapshots = await test.open();
    await tagSnapshot(snapshots, "main", first);
    const told: VerifyProgress[] = [];
    const report = await verify(snapshots, {
      data,
      onProgress: (progress) => told.push(progress),
    });
    deepStrictEqual(report.damages, []);
    strictEqual(report.recordCount, 3);
    strictEqual(report.treeCount, 3);
    strictEqual(report.packCount, 4);
    strictEqual(report.orphanPackCount, 0);
    strictEqual(report.missingPackCount, 0);
    strictEqual(report.byteCount > 0, data);
    strictEqual(told.at(-1)!.recordCount, 3);
    const only = await verify(snapshots, { data, records: [first] });
    deepStrictEqual(only.damages, []);
    strictEqual(only.recordCount, 1);
    strictEqual(only.treeCount, 2);
  });
}

Deno.test("verify finds a flipped bit in content, with all its paths", async () => {
  const test = new TestSnapshots();
  const record = await test.save(FILES);
  await test.damage(test.packs[0], (bytes) => void (bytes[73] ^= 4));
  deepStrictEqual(await found(test), []);
  const report = await run(test, { data: true });
  deepStrictEqual(report.damages.map(shortOf), ["content disk a b/same"]);
  const [damage] = report.damages;
  strictEqual(damage.id, wasmHasher.idOf(latin("hello")));
  strictEqual(damage.storeName, test.packs[0]);
  strictEqual(damage.paths[0].snapshot, record.tree);
  ok(damage.message.includes(damage.id));
  const deep = await found(test, { data: true, records: [record] });
  deepStrictEqual(deep, ["content disk a b/same"]);
});

Deno.test("verify names the files of a damaged chunk", async () => {
  const test = new TestSnapshots({ frameSize: 1 });
  await test.save(FILES);
  const pack = test.packs[0];
  const plain = CHUNKS[2];
  await test.damage(pack, (bytes) => {
    const at = bytes.findIndex((_, i) =>
      bytes[i] === plain[0] && bytes[i + 1] === plain[1] &&
      bytes[i + 2] === plain[2] && bytes[i + 3] === plain[3]
    );
    bytes[at + 50] ^= 1;
  });
  const report = await run(test, { data: true });
  deepStrictEqual(report.damages.map(shortOf), ["content disk big copy"]);
  strictEqual(report.damages[0].id, wasmHasher.idOf(plain));
});

Deno.test("verify finds damaged trees and pages without reading data", async () => {
  const test = new TestSnapshots({ frameSize: 1 });
  await test.save(FILES);
  const trees = test.packs[1];
  const bytes = await test.store.read(trees);
  const text = latin("TRE1");
  const at = bytes.findIndex((_, i) =>
    text.every((b, j) => bytes[i + j] === b)
  );
  await test.damage(trees, (bytes) => void (bytes[at + 20] ^= 1));
  deepStrictEqual(await found(test), ["tree disk b"]);
  await test.damage(trees, (bytes) => {
    bytes[at + 20] ^= 1;
    bytes[
      bytes.findIndex((_, i) =>
        latin("ATT1").every((b, j) => bytes[i + j] === b)
      ) + 8
    ] ^= 1;
  });
  // Content below a directory without attributes is looked at all the same.
  deepStrictEqual(await found(test), ["attributes disk b"]);
});

Deno.test("verify finds missing packs that something needs", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  await test.store.remove(test.packs[0]);
  const report = await run(test);
  strictEqual(report.missingPackCount, 1);
  const short = report.damages.map(shortOf).toSorted();
  deepStrictEqual(
    short,
    [
      "content missing a b/same",
      "content missing b/x",
      "content missing big copy",
      "content missing big copy",
      "pack missing",
    ].toSorted(),
  );
  const pack = report.damages.find(({ subject }) => subject === "pack")!;
  match(pack.message, /held \d+ bytes of files: snapshots need 4 of its/);
  for (const damage of report.damages) {
    strictEqual(damage.storeName, test.packs[0]);
  }
});

Deno.test("verify takes a missing pack that nothing needs for no damage", async () => {
  const test = new TestSnapshots();
  test.addContent(latin("nobody"));
  await test.flush();
  await test.store.remove(test.packs[0]);
  await test.save(FILES);
  for (const data of [false, true]) {
    const report = await run(test, { data });
    deepStrictEqual(report.damages, []);
    strictEqual(report.missingPackCount, 1);
  }
});

Deno.test("verify tells of orphan packs", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  test.addContent(latin("nobody"));
  await test.flush({ index: false });
  const report = await run(test, { data: true });
  deepStrictEqual(report.damages, []);
  strictEqual(report.orphanPackCount, 1);
  deepStrictEqual(report.orphanPacks, [test.packs[2]]);
  ok(report.orphanByteCount > 136);
});

Deno.test("verify takes a recipe of a killed save whose data has not come for no damage", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  test.addLarge([noise(1, 5000), noise(2, 6000)]);
  await test.flush({ index: false });
  await test.store.remove(test.packs[2]);
  for (const data of [false, true]) {
    const report = await run(test, { data });
    deepStrictEqual(report.damages, []);
    strictEqual(report.orphanPackCount, 1);
  }
});

Deno.test("verify misses the chunks of a recipe only where a snapshot needs it", async () => {
  const test = new TestSnapshots();
  const chunks = [noise(7, 5000), noise(8, 6000)];
  for (const chunk of chunks) test.addContent(chunk);
  await test.flush();
  // Of what was forgotten the recipe stays, among directories that are needed.
  test.addLarge(chunks);
  await test.save(FILES);
  await test.store.remove(test.packs[0]);
  for (const data of [false, true]) {
    deepStrictEqual((await run(test, { data })).damages, []);
  }
  await test.save({ needed: { chunks } });
  for (const data of [false, true]) {
    const { damages } = await run(test, { data });
    strictEqual(damages.filter(({ kind }) => kind !== undefined).length, 2);
  }
});

Deno.test("verify finds a truncated pack", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  await test.damage(test.packs[0], (bytes) => bytes.slice(0, -1));
  const short = await found(test);
  ok(short.includes("pack size"), short.join());
  ok(short.includes("content missing a b/same"), short.join());
  ok((await found(test, { data: true })).includes("pack size"));
});

Deno.test("verify tells of packs that stand in each other's place, and counts nothing below zero", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  const [first, second] = test.packs;
  const before = await test.store.read(first);
  const other = await test.store.read(second);
  await test.damage(first, () => other);
  await test.damage(second, () => before);
  const { damages } = await run(test, { data: true });
  const messages = damages.map(({ message }) => message).join("\n");
  for (const name of [first, second]) {
    ok(messages.includes(`${name}: its BLAKE3 needs to be its name`), messages);
  }
  ok(!/ -\d/.test(messages), messages);
});

Deno.test("verify finds a recipe in the wrong order, only by its data", async () => {
  const test = new TestSnapshots();
  const [one, two] = [noise(1, 5000), noise(2, 6000)];
  const id = contentId(plainOf([one, two]));
  const record = await test.save({ big: { chunks: [two, one], id } });
  deepStrictEqual(await found(test), []);
  deepStrictEqual(await found(test, { data: true }), ["recipe id big"]);
  const deep = await found(test, { data: true, records: [record] });
  deepStrictEqual(deep, ["content id big"]);
});

Deno.test("verify finds sizes that lie", async () => {
  const test = new TestSnapshots();
  await test.save({
    a: { file: "hello" },
    lie: { id: contentId(latin("hello")), size: 6 },
    longer: { id: contentId(plainOf(CHUNKS)), size: 7 },
    whole: { chunks: CHUNKS },
  });
  deepStrictEqual(await found(test), [
    "content size lie",
    "content syntax longer",
  ]);
});

Deno.test("verify finds chunks of another size than their recipe says", async () => {
  const test = new TestSnapshots();
  const { RecipeBuilder } = await import("@snap/pack/recipe-writer");
  const id = contentId(latin("whatever"));
  const builder = new RecipeBuilder({
    hasher: wasmHasher,
    onNode: (bytes, id) => test.addObject(bytes, id, ObjectKind.recipe),
  });
  builder.push(test.addContent(noise(1, 500)), 0, 501);
  builder.finish({ id, kind: ObjectKind.content });
  await test.save({ big: { id, size: 501 } });
  deepStrictEqual(await found(test), ["content size big"]);
});

Deno.test("verify finds content that was never stored", async () => {
  const test = new TestSnapshots();
  const id = contentId(latin("nowhere"));
  await test.save({ f: { id, size: 7 }, g: { id, size: 7 } });
  const report = await run(test);
  deepStrictEqual(report.damages.map(shortOf), ["content missing f g"]);
  strictEqual(report.damages[0].storeName, undefined);
});

Deno.test("verify finds a tree that is none, under its right id", async () => {
  const test = new TestSnapshots();
  const bytes = latin("TRE1 and then nonsense");
  const tree = new Uint8Array(32);
  wasmHasher.deriveInto("snap 1 tree", bytes, tree);
  test.addObject(bytes, tree, ObjectKind.tree);
  await test.save({ d: { directory: {}, tree }, e: { file: "e" } });
  deepStrictEqual(await found(test), ["tree syntax d"]);
  const data = await found(test, { data: true });
  deepStrictEqual(data, ["tree syntax d"]);
});

Deno.test("verify finds a page that belongs to another tree", async () => {
  const test = new TestSnapshots();
  const one = test.addDirectory({ a: { file: "a" } });
  const two = test.addDirectory({ b: { file: "b" } });
  await test.flush();
  await test.addRecord({ tree: one.tree, page: two.page });
  await test.addRecord(two);
  deepStrictEqual(await found(test), ["attributes syntax /"]);
});

Deno.test("verify ends where trees name themselves too deep", async () => {
  const test = new TestSnapshots({ frameSize: 1 << 20 });
  let root = test.addDirectory({});
  for (let depth = 0; depth < 1030; depth++) {
    root = deeper(test, root);
  }
  await test.flush();
  await test.addRecord(root);
  const report = await run(test);
  strictEqual(report.damageCount, 1);
  strictEqual(report.damages[0].reason, "syntax");
  strictEqual(report.treeCount, 1025);
});

/** A directory whose only entry is a directory that was built before. */
function deeper(
  test: TestSnapshots,
  below: { tree: Uint8Array; page: Uint8Array },
): { tree: Uint8Array; page: Uint8Array } {
  return test.addDirectory({ d: { built: below } });
}

Deno.test("verify finds damaged records, tags and index tables", async () => {
  const test = new TestSnapshots();
  const record = await test.save(FILES);
  const snapshots = await test.open();
  await tagSnapshot(snapshots, "main", record);
  await test.save({ other: { file: "other" } });
  await test.damage(formatRecordName(record), (bytes) => bytes.slice(0, -3));
  await test.damage("tags/main/1", (bytes) => void (bytes[80] ^= 1));
  deepStrictEqual(await found(test), ["record disk", "tag disk"]);
});

Deno.test("verify names entries of tags, and records, that are gone", async () => {
  const test = new TestSnapshots();
  const [one, two] = [await test.save(FILES), await test.save({})];
  const snapshots = await test.open();
  for (let i = 0; i < 4; i++) await tagSnapshot(snapshots, "main", one);
  await tagSnapshot(snapshots, "other", two);
  const kept = await test.store.read("tags/main/4");
  await test.store.create("tags/main/9000000000000000", kept);
  deepStrictEqual(await found(test), ["tag missing"]);
  await test.store.remove("tags/main/2");
  await test.store.remove(formatRecordName(two));
  const { damages } = await run(test);
  deepStrictEqual(damages.map(shortOf).toSorted(), [
    "record missing",
    "tag missing",
    "tag missing",
  ]);
  deepStrictEqual(damages.map(({ storeName }) => storeName).toSorted(), [
    `snapshots/${two.tree}-${two.record}`,
    "tags/main/2",
    "tags/main/5",
  ]);
});

Deno.test("verify names a tag entry whose fields have other types", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  const saveId = new Uint8Array(16);
  const body = { time: "t", tree: {}, record: 5 };
  const bytes = encodeDocument({ kind: "TAGE", saveId, body });
  await test.store.create("tags/main/1", bytes);
  const { damages } = await run(test);
  deepStrictEqual(damages.map(({ storeName }) => storeName), ["tags/main/1"]);
});

Deno.test("verify does not read what is too large for a document", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  const large = new Uint8Array(DOCUMENT_SIZE_MAX + 1);
  await test.store.create("tags/large/1", large);
  const { damages: [damage] } = await run(test);
  strictEqual(damage.storeName, "tags/large/1");
  match(damage.message, /as a document has at most/);
});

for (
  const { what, at, structure } of [
    { what: "head", at: 130, structure: true },
    { what: "page of packs", at: 4096, structure: true },
    { what: "page of frames", at: 8192, structure: true },
    { what: "page of objects", at: 12288, structure: true },
    { what: "padding of a page", at: 16000, structure: true },
  ]
) {
  Deno.test(`verify finds a damaged ${what} of an index`, async () => {
    const test = new TestSnapshots();
    await test.save(FILES);
    const [table] = await names(test, "index/");
    await test.damage(table, (bytes) => void (bytes[at] ^= 1));
    for (const data of [false, true]) {
      const report = await run(test, { data });
      const damage = report.damages.find(({ subject }) => subject === "index");
      strictEqual(damage !== undefined, structure || data);
      strictEqual(damage?.storeName, table);
    }
  });
}

Deno.test("verify tells an index that is missing from packs that are", async () => {
  for (const data of [false, true]) {
    const test = new TestSnapshots();
    await test.save(FILES);
    test.addContent(latin("nobody"));
    await test.flush({ index: false });
    const [table] = await names(test, "index/");
    const kept = await test.store.read(table);
    await test.store.remove(table);
    const report = await run(test, { data });
    deepStrictEqual(report.damages.map(shortOf), ["index missing"]);
    match(
      report.damages[0].message,
      /find 2 packs in the index that snapshots/,
    );
    deepStrictEqual(report.orphanPacks, [test.packs[2]]);
    strictEqual(report.packCount, 2);
    // What is in a pack is looked at, index or not.
    await test.damage(test.packs[0], (bytes) => void (bytes[73] ^= 4));
    const flipped = await found(test, { data });
    const content = data ? ["content disk a b/same"] : [];
    deepStrictEqual(flipped, [...content, "index missing"]);
    await test.damage(test.packs[0], (bytes) => void (bytes[73] ^= 4));
    // A pack that cannot be read by itself is damaged, and not missing.
    await test.damage(
      test.packs[0],
      (bytes) => void (bytes[bytes.length - 70] ^= 1),
    );
    const alone = await found(test, { data });
    ok(alone.includes("pack disk"), `${alone}`);
    ok(!alone.includes("pack missing"), `${alone}`);
    await test.store.create(table, kept);
    deepStrictEqual(
      await found(test, { data }),
      data ? ["pack disk"] : [],
    );
  }
});

Deno.test("verify finds an index that says something else than a pack", async () => {
  for (const change of ["moved", "absent", "made up"] as const) {
    const test = new TestSnapshots();
    await test.save(FILES);
    await test.lieInIndex((rows) => {
      if (change === "moved") rows[0].size--;
      else if (change === "absent") rows.splice(0, 1);
      else rows.push({ ...rows[0], id: contentId(latin("made up")) });
    });
    const short = await found(test, { data: true });
    ok(short.some((one) => one.startsWith("index disagreement")), change);
  }
});

Deno.test("verify finds what a pack has beside its objects", async () => {
  for (
    const { at, what } of [
      { at: 45, what: "salt" },
      { at: 8, what: "version" },
      { at: -8, what: "mark at the end" },
      { at: -40, what: "hash of the table" },
      { at: -70, what: "table" },
    ]
  ) {
    const test = new TestSnapshots();
    await test.save(FILES);
    await test.damage(test.packs[0], (bytes) => {
      bytes[at < 0 ? bytes.length + at : at] ^= 1;
    });
    deepStrictEqual(await found(test, { data: true }), ["pack disk"], what);
  }
});

Deno.test("verify reads what a pack with a damaged table holds one by one", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  await test.damage(test.packs[0], (bytes) => {
    bytes[73] ^= 1;
    bytes[bytes.length - 70] ^= 1;
  });
  const short = await found(test, { data: true });
  deepStrictEqual(short, ["content disk a b/same", "pack disk"]);
});

Deno.test("verify tells a damaged copy from a damaged object", async () => {
  const test = new TestSnapshots();
  const record = await test.save(FILES);
  const other = new TestSnapshots();
  other.addContent(noise(77, 10));
  await other.flush();
  await other.save(FILES);
  for (const name of [...other.packs, ...await names(other, "index/")]) {
    await test.store.create(name, await other.store.read(name));
  }
  for (const pack of [test.packs[0], test.packs[1]]) {
    await test.damage(pack, (bytes) => {
      for (let at = 72; at < 400; at++) bytes[at] ^= 1;
    });
  }
  const report = await run(test, { data: true });
  ok(report.damageCount > 0);
  for (const damage of report.damages) deepStrictEqual(damage.paths, []);
  const view = await run(test, { records: [record], data: true });
  for (const damage of view.damages) strictEqual(damage.subject, "pack");
});

Deno.test("verify checks extras that are content, and lists of holes", async () => {
  const test = new TestSnapshots();
  const large = noise(4, 3000);
  const id = test.addContent(large);
  const absent = contentId(latin("absent"));
  const holes = test.addContent(noise(9, 2000));
  const xattr = (id: Uint8Array) => ({
    xattrs: [{ name: latin("user.b"), size: 3000, id }],
  });
  await test.save({
    bad: { file: "f", extras: xattr(absent) },
    good: { file: "f", extras: xattr(id) },
    holey: {
      file: "f",
      extras: { xattrs: [], holes: { size: 2000, id: holes } },
    },
  });
  deepStrictEqual(await found(test), [
    "content missing bad",
    "content syntax holey",
  ]);
});

Deno.test("verify ends with its signal, and passes errors of the store on", async () => {
  const test = new TestSnapshots();
  await test.save(FILES);
  const snapshots = await test.open();
  const signal = AbortSignal.abort(new Error("enough"));
  await rejects(verify(snapshots, { signal }), /enough/);
  const denied = new StoreError("Cannot read it", {
    code: "EACCES",
    action: "read",
  });
  const { store } = snapshots;
  const source = {
    hasher: wasmHasher,
    records: () => snapshots.records(),
    store: {
      read: (name: string, options?: object) =>
        name.startsWith("packs/")
          ? Promise.reject(denied)
          : store.read(name, options),
      size: (name: string) => store.size(name),
      list: (prefix: string) => store.list(prefix),
    },
  };
  await rejects(verify(source), denied);
});

Deno.test("verify goes through a thousand snapshots once", async () => {
  const test = new TestSnapshots();
  const root = test.addDirectory(FILES);
  await test.flush();
  for (let i = 0; i < 1000; i++) await test.addRecord(root);
  const report = await verify(await test.open());
  strictEqual(report.recordCount, 1000);
  strictEqual(report.treeCount, 2);
  deepStrictEqual(report.damages, []);
});

async function names(test: TestSnapshots, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of test.store.list(prefix)) {
    found.push(...batch.map(({ name }) => name));
  }
  return found;
}
