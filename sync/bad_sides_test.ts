// Sides of a sync that are not as they should be: too deep, another store, a clock
// that is wrong.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { DEPTH_MAX } from "@snap/manifest/extras";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { tagSnapshot } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import type { WriteStore } from "@snap/store";
import { TagStore } from "@snap/store/format";
import { LATER, makeTree } from "../tests/_saves.ts";
import {
  makeMemorySnapshots,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { NO_TOTALS, TestSnapshots } from "../tests/_test_snapshots.ts";
import { sync } from "./engine/sync.ts";
import { SyncError } from "./errors.ts";
import { type Env, systemEnv } from "./options.ts";
import type { Peer } from "./peer/peer.ts";
import { remotePeer } from "./peer/remote_peer.ts";
import { storePeer } from "./peer/store_peer.ts";
import { syncHandler } from "./serve/sync_handler.ts";
import { memoryTransport } from "./testing/mod.ts";

/** Does not wait. */
const env: Env = { ...systemEnv, sleep: () => Promise.resolve() };

function local(store: WriteStore): Peer {
  return storePeer(store, { hasher });
}

/** A server; at each request it may have another store. */
function remote(storeAt: (number: number) => WriteStore): Peer {
  const handlers = new Map<WriteStore, ReturnType<typeof syncHandler>>();
  const { signal } = new AbortController();
  let count = 0;
  const transport = memoryTransport(async (request) => {
    const store = storeAt(count++);
    if (!handlers.has(store)) {
      handlers.set(store, syncHandler(store, { hasher }));
    }
    return await handlers.get(store)!(request, { right: "append", signal });
  });
  return remotePeer(transport, { hasher });
}

/** A store with a snapshot of directories that nest so deep, and a plain one. */
async function makeDeep(depth: number): Promise<Snapshots<WriteStore>> {
  const test = new TestSnapshots();
  let built = test.addDirectory({ leaf: { file: "leaf" } });
  for (let level = 1; level < depth; level++) {
    built = test.addDirectory({ d: { built } });
  }
  const totals = { ...NO_TOTALS, entryCount: depth };
  await test.flush();
  await test.addRecord(built, { totals });
  await test.save({ plain: { file: "plain" } }, {
    totals: { ...NO_TOTALS, entryCount: 1 },
  });
  return await test.open();
}

for (
  const [name, from, to] of [
    ["to a server", local, (store: WriteStore) => remote(() => store)],
    ["from a server", (store: WriteStore) => remote(() => store), local],
  ] as const
) {
  Deno.test(`a snapshot that nests deeper than any can is named and left, ${name}`, async () => {
    for (const [depth, copied] of [[DEPTH_MAX, 2], [DEPTH_MAX + 50, 1]]) {
      await using a = await makeDeep(depth);
      await using b = await makeMemorySnapshots();
      const report = await sync(from(a.store), to(b.store), {
        ...{ env, pull: false },
      });
      strictEqual(report.recordsCopied, copied);
      for (const { code, message } of report.errors) {
        strictEqual(code, "MISMATCH");
        match(message, /nest at most 1024 deep/);
      }
      strictEqual(report.errors.length, copied === 2 ? 0 : 2);
      await b.refresh();
      strictEqual((await b.records()).length, copied);
    }
  });
}

Deno.test("directories of any number of entries come from a server", async () => {
  const test = new TestSnapshots();
  const directories = [1, 255, 256, 300, 511, 512, 700].map((count) =>
    [
      `d${count}`,
      {
        directory: Object.fromEntries(
          Array.from({ length: count }, (_, i) => [`${i}`, { link: `${i}` }]),
        ),
      },
    ] as const
  );
  const totals = { ...NO_TOTALS, entryCount: 5000 };
  const record = await test.save(Object.fromEntries(directories), { totals });
  await using a = await test.open();
  await using b = await makeMemorySnapshots();
  const report = await sync(local(b.store), remote(() => a.store), { env });
  deepStrictEqual([report.recordsCopied, report.errors], [1, []]);
  await b.refresh();
  sameEntries(await readSnapshot(b, record), await readSnapshot(a, record));
});

Deno.test("a push to a server that has another store from some request on breaks neither", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  makeTree(folder.join("tree"));
  const { record } = await save(a, folder.join("tree"), LATER);
  let wholeCount = 0;
  for (let at = 1, isLast = false; !isLast; at++) {
    await using b = await makeMemorySnapshots();
    await using c = await makeMemorySnapshots();
    let count = 0;
    const server = remote((number) => {
      count = number + 1;
      return number < at ? b.store : c.store;
    });
    try {
      await sync(local(a.store), server, { env, pull: false });
    } catch (error) {
      ok(error instanceof SyncError, `${error}`);
    }
    isLast = count <= at;
    for (const one of [b, c]) {
      await one.refresh();
      deepStrictEqual((await verify(one, { data: true })).damages, []);
      for (const found of await one.records()) {
        sameEntries(
          await readSnapshot(one, found),
          await readSnapshot(a, record!),
        );
        wholeCount++;
      }
    }
  }
  ok(wholeCount > 0);
});

Deno.test("a tag that a clock years ahead has set can be set again, and is what was set last", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  makeTree(folder.join("tree"));
  const ahead = (): number => Date.UTC(2060, 0);
  const first = await save(a, folder.join("tree"), { now: ahead });
  await tagSnapshot(a, "main", first.record!, { now: ahead });
  await sync(local(a.store), local(b.store), { env });
  Deno.writeTextFileSync(folder.join("tree/more"), "more");
  await b.refresh();
  const second = await save(b, folder.join("tree"), LATER);
  await tagSnapshot(b, "main", second.record!);
  for (const how of [{ env: { ...env, now: ahead } }, { env }]) {
    await sync(local(b.store), remote(() => a.store), how);
  }
  for (const { store } of [a, b]) {
    const last = await new TagStore(store).newest("main");
    ok(last !== undefined && last.damage === undefined);
    strictEqual(last.head.record, second.record!.record);
    strictEqual(
      (await Array.fromAsync(new TagStore(store).entries("main")))
        .flat().length,
      2,
    );
  }
});
