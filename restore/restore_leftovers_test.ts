import { deepEqual, equal, ok } from "node:assert/strict";
import { diskCalls } from "@snap/disk";
import { isTemporaryName } from "@snap/disk/target";
import { displayPath } from "@snap/manifest/path";
import { errnos } from "@snap/posix/constants";
import { hooked, textOf } from "../tests/_test_calls.ts";
import {
  bytesOf,
  describeTree,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import { restore, type RestoreOptions } from "./restore.ts";

const real = diskCalls();

/** Calls by which what is not complete stays, as if the program had been killed. */
const killed = hooked({
  renameAt: () => -errnos.EIO,
  unlinkAt: (directory, name, flags) =>
    isTemporaryName(name.subarray(0, -1))
      ? -errnos.EIO
      : real.unlinkAt(directory, name, flags),
});

/** Names that only look alike. */
const ALIKE = [
  ".snap-0123456789abcdef-0-00000000",
  ".snap-backup",
  ".snap-1d8f7a10-6c1b-4d2e-0",
];

/** A tree, saved, and a target in which a restore was killed. */
async function scene(folder: TestFolder) {
  folder.file("source/!", "first of all");
  folder.file("source/d/file", "file");
  Deno.linkSync(folder.at("source/d/file"), folder.at("source/hard"));
  Deno.symlinkSync("d/file", folder.at("source/soft"));
  Deno.mkdirSync(folder.at("source/tree"));
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  folder.file("out/d/file", "old");
  for (const name of ["hard", "soft", "tree"]) {
    folder.file(`out/${name}`, "old");
  }
  const run = async (options: RestoreOptions) => {
    const deleted: string[] = [];
    const result = await restore(snapshots, record, folder.at("out"), {
      existing: true,
      onChange({ kind, path }) {
        if (kind === "deleted") deleted.push(displayPath(path));
      },
      ...options,
    });
    return { ...result, deleted };
  };
  await run({ calls: killed });
  return { snapshots, run };
}

/** What in a directory has a temporary name. */
function leftOvers(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name)
    .filter((name) => isTemporaryName(bytesOf(name).subarray(0, -1))).sort();
}

Deno.test("restore() removes what a killed one has left, and nothing that looks alike", async () => {
  using folder = new TestFolder();
  const { snapshots, run } = await scene(folder);
  await using _ = snapshots;
  const top = leftOvers(folder.at("out"));
  const below = leftOvers(folder.at("out/d"));
  ok(top.length >= 3 && below.length === 1, `${top} ${below}`);
  for (const name of ALIKE) folder.file(`out/${name}`, "the user's own");

  const planned = await run({ dryRun: true });
  equal(leftOvers(folder.at("out")).length, top.length);
  const expected = [
    ...leftOvers(folder.at("out/d")).map((name) => `d/${name}`),
    ...leftOvers(folder.at("out")),
  ];
  deepEqual(planned.deleted.sort(), expected.sort());

  const { deleted, deletedCount, errors } = await run({});
  deepEqual(errors, []);
  deepEqual(deleted.sort(), expected);
  equal(deletedCount, expected.length);
  for (const name of ALIKE) {
    equal(Deno.readTextFileSync(folder.at(`out/${name}`)), "the user's own");
  }
  const found = describeTree(folder.at("out"))
    .filter((line) => !ALIKE.some((name) => line.startsWith(`${name} `)));
  deepEqual(found, describeTree(folder.at("source")));
});

Deno.test("restore() of one file removes what a killed one has left beside it", async () => {
  using folder = new TestFolder();
  const { snapshots, run } = await scene(folder);
  await using _ = snapshots;
  folder.file(`out/${ALIKE[0]}`, "the user's own");
  // Before what is left in the order of names, and after it.
  for (const name of ["!", "hard"]) {
    await run({ calls: killed });
    ok(leftOvers(folder.at("out")).length > 0);
    const path = new TextEncoder().encode(name);
    const { errors } = await run({ path, delete: true });
    deepEqual(errors, []);
    deepEqual(leftOvers(folder.at("out")), []);
  }
  equal(Deno.readTextFileSync(folder.at("out/hard")), "file");
  equal(Deno.readTextFileSync(folder.at("out/soft")), "old");
  equal(
    Deno.readTextFileSync(folder.at(`out/${ALIKE[0]}`)),
    "the user's own",
  );
});

Deno.test("restore() keeps a name that a killed one has left where the snapshot has it", async () => {
  using folder = new TestFolder();
  const first = await scene(folder);
  await first.snapshots[Symbol.asyncDispose]();
  const [name] = leftOvers(folder.at("out/d"));
  folder.file(`source/${name}`, "saved");
  const { snapshots, record } = await saveTree(
    folder.at("source"),
    folder.at("store"),
  );
  await using _ = snapshots;
  const options = { existing: true, path: new TextEncoder().encode("soft") };
  folder.file(`out/${name}`, "saved");
  for (const more of [options, { existing: true }]) {
    await restore(snapshots, record, folder.at("out"), more);
    equal(Deno.readTextFileSync(folder.at(`out/${name}`)), "saved");
  }
  deepEqual(leftOvers(folder.at("out")), [name]);
});

Deno.test("restore() leaves nothing behind where an entry cannot be put in place", async () => {
  using folder = new TestFolder();
  const { snapshots, run } = await scene(folder);
  await using _ = snapshots;
  await run({});
  for (const name of ["hard", "soft", "d/file"]) {
    Deno.removeSync(folder.at(`out/${name}`));
    folder.file(`out/${name}`, "old");
  }
  const calls = hooked({
    renameAt: (from, old, to, name) =>
      textOf(name) === "tree"
        ? real.renameAt(from, old, to, name)
        : -errnos.EPERM,
  });
  const { errors } = await run({ calls });
  deepEqual(errors.map(({ path }) => displayPath(path)).sort(), [
    "d/file",
    "hard",
    "soft",
  ]);
  deepEqual(leftOvers(folder.at("out")), []);
  deepEqual(leftOvers(folder.at("out/d")), []);
});
