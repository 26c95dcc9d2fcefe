import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { formatRecordName } from "@snap/snapshot/records";
import { LATER, makeTree } from "../../tests/_saves.ts";
import {
  makeMemorySnapshots,
  makeSnapshots,
  namesIn,
  readEverything,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import type { ChangeFinder, FoundChanges } from "../change_finder.ts";
import type { SaveOptions } from "../options.ts";
import { save, type SaveResult } from "../save.ts";
import { StatCache } from "./stat_cache.ts";

/** Notes what a finder finds. */
class Watched implements ChangeFinder {
  last: FoundChanges | undefined;
  readonly #finder: ChangeFinder;

  constructor(folder: string) {
    const key = "store and host";
    this.#finder = new StatCache({ folder, key, hasher: wasmHasher });
  }

  async find(search: Parameters<ChangeFinder["find"]>[0]) {
    return this.last = await this.#finder.find(search);
  }

  /** Whether all was known to be the same. */
  get isAllSame(): boolean {
    return this.last!.known?.isSame(new Uint8Array(0)) === true;
  }
}

/** A source in a folder, which is saved with its rows beside it. */
async function withSource(
  test: (parts: {
    readonly join: (...parts: string[]) => string;
    readonly folder: () => string;
    readonly rows: () => string;
    readonly changes: Watched;
    readonly run: (options?: SaveOptions) => Promise<SaveResult>;
  }) => Promise<void>,
): Promise<void> {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const join = (...parts: string[]) => folder.join("source", ...parts);
  mkdirSync(join("a", "b"), { recursive: true });
  mkdirSync(join("c"));
  for (const path of ["a/file", "a/b/file", "c/file"]) {
    writeFileSync(join(path), path);
  }
  const changes = new Watched(folder.join("rows"));
  const rowsFolder = () => folder.join("rows");
  const rows = () => folder.join("rows", readdirSync(rowsFolder())[0]);
  const run = (options?: SaveOptions) =>
    save(snapshots, join(), { ...LATER, changes, ...options });
  await test({ join, folder: rowsFolder, rows, changes, run });
}

Deno.test("StatCache knows after a save that nothing has changed, and writes nothing then", async () => {
  await withSource(async ({ changes, rows, run }) => {
    const first = await run();
    equal(changes.last!.known, undefined);
    const { ino } = statSync(rows());
    const second = await run();
    equal(changes.isAllSame, true);
    equal(second.id, first.id);
    deepEqual(second.totals, first.totals);
    equal(statSync(rows()).ino, ino);
    equal(statSync(rows()).mode & 0o777, 0o600);
  });
});

Deno.test("StatCache knows which directories are the same", async () => {
  await withSource(async ({ changes, join, run }) => {
    await run();
    appendFileSync(join("a", "file"), "more");
    const result = await run();
    const { known } = changes.last!;
    const same = ["", "a", "a/b", "c"].map((path) =>
      known!.isSame(new TextEncoder().encode(path))
    );
    deepEqual(same, [false, false, true, true]);
    equal(result.progress.readFileCount, 1);
    await run();
    equal(changes.isAllSame, true);
  });
});

Deno.test("StatCache keeps nothing of a source that is too young, and believes no time in the future", async () => {
  const startMs = Date.now();
  await withSource(async ({ changes, folder, join, run }) => {
    await run({ now: () => startMs });
    equal(existsSync(folder()), false);
    utimesSync(join("c", "file"), 9e9, 9e9);
    await run();
    await run();
    const { known } = changes.last!;
    equal(known!.isSame(new TextEncoder().encode("c")), false);
    equal(known!.isSame(new TextEncoder().encode("a")), true);
  });
});

Deno.test("StatCache goes on in directories wider than its window, and past those that are gone", async () => {
  await withSource(async ({ changes, join, run }) => {
    mkdirSync(join("b"));
    for (let i = 0; i < 9000; i++) {
      writeFileSync(join("b", `a file with a name of some length ${i}`), "");
    }
    for (let i = 0; i < 9; i++) {
      mkdirSync(join("b", `${i}`, "x", "y"), { recursive: true });
    }
    await run();
    await run();
    equal(changes.isAllSame, true);
    rmSync(join("b", "4"), { recursive: true });
    writeFileSync(
      join("b", "a file with a name of some length 17"),
      "now more",
    );
    const result = await run();
    equal(changes.last!.known!.isSame(new TextEncoder().encode("b/5")), true);
    equal(result.progress.readFileCount, 1);
    rmSync(join("b"), { recursive: true });
    await run();
    equal(changes.last!.known!.isSame(new TextEncoder().encode("c")), true);
    await run();
    equal(changes.isAllSame, true);
  });
});

Deno.test("StatCache lets a save tell again what could not be read, and what is left out", async () => {
  await withSource(async ({ changes, join, run }) => {
    mkdirSync(join("a", "b", ".snapignore"));
    const server = createServer().listen(join("c", "socket"));
    await new Promise((resolve) => server.on("listening", resolve));
    for (let i = 0; i < 3; i++) {
      const { errorCount, socketCount } = await run();
      equal(errorCount, 1);
      equal(socketCount, 1);
    }
    equal(changes.isAllSame, false);
    await new Promise((resolve) => server.close(resolve));
  });
});

Deno.test("StatCache believes no file that somebody else could have written, or that is damaged", async () => {
  await withSource(async ({ changes, rows, run }) => {
    await run();
    const bytes = readFileSync(rows());
    const harms: readonly (readonly [string, () => void])[] = [
      ["others may write", () => chmodSync(rows(), 0o622)],
      ["another owner", () => chownSync(rows(), 1234, 0)],
      ["a bit", () => writeFileSync(rows(), bytes.with(99, bytes[99] ^ 1))],
      ["a bit of what it is for", () => {
        const at = bytes.length - 50;
        writeFileSync(rows(), bytes.with(at, bytes[at] ^ 1));
      }],
      ["cut", () => writeFileSync(rows(), bytes.subarray(0, -1))],
      ["empty", () => writeFileSync(rows(), "")],
      ["a link", () => {
        const path = rows();
        writeFileSync(`${path}-aside`, bytes);
        rmSync(path);
        symlinkSync(`${path}-aside`, path);
      }],
    ];
    for (const [harm, damage] of harms) {
      if (harm === "another owner" && Deno.uid() !== 0) continue;
      damage();
      await run();
      equal(changes.last!.known, undefined, harm);
      rmSync(`${rows()}-aside`, { force: true });
      await run();
      equal(changes.isAllSame, true, harm);
    }
  });
});

Deno.test("a save goes on where its rows cannot be written", async () => {
  await withSource(async ({ join, rows, run }) => {
    const first = await run();
    const folder = rows().slice(0, rows().lastIndexOf("/"));
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "no folder");
    appendFileSync(join("c", "file"), "more");
    notEqual((await run()).id, first.id);
    equal(readFileSync(folder, "utf8"), "no folder");
  });
});

Deno.test("a save of an unchanged source writes nothing, and looks whether packs are missing", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeSnapshots(folder.join("store"));
  const { store } = snapshots;
  const source = folder.join("source");
  makeTree(source);
  const changes = new Watched(folder.join("rows"));
  const run = () => save(snapshots, source, { ...LATER, changes });
  const first = await run();
  const calls: string[] = [];
  const { create, read, sync } = store;
  Object.assign(store, {
    create: (...args: Parameters<typeof create>) => {
      calls.push(`create ${args[0]}`);
      return create.apply(store, args);
    },
    read: (...args: Parameters<typeof read>) => {
      calls.push(`read ${args[0].split("/")[0]}`);
      return read.apply(store, args);
    },
    sync: (...args: Parameters<typeof sync>) => {
      calls.push("sync");
      return sync.apply(store, args);
    },
  });
  const second = await run();
  deepEqual(calls, ["read snapshots"]);
  equal(second.record!.record, first.record!.record);
  deepEqual(second.totals, first.totals);
  equal(second.progress.fileCount, first.totals.fileCount);

  const packs = await namesIn(store, "packs/");
  for (const name of packs) rmSync(store.localPath(name));
  const healed = await run();
  equal(healed.id, first.id);
  ok(healed.progress.newObjectCount > 0);
  await readEverything(snapshots);

  const named = await save(snapshots, source, {
    ...{ ...LATER, changes, message: "another" },
  });
  equal(named.isNewRecord, true);
  const { record } = named;
  await store.remove(formatRecordName(record!));
  notEqual((await run()).record!.record, record!.record);
});
