import { ok, rejects } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { StoreError } from "@snap/store";
import { FaultStore } from "@snap/store/testing";
import { TestSnapshots } from "../tests/_test_snapshots.ts";
import { openSnapshots } from "./snapshots.ts";

Deno.test("Snapshots opens a reader anew after one that could not be opened", async () => {
  const test = new TestSnapshots();
  await test.save({ a: { file: "hello" } });
  await (await test.open())[Symbol.asyncDispose]();
  const at = [{ call: 1, fault: "error" as const }];
  const store = new FaultStore(test.store, { at, actions: ["list"] });
  const snapshots = await openSnapshots(store, { hasher });
  await rejects(snapshots.reader(), StoreError);
  await snapshots.refresh();
  ok(await snapshots.reader());
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("Snapshots closes where no reader could be opened", async () => {
  const test = new TestSnapshots();
  await (await test.open())[Symbol.asyncDispose]();
  const at = [{ call: 1, fault: "gone" as const }];
  const store = new FaultStore(test.store, { at, actions: ["list"] });
  const use = async (): Promise<void> => {
    await using snapshots = await openSnapshots(store, { hasher });
    await snapshots.reader();
  };
  await rejects(use(), StoreError);
});
