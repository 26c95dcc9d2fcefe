import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type FileCalls, fileCalls } from "./file_calls.ts";
import { openOverCalls } from "./open_over_calls.ts";
import { NotFoundError, StoreError } from "../errors.ts";
import type { FileStore } from "./file_store.ts";
import { initStore } from "../format/store_config.ts";
import {
  type CallKind,
  fault,
  faultyCalls,
  systemError,
} from "../testdata/faulty_calls.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { testStore } from "../testing/test_store.ts";

const ALL_KINDS: readonly CallKind[] = [
  "open",
  "read",
  "write",
  "stat",
  "chmod",
  "sync",
  "link",
  "mkdir",
];
const SAVE_ID = "5a".repeat(16);
const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);

for (const code of ["EPERM", "ENOTSUP", "EMLINK"]) {
  testStore(`FileStore without links (${code})`, async () => {
    const folder = makeFastFolder();
    const calls = {
      ...fileCalls(),
      link: () => Promise.reject(systemError(code)),
    };
    return {
      store: await openOverCalls(calls, `${folder}/store`, { create: true }),
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  });
}

/** What can fail: each makes the name and says whether it did. */
const writes: Readonly<Record<string, (store: FileStore) => Promise<boolean>>> =
  {
    "create in a folder that is there": (store) =>
      store.create("packs/ab/one", bytes),
    "create in new folders": (store) => store.create("gc/void/one", bytes),
    "adopt": async (store) => {
      const path = await store.spoolPath(SAVE_ID);
      Deno.writeFileSync(path, bytes, { mode: 0o644 });
      return await store.adopt("packs/ab/one", path);
    },
  };

for (const [title, write] of Object.entries(writes)) {
  Deno.test(`FileStore makes a failed sync final: ${title}`, async () => {
    await failEach(["sync"], "EIO", write);
  });
  Deno.test(`FileStore leaves nothing where any call fails: ${title}`, async () => {
    await failEach(ALL_KINDS, "ENOSPC", write);
  });
  Deno.test(`FileStore leaves nothing where any call fails and links do not exist: ${title}`, async () => {
    await failEach(ALL_KINDS, "ENOSPC", write, (calls) => ({
      ...calls,
      link: () => Promise.reject(systemError("EOPNOTSUPP")),
    }));
  });
}

/** Makes each call of some kinds fail in turn, until there are no more. */
async function failEach(
  kinds: readonly CallKind[],
  code: string,
  write: (store: FileStore) => Promise<boolean>,
  change: (calls: FileCalls) => FileCalls = (calls) => calls,
): Promise<void> {
  for (let at = 1, ended = false; !ended; at++) {
    ok(at < 100);
    await inFolder(async (folder) => {
      const plan = fault(kinds, code);
      const calls = change(faultyCalls(plan));
      const store = await openOverCalls(calls, folder, { create: true });
      await initStore(store, {});
      const synced = plan.synced.length;
      plan.at = plan.calls + at;
      const names = await namesIn(store);
      const outcome = await write(store).catch((error: unknown) => error);
      if (plan.calls < plan.at) {
        strictEqual(outcome, true);
        ended = true;
        return;
      }
      ok(outcome instanceof StoreError, `call ${at} of ${kinds}: ${outcome}`);
      strictEqual(outcome.code, code);
      deepStrictEqual(await namesIn(store), names, `call ${at}`);
      deepStrictEqual(temporaries(folder), ["reserve"], `call ${at}`);
      const files = plan.synced.slice(synced).filter((path) =>
        path.includes("/tmp/")
      );
      strictEqual(new Set(files).size, files.length, "a file is synced once");
      strictEqual(await write(store), true, `call ${at}`);
    });
  }
}

Deno.test("FileStore syncs new parents, and those that a copy lacked", async () => {
  await inFolder(async (folder) => {
    const plan = fault(["sync"], "EIO");
    const calls = faultyCalls(plan);
    const made = await openOverCalls(calls, folder, { create: true });
    await initStore(made, {});
    Deno.removeSync(`${folder}/packs`, { recursive: true });
    const store = await openOverCalls(calls, folder);
    const syncedBy = async (name: string) => {
      plan.synced.length = 0;
      await store.create(name, bytes);
      const paths = plan.synced.filter((path) => !path.includes("/tmp/"));
      return paths.map((path) => path.slice(folder.length)).sort();
    };
    deepStrictEqual(await syncedBy("gc/void/one"), ["", "/gc", "/gc/void"]);
    deepStrictEqual(await syncedBy("gc/void/two"), ["/gc/void"]);
    deepStrictEqual(await syncedBy("packs/ab/one"), [
      "",
      "/packs",
      "/packs/ab",
    ]);
    deepStrictEqual(await syncedBy("packs/ab/two"), ["/packs/ab"]);
    deepStrictEqual(await syncedBy("tags/main/1"), ["/tags", "/tags/main"]);
  });
});

Deno.test("FileStore fails when any folder cannot be synced", async () => {
  await inFolder(async (folder) => {
    const plan = fault(["sync"], "EIO");
    const store = await openOverCalls(faultyCalls(plan), folder, {
      create: true,
    });
    await store.create("tags/main/1", bytes);
    const before = plan.calls;
    await store.sync(["packs/", "index/", "tags/main/"]);
    const count = plan.calls - before;
    strictEqual(
      count,
      1 + 1 + 256 + 1 + 2,
      "root, packs, packs/xx, index, tags, tags/main",
    );
    for (let at = 1; at <= count; at += at < 20 || at > count - 20 ? 1 : 37) {
      plan.at = plan.calls + at;
      await rejects(store.sync(["packs/", "index/", "tags/main/"]), {
        name: "StoreError",
        code: "EIO",
        action: "sync",
      });
    }
  });
});

Deno.test("FileStore makes a store whole or fails, whichever call fails", async () => {
  let isDone = false;
  for (let at = 1; !isDone; at += 5) {
    await inFolder(async (folder) => {
      const plan = { ...fault(ALL_KINDS, "ENOSPC"), at };
      const calls = faultyCalls(plan);
      const outcome = await openOverCalls(calls, `${folder}/a/store`, {
        create: true,
      })
        .then(() => undefined, (error: unknown) => error);
      isDone = plan.calls < at;
      if (isDone) return strictEqual(outcome, undefined);
      ok(outcome instanceof StoreError, `call ${at}: ${outcome}`);
      strictEqual(outcome.code, "ENOSPC");
      const again = await openOverCalls(
        fileCalls(),
        `${folder}/a/store`,
        { create: true },
      );
      deepStrictEqual(temporaries(again.path), ["reserve"]);
    });
  }
});

Deno.test("FileStore takes a platform that cannot sync folders as it is", async () => {
  for (const code of ["EINVAL", "ENOTSUP"]) {
    await inFolder(async (folder) => {
      const calls = fileCalls();
      const store = await openOverCalls(
        {
          ...calls,
          openToRead: async (path) => {
            const file = await calls.openToRead(path);
            if (!(await file.stat()).isDirectory()) return file;
            return {
              ...closable(file),
              sync: () => Promise.reject(systemError(code)),
            };
          },
        },
        folder,
        { create: true },
      );
      strictEqual(await store.create("gc/void/one", bytes), true);
      await store.sync(["packs/"]);
    });
  }
});

Deno.test("FileStore writes all where the system takes little at a time", async () => {
  await inFolder(async (folder) => {
    const calls = fileCalls();
    const store = await openOverCalls(
      {
        ...calls,
        openNew: async (path) => {
          const file = await calls.openNew(path);
          return {
            ...closable(file),
            write: (b, o, n, p) => file.write(b, o, Math.min(n, 4099), p),
          };
        },
        openToRead: async (path) => {
          const file = await calls.openToRead(path);
          return {
            ...closable(file),
            read: (b, o, n, p) => file.read(b, o, Math.min(n, 4099), p),
          };
        },
      },
      folder,
      { create: true },
    );
    await store.create("packs/ab/one", bytes);
    deepStrictEqual(await store.read("packs/ab/one"), bytes);
  });
});

Deno.test("FileStore fails a write of which the system takes nothing", async () => {
  await inFolder(async (folder) => {
    const calls = fileCalls();
    const openNew = async (path: string) => ({
      ...closable(await calls.openNew(path)),
      write: () => Promise.resolve({ bytesWritten: 0 }),
    });
    const options = { create: true };
    await rejects(openOverCalls({ ...calls, openNew }, folder, options), {
      code: "ENOSPC",
    });
  });
});

Deno.test("FileStore fails a read of a file that shrinks meanwhile", async () => {
  await inFolder(async (folder) => {
    const calls = fileCalls();
    const store = await openOverCalls(
      {
        ...calls,
        openToRead: async (path) => {
          const file = await calls.openToRead(path);
          return {
            ...closable(file),
            read: () => Promise.resolve({ bytesRead: 0 }),
          };
        },
      },
      folder,
      { create: true },
    );
    await store.create("packs/ab/one", bytes);
    await rejects(store.read("packs/ab/one"), {
      name: "StoreError",
      code: "SHORT",
    });
  });
});

Deno.test("FileStore never takes a refusal for absence", async () => {
  await inFolder(async (folder) => {
    for (const code of ["EACCES", "EPERM", "EIO", "ELOOP", "ENAMETOOLONG"]) {
      const plan = fault(["open", "stat"], code);
      const store = await openOverCalls(faultyCalls(plan), folder, {
        create: true,
      });
      const fails = async (call: () => Promise<unknown>) => {
        plan.at = plan.calls + 1;
        await rejects(call(), { name: "StoreError", code });
      };
      await fails(() => store.read("index/absent"));
      await fails(() => store.size("index/absent"));
      await fails(() => store.create("index/absent", bytes));
      await fails(() => Array.fromAsync(store.list("index/")));
      plan.at = plan.calls + 2;
      await rejects(Array.fromAsync(store.list("index/")), {
        name: "StoreError",
        code,
      });
      await rejects(store.read("index/absent"), NotFoundError);
    }
  });
});

Deno.test("FileStore knows its own link when the answer was lost", async () => {
  await inFolder(async (folder) => {
    const calls = fileCalls();
    const store = await openOverCalls(
      {
        ...calls,
        link: async (from, to) => {
          await calls.link(from, to);
          throw systemError("EEXIST");
        },
      },
      folder,
      { create: true },
    );
    strictEqual(await store.create("index/one", bytes), true);
    strictEqual(await store.create("index/one", bytes), false);
  });
});

Deno.test("FileStore stops between two steps when a signal says so", async () => {
  await inFolder(async (folder) => {
    const calls = fileCalls();
    const stop = new AbortController();
    const store = await openOverCalls(
      {
        ...calls,
        openNew: async (path) => {
          stop.abort(new Error("enough"));
          return await calls.openNew(path);
        },
      },
      folder,
      { create: true },
    );
    const { signal } = stop;
    await rejects(store.create("index/one", bytes, { signal }), {
      message: "enough",
    });
    strictEqual(await store.size("index/one"), undefined);
    deepStrictEqual(temporaries(folder), ["reserve"]);
  });
});

/** A file as a plain object, so that some of its methods can be replaced. */
function closable(
  file: Awaited<ReturnType<FileCalls["openToRead"]>>,
): typeof file {
  return {
    read: (...args) => file.read(...args),
    write: (...args) => file.write(...args),
    stat: () => file.stat(),
    chmod: (mode) => file.chmod(mode),
    datasync: () => file.datasync(),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = makeFastFolder();
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function namesIn(store: FileStore): Promise<string[]> {
  const names: string[] = [];
  const files = await openOverCalls(fileCalls(), store.path);
  for await (const batch of files.list("")) {
    for (const { name } of batch) names.push(name);
  }
  return names.sort();
}

function temporaries(folder: string): string[] {
  return [...Deno.readDirSync(`${folder}/tmp`)].map(({ name }) => name);
}
