import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { ReadStore } from "@snap/store";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { makeMemorySnapshots, noise } from "../../tests/_snapshots.ts";
import { type Contents, MemoryPool, NO_ID } from "./_testing.ts";
import { fileName } from "./snapdir_files.ts";
import { importSnapdir, onlyManifest } from "./import_snapdir.ts";
import { exportSnapdir } from "./export_snapdir.ts";

const TREE: Contents = {
  "a": "one",
  "a.b": "two",
  "dir": { "f": "three", "empty": {}, "nothing": "" },
  "z": "one",
};

/** Manifests of {@linkcode TREE} that are none, and what is said of them. */
const BAD: readonly (readonly [
  what: string,
  change: (lines: string[]) => string[],
  fault: RegExp,
])[] = [
  ["no line", () => [], /line 1: there is no line/],
  ["comments alone", () => ["# nothing", ""], /there is no line/],
  ["a line of text", () => ["hello"], /line 1: it has no five fields/],
  ["no root", (all) => all.slice(1), /first line is not that of \.\//],
  [
    "a root that is a file",
    () => [`F 644 ${NO_ID} 1 ./`],
    /is not that of \.\//,
  ],
  ["the root twice", (all) => [all[0], ...all], /\.\/ is there twice/],
  [
    "a file twice",
    (all) => all.toSpliced(2, 0, all[1]),
    /\.\/a is there twice/,
  ],
  [
    "another order",
    (all) => [all[0], all[2], all[1], ...all.slice(3)],
    /line 3: \.\/a is not above the path before/,
  ],
  ["a type of its own", replace("F 644", "L 644"), /neither F nor D/],
  ["permissions of a name", replace("F 644", "F rwx"), /no octal number/],
  [
    "permissions above all bits",
    replace("F 644", "F 17777"),
    /no octal number/,
  ],
  ["a short checksum", replace(/F 644 \w+/, "F 644 abc"), /64 hex digits/],
  ["an MD5", replace(/F 644 \w{32}/, "F 644 "), /64 hex digits/],
  [
    "a checksum in capitals",
    (all) => all.map((line, i) => i === 1 ? line.toUpperCase() : line),
    /64 hex digits/,
  ],
  ["a size below nothing", replace(" 3 ./a", " -3 ./a"), /no number of bytes/],
  [
    "a size above all",
    replace(" 3 ./a", " 9007199254740993 ./a"),
    /no number of bytes/,
  ],
  ["an absolute path", replace("./a", "/etc/passwd"), /its path is absolute/],
  ["a path without ./", replace("./a", "a"), /does not begin with \.\//],
  [
    "a path that leads out",
    replace("./a", "./../a"),
    /its directory has no line/,
  ],
  ["a name ..", replace("./a", "./.."), /must not be "\." or "\.\."/],
  ["a name .", replace("./a", "./."), /must not be "\." or "\.\."/],
  ["an empty name", replace("./a", "./"), /\.\/ is there twice/],
  [
    "a file with a slash",
    replace("./a", "./a/"),
    /a name must have 1 to 255 bytes/,
  ],
  [
    "a directory without a slash",
    replace("./dir/empty/", "./dir/empty"),
    /does not end with a slash/,
  ],
  ["NUL in a name", replace("./a", "./\0"), /must not contain NUL/],
  [
    "a name too long",
    replace("./a", `./${"a".repeat(256)}`),
    /must have 1 to 255 bytes/,
  ],
  ["what is not UTF-8", replace("./z", "./z\xff"), /is not UTF-8/],
  [
    "a line break in a name",
    replace("./a.b", "./a+\nb"),
    /line 4: it has no five fields/,
  ],
  [
    "a directory without a line",
    replace("./z", "./y/z"),
    /its directory has no line/,
  ],
  [
    "a file that is a directory, too",
    (all) => all.toSpliced(3, 0, `F 644 ${NO_ID} 1 ./dir`),
    /\.\/dir\/ is a file, too/,
  ],
  [
    "another sum in a directory",
    replace(/^(D 755) \w+ 5 /m, `$1 ${NO_ID} 5 `),
    /the checksum of \.\/dir\/ is not/,
  ],
  [
    "another checksum of a file",
    replace(/ \w{64} 3 \.\/a\.b/, ` ${NO_ID} 3 ./a.b`),
    /the checksum of \.\/ is not/,
  ],
  [
    "another size of a directory",
    replace(" 5 ./dir/", " 6 ./dir/"),
    /the size of \.\/dir\/ is not/,
  ],
  [
    "levels without end",
    () =>
      Array.from(
        { length: 1100 },
        (_, depth) => `D 755 ${NO_ID} 0 .${"/d".repeat(depth)}/`,
      ),
    /nest more than 1024 deep/,
  ],
];

function replace(
  from: string | RegExp,
  to: string,
): (lines: string[]) => string[] {
  return (lines) => {
    const found = lines.findIndex((line) =>
      typeof from === "string" && from.includes("./")
        ? line.endsWith(from)
        : line.search(from) >= 0
    );
    return lines.with(found, lines[found].replace(from, to));
  };
}

/** Imports, and sees that nothing came of it. */
async function refuses(
  pool: MemoryPool,
  id: string,
  expected: object,
): Promise<void> {
  const snapshots = await makeMemorySnapshots();
  await rejects(importSnapdir(snapshots, pool.files, id), expected);
  deepStrictEqual(await snapshots.records(), []);
  await snapshots[Symbol.asyncDispose]();
}

for (const [what, change, fault] of BAD) {
  Deno.test(`a snapdir manifest with ${what} is refused before an object is read`, async () => {
    const pool = new MemoryPool();
    const lines = change(await pool.add(TREE));
    const id = await pool.addManifest(
      textOf(lines),
    );
    pool.objects.read = () => Promise.reject(new Error("An object was read"));
    await refuses(pool, id, { name: "SnapdirSyntaxError", message: fault });
  });
}

Deno.test("a snapdir manifest without its last line break is refused", async () => {
  const pool = new MemoryPool();
  const text = (await pool.add(TREE)).join("\n");
  const id = await pool.addManifest(text);
  await refuses(pool, id, { message: /line 8: it has no line break/ });
});

Deno.test("a snapshot of snapdir is imported with its contents, permissions and empty directories", async () => {
  const pool = new MemoryPool();
  const lines = await pool.add(TREE);
  lines[1] = lines[1].replace("F 644", "F 4751");
  const id = await pool.addManifest(textOf(lines));
  const snapshots = await makeMemorySnapshots();
  const { record, totals, snapdirId, otherSizeCount } = await importSnapdir(
    ...[snapshots, pool.files, id, { source: "pool", message: "why" }] as const,
  );
  deepStrictEqual([snapdirId, otherSizeCount], [id, 0]);
  deepStrictEqual([record.source, record.message], ["pool", "why"]);
  deepStrictEqual([totals.fileCount, totals.byteCount], [5, 14]);
  const view = await View.open(snapshots, record);
  const found: [string, number, string][] = [];
  for await (const batch of view.walk().batches()) {
    for (const entry of batch) {
      const { mode, uid, mtimeSec } = entry.attributes;
      deepStrictEqual([uid, mtimeSec], [0, 0]);
      const content = entry.pageId ? "/" : text(await view.read(entry));
      found.push([text(entry.path), mode, content]);
    }
  }
  deepStrictEqual(found, [
    ["a", 0o4751, "one"],
    ["a.b", 0o644, "two"],
    ["dir", 0o755, "/"],
    ["dir/empty", 0o755, "/"],
    ["dir/f", 0o644, "three"],
    ["dir/nothing", 0o644, ""],
    ["z", 0o644, "one"],
  ]);
  deepStrictEqual((await verify(snapshots, { data: true })).damages, []);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("what is imported has the manifest that it came with", async () => {
  const pool = new MemoryPool();
  const lines = await pool.add({ ...TREE, large: "0123456789".repeat(1e6) });
  const id = await pool.addManifest(textOf(lines));
  const snapshots = await makeMemorySnapshots();
  const { record } = await importSnapdir(snapshots, pool.files, id);
  const other = new MemoryPool();
  const reader = await snapshots.reader();
  const { hasher } = snapshots;
  const exported = await exportSnapdir(reader, record, other.files, { hasher });
  deepStrictEqual([exported.id, exported.newObjectCount], [id, 5]);
  for (
    const [from, to] of [[pool.objects, other.objects], [
      pool.manifests,
      other.manifests,
    ]]
  ) {
    const names = await namesOf(to);
    deepStrictEqual(names, await namesOf(from));
    for (const name of names) {
      deepStrictEqual(await to.read(name), await from.read(name));
    }
  }
  const again = await exportSnapdir(reader, record, other.files, { hasher });
  deepStrictEqual([again.id, again.newObjectCount], [id, 0]);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("content that the store holds is not read again", async () => {
  const pool = new MemoryPool();
  const tree = { a: "one", large: "0123456789".repeat(1e6) };
  const snapshots = await makeMemorySnapshots();
  const first = await pool.addManifest(textOf(await pool.add(tree)));
  await importSnapdir(snapshots, pool.files, first);
  const lines = await pool.add({ ...tree, b: "two" });
  const second = await pool.addManifest(textOf(lines));
  const read = pool.objects.read.bind(pool.objects);
  const names: string[] = [];
  pool.objects.read = (name, options) => {
    names.push(name);
    return read(name, options);
  };
  await importSnapdir(snapshots, pool.files, second);
  deepStrictEqual(names, [objectOf(lines, "./b")]);
  deepStrictEqual((await verify(snapshots, { data: true })).damages, []);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("comments and empty lines of a manifest do not count", async () => {
  const pool = new MemoryPool();
  const lines = await pool.add({ a: "one" });
  const id = await pool.addManifest(
    ["# made by hand", "", ...lines, ""].join("\n"),
  );
  const snapshots = await makeMemorySnapshots();
  const { totals } = await importSnapdir(snapshots, pool.files, id);
  strictEqual(totals.fileCount, 1);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("a file with the size of a link is taken with that of its content, and counted", async () => {
  const pool = new MemoryPool();
  const [root, file] = await pool.add({ a: "0123456789" });
  const text = [
    root.replace(" 10 ./", " 3 ./"),
    file.replace("F 644", "F 777").replace(" 10 ./a", " 3 ./a"),
    "",
  ].join("\n");
  const snapshots = await makeMemorySnapshots();
  const id = await pool.addManifest(text);
  const { record, otherSizeCount } = await importSnapdir(
    snapshots,
    pool.files,
    id,
  );
  strictEqual(otherSizeCount, 1);
  strictEqual(record.totals.byteCount, 10);
  deepStrictEqual((await verify(snapshots, { data: true })).damages, []);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("a manifest under another id is refused", async () => {
  const pool = new MemoryPool();
  const lines = await pool.add(TREE);
  await pool.addManifest(textOf(lines), NO_ID);
  await refuses(pool, NO_ID, {
    name: "ImportError",
    message: /its text has id/,
  });
});

Deno.test("an import without the manifest, or of what is no id, says so", async () => {
  const pool = new MemoryPool();
  await refuses(pool, NO_ID, { message: /its manifest is not there/ });
  await refuses(pool, "../x", {
    message: /an id of snapdir has 64 hex digits/,
  });
});

Deno.test("an object that is not there leaves no record", async () => {
  const pool = new MemoryPool();
  const lines = await pool.add(TREE);
  const id = await pool.addManifest(textOf(lines));
  await pool.objects.remove(objectOf(lines, "./dir/f"));
  await refuses(pool, id, {
    name: "ImportError",
    message: /^Cannot import \.\/dir\/f: its object \w+ is not in memory$/,
  });
});

for (const size of [5, 50_000, 9_000_000]) {
  Deno.test(`an object of ${size} bytes with other content leaves no record`, async () => {
    const pool = new MemoryPool();
    const lines = await pool.add({ a: "x".repeat(size), b: "1" });
    const id = await pool.addManifest(
      textOf(lines),
    );
    const name = objectOf(lines, "./a");
    for (
      const bytes of [noise(size, 1), noise(size - 1, 1), new Uint8Array(0)]
    ) {
      await pool.objects.remove(name);
      await pool.objects.create(name, bytes);
      await refuses(pool, id, {
        name: "ImportError",
        message: /^Cannot import \.\/a: its object \w+ has id \w+$/,
      });
    }
  });
}

Deno.test("the only snapshot of a store needs no id", async () => {
  const pool = new MemoryPool();
  await rejects(onlyManifest(pool.files), {
    name: "ImportError",
    message: /no snapshot of snapdir is there/,
  });
  const id = await pool.addManifest("1\n");
  strictEqual(await onlyManifest(pool.files), id);
  // What is no manifest has no say.
  await pool.manifests.create("readme", new Uint8Array(1));
  strictEqual(await onlyManifest(pool.files), id);
  const other = await pool.addManifest("2\n");
  await rejects(onlyManifest(pool.files), {
    message: /several snapshots are there/,
    hint: `there are ${[id, other].sort().join(", ")}`,
  });
});

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function objectOf(lines: readonly string[], path: string): string {
  const checksum =
    lines.find((line) => line.endsWith(` ${path}`))!.split(" ")[2];
  return fileName("", checksum).slice(1);
}

async function namesOf(store: ReadStore): Promise<string[]> {
  const batches = await Array.fromAsync(store.list(""));
  return batches.flat().map(({ name }) => name).sort();
}
