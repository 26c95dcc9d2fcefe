import { deepEqual, equal, notEqual } from "node:assert/strict";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { Id } from "@snap/hash";
import { pathToText } from "@snap/manifest/path";
import { LATER } from "../tests/_saves.ts";
import { makeMemorySnapshots, TemporaryFolder } from "../tests/_snapshots.ts";
import type { ChangeFinder } from "./change_finder.ts";
import { save } from "./save.ts";

/** Says that all but some directories are the same. */
function allBut(
  changed: readonly string[],
  record?: Id,
): ChangeFinder & { readonly kept: Id[] } {
  const kept: Id[] = [];
  return {
    kept,
    find({ previous, openSource }) {
      using source = openSource();
      using root = source.open();
      const known = {
        record: record ?? previous!.record,
        devices: root.self,
        isSame: (path: Uint8Array) => !changed.includes(pathToText(path)),
      };
      return Promise.resolve({
        known,
        keep: (seen) => Promise.resolve(void kept.push(seen.record.record)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  };
}

/** A source with directories to change and to leave alone. */
function makeSource(): TemporaryFolder {
  const folder = new TemporaryFolder();
  for (const path of ["a/b/c", "a/d", "e/f/g", "e/h"]) {
    mkdirSync(folder.join(path), { recursive: true });
    writeFileSync(folder.join(path, "file"), `content of ${path}`);
  }
  linkSync(folder.join("e/f/g/file"), folder.join("e/f/hard"));
  return folder;
}

const CHANGES:
  readonly (readonly [string, (join: (path: string) => string) => void])[] = [
    ["file changed", (join) => appendFileSync(join("a/b/file"), "more")],
    ["directory made", (join) => mkdirSync(join("a/b/new"))],
    ["directory gone", (join) => rmSync(join("a/b/c"), { recursive: true })],
    ["directory is a file", (join) => {
      rmSync(join("a/b/c"), { recursive: true });
      writeFileSync(join("a/b/c"), "file");
    }],
  ];

for (const [name, change] of CHANGES) {
  Deno.test(`a save that knows what changed gives what one gives that walks: ${name}`, async () => {
    using folder = makeSource();
    await using snapshots = await makeMemorySnapshots();
    await save(snapshots, folder.path, LATER);
    change((path) => folder.join(path));
    const changes = allBut(["", "a", "a/b"]);
    const quick = await save(snapshots, folder.path, { ...LATER, changes });
    const full = await save(snapshots, folder.path, LATER);
    equal(quick.isNewRecord, true);
    equal(full.isNewRecord, false);
    deepEqual(quick.totals, full.totals);
    deepEqual(changes.kept, [quick.record!.record]);
    equal(quick.progress.fileCount, quick.totals.fileCount);
  });
}

Deno.test("a save looks at nothing that is known to be the same", async () => {
  using folder = makeSource();
  await using snapshots = await makeMemorySnapshots();
  const first = await save(snapshots, folder.path, LATER);
  appendFileSync(folder.join("e/h/file"), "unseen");
  for (const changed of [[], ["", "a"]]) {
    const changes = allBut(changed);
    const result = await save(snapshots, folder.path, { ...LATER, changes });
    equal(result.id, first.id);
    equal(result.isNewRecord, false);
    deepEqual(result.totals, first.totals);
  }
});

Deno.test("a save does not believe that a directory is the same whose row is not", async () => {
  using folder = makeSource();
  await using snapshots = await makeMemorySnapshots();
  const first = await save(snapshots, folder.path, LATER);
  writeFileSync(folder.join("e/new"), "seen");
  const changes = allBut([""]);
  const result = await save(snapshots, folder.path, { ...LATER, changes });
  notEqual(result.id, first.id);
});

Deno.test("a save believes no changes since another record", async () => {
  using folder = makeSource();
  await using snapshots = await makeMemorySnapshots();
  const first = await save(snapshots, folder.path, LATER);
  appendFileSync(folder.join("e/h/file"), "seen");
  const changes = allBut([], first.id);
  const result = await save(snapshots, folder.path, { ...LATER, changes });
  notEqual(result.id, first.id);
});
