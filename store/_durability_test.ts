// Which calls make what is written durable, and in which order: a sync that is
// missing is seen by no test that only lets syncs fail.
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type FileCalls, fileCalls, type OpenFile } from "./_file_calls.ts";
import { openOverCalls } from "./_open_file_store.ts";
import type { FileStore } from "./file_store.ts";
import { initStore } from "./store_config.ts";
import { systemError } from "./testdata/faulty_calls.ts";
import { makeFastFolder } from "./testdata/fast_folder.ts";

const SAVE_ID = "5a".repeat(16);
const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

/** What differs from a disk on which all is one device, and has links. */
interface Disk {
  /** Whether spooled files are on a device of their own. */
  readonly isApart?: boolean;
  /** Whether hard links do not exist. */
  readonly isWithoutLinks?: boolean;
}

/** What was done, and the names in `tmp/`, which are random, by number. */
interface CallLog {
  readonly log: string[];
  readonly random: Map<string, string>;
}

/** Calls of the system that note what they make durable, and what they name. */
async function recordingCalls(
  folder: string,
  { log, random }: CallLog,
  disk: Disk,
): Promise<FileCalls> {
  const calls = await fileCalls();
  const nameOf = (path: string): string => {
    const name = path.slice(folder.length + 1);
    if (!name.startsWith("tmp/")) return name === "" ? "." : name;
    if (!random.has(name)) random.set(name, `tmp/${random.size + 1}`);
    return random.get(name)!;
  };
  const wrap = (file: OpenFile, path: string, isApart = false): OpenFile => ({
    read: (...args) => file.read(...args),
    write: (
      ...args
    ) => (log.push(`write ${nameOf(path)}`), file.write(...args)),
    stat: async () => {
      const stat = await file.stat();
      return isApart ? Object.assign(stat, { dev: -1 }) : stat;
    },
    chmod: (mode) => (log.push(`chmod ${nameOf(path)}`), file.chmod(mode)),
    datasync: () => (log.push(`sync ${nameOf(path)}`), file.datasync()),
    sync: () => (log.push(`sync ${nameOf(path)}`), file.sync()),
    close: () => file.close(),
  });
  return {
    ...calls,
    openToRead: async (path) => wrap(await calls.openToRead(path), path),
    openToAdopt: async (path) =>
      wrap(await calls.openToAdopt(path), path, disk.isApart === true),
    openNew: async (path) => {
      log.push(`make ${nameOf(path)}`);
      return wrap(await calls.openNew(path), path);
    },
    link: async (from, to) => {
      if (disk.isWithoutLinks) throw systemError("EPERM");
      await calls.link(from, to);
      log.push(`link ${nameOf(from)} ${nameOf(to)}`);
    },
    mkdir: async (path) => {
      await calls.mkdir(path);
      log.push(`mkdir ${nameOf(path)}`);
    },
    unlink: async (path) => {
      await calls.unlink(path);
      log.push(`unlink ${nameOf(path)}`);
    },
  };
}

/** Writes into a new store; gives what the call answered and what was done. */
async function callsOf(
  write: (store: FileStore) => Promise<unknown>,
  disk: Disk = {},
  prepare?: (store: FileStore) => Promise<unknown>,
): Promise<string[]> {
  const folder = makeFastFolder();
  try {
    const log: string[] = [];
    const random = new Map<string, string>();
    const calls = await recordingCalls(folder, { log, random }, disk);
    const store = await openOverCalls(calls, folder, { create: true });
    await initStore(store, {});
    await prepare?.(store);
    log.length = 0;
    random.clear();
    await write(store);
    return log;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const create = (name: string) => async (store: FileStore): Promise<void> => {
  strictEqual(await store.create(name, BYTES), true);
};

const adopt = async (store: FileStore): Promise<void> => {
  const path = await store.spoolPath(SAVE_ID);
  Deno.writeFileSync(path, BYTES, { mode: 0o600 });
  strictEqual(await store.adopt("packs/ab/one", path), true);
};

Deno.test("create syncs the file before it has its name, and its folder after", async () => {
  deepStrictEqual(await callsOf(create("index/one")), [
    "make tmp/1",
    "write tmp/1",
    "sync tmp/1",
    "link tmp/1 index/one",
    "sync index",
    "unlink tmp/1",
  ]);
});

Deno.test("create syncs each new folder into the one above it", async () => {
  deepStrictEqual(await callsOf(create("gc/void/one")), [
    "make tmp/1",
    "write tmp/1",
    "sync tmp/1",
    "mkdir gc",
    "mkdir gc/void",
    "link tmp/1 gc/void/one",
    "sync gc/void",
    "sync gc",
    "sync .",
    "unlink tmp/1",
  ]);
});

Deno.test("adopt syncs the file before it has its name, and its folder after", async () => {
  const log = await callsOf(adopt, {}, create("packs/ab/other"));
  deepStrictEqual(log, [
    "sync tmp/1",
    "link tmp/1 packs/ab/one",
    "sync packs/ab",
    "unlink tmp/1",
  ]);
});

Deno.test("adopt from another device syncs the copy before it has its name", async () => {
  const log = await callsOf(
    adopt,
    { isApart: true },
    create("packs/ab/other"),
  );
  deepStrictEqual(log, [
    "sync tmp/1",
    "make tmp/2",
    "write tmp/2",
    "sync tmp/2",
    "link tmp/2 packs/ab/one",
    "sync packs/ab",
    "unlink tmp/1",
    "unlink tmp/2",
  ]);
});

Deno.test("adopt and create without links sync the copy that has the name", async () => {
  const disk = { isWithoutLinks: true };
  const prepare = create("packs/ab/other");
  deepStrictEqual(await callsOf(adopt, disk, prepare), [
    "sync tmp/1",
    "make packs/ab/one",
    "write packs/ab/one",
    "sync packs/ab/one",
    "sync packs/ab",
    "unlink tmp/1",
  ]);
  deepStrictEqual(await callsOf(create("packs/ab/one"), disk, prepare), [
    "make tmp/1",
    "write tmp/1",
    "sync tmp/1",
    "make packs/ab/one",
    "write packs/ab/one",
    "sync packs/ab/one",
    "sync packs/ab",
    "unlink tmp/1",
  ]);
});

Deno.test("what others may have named without syncing it is synced when it is found", async () => {
  const found = async (store: FileStore): Promise<void> => {
    strictEqual(await store.create("packs/ab/one", BYTES), false);
  };
  const made = create("packs/ab/one");
  deepStrictEqual(await callsOf(found, {}, made), ["sync packs/ab"]);
});

Deno.test("sync of prefixes syncs every folder below them", async () => {
  const log = await callsOf(
    (store) => store.sync(["packs/", "index/"]),
    {},
    async (store) => {
      await store.create("packs/ab/one", BYTES);
      await store.create("packs/cd/one", BYTES);
    },
  );
  const twoDigits = Array.from(
    { length: 256 },
    (_, i) => i.toString(16).padStart(2, "0"),
  );
  deepStrictEqual(
    log.sort(),
    [
      "sync .",
      "sync index",
      "sync packs",
      ...twoDigits.map((digits) => `sync packs/${digits}`),
    ],
  );
});
