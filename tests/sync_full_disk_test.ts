// A disk that is full before all has come: it is said, what is there stays whole, and
// the same sync goes on when there is room.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import { verify } from "@snap/snapshot/verify";
import { StoreError, type WriteStore } from "@snap/store";
import {
  type Peer,
  remotePeer,
  storePeer,
  sync,
  SyncError,
  systemEnv,
} from "@snap/sync";
import { syncHandler } from "@snap/sync/serve";
import { memoryTransport } from "@snap/sync/testing";
import { makeSource } from "./_faults.ts";
import { LATER } from "./_saves.ts";
import {
  checkSame,
  leftovers,
  makeFileStore,
  makeMemorySnapshots,
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";
import { canMount, mountTmpfs, resizeTmpfs, unmount } from "./_tmpfs.ts";

const ignore = !canMount();
/** Does not wait. */
const env = { ...systemEnv, sleep: () => Promise.resolve() };

function local(store: WriteStore): Peer {
  return storePeer(store, { hasher });
}

function remote(store: WriteStore): Peer {
  const handler = syncHandler(store, { hasher });
  const { signal } = new AbortController();
  return remotePeer(
    memoryTransport((request) => handler(request, { right: "append", signal })),
    { hasher },
  );
}

/** Whether an error says that the disk is full. */
function isFull(error: unknown): boolean {
  return error instanceof SyncError && error.code === "FULL" ||
    error instanceof StoreError && error.code === "ENOSPC";
}

/** Bytes that are in use on a disk. */
function usedSize(path: string): number {
  const { blocks, bfree, bsize } = statfsSync(path);
  return (blocks - bfree) * bsize;
}

for (
  const [name, from, to] of [
    ["from store to store", local, local],
    ["pulled from a server", remote, local],
    ["pushed to a server", local, remote],
  ] as const
) {
  Deno.test(
    `a snapshot that is ${name} onto a full disk of any size is whole once there is room`,
    {
      ignore,
    },
    async () => {
      using folder = new TemporaryFolder();
      const disk = folder.join("disk");
      makeSource(folder.join("source"));
      await using a = await makeMemorySnapshots(SMALL_SETTINGS);
      const { record } = await save(a, folder.join("source"), LATER);
      let failed = 0;
      for (let room = 0, isDone = false; !isDone; room += 180_000) {
        mountTmpfs(disk, "20m");
        try {
          const store = await makeFileStore(`${disk}/store`, SMALL_SETTINGS);
          resizeTmpfs(disk, `${usedSize(disk) + room}`);
          const run = () =>
            sync(from(a.store), to(store), { env, pull: false });
          const error = await run().then(() => undefined, (error) => error);
          isDone = error === undefined;
          if (!isDone) {
            ok(isFull(error), `${room}: ${error}`);
            failed++;
            deepStrictEqual(leftovers(store), []);
            await using there = await open(store);
            strictEqual((await there.records()).length, 0);
            resizeTmpfs(disk, "20m");
            strictEqual((await run()).recordsCopied, 1);
          }
          await using there = await open(store);
          await checkSame(a, there, record!);
          deepStrictEqual((await verify(there, { data: true })).damages, []);
        } finally {
          unmount(disk);
        }
      }
      ok(failed > 1, `${failed} syncs failed`);
    },
  );
}

Deno.test(
  "workers that fill the disk say so, as one thread does",
  { ignore },
  async () => {
    using folder = new TemporaryFolder();
    const disk = folder.join("disk");
    // Less is copied without them.
    mkdirSync(folder.join("source"));
    writeFileSync(folder.join("source/noise"), noise(16_000_000, 5));
    await using a = await open(await makeFileStore(folder.join("store")));
    const { record } = await save(a, folder.join("source"), LATER);
    mountTmpfs(disk, "40m");
    try {
      const store = await makeFileStore(`${disk}/store`);
      resizeTmpfs(disk, `${usedSize(disk) + 5_000_000}`);
      const run = () =>
        sync(local(a.store), local(store), { pull: false, workers: 2 });
      await rejects(run(), isFull);
      deepStrictEqual(leftovers(store), []);
      resizeTmpfs(disk, "40m");
      await run();
      await using there = await open(store);
      await checkSame(a, there, record!);
    } finally {
      unmount(disk);
    }
  },
);
