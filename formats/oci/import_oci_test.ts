import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { makeMemorySnapshots, readSnapshot } from "../../tests/_snapshots.ts";
import { END, entry, joined } from "../tar/_testing.ts";
import { imageOf, type TestLayout } from "./_testing.ts";
import { importOci, type ImportOciOptions } from "./import_oci.ts";
import { openLayoutArchive } from "./layout_files.ts";
import { type Descriptor, MediaType, REF_NAME } from "./layout.ts";

/** Paths of an image, and of files what they hold. */
async function pathsOf(
  layout: TestLayout,
  options: ImportOciOptions = {},
): Promise<string[]> {
  const snapshots = await makeMemorySnapshots();
  const { record } = await importOci(snapshots, layout, options);
  const listing = await readSnapshot(snapshots, record);
  await snapshots[Symbol.asyncDispose]();
  return [...listing.keys()].filter((path) => path !== "");
}

async function refused(
  layout: TestLayout,
  message: RegExp,
  options: ImportOciOptions = {},
): Promise<void> {
  const snapshots = await makeMemorySnapshots();
  await rejects(importOci(snapshots, layout, options), { message });
  strictEqual((await snapshots.records()).length, 0, "a record was left");
  await snapshots[Symbol.asyncDispose]();
}

const link = (name: string, linkName: string) =>
  entry(name, { type: "2", linkName });

Deno.test("layers are applied one over the other: what came last counts", async () => {
  const lower = [entry("a", {}, "1"), entry("d/x"), link("l", "d"), END];
  const upper = [entry("a/"), entry("a/b"), entry("d", {}, "2"), END];
  deepStrictEqual(await pathsOf(imageOf([lower, upper])), [
    "a",
    "a/b",
    "d",
    "l",
  ]);
});

Deno.test("whiteouts hide what lower layers have put there, and nothing of their own layer", async () => {
  const lower = [entry("a/x"), entry("a/y"), entry("b/z"), entry("c"), END];
  const paths = (...upper: Uint8Array[]) =>
    pathsOf(imageOf([lower, [...upper, END]]));
  deepStrictEqual(await paths(entry(".wh.a")), ["b", "b/z", "c"]);
  deepStrictEqual(await paths(entry("a/.wh.x"), entry(".wh.c")), [
    "a",
    "a/y",
    "b",
    "b/z",
  ]);
  deepStrictEqual(
    await paths(
      entry("c", {}, "new"),
      entry("a/new"),
      entry(".wh.c"),
      entry(".wh.a"),
    ),
    ["a", "a/new", "b", "b/z", "c"],
  );
  const nothing = [
    ".wh.none",
    "none/.wh.x",
    "c/.wh.x",
    ".wh..wh.plnk/1",
    ".wh.",
  ];
  deepStrictEqual(
    await paths(...nothing.map((name) => entry(name))),
    ["a", "a/x", "a/y", "b", "b/z", "c"],
  );
});

Deno.test("an opaque directory begins anew, wherever its mark stands in the layer", async () => {
  const lower = [entry("a/b/x"), entry("a/b/y"), entry("a/z"), END];
  const mark = entry("a/.wh..wh..opq");
  for (const upper of [[mark, entry("a/b/new")], [entry("a/b/new"), mark]]) {
    const layout = imageOf([lower, [...upper, END]]);
    deepStrictEqual(await pathsOf(layout), ["a", "a/b", "a/b/new"]);
  }
  const below = imageOf([lower, [entry("a/"), mark, END], [entry("a/q"), END]]);
  deepStrictEqual(await pathsOf(below), ["a", "a/q"]);
});

Deno.test("a hard link may lead to a file of a lower layer", async () => {
  const snapshots = await makeMemorySnapshots();
  const upper = [entry("b", { type: "1", linkName: "a" }), END];
  const { totals } = await importOci(
    snapshots,
    imageOf([[entry("a", {}, "1"), END], upper]),
  );
  deepStrictEqual([totals.hardLinkCount, totals.byteCount], [2, 2]);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("what leads through links stays in the image, as in a file system of its own", async () => {
  const lower = [
    entry("usr/lib/"),
    link("lib", "usr/lib"),
    link("abs", "/usr"),
    link("up", "../../usr"),
    END,
  ];
  const upper = [entry("lib/a"), entry("abs/b"), entry("up/c"), END];
  deepStrictEqual(
    await pathsOf(imageOf([lower, upper])),
    ["abs", "lib", "up", "usr", "usr/b", "usr/c", "usr/lib", "usr/lib/a"],
  );
  await refused(
    imageOf([[entry("../a"), END]]),
    /its path leads out.*; layer sha256:/,
  );
  await refused(imageOf([[entry("/a"), END]]), /its path is absolute/);
});

Deno.test("layers are plain, gzip or zstd, and each is read once", async () => {
  const layers = Array.from(
    { length: 10 },
    (_, i) => [entry(`f${i}`, {}, `${i}`), END],
  );
  const ways = [(plain: Uint8Array) => plain, gzipSync, zstdCompressSync];
  const layout = imageOf(layers, {
    compress: (plain, i) => ways[i % 3](plain),
  });
  strictEqual((await pathsOf(layout)).length, 10);
  deepStrictEqual([...new Set(layout.reads.values())], [1]);
});

Deno.test("a wrong digest of either form, a wrong size, or a layer more leaves no record", async () => {
  const layers = [[entry("a"), END], [entry("b"), END]];
  const other = `sha256:${"0".repeat(64)}`;
  await refused(
    imageOf(layers, { diffIds: ([first]) => [first, other] }),
    /the archive of layer sha256:[0-9a-f]{64} is to have digest sha256:0{64}: found sha256:/,
  );
  await refused(
    imageOf(layers, { diffIds: ([first]) => [first] }),
    /its config is not one of OCI/,
  );
  await refused(
    imageOf(layers, {
      layers: (all) => all.map((one) => ({ ...one, size: one.size + 1 })),
    }),
    /blob sha256:[0-9a-f]{64} is to have 1537 bytes of this digest: found 1536 bytes/,
  );
  const swapped = imageOf(layers);
  const blobs = [...swapped.files.keys()].slice(1, 3);
  swapped.files.set(blobs[0], swapped.files.get(blobs[1])!);
  await refused(swapped, /is to have 1536 bytes of this digest/);
  const bad = imageOf(layers, {
    layers: ([one]) => [{ ...one, digest: "md5:12" }],
  });
  await refused(bad, /its digests must be of SHA-256: found "md5:12"/);
  const escaping = imageOf(layers, {
    layers: ([one]) => [{ ...one, digest: "sha256:../../etc" }],
  });
  await refused(escaping, /its digests must be of SHA-256/);
  const manifest = imageOf(layers);
  const name = [...manifest.files.keys()].at(-2)!;
  manifest.files.set(
    name,
    Uint8Array.from(manifest.files.get(name)!).reverse(),
  );
  await refused(manifest, /is to have \d+ bytes of this digest/);
});

Deno.test("one of several images is meant by its name, one of an index by its architecture", async () => {
  const layers = [[entry("a"), END]];
  const named = (name: string) => (one: Descriptor): Descriptor => ({
    ...one,
    annotations: { [REF_NAME]: name },
  });
  const two = () =>
    imageOf(layers, {
      manifests: ([one]) => [named("v1")(one), named("v2")(one)],
    });
  await refused(two(), /2 of 2 are meant/);
  await refused(two(), /0 of 2 are meant/, { image: "v3" });
  deepStrictEqual(await pathsOf(two(), { image: "v2" }), ["a"]);
  const nested = () => {
    const layout = imageOf(layers);
    const { manifests } = JSON.parse(
      new TextDecoder().decode(layout.files.get("index.json")),
    );
    const [one] = manifests;
    const inner = ["amd64", "arm64"].map((architecture) => ({
      ...one,
      platform: { architecture },
    }));
    const index = layout.blob(
      JSON.stringify({ manifests: inner }),
      MediaType.index,
    );
    layout.files.set(
      "index.json",
      new TextEncoder().encode(JSON.stringify({ manifests: [index] })),
    );
    return layout;
  };
  await refused(nested(), /2 of 2 are meant/);
  deepStrictEqual(await pathsOf(nested(), { architecture: "arm64" }), ["a"]);
});

Deno.test("documents that are none are refused", async () => {
  const layers = [[entry("a"), END]];
  for (
    const text of [
      "",
      "[",
      "3",
      "{}",
      '{"manifests":3}',
      '{"manifests":[{}]}',
      '{"manifests":[null]}',
    ]
  ) {
    const layout = imageOf(layers);
    layout.files.set("index.json", new TextEncoder().encode(text));
    await refused(layout, /its index is not one of OCI/);
  }
});

Deno.test("an archive of an image is looked through without its large layers", async () => {
  const size = 40 * 1024 * 1024;
  const layout = imageOf([[entry("a", { size }), new Uint8Array(size), END]]);
  const archive = joined(
    ...[...layout.files].map(([name, bytes]) => entry(name, {}, bytes)),
    END,
  );
  for (const cut of [0, 1024, archive.length - size / 2]) {
    let readCount = 0;
    const opening = openLayoutArchive({
      async *read(offset, length) {
        const end = Math.min(archive.length - cut, offset + length);
        for (let at = offset; at < end; at += 1 << 20) {
          const piece = archive.subarray(at, Math.min(end, at + (1 << 20)));
          readCount += piece.length;
          yield piece;
        }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
    if (cut > 0) {
      await rejects(opening, { name: "ArchiveSyntaxError" });
      continue;
    }
    const files = await opening;
    ok(readCount < 4 << 20, `${readCount} bytes were read`);
    const snapshots = await makeMemorySnapshots();
    const { totals } = await importOci(snapshots, files);
    strictEqual(totals.byteCount, size);
    await snapshots[Symbol.asyncDispose]();
  }
});
