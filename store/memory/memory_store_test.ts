import { MemoryStore } from "./memory_store.ts";
import { testStore } from "../testing/test_store.ts";

testStore("MemoryStore", () =>
  Promise.resolve({
    store: new MemoryStore(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));
