// Runs the contract suite, and an upload whose answers are lost, on Node.
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { encodeHeader } from "../../header.ts";
import { testStore } from "../../testing/mod.ts";
import { fakeStore, pattern } from "./fake_store.ts";

const tests: [string, () => Promise<void>][] = [];
testStore("S3Store", async () => {
  const scene = await fakeStore();
  return { store: scene.store, [Symbol.asyncDispose]: () => scene.close() };
}, (title, run) => tests.push([title, run]));

tests.push(["S3Store uploads whatever answer is lost", async () => {
  const bytes = pattern(4500);
  bytes.set(encodeHeader({
    kind: "PACK",
    saveId: new Uint8Array(16),
    salt: new Uint8Array(32).fill(9),
  }));
  for (let at = 1;; at++) {
    const scene = await fakeStore();
    const { fake, store } = scene;
    fake.trouble = ({ number }) => number === at ? "lose" : undefined;
    const path = await store.spoolPath("5a".repeat(16));
    writeFileSync(path, bytes);
    strictEqual(await store.adopt("packs/ab/one", path), true);
    deepStrictEqual(fake.objects.get("p/packs/ab/one"), bytes);
    strictEqual(fake.uploads.size, 0);
    const count = fake.seen.length;
    await scene.close();
    if (count < at) break;
  }
}]);

for (const [title, run] of tests) {
  try {
    await run();
  } catch (cause) {
    throw new Error(`${title} fails`, { cause });
  }
}
console.log(`${tests.length} passed`);
