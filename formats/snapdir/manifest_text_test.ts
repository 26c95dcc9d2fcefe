import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createHash } from "node:crypto";
import { IgnoreRules } from "@snap/disk/ignore";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { SideIds } from "@snap/snapshot/query";
import type { ObjectReads } from "@snap/snapshot/reach";
import { identify } from "@snap/save/identify";
import {
  type TestDirectory,
  TestSnapshots,
} from "../../tests/_test_snapshots.ts";
import type { LeftOut, ManifestOptions } from "./manifest_walk.ts";
import { writeManifest } from "./manifest_text.ts";
import vectors from "../testdata/snapdir_vectors.json" with { type: "json" };

const hasher = wasmHasher;

/** A tree that snapdir has a manifest for. */
type Vector = (typeof vectors.cases)[number];

interface Text {
  readonly id: string;
  readonly text: string;
  readonly leftOut: LeftOut;
}

async function manifestOf(
  test: TestSnapshots,
  tree: TestDirectory,
  options: Partial<ManifestOptions> = {},
): Promise<Text> {
  const record = await test.save(tree);
  await using snapshots = await test.open();
  return await textOf(await snapshots.reader(), record, options);
}

async function textOf(
  objects: ObjectReads,
  ids: Required<SideIds>,
  options: Partial<ManifestOptions> = {},
): Promise<Text> {
  const pieces: Uint8Array[] = [];
  const written = await writeManifest(
    objects,
    ids,
    { hasher, ...options },
    (piece) => {
      pieces.push(piece);
      return Promise.resolve();
    },
  );
  return {
    ...written,
    text: await new Blob(pieces as Uint8Array<ArrayBuffer>[]).text(),
  };
}

function makeTree(root: string, { files, directories, links }: Vector): void {
  for (const [path] of directories) {
    mkdirSync(join(root, path), { recursive: true });
  }
  for (const { path, hex, mode } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Uint8Array.fromHex(hex));
    chmodSync(join(root, path), parseInt(mode, 8));
  }
  for (const { path, target } of links as { path: string; target: string }[]) {
    symlinkSync(target, join(root, path));
  }
  // Those within first: a mode may keep others out.
  for (const [path, mode] of directories.toReversed()) {
    chmodSync(join(root, path), parseInt(mode, 8));
  }
}

for (const vector of vectors.cases) {
  Deno.test(`the manifest of snapdir for ${vector.name} is made byte for byte`, async () => {
    const root = mkdtempSync(join(tmpdir(), "snap-snapdir-"));
    try {
      makeTree(root, vector);
      const { follow = true, exclude } = vector.options as {
        follow?: boolean;
        exclude?: string;
      };
      // What a pattern of snapdir with a slash at its end leaves out: all below.
      const ignore = new IgnoreRules({
        exclude: exclude === undefined ? [] : [`${exclude}*`],
      });
      const found = await identify(root, { hasher, keepTrees: true, ignore });
      const options = { noFollow: !follow };
      const { id, text } = await textOf(found, {
        tree: found.id,
        page: found.page,
      }, options);
      strictEqual(text, vector.manifest);
      strictEqual(id, vector.id);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
}

Deno.test("a manifest of ten thousand files has the id that snapdir gives", async () => {
  const tree: Record<string, TestDirectory[string]> = {};
  for (let d = 0; d < 100; d++) {
    const directory: Record<string, TestDirectory[string]> = {};
    const name = d.toString(16).padStart(2, "0");
    for (let f = 0; f < 100; f++) {
      const file = `f${String(f).padStart(3, "0")}.dat`;
      const content = createHash("sha256").update(`20260624${name}/${file}`)
        .digest();
      directory[file] = { file: new Uint8Array(content), mode: 0o644 };
    }
    tree[name] = { directory, mode: 0o755 };
  }
  const { id, text } = await manifestOf(new TestSnapshots(), tree);
  const { large } = vectors;
  strictEqual(text.length, large.manifest_bytes);
  strictEqual(text.split(" ", 3)[2], large.root_checksum);
  strictEqual(id, large.id);
});

/** The paths of a manifest. */
function pathsOf(text: string): string[] {
  return text.trimEnd().split("\n").map((line) => line.split(" ", 5)[4]);
}

Deno.test("a link stands where a directory or file of its name would", async () => {
  const { text } = await manifestOf(new TestSnapshots(), {
    "a": { link: "d" },
    "a.b": { link: "d/f" },
    "a0": { file: "0" },
    "d": { directory: { f: { file: "f", mode: 0o600 } }, mode: 0o700 },
  });
  // A dot goes before a slash, and a slash before a digit.
  deepStrictEqual(pathsOf(text), [
    ...["./", "./a.b", "./a/", "./a/f", "./a0", "./d/", "./d/f"],
  ]);
});

Deno.test("a link that leads out, to nothing, or to where it is, has no line", async () => {
  const up = { directory: { here: { link: ".." }, out: { link: "../.." } } };
  const { text, leftOut } = await manifestOf(new TestSnapshots(), {
    absolute: { link: "/etc" },
    around: { link: "around" },
    dot: { link: "." },
    fifo: { fifo: true },
    file: { file: "1" },
    "no-directory": { link: "file/." },
    pipe: { link: "fifo" },
    through: { link: "absolute/passwd" },
    up,
  });
  deepStrictEqual(pathsOf(text), ["./", "./file", "./up/"]);
  deepStrictEqual(leftOut, {
    ...{ links: 2, outsideLinks: 3, circularLinks: 2, specialFiles: 2 },
    ...{ hardLinks: 0, xattrs: 0 },
  });
});

Deno.test("two directories that link to each other end", async () => {
  const { text, leftOut } = await manifestOf(new TestSnapshots(), {
    a: { directory: { b: { link: "../b" } } },
    b: { directory: { a: { link: "../a" } } },
  });
  deepStrictEqual(pathsOf(text), ["./", "./a/", "./a/b/", "./b/", "./b/a/"]);
  strictEqual(leftOut.circularLinks, 2);
});

Deno.test("links without follow are left out", async () => {
  const { text, leftOut } = await manifestOf(new TestSnapshots(), {
    file: { file: "1" },
    link: { link: "file" },
  }, { noFollow: true });
  deepStrictEqual(pathsOf(text), ["./", "./file"]);
  strictEqual(leftOut.links, 1);
});

for (
  const [name, fault] of [
    ["a\nb", "its name has a line break"],
    ["a\xff", "its name is not UTF-8"],
  ]
) {
  Deno.test(`no manifest is made where ${fault}`, async () => {
    const tree = { sub: { directory: { [name]: { file: "1" } } } };
    await rejects(manifestOf(new TestSnapshots(), tree), {
      name: "ExportError",
      message: new RegExp(`sub/a.*: ${fault}$`),
    });
  });
}
