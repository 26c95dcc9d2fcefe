import { deepEqual, equal } from "node:assert/strict";
import { SaveMemory } from "./save_memory.ts";

const id = (first: number): Uint8Array => new Uint8Array(32).fill(first);

Deno.test("SaveMemory forgets what was not asked for the longest", () => {
  const memory = new SaveMemory({ sizeMax: 10 });
  memory.put(id(1), new Uint8Array(4));
  memory.put(id(2), new Uint8Array(4));
  memory.put(id(2), new Uint8Array(4));
  equal(memory.get(id(1))?.length, 4);
  memory.put(id(3), new Uint8Array(4));
  deepEqual([1, 2, 3].map((one) => memory.get(id(one))?.length), [
    4,
    undefined,
    4,
  ]);
  memory.put(id(4), new Uint8Array(SaveMemory.OBJECT_SIZE_MAX + 1));
  equal(memory.get(id(4)), undefined);
  equal(memory.get(id(1))?.length, 4);
});
