import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { linkSync } from "node:fs";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import type { NamedRecord } from "@snap/snapshot/records";
import {
  describeTree,
  isRoot,
  makeFullTree,
  TestFolder,
} from "../../tests/_test_trees.ts";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { exportOci } from "./export_oci.ts";
import { importOci } from "./import_oci.ts";
import { openLayoutArchive, openLayoutFolder } from "./layout_files.ts";

/** A tree with every kind of change in it. */
function change(root: string): void {
  rmSync(`${root}/same-1`);
  rmSync(`${root}/nothing`, { recursive: true });
  rmSync(`${root}/b/c`, { recursive: true });
  writeFileSync(`${root}/b/c`, "a file now");
  rmSync(`${root}/to-directory`);
  mkdirSync(`${root}/to-directory`);
  writeFileSync(`${root}/to-directory/in`, "it");
  writeFileSync(`${root}/script`, "#!/bin/bash\n");
  truncateSync(`${root}/zeros`, 300_000);
  linkSync(`${root}/zeros`, `${root}/a-first-name`);
  linkSync(`${root}/b/same-2`, `${root}/z-more`);
  symlinkSync("x", `${root}/b/new-link`);
}

async function differences(
  snapshots: Snapshots,
  before: NamedRecord,
  after: NamedRecord,
): Promise<string[]> {
  const reader = await snapshots.reader();
  const found: string[] = [];
  const sides = [before, after].map((one) => snapshotSide(reader, one));
  for await (const { kind, path } of diffSnapshots(sides[0], sides[1])) {
    found.push(`${kind} ${Buffer.from(path)}`);
  }
  return found;
}

function run(program: string, ...args: string[]): void {
  const env = { PATH: Deno.env.get("PATH")!, HOME: "/nonexistent" };
  execFileSync(program, args, { env, stdio: "ignore" });
}

Deno.test({
  name:
    "a snapshot and a layer over another: what is imported again differs in nothing, and umoci and skopeo read it",
  ignore: !isRoot,
  fn: async () => {
    using folder = new TestFolder();
    const source = makeFullTree(folder, "source");
    const snapshots = await makeMemorySnapshots();
    const base = (await save(snapshots, source)).record;
    change(source);
    const record = (await save(snapshots, source)).record;
    for (const compression of ["gzip", "zstd", "none"] as const) {
      const layout = folder.at(compression);
      mkdirSync(layout);
      const { layers } = await exportOci(snapshots, record, layout, {
        base,
        compression,
      });
      strictEqual(layers.length, 2);
      const imported = await importOci(snapshots, openLayoutFolder(layout));
      deepStrictEqual(
        await differences(snapshots, record, imported.record),
        [],
      );
      deepStrictEqual(
        imported.layers,
        layers.map(({ digest, diffId }) => ({ digest, diffId })),
      );
    }
    const image = `${folder.at("gzip")}:latest`;
    run("umoci", "unpack", "--image", image, folder.at("bundle"));
    // It writes what was a hole.
    deepStrictEqual(
      withoutHoles(folder.at("bundle/rootfs")),
      withoutHoles(source),
    );
    run(
      "skopeo",
      "--insecure-policy",
      "copy",
      `oci:${image}`,
      `oci-archive:${folder.at("a.tar")}:again`,
    );
    const files = await openLayoutArchive(folder.at("a.tar"));
    const { id } = await importOci(snapshots, files, { image: "again" });
    await files[Symbol.asyncDispose]();
    strictEqual(id, record.tree);
    await snapshots[Symbol.asyncDispose]();
  },
});

function withoutHoles(root: string): string[] {
  return describeTree(root)
    .map((line) => line.replace(/\{"xattrs":\[\],"holes".*$/, ""));
}

Deno.test("the same snapshots give the same image", async () => {
  using folder = new TestFolder();
  const snapshots = await makeMemorySnapshots();
  folder.file("source/a", "a");
  const base = (await save(snapshots, folder.at("source"))).record;
  folder.file("source/b", "b");
  const record = (await save(snapshots, folder.at("source"))).record;
  const results = [];
  for (const name of ["one", "two"]) {
    mkdirSync(folder.at(name));
    results.push(
      await exportOci(snapshots, record, folder.at(name), {
        base,
        architecture: "arm64",
        image: "v1",
      }),
    );
  }
  deepStrictEqual(results[0], results[1]);
  const index = readFileSync(folder.at("one/index.json"), "utf8");
  match(index, /"org.opencontainers.image.ref.name":"v1"/);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("a name that says in a layer what goes is refused", async () => {
  using folder = new TestFolder();
  const snapshots = await makeMemorySnapshots();
  folder.file("source/d/.wh.a", "a");
  const { record } = await save(snapshots, folder.at("source"));
  mkdirSync(folder.at("image"));
  await rejects(exportOci(snapshots, record, folder.at("image")), {
    name: "ExportError",
    message: /^Cannot export d\/\.wh\.a in a layer/,
  });
  strictEqual(existsSync(folder.at("image/index.json")), false);
  await snapshots[Symbol.asyncDispose]();
});
