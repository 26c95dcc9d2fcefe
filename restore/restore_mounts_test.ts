import { deepEqual, equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { displayPath } from "@snap/manifest/path";
import * as fs from "node:fs";
import {
  describeTree,
  isRoot,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import { restore, type RestoreOptions } from "./restore.ts";

/** Mounts something for a scope. */
function mounted(path: string, ...words: string[]): Disposable {
  execFileSync("mount", [...words, path], { stdio: "ignore" });
  return {
    // What another thread starts at that moment still has it open.
    [Symbol.dispose]: () => void execFileSync("umount", ["-l", path]),
  };
}

/** Whether things can be mounted here; where tests must not be left out, a failure says so. */
function canMount(): boolean {
  if (!isRoot) return false;
  using folder = new TestFolder();
  try {
    using _ = mounted(folder.path, "-t", "tmpfs", "none");
    return true;
  } catch (error) {
    if (Deno.env.get("CI") !== undefined) throw error;
    return false;
  }
}

const ignore = !canMount();
const EXISTING: RestoreOptions = { existing: true, delete: true };

/** Saves `source`, and restores it over `live` in every way; gives the errors. */
async function restoreOver(
  folder: TestFolder,
  options: RestoreOptions = {},
): Promise<string[]> {
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const { errors } = await restore(snapshots, record, folder.at("live"), {
    ...EXISTING,
    ...options,
  });
  return errors.map(({ code, path }) => `${code} ${displayPath(path)}`);
}

function makeSource(folder: TestFolder): void {
  folder.file("source/a", "new");
  folder.file("source/data/file", "new");
  folder.file("source/data/deep/er", "new");
  folder.file("source/z", "new");
  fs.cpSync(folder.at("source"), folder.at("live"), { recursive: true });
  folder.file("live/a", "old");
  folder.file("live/z", "old");
  folder.file("precious/file", "precious");
  folder.file("precious/sub/file", "precious");
}

Deno.test({
  name:
    "restore() with delete leaves what is mounted on a directory that the snapshot does not have",
  ignore,
  async fn() {
    for (const workers of [0, 1]) {
      using folder = new TestFolder();
      makeSource(folder);
      folder.file("live/extra/other", "goes");
      fs.mkdirSync(folder.at("live/extra/mounted"));
      const before = describeTree(folder.at("precious"));
      const path = folder.at("live/extra/mounted");
      using _ = mounted(path, "--bind", folder.at("precious"));
      const planned = await restoreOver(folder, { workers, dryRun: true });
      deepEqual(planned, []);
      const errors = await restoreOver(folder, { workers });
      deepEqual(errors, ["EMOUNT extra/mounted"]);
      deepEqual(describeTree(folder.at("precious")), before);
      deepEqual(fs.readdirSync(folder.at("live/extra")), ["mounted"]);
      equal(fs.readFileSync(folder.at("live/a"), "utf8"), "new");
      equal(fs.readFileSync(folder.at("live/z"), "utf8"), "new");
    }
  },
});

Deno.test({
  name:
    "restore() touches nothing behind a mount on a directory that the snapshot has, and restores the rest",
  ignore,
  async fn() {
    const kinds = [
      ["--bind", "precious"],
      ["-t", "tmpfs", "none"],
      ["-t", "tmpfs", "-o", "ro", "none"],
    ];
    for (const [i, words] of kinds.entries()) {
      for (const workers of [0, 1]) {
        using folder = new TestFolder();
        makeSource(folder);
        const what = words.map((word) => {
          return word === "precious" ? folder.at(word) : word;
        });
        const path = folder.at("live/data");
        using _ = mounted(path, ...what);
        if (i === 1) folder.file("live/data/kept", "precious");
        const before = describeTree(path);
        for (const dryRun of [true, false]) {
          const errors = await restoreOver(folder, { workers, dryRun });
          deepEqual(errors, ["EMOUNT data"]);
        }
        deepEqual(describeTree(path), before);
        equal(fs.readFileSync(folder.at("live/a"), "utf8"), "new");
        equal(fs.readFileSync(folder.at("live/z"), "utf8"), "new");
      }
    }
  },
});

Deno.test({
  name: "restore() leaves a file that is mounted on a file as it is",
  ignore,
  async fn() {
    for (const content of ["new", "old", "something longer"]) {
      using folder = new TestFolder();
      makeSource(folder);
      folder.file("precious/file", content);
      fs.chmodSync(folder.at("precious/file"), 0o600);
      const before = describeTree(folder.at("precious"));
      const path = folder.at("live/data/file");
      using _ = mounted(path, "--bind", folder.at("precious/file"));
      const errors = await restoreOver(folder);
      deepEqual(errors, [
        content === "new" ? "EMOUNT data/file" : "EBUSY data/file",
      ]);
      deepEqual(describeTree(folder.at("precious")), before);
      deepEqual(fs.readdirSync(folder.at("live/data")), ["deep", "file"]);
      equal(fs.readFileSync(folder.at("live/z"), "utf8"), "new");
    }
  },
});

Deno.test({
  name: "restore() does not replace a mounted directory by anything else",
  ignore,
  async fn() {
    for (const name of ["a", "link"]) {
      using folder = new TestFolder();
      makeSource(folder);
      fs.symlinkSync("a", folder.at("source/link"));
      fs.rmSync(folder.at(`live/${name}`), { force: true });
      fs.mkdirSync(folder.at(`live/${name}`));
      const path = folder.at(`live/${name}`);
      using _ = mounted(path, "--bind", folder.at("precious"));
      const before = describeTree(folder.at("precious"));
      for (const remove of [false, true]) {
        const errors = await restoreOver(folder, { delete: remove });
        deepEqual(errors, [`EMOUNT ${name}`]);
      }
      deepEqual(describeTree(folder.at("precious")), before);
      equal(fs.readFileSync(folder.at("live/z"), "utf8"), "new");
    }
  },
});
