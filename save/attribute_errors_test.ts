// Attributes that could not be read once are read by the next save, though nothing has changed.
import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { DiskError } from "@snap/disk";
import { SourceDirectory } from "@snap/disk/source";
import { FileReader } from "@snap/disk/file";
import { LATER } from "../tests/_saves.ts";
import { makeMemorySnapshots, TemporaryFolder } from "../tests/_snapshots.ts";
import { save } from "./save.ts";
import { View } from "@snap/snapshot/view";

const ATTRIBUTE = "trusted.snap";
const isRoot = Deno.uid() === 0;

/** A call that reads attributes. */
type Reader = (...args: never[]) => Uint8Array | DiskError | undefined;

/** Makes the calls that read attributes fail where they should, until disposed. */
class BadAttributes implements Disposable {
  /** How often attributes were read of each kind. */
  readonly reads = { file: 0, entry: 0, directory: 0 };
  readonly #undo: (() => void)[] = [];

  constructor(isBad: boolean) {
    const error = (): DiskError =>
      new DiskError("read attributes of", new Uint8Array(1), "EIO");
    const hook = <T extends object>(
      owner: T,
      name: keyof T,
      kind: keyof BadAttributes["reads"],
      fail: (result: unknown) => unknown,
    ): void => {
      const original = owner[name] as Reader;
      const { reads } = this;
      (owner as Record<keyof T, unknown>)[name] = function (
        this: T,
        ...args: never[]
      ): unknown {
        reads[kind]++;
        const result = original.apply(this, args);
        return isBad ? fail(result) : result;
      };
      this.#undo.push(() => {
        owner[name] = original as T[keyof T];
      });
    };
    hook(FileReader.prototype, "extras", "file", () => {
      throw error();
    });
    hook(SourceDirectory.prototype, "extrasOf", "entry", error);
    hook(SourceDirectory.prototype, "extras", "directory", error);
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }
}

const PATHS = ["", "file", "link", "fifo", "inner", "inner/none", "inner/deep"];

/** A directory of which each entry has an attribute. */
function makeTree(folder: TemporaryFolder): void {
  mkdirSync(folder.join("inner", "deep"), { recursive: true });
  writeFileSync(folder.join("file"), "content");
  writeFileSync(folder.join("inner", "none"), "");
  symlinkSync("file", folder.join("link"));
  const script = `mkfifo fifo && setfattr -h -n ${ATTRIBUTE} -v value ${
    PATHS.map((path) => `./${path}`).join(" ")
  }`;
  const { success } = new Deno.Command("sh", {
    args: ["-c", script],
    cwd: folder.path,
  }).outputSync();
  equal(success, true);
}

for (const workers of [0, 1]) {
  Deno.test(
    `save reads attributes again that could not be read: ${workers} workers`,
    { ignore: !isRoot },
    async () => {
      using folder = new TemporaryFolder();
      makeTree(folder);
      await using snapshots = await makeMemorySnapshots();
      const options = { ...LATER, workers };
      const attributesOf = async (): Promise<string[]> => {
        const { record } = await save(snapshots, folder.path, options);
        const view = await View.open(snapshots, record!);
        const found: string[] = [];
        for (const path of PATHS) {
          const entry = await view.lookup(new TextEncoder().encode(path));
          const extras = await view.extras(entry!);
          if (extras !== undefined) found.push(path);
        }
        return found;
      };
      {
        using _bad = new BadAttributes(true);
        const { totals } = await save(
          snapshots,
          folder.path,
          { ...options, workers: 0 },
        );
        equal(totals.xattrCount, 0);
      }
      deepEqual(await attributesOf(), PATHS);
    },
  );
}

Deno.test(
  "save reads no file, link, attribute or directory of its own again where nothing has changed",
  {
    ignore: !isRoot,
  },
  async () => {
    using folder = new TemporaryFolder();
    makeTree(folder);
    await using snapshots = await makeMemorySnapshots();
    await save(snapshots, folder.path, LATER);
    using calls = new BadAttributes(true);
    const { targetOf } = SourceDirectory.prototype;
    let targets = 0;
    SourceDirectory.prototype.targetOf = function (row) {
      targets++;
      return targetOf.call(this, row);
    };
    try {
      const again = await save(snapshots, folder.path, LATER);
      deepEqual(again.errors, []);
      equal(again.isNewRecord, false);
      equal(again.storedByteCount, 0);
      equal(again.progress.readFileCount, 0);
      equal(again.totals.xattrCount, PATHS.length);
    } finally {
      SourceDirectory.prototype.targetOf = targetOf;
    }
    deepEqual([calls.reads, targets], [{ file: 0, entry: 0, directory: 0 }, 0]);
  },
);
