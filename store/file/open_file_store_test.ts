import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { CHECKSUM_SIZE, encodeDocument } from "../format/document.ts";
import {
  DocumentSyntaxError,
  NotAStoreError,
  NotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "../errors.ts";
import type { FileStore } from "./file_store.ts";
import { openFileStore } from "./open_file_store.ts";
import { initStore } from "../format/store_config.ts";
import {
  canMount,
  mountTmpfs,
  remountReadOnly,
  unmount,
} from "../../tests/_tmpfs.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { FaultStore } from "../testing/fault_store.ts";
import { testStore } from "../testing/test_store.ts";

const SAVE_ID = "5a".repeat(16);
const ignore = !canMount();
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

testStore("FileStore", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "store-test-" });
  return {
    store: await openFileStore(`${folder}/store`, { create: true }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
});

testStore("FileStore under a FaultStore", async () => {
  const folder = makeFastFolder();
  return {
    store: new FaultStore(
      await openFileStore(`${folder}/store`, { create: true }),
    ),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
});

Deno.test("openFileStore makes all folders and a reserve", async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/not/yet/store`);
    strictEqual([...Deno.readDirSync(`${store.path}/packs`)].length, 256);
    strictEqual(Deno.statSync(`${store.path}/tmp/reserve`).size, 256 * 1024);
    for (
      const name of [
        "config",
        "index",
        "packs",
        "packs/ff",
        "snapshots",
        "tags",
        "tmp",
      ]
    ) {
      ok(Deno.statSync(`${store.path}/${name}`).isDirectory, name);
    }
    strictEqual(store.localPath("index/one"), `${store.path}/index/one`);
    ok(store.path.startsWith("/"));
  });
});

for (const umask of ["000", "022", "077", "777"]) {
  Deno.test(`openFileStore makes 0700 and 0600 under umask ${umask}`, async () => {
    await inFolder(async (folder) => {
      const script =
        new URL("../testdata/make_store.ts", import.meta.url).pathname;
      const args = ["run", "-A", script, `${folder}/up/store`, umask];
      const { success } = await new Deno.Command(Deno.execPath(), {
        args,
        stderr: "inherit",
      })
        .output();
      ok(success);
      const modes = new Map<string, Set<number>>([["folder", new Set()], [
        "file",
        new Set(),
      ]]);
      const visit = (path: string) => {
        const { mode, isDirectory } = Deno.lstatSync(path);
        modes.get(isDirectory ? "folder" : "file")?.add((mode ?? 0) & 0o7777);
        if (!isDirectory) return;
        for (const { name } of Deno.readDirSync(path)) visit(`${path}/${name}`);
      };
      visit(`${folder}/up`);
      deepStrictEqual([...modes.get("folder") ?? []], [0o700]);
      deepStrictEqual([...modes.get("file") ?? []], [0o600]);
    });
  });
}

Deno.test("openFileStore says why a path is no store", async () => {
  await inFolder(async (folder) => {
    await rejects(openFileStore(`${folder}/absent`), (error) => {
      return error instanceof NotAStoreError &&
        error.location === `${folder}/absent` &&
        error.message.endsWith("a store: there is no such folder");
    });
    await rejects(openFileStore(folder), {
      name: "NotAStoreError",
      message: `Cannot open ${folder} as a store: it has no config/1`,
    });
    Deno.writeTextFileSync(`${folder}/file`, "x");
    await rejects(openFileStore(`${folder}/file`), {
      message: `Cannot open ${folder}/file as a store: it is no folder`,
    });
    await rejects(openFileStore(folder, { create: true }), {
      message:
        `Cannot open ${folder} as a store: a new store needs an empty folder, and file is in it`,
    });
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), [
      "file",
    ]);
    await rejects(
      openFileStore(`${folder}/file`, { create: true }),
      NotAStoreError,
    );
  });
});

Deno.test("openFileStore refuses a newer store, and lets old programs read where they may", async () => {
  const body = {
    storeId: SAVE_ID,
    createdAt: "2026-11-20T05:46:18.000000000Z",
    settings: {},
  };
  const saveId = new Uint8Array(16);
  const newer = encodeDocument({ kind: "CONF", saveId, body });
  newer[8] = 2;
  // A version counts once the checksum is right.
  const end = newer.length - CHECKSUM_SIZE;
  wasmHasher.hashInto(newer.subarray(0, end), newer, end);
  await inStoreWith(newer, async (path) => {
    await rejects(openFileStore(path), UnsupportedVersionError);
    await rejects(
      openFileStore(path, { create: true }),
      UnsupportedVersionError,
    );
  });
  const readers = encodeDocument({
    kind: "CONF",
    saveId,
    body,
    readFeatures: 4,
  });
  await inStoreWith(readers, async (path) => {
    await rejects(openFileStore(path), {
      name: "UnsupportedVersionError",
      features: 4,
    });
  });
  const writers = encodeDocument({
    kind: "CONF",
    saveId,
    body,
    writeFeatures: 8,
  });
  await inStoreWith(writers, async (path) => {
    const store = await openFileStore(path);
    deepStrictEqual(await store.read("config/1"), writers);
    const refused = { name: "UnsupportedVersionError", features: 8 };
    await rejects(store.create("index/one", bytes), refused);
    await rejects(store.spoolPath(SAVE_ID), refused);
    await rejects(store.remove("config/1"), refused);
    Deno.writeFileSync(`${path}/tmp/spool`, bytes);
    await rejects(store.adopt("index/one", `${path}/tmp/spool`), refused);
  });
  await inStoreWith(new Uint8Array(100), async (path) => {
    await rejects(openFileStore(path), DocumentSyntaxError);
  });
});

Deno.test("FileStore never calls a name absent when its disk is", async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/store`);
    await rejects(store.read("index/one"), NotFoundError);
    Deno.renameSync(store.path, `${folder}/away`);
    const isGone = { name: "StoreError", code: "ENOENT" };
    await rejects(store.read("index/one"), isGone);
    await rejects(store.size("index/one"), isGone);
    await rejects(store.remove("index/one"), isGone);
    await rejects(Array.fromAsync(store.list("packs/")), isGone);
    await rejects(store.create("index/one", bytes), isGone);
    await rejects(store.sync(["packs/"]), isGone);
    Deno.mkdirSync(store.path);
    const isOther = { name: "StoreError", code: "ESTALE" };
    await rejects(store.size("index/one"), isOther);
    await rejects(store.create("index/one", bytes), isOther);
    deepStrictEqual([...Deno.readDirSync(store.path)], []);
  });
});

Deno.test("FileStore lists files of a store and nothing else", async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/store`);
    await store.create("packs/ab/one", bytes);
    for (
      const name of [
        "packs/ab/.nfs0001",
        "packs/ab/two.TMP",
        "packs/.DS_Store",
        "tmp/x",
      ]
    ) {
      Deno.writeFileSync(`${store.path}/${name}`, bytes);
    }
    Deno.mkdirSync(`${store.path}/packs/ab/folder`);
    Deno.symlinkSync(store.path, `${store.path}/packs/loop`);
    Deno.symlinkSync("/nowhere", `${store.path}/packs/dangling`);
    deepStrictEqual(await namesIn(store), ["config/1", "packs/ab/one"]);
    await store.sync([""]);
    await rejects(store.create("packs/ab/folder", bytes), {
      name: "StoreError",
      code: "EISDIR",
    });
  });
});

Deno.test("FileStore names its temporary files by the save id", async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/store`);
    const path = await store.spoolPath(SAVE_ID);
    ok(path.startsWith(`${store.path}/tmp/${SAVE_ID}-`));
    notStrictEqual(path, await store.spoolPath(SAVE_ID));
    for (
      const saveId of ["", "../../x", SAVE_ID.toUpperCase(), `${SAVE_ID}0`]
    ) {
      await rejects(async () => await store.spoolPath(saveId), RangeError);
    }
  });
});

Deno.test("FileStore adopts only files, and follows no link", async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/store`);
    Deno.writeFileSync(`${folder}/file`, bytes);
    Deno.symlinkSync(`${folder}/file`, `${folder}/link`);
    await rejects(store.adopt("index/one", `${folder}/link`), StoreError);
    deepStrictEqual(Deno.readFileSync(`${folder}/file`), bytes);
    await rejects(store.adopt("index/one", folder), {
      name: "StoreError",
      code: "EISDIR",
    });
    deepStrictEqual(await namesIn(store), ["config/1"]);
  });
});

Deno.test({
  name: "FileStore waits for no fifo",
  ignore: Deno.build.os === "windows",
}, async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/store`);
    for (const path of [store.localPath("index/one"), `${folder}/fifo`]) {
      strictEqual(
        new Deno.Command("mkfifo", { args: [path] }).outputSync().success,
        true,
      );
    }
    await rejects(store.read("index/one"), NotFoundError);
    strictEqual(await store.size("index/one"), undefined);
    await rejects(store.create("index/one", bytes), StoreError);
    await rejects(store.adopt("index/two", `${folder}/fifo`), StoreError);
    deepStrictEqual(await namesIn(store), ["config/1"]);
  });
});

Deno.test("FileStore works on a copy that lacks empty folders", async () => {
  await inFolder(async (folder) => {
    const store = await makeStore(`${folder}/store`);
    for (const name of ["packs", "tmp", "index"]) {
      Deno.removeSync(`${store.path}/${name}`, { recursive: true });
    }
    const copy = await openFileStore(store.path);
    strictEqual(await copy.size("packs/ab/one"), undefined);
    deepStrictEqual(await Array.fromAsync(copy.list("packs/")), []);
    strictEqual(await copy.create("packs/ab/one", bytes), true);
    await copy.sync(["packs/", "index/"]);
    const path = await copy.spoolPath(SAVE_ID);
    Deno.writeFileSync(path, bytes);
    strictEqual(await copy.adopt("index/one", path), true);
  });
});

Deno.test(
  { name: "FileStore leaves nothing behind on a full disk", ignore },
  async () => {
    await onTmpfs("3m", async (disk) => {
      const store = await makeStore(`${disk}/store`);
      const half = new Uint8Array(700 * 1024);
      strictEqual(await store.create("packs/ab/one", half), true);
      const spool = await store.spoolPath(SAVE_ID);
      const names = await namesIn(store);
      for (let i = 0; i < 3; i++) {
        await rejects(store.create("packs/ab/two", new Uint8Array(3 << 20)), {
          name: "StoreError",
          code: "ENOSPC",
          message: "Cannot create packs/ab/two: the disk is full (ENOSPC)",
        });
        deepStrictEqual(await namesIn(store), names);
        deepStrictEqual([...Deno.readDirSync(`${store.path}/tmp`)].length, 1);
      }
      Deno.writeFileSync(spool, half);
      strictEqual(await store.adopt("packs/ab/two", spool), true);
    });
  },
);

Deno.test({
  name: "openFileStore fails where its reserve does not fit",
  ignore,
}, async () => {
  await onTmpfs("128k", async (disk) => {
    await rejects(openFileStore(`${disk}/store`, { create: true }), {
      name: "StoreError",
      code: "ENOSPC",
    });
    deepStrictEqual([...Deno.readDirSync(`${disk}/store/tmp`)], []);
    await rejects(openFileStore(`${disk}/store`), NotAStoreError);
  });
});

Deno.test(
  { name: "openFileStore opens a read-only store for reading", ignore },
  async () => {
    await onTmpfs("3m", async (disk) => {
      await (await makeStore(disk)).create("index/one", bytes);
      remountReadOnly(disk);
      const store = await openFileStore(disk);
      deepStrictEqual(await store.read("index/one"), bytes);
      deepStrictEqual(await namesIn(store), ["config/1", "index/one"]);
      await rejects(store.create("index/two", bytes), {
        name: "StoreError",
        code: "EROFS",
      });
      await rejects(store.remove("index/one"), {
        name: "StoreError",
        code: "EROFS",
      });
      strictEqual(await store.create("index/one", bytes), false);
    });
  },
);

Deno.test(
  { name: "FileStore adopts a file from another disk", ignore },
  async () => {
    await onTmpfs("3m", async (disk) => {
      await inFolder(async (folder) => {
        const store = await makeStore(`${folder}/store`);
        Deno.writeFileSync(`${disk}/spool`, bytes);
        strictEqual(await store.adopt("index/one", `${disk}/spool`), true);
        deepStrictEqual(await store.read("index/one"), bytes);
        deepStrictEqual([...Deno.readDirSync(disk)], []);
        deepStrictEqual([...Deno.readDirSync(`${store.path}/tmp`)].length, 1);
      });
    });
  },
);

async function makeStore(path: string): Promise<FileStore> {
  const store = await openFileStore(path, { create: true });
  await initStore(store, {});
  return store;
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "store-test-" });
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function inStoreWith(
  config: Uint8Array,
  run: (path: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openFileStore(`${folder}/store`, { create: true });
    await store.create("config/1", config);
    await run(store.path);
  });
}

async function onTmpfs(
  size: string,
  run: (disk: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    mountTmpfs(`${folder}/disk`, size);
    try {
      await run(`${folder}/disk`);
    } finally {
      unmount(`${folder}/disk`);
    }
  });
}

async function namesIn(store: FileStore): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of store.list("")) {
    for (const { name } of batch) names.push(name);
  }
  return names.sort();
}
