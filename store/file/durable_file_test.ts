import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { FileCalls } from "./file_calls.ts";
import { openOverCalls } from "./open_over_calls.ts";
import type { FileStore } from "./file_store.ts";
import { initStore } from "../format/store_config.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { systemError } from "../testdata/faulty_calls.ts";
import {
  type RecordedCalls,
  recordedCalls,
} from "../testdata/recorded_calls.ts";

const SAVE_ID = "5a".repeat(16);
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
/** A folder is synced by these. */
const synced = (folder: string) =>
  ["open", "sync", "close"].map((call) => `${call} ${folder}`);
const written = [
  "make tmp/NEW",
  "write tmp/NEW",
  "datasync tmp/NEW",
  "close tmp/NEW",
];
const taken = ["open tmp/NEW", "sync tmp/NEW", "close tmp/NEW"];
const copied = [
  "open tmp/NEW",
  "make tmp/NEW",
  "read tmp/NEW",
  "write tmp/NEW",
  "read tmp/NEW",
  "datasync tmp/NEW",
  "close tmp/NEW",
  "close tmp/NEW",
];

Deno.test("create syncs a file, then names it, then syncs its folder", async () => {
  await recordedStore(async (store, { log }) => {
    strictEqual(await store.create("packs/ab/one", bytes), true);
    deepStrictEqual(log, [
      ...written,
      "link tmp/NEW packs/ab/one",
      ...synced("packs/ab"),
      "unlink tmp/NEW",
    ]);
  });
});

Deno.test("create syncs each new folder above a name, once", async () => {
  await recordedStore(async (store, { log }) => {
    await store.create("gc/void/one", bytes);
    deepStrictEqual(log.slice(written.length), [
      "link tmp/NEW gc/void/one",
      "mkdir gc/void",
      "mkdir gc",
      "chmod 700 gc",
      "mkdir gc/void",
      "chmod 700 gc/void",
      "link tmp/NEW gc/void/one",
      ...synced("gc/void"),
      ...synced("gc"),
      ...synced("."),
      "unlink tmp/NEW",
    ]);
    log.length = 0;
    await store.create("gc/void/two", bytes);
    deepStrictEqual(log.slice(written.length), [
      "link tmp/NEW gc/void/two",
      ...synced("gc/void"),
      "unlink tmp/NEW",
    ]);
  });
});

Deno.test("a name that is taken is made durable before anybody relies on it", async () => {
  await recordedStore(async (store, { log }) => {
    await store.create("index/one", bytes);
    log.length = 0;
    strictEqual(await store.create("index/one", bytes), false);
    deepStrictEqual(log, [...synced("index"), "unlink tmp/NEW"]);
    const path = await spooled(store);
    log.length = 0;
    strictEqual(await store.adopt("index/one", path), false);
    deepStrictEqual(log, [...synced("index"), "unlink tmp/NEW"]);
  });
});

Deno.test("adopt syncs a file of the same device, then names it, then syncs its folder", async () => {
  await recordedStore(async (store, { log }) => {
    const path = await spooled(store);
    log.length = 0;
    strictEqual(await store.adopt("packs/ab/one", path), true);
    deepStrictEqual(log, [
      ...taken,
      "link tmp/NEW packs/ab/one",
      ...synced("packs/ab"),
      "unlink tmp/NEW",
    ]);
    deepStrictEqual(await store.read("packs/ab/one"), bytes);
  });
});

Deno.test("adopt copies a file of another device, syncs the copy, then names it", async () => {
  await recordedStore(async (store, { log }) => {
    const path = await spooled(store);
    log.length = 0;
    strictEqual(await store.adopt("packs/ab/one", path), true);
    deepStrictEqual(log, [
      ...taken,
      "open tmp/NEW",
      "read tmp/NEW",
      "close tmp/NEW",
      ...copied,
      "link tmp/NEW packs/ab/one",
      ...synced("packs/ab"),
      "unlink tmp/NEW",
      "unlink tmp/NEW",
    ]);
    deepStrictEqual(await store.read("packs/ab/one"), bytes);
  }, fromElsewhere);
});

Deno.test("adopt gives a file the mode of a store before it syncs", async () => {
  await recordedStore(async (store, { log }) => {
    const path = await spooled(store, 0o644);
    log.length = 0;
    await store.adopt("packs/ab/one", path);
    deepStrictEqual(log.slice(0, 3), [
      "open tmp/NEW",
      "chmod 600 tmp/NEW",
      "sync tmp/NEW",
    ]);
  });
});

Deno.test("without links a file is copied and synced under its name", async () => {
  await recordedStore(async (store, { log }) => {
    log.length = 0;
    strictEqual(await store.create("index/one", bytes), true);
    deepStrictEqual(log, [
      ...written,
      "open tmp/NEW",
      "make index/one",
      "read tmp/NEW",
      "write index/one",
      "read tmp/NEW",
      "datasync index/one",
      "close index/one",
      "close tmp/NEW",
      ...synced("index"),
      "unlink tmp/NEW",
    ]);
  }, (calls) => ({
    ...calls,
    link: () => Promise.reject(systemError("EPERM")),
  }));
});

Deno.test("a folder that a copied store lacks is made and made durable", async () => {
  await recordedStore(async (store, { log }) => {
    for (const folder of ["tmp", "index"]) {
      Deno.removeSync(`${store.path}/${folder}`, { recursive: true });
    }
    log.length = 0;
    await store.create("index/one", bytes);
    deepStrictEqual(log, [
      "make tmp/NEW",
      "mkdir tmp",
      "chmod 700 tmp",
      ...written,
      "link tmp/NEW index/one",
      "mkdir index",
      "chmod 700 index",
      "link tmp/NEW index/one",
      ...synced("index"),
      ...synced("."),
      "unlink tmp/NEW",
    ]);
  });
});

Deno.test("sync syncs each folder below a prefix and those above it, once", async () => {
  await recordedStore(async (store, { log }) => {
    await store.create("tags/main/1", bytes);
    log.length = 0;
    await store.sync(["tags/", "snapshots/", "tags/main/"]);
    const synced = log.filter((line) => line.startsWith("sync "));
    deepStrictEqual(synced.sort(), [
      "sync .",
      "sync snapshots",
      "sync tags",
      "sync tags/main",
    ]);
  });
});

Deno.test("a new store is made durable from the inside out, with its reserve", async () => {
  const folder = makeFastFolder();
  try {
    const root = `${folder}/a/store`;
    const { calls, log, open } = recordedCalls(folder);
    await openOverCalls(calls, root, { create: true });
    const steps = log.filter((line) => !/ a\/store\/packs\/../.test(line));
    deepStrictEqual(steps.slice(0, 11), [
      "mkdir a/store",
      "mkdir a",
      "chmod 700 a",
      "open .",
      "sync .",
      "close .",
      "mkdir a/store",
      "chmod 700 a/store",
      "open a",
      "sync a",
      "close a",
    ]);
    deepStrictEqual(
      steps.filter((line) => /^(sync|datasync|link|unlink)/.test(line)),
      [
        "sync .",
        "sync a",
        "sync a/store/packs",
        "sync a/store",
        "datasync a/store/tmp/NEW",
        "link a/store/tmp/NEW a/store/tmp/reserve",
        "unlink a/store/tmp/NEW",
      ],
    );
    strictEqual(open.size, 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("only what says that there are no links leads to a copy", async () => {
  for (const code of ["EACCES", "EIO", "ENOSPC", "EROFS"]) {
    await recordedStore(async (store, { log }) => {
      await rejects(store.create("index/one", bytes), { code });
      strictEqual(log.includes("make index/one"), false, code);
    }, (calls) => ({
      ...calls,
      link: () => Promise.reject(systemError(code)),
    }));
  }
});

Deno.test("a folder above a new name is synced again after a sync of it failed", async () => {
  let failures = 0;
  await recordedStore(async (store, { log }) => {
    failures = 1;
    await rejects(store.create("gc/void/one", bytes), { code: "EIO" });
    strictEqual(await store.size("gc/void/one"), undefined);
    log.length = 0;
    await store.create("gc/void/one", bytes);
    deepStrictEqual(log.slice(written.length + 1), [
      ...synced("gc/void"),
      ...synced("gc"),
      ...synced("."),
      "unlink tmp/NEW",
    ]);
  }, (calls) => ({
    ...calls,
    openToRead: async (path) => {
      const file = await calls.openToRead(path);
      if (!path.endsWith("/gc") || failures-- <= 0) return file;
      return { ...file, sync: () => Promise.reject(systemError("EIO")) };
    },
  }));
});

/** Makes a file that a store can adopt. */
async function spooled(store: FileStore, mode = 0o600): Promise<string> {
  const path = await store.spoolPath(SAVE_ID);
  Deno.writeFileSync(path, bytes);
  Deno.chmodSync(path, mode);
  return path;
}

/** Calls for which files to adopt lie on another device. */
function fromElsewhere(calls: FileCalls): FileCalls {
  return {
    ...calls,
    openToAdopt: async (path) => {
      const file = await calls.openToAdopt(path);
      const stat = await file.stat();
      const elsewhere = Object.create(stat, { dev: { value: stat.dev + 1 } });
      return { ...file, stat: () => Promise.resolve(elsewhere) };
    },
  };
}

/** Runs with a store whose calls are written down, and sees that all it opened is closed. */
async function recordedStore(
  run: (store: FileStore, recorded: RecordedCalls) => Promise<void>,
  change: (calls: FileCalls) => FileCalls = (calls) => calls,
): Promise<void> {
  const folder = makeFastFolder();
  try {
    const recorded = recordedCalls(folder);
    const made = await openOverCalls(recorded.calls, folder, { create: true });
    await initStore(made, {});
    const store = await openOverCalls(change(recorded.calls), folder);
    recorded.log.length = 0;
    await run(store, recorded);
    strictEqual(recorded.open.size, 0, "all that was opened is closed");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
