import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { inspect } from "node:util";
import { EntryKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { DamageError, ObjectNotFoundError } from "@snap/pack";
import { contentId, latin, noise, plainOf } from "../../tests/_test_bytes.ts";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { View } from "./view.ts";
import type { ViewEntry } from "./view_entry.ts";

const CHUNKS = [
  noise(1, 9000),
  200_000,
  noise(2, 12_000),
  noise(3, 100),
  70_000,
] as const;

async function open(): Promise<{ test: TestSnapshots; view: View }> {
  const test = new TestSnapshots();
  const record = await test.save({
    a: { file: "hello", mode: 0o600, mtimeSec: -5 },
    "b": {
      directory: {
        deep: { directory: { x: { file: "x", executable: true } } },
        link: { link: "../a" },
        pipe: { fifo: true },
      },
      mode: 0o2755,
    },
    big: { chunks: CHUNKS },
    dir: { link: "b" },
    empty: { file: "" },
    tty: { device: [5, 1] },
    "\xff\n": { file: "odd", mode: 0o644 },
  });
  return { test, view: await View.open(await test.open(), record) };
}

async function bytesOf(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());
}

Deno.test("View looks up paths", async () => {
  const { view } = await open();
  strictEqual(view.root.kind, EntryKind.directory);
  strictEqual(view.root.attributes.mode, 0o755);
  strictEqual(view.root.name.length, 0);
  strictEqual(await view.lookup(latin("")), view.root);
  strictEqual(await view.lookup(latin("/")), view.root);
  const a = await view.lookup(latin("a"));
  ok(a);
  strictEqual(a.kind, EntryKind.file);
  strictEqual(a.size, 5);
  deepStrictEqual(a.idBytes, contentId(latin("hello")));
  strictEqual(a.pageId, undefined);
  const { mode, mtimeSec, uid, userName } = a.attributes;
  deepStrictEqual([mode, mtimeSec, uid], [0o600, -5, 1000]);
  strictEqual(displayPath(userName), "ann");
  const x = await view.lookup(latin("b/deep/x"));
  strictEqual(x?.kind, EntryKind.executable);
  strictEqual(displayPath(x.path), "b/deep/x");
  strictEqual(displayPath(x.name), "x");
  const link = await view.lookup(latin("b/link"));
  strictEqual(displayPath(link!.target), "../a");
  const tty = await view.lookup(latin("tty"));
  deepStrictEqual([tty!.deviceMajor, tty!.deviceMinor], [5, 1]);
  const odd = await view.lookup(latin("\xff\n"));
  deepStrictEqual(await view.read(odd!), latin("odd"));
});

Deno.test("View finds nothing through files and links", async () => {
  const { view } = await open();
  for (
    const path of [
      "a/x",
      "dir/deep",
      "b/deep/x/y",
      "c",
      "b/..",
      "./a",
      "b/link/x",
    ]
  ) {
    strictEqual(await view.lookup(latin(path)), undefined, path);
  }
});

Deno.test("View lists and walks in order", async () => {
  const { view } = await open();
  const names = (await Array.fromAsync(view.children(view.root)))
    .map((one) => displayPath(one.name));
  deepStrictEqual(names, [
    "a",
    "b",
    "big",
    "dir",
    "empty",
    "tty",
    "%FF%0A",
  ]);
  const paths = (await Array.fromAsync(view.walk())).map((one) =>
    displayPath(one.path)
  );
  deepStrictEqual(paths, [
    "a",
    "b",
    "b/deep",
    "b/deep/x",
    "b/link",
    "b/pipe",
    "big",
    "dir",
    "empty",
    "tty",
    "%FF%0A",
  ]);
  const b = await view.lookup(latin("b"));
  const below = await Array.fromAsync(view.walk(b));
  deepStrictEqual(below.map((one) => displayPath(one.path)), [
    "b/deep",
    "b/deep/x",
    "b/link",
    "b/pipe",
  ]);
  const a = await view.lookup(latin("a"));
  await rejects(Array.fromAsync(view.children(a!)), TypeError);
});

Deno.test("View lists many entries in batches", async () => {
  const test = new TestSnapshots({ frameSize: 1 << 20 });
  const many: Record<string, { directory: Record<string, never> }> = {};
  for (let i = 0; i < 2500; i++) {
    many[`d${String(i).padStart(4, "0")}`] = { directory: {} };
  }
  const record = await test.save(many);
  const view = await View.open(await test.open(), record);
  const sizes: number[] = [];
  let last: ViewEntry | undefined;
  for await (const batch of view.children(view.root).batches()) {
    sizes.push(batch.length);
    last = batch.at(-1);
  }
  deepStrictEqual(sizes, [1000, 1000, 500]);
  const found = await view.lookup(last!.path);
  deepStrictEqual(found!.pageId, last!.pageId);
  strictEqual((await Array.fromAsync(view.walk())).length, 2500);
});

Deno.test("View reads ranges across chunks and zeros", async () => {
  const { view } = await open();
  const plain = plainOf(CHUNKS);
  const big = await view.lookup(latin("big"));
  ok(big);
  for (
    const [offset, length] of [
      [0, 10],
      [8990, 20],
      [8999, 200_002],
      [100_000, 4096],
      [208_999, 12_200],
      [221_050, 100_000],
      [plain.length - 1, 1],
      [plain.length, 10],
      [plain.length + 5, 10],
      [0, plain.length],
      [5, 0],
    ]
  ) {
    deepStrictEqual(
      await view.read(big, { offset, length }),
      plain.slice(offset, offset + length),
      `${length} at ${offset}`,
    );
    deepStrictEqual(
      await bytesOf(view.stream(big, { offset, length })),
      plain.slice(offset, offset + length),
      `stream of ${length} at ${offset}`,
    );
  }
  deepStrictEqual(await view.read(big), plain);
  deepStrictEqual(await bytesOf(view.stream(big)), plain);
  deepStrictEqual(await new Response(await view.read(big)).bytes(), plain);
  await rejects(bytesOf(view.stream(big, { offset: -1 })), RangeError);
  await rejects(view.read(big, { offset: -1 }), RangeError);
  const empty = await view.lookup(latin("empty"));
  strictEqual((await view.read(empty!)).length, 0);
  strictEqual((await bytesOf(view.stream(empty!))).length, 0);
  const b = await view.lookup(latin("b"));
  await rejects(view.read(b!), TypeError);
  throws(() => view.stream(b!), TypeError);
});

Deno.test("an entry shows what a person wants to know", async () => {
  const { view } = await open();
  const entry = (await view.lookup("%FF%0A"))!;
  deepStrictEqual(JSON.parse(JSON.stringify(entry)), {
    ...{ path: "\ufffd\n", pathBytes: "/wo=", kind: "file", size: 3 },
    ...{ id: entry.id, mode: 0o644, uid: 1000, gid: 100 },
    modified: "2023-11-14T22:13:20.000000005Z",
    ...{ user: "ann", group: "users", linkCount: 1 },
    hasExtras: false,
  });
  for (const text of [Deno.inspect(entry), inspect(entry)]) {
    match(text, /^ViewEntry \{\s+path: ['"].*['"],[^]*kind: ['"]file['"]/);
  }
  const link = (await view.lookup("b/link"))!.toJSON();
  deepStrictEqual([link.kind, link.size, link.id], [
    "symlink",
    undefined,
    undefined,
  ]);
});

Deno.test("View reads extras, also those that are content", async () => {
  const test = new TestSnapshots();
  const large = noise(4, 3000);
  const id = test.addContent(large);
  const record = await test.save({
    f: {
      file: "f",
      extras: {
        xattrs: [
          { name: latin("user.a"), size: 1, value: latin("v") },
          { name: latin("user.b"), size: 3000, id },
        ],
      },
    },
    g: { file: "g" },
    d: {
      directory: {},
      extras: {
        xattrs: [{ name: latin("user.d"), size: 1, value: latin("w") }],
      },
    },
  });
  const view = await View.open(await test.open(), record);
  const d = (await view.lookup(latin("d")))!;
  strictEqual(d.extras, undefined, "they are in its own page");
  deepStrictEqual(
    await view.readExtra((await view.extras(d))!.xattrs[0]),
    latin("w"),
  );
  strictEqual(await view.extras(view.root), undefined);
  const f = await view.lookup(latin("f"));
  const [a, b] = (await view.extras(f!))!.xattrs;
  deepStrictEqual(await view.readExtra(a), latin("v"));
  deepStrictEqual(await view.readExtra(b), large);
  strictEqual((await view.lookup(latin("g")))!.extras, undefined);
});

Deno.test("View names damage, and hands out no byte of it", async () => {
  const { test, view } = await open();
  const [data, trees] = test.packs;
  await test.damage(data, (bytes) => void (bytes[73] ^= 1));
  const a = await view.lookup(latin("a"));
  await rejects(view.read(a!), DamageError);
  await rejects(bytesOf(view.stream(a!)));
  await test.damage(trees, (bytes) => {
    for (let at = 72; at < bytes.length - 64; at++) bytes[at] ^= 0x55;
  });
  const snapshots = await test.open();
  const ids = {
    tree: view.root.id,
    page: view.root.pageId!,
  };
  await rejects(View.open(snapshots, ids), DamageError);
});

Deno.test("View reports a recipe in the wrong order at the end of its stream", async () => {
  const test = new TestSnapshots();
  const [one, two] = [noise(1, 5000), noise(2, 6000)];
  const id = contentId(plainOf([one, two]));
  const record = await test.save({ big: { chunks: [two, one], id } });
  const view = await View.open(await test.open(), record);
  const big = await view.lookup(latin("big"));
  await rejects(bytesOf(view.stream(big!)), { name: "IdMismatchError" });
});

Deno.test("View refuses lies about sizes, pages and absent objects", async () => {
  const test = new TestSnapshots();
  const record = await test.save({
    absent: { id: contentId(latin("nowhere")), size: 7 },
    b: { file: "hello" },
    lie: { id: contentId(latin("hello")), size: 6 },
    wrong: { directory: { x: { fifo: true } }, tree: new Uint8Array(32) },
  });
  const view = await View.open(await test.open(), record);
  const at = async (path: string): Promise<ViewEntry> =>
    (await view.lookup(latin(path)))!;
  await rejects(view.read(await at("absent")), ObjectNotFoundError);
  await rejects(view.read(await at("lie")), RangeError);
  deepStrictEqual(await view.read(await at("b")), latin("hello"));
  await rejects(view.read(await at("lie")), RangeError);
  await rejects(view.lookup(latin("wrong/x")), ObjectNotFoundError);
  const other = await test.save({ q: { file: "other" } });
  const mixed = { tree: record.tree, page: other.page };
  await rejects(View.open(await test.open(), mixed), SyntaxError);
});

Deno.test("View ends with its signal", async () => {
  const { view } = await open();
  const signal = AbortSignal.abort(new Error("enough"));
  await rejects(Array.fromAsync(view.walk(view.root, { signal })), /enough/);
  const big = await view.lookup(latin("big"));
  await rejects(view.read(big!, { signal, length: 10 }), /enough/);
});
