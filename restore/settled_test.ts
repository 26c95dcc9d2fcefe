// Who fails has waited for all that he began: no read is under way any more.
import { equal, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openStoreReader } from "@snap/pack/read";
import { readPacks } from "@snap/pack/index-writer";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import { type NamedRecord, tagLog, tagSnapshot } from "@snap/snapshot/records";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import {
  type ReadOptions,
  type ReadStore,
  type StoreEntry,
  StoreError,
} from "@snap/store";
import { readConfig } from "@snap/store/format";
import {
  makeMemorySnapshots,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";

/** From when on the first of several calls fails at once, and the others take their time. */
class UnevenStore implements ReadStore {
  callCount = 0;
  underWay = 0;
  readonly #inner: ReadStore;
  #isFailing = false;

  constructor(inner: ReadStore) {
    this.#inner = inner;
  }

  fail(): void {
    this.#isFailing = true;
  }

  read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    return this.#call(name, () => this.#inner.read(name, options));
  }

  size(name: string): Promise<number | undefined> {
    return this.#call(name, () => this.#inner.size(name));
  }

  list(prefix: string): AsyncIterable<StoreEntry[]> {
    return this.#inner.list(prefix);
  }

  async #call<T>(storeName: string, call: () => Promise<T>): Promise<T> {
    if (!this.#isFailing) return await call();
    const isFirst = this.callCount++ === 0;
    this.underWay++;
    try {
      for (let turns = isFirst ? 1 : 50; turns > 0; turns--) await turn();
      if (!isFirst) return await call();
      throw new StoreError("Cannot read as a test says so", {
        code: "ETIMEDOUT",
        action: "read",
        storeName,
      });
    } finally {
      this.underWay--;
    }
  }
}

type Action = (store: UnevenStore) => Promise<unknown>;

/** What is done with a store that fails as soon as it is asked to. */
function actionsOn(
  record: NamedRecord,
  otherRecord: NamedRecord,
): Record<string, Action> {
  const hasher = wasmHasher;
  return {
    async readConfig(store) {
      store.fail();
      await readConfig(store);
    },
    async tags(store) {
      store.fail();
      for await (const _ of tagLog({ store }, "tag"));
    },
    async readPacks(store) {
      const entries = (await Array.fromAsync(store.list("packs/"))).flat();
      store.fail();
      for await (const _ of readPacks(store, entries, { hasher }));
    },
    async view(store) {
      const reader = await openStoreReader(store, { hasher });
      store.fail();
      await View.open(reader, record);
    },
    async diff(store) {
      const reader = await openStoreReader(store, { hasher });
      store.fail();
      for await (
        const _ of diffSnapshots(snapshotSide(reader, record), undefined)
      );
    },
    async "diff of two sides"(store) {
      const side = snapshotSide(await openStoreReader(store, { hasher }), {
        tree: record.tree,
      });
      const other = await openStoreReader(store, { hasher });
      const otherSide = snapshotSide(other, { tree: otherRecord.tree });
      store.fail();
      for await (const _ of diffSnapshots(side, otherSide));
    },
    async records(store) {
      const opened = await openSnapshots(store, { hasher });
      store.fail();
      await opened.records();
    },
  };
}

Deno.test("who fails has waited for all reads that he began", async (test) => {
  using folder = new TemporaryFolder();
  for (let i = 0; i < 40; i++) {
    writeFileSync(folder.join(`${i}`), noise(8000, i + 1));
  }
  await using snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
  await save(snapshots, folder.path, { message: "first" });
  const { record } = await save(snapshots, folder.path, { message: "second" });
  writeFileSync(folder.join("more"), "more");
  const { record: other } = await save(snapshots, folder.path);
  if (record === undefined || other === undefined) {
    throw new Error("nothing was saved");
  }
  for (let i = 0; i < 3; i++) await tagSnapshot(snapshots, "tag", record);

  for (const [name, act] of Object.entries(actionsOn(record, other))) {
    await test.step(name, async () => {
      const store = new UnevenStore(snapshots.store);
      await rejects(act(store), { code: "ETIMEDOUT" });
      equal(store.underWay, 0);
      // Tree and page of one directory lie side by side, and are read as one.
      if (["view", "diff"].includes(name)) return;
      equal(store.callCount > 1, true, "one call proves nothing");
    });
  }
});
