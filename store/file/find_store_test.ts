import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { findStore, type FindStoreOptions } from "./find_store.ts";
import { canMount, mountTmpfs, unmount } from "../../tests/_tmpfs.ts";

const uid = Deno.uid() ?? undefined;
const isRoot = uid === 0;
const ignore = !canMount();

Deno.test("findStore takes what it is told before all else", async () => {
  await inFolder(async (cwd) => {
    makeStoreIn(cwd);
    const env = {
      SNAP_STORE: "/srv/store",
      HOME: "/home/a",
      XDG_DATA_HOME: "/data",
    };
    const found = await findStore({ explicit: "s3://bucket/x", env, cwd, uid });
    deepStrictEqual(found, {
      path: "s3://bucket/x",
      source: "option",
      passed: [],
    });
    strictEqual((await findStore({ env, cwd, uid })).source, "environment");
    strictEqual((await findStore({ env, cwd, uid })).path, "/srv/store");
    strictEqual(
      (await findStore({ env: { ...env, SNAP_STORE: "" }, cwd, uid })).source,
      "directory",
    );
  });
});

Deno.test("findStore takes the nearest store above", async () => {
  await inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/a/b/c`, { recursive: true });
    makeStoreIn(folder);
    const env = {};
    const above = { path: `${folder}/.snap`, source: "directory", passed: [] };
    deepStrictEqual(await findStore({ env, cwd: folder, uid }), above);
    deepStrictEqual(
      await findStore({ env, cwd: `${folder}/a/b/c`, uid }),
      above,
    );
    makeStoreIn(`${folder}/a/b`);
    strictEqual(
      (await findStore({ env, cwd: `${folder}/a/b/c`, uid })).path,
      `${folder}/a/b/.snap`,
    );
    strictEqual(
      (await findStore({ env, cwd: `${folder}/a`, uid })).path,
      `${folder}/.snap`,
    );
  });
});

Deno.test("findStore passes a .snap that is no store", async () => {
  await inFolder(async (folder) => {
    makeStoreIn(folder);
    Deno.mkdirSync(`${folder}/a/.snap/config/1`, { recursive: true });
    Deno.mkdirSync(`${folder}/a/b/.snap`, { recursive: true });
    Deno.mkdirSync(`${folder}/a/b/c`);
    Deno.writeTextFileSync(`${folder}/a/b/c/.snap`, "a file");
    Deno.mkdirSync(`${folder}/a/b/c/d`);
    Deno.symlinkSync(`${folder}/.snap`, `${folder}/a/b/c/d/.snap`);
    deepStrictEqual(
      await findStore({ env: {}, cwd: `${folder}/a/b/c/d`, uid }),
      {
        path: `${folder}/.snap`,
        source: "directory",
        passed: [
          { path: `${folder}/a/b/c/d/.snap`, reason: "no folder" },
          { path: `${folder}/a/b/c/.snap`, reason: "no folder" },
          { path: `${folder}/a/b/.snap`, reason: "no config" },
          { path: `${folder}/a/.snap`, reason: "no config" },
        ],
      },
    );
  });
});

Deno.test("findStore passes a .snap of somebody else, also for root", async () => {
  await inFolder(async (folder) => {
    makeStoreIn(folder);
    const env = { HOME: "/home/a" };
    const other = await findStore({ env, cwd: folder, uid: (uid ?? 0) + 1 });
    strictEqual(other.source, "home");
    deepStrictEqual(other.passed, [{
      path: `${folder}/.snap`,
      reason: "other owner",
    }]);
    strictEqual((await findStore({ env, cwd: folder })).source, "directory");
  });
});

Deno.test({
  name: "findStore as root passes a .snap of a user",
  ignore: !isRoot,
}, async () => {
  await inFolder(async (folder) => {
    makeStoreIn(folder);
    Deno.chownSync(`${folder}/.snap`, 65534, 65534);
    const found = await findStore({ env: { HOME: "/root" }, cwd: folder, uid });
    deepStrictEqual(found.passed, [{
      path: `${folder}/.snap`,
      reason: "other owner",
    }]);
  });
});

Deno.test({ name: "findStore crosses no mount point", ignore }, async () => {
  await inFolder(async (folder) => {
    makeStoreIn(folder);
    mountTmpfs(`${folder}/disk`, "64k");
    try {
      const env = { HOME: "/home/a" };
      Deno.mkdirSync(`${folder}/disk/a`);
      const across = await findStore({ env, cwd: `${folder}/disk/a`, uid });
      deepStrictEqual(across, {
        path: "/home/a/.local/share/snap/store",
        source: "home",
        passed: [],
      });
      makeStoreIn(`${folder}/disk`);
      const within = await findStore({ env, cwd: `${folder}/disk/a`, uid });
      strictEqual(within.path, `${folder}/disk/.snap`);
    } finally {
      unmount(`${folder}/disk`);
    }
  });
});

Deno.test(
  { name: "findStore passes a .snap that is a mount point", ignore },
  async () => {
    await inFolder(async (folder) => {
      mountTmpfs(`${folder}/.snap`, "64k");
      try {
        Deno.mkdirSync(`${folder}/.snap/config`);
        Deno.writeTextFileSync(`${folder}/.snap/config/1`, "x");
        const found = await findStore({
          env: { HOME: "/home/a" },
          cwd: folder,
          uid,
        });
        deepStrictEqual(found.passed, [{
          path: `${folder}/.snap`,
          reason: "other file system",
        }]);
      } finally {
        unmount(`${folder}/.snap`);
      }
    });
  },
);

Deno.test("findStore ends at the store of the user", async () => {
  await inFolder(async (cwd) => {
    const homes: [FindStoreOptions["env"], string][] = [
      [{ XDG_DATA_HOME: "/data", HOME: "/home/a" }, "/data/snap/store"],
      [
        { XDG_DATA_HOME: "relative", HOME: "/home/a" },
        "/home/a/.local/share/snap/store",
      ],
      [
        { XDG_DATA_HOME: "", HOME: "/home/a" },
        "/home/a/.local/share/snap/store",
      ],
      [{ HOME: "/home/a" }, "/home/a/.local/share/snap/store"],
    ];
    for (const [env, path] of homes) {
      deepStrictEqual(await findStore({ env, cwd, uid }), {
        path,
        source: "home",
        passed: [],
      });
    }
    await rejects(findStore({ env: {}, cwd, uid }), {
      name: "StoreError",
      action: "find",
    });
  });
});

Deno.test("findStore fails where it cannot look", async () => {
  await inFolder(async (folder) => {
    const cwd = `${folder}/absent`;
    await rejects(findStore({ env: { HOME: "/home/a" }, cwd, uid }), {
      name: "StoreError",
      code: "ENOENT",
    });
  });
});

/** Makes what looks like a store from outside. */
function makeStoreIn(folder: string): void {
  Deno.mkdirSync(`${folder}/.snap/config`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/.snap/config/1`, "x");
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "store-test-" });
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
