import { openFileStore } from "./file_store.ts";
import { testStore } from "./testing/mod.ts";

testStore("FileStore", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "store-test-" });
  return {
    store: await openFileStore(`${folder}/store`, { create: true }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
});
