import { deepEqual, equal, rejects } from "node:assert/strict";
import { Resources } from "./resources.ts";

Deno.test("Resources closes all, the last one first, also if one fails", async () => {
  const closed: number[] = [];
  const resources = new Resources();
  const first = { [Symbol.dispose]: () => void closed.push(1) };
  equal(resources.use(first), first);
  resources.use({
    [Symbol.asyncDispose]: async () => {
      await Promise.resolve();
      closed.push(2);
      throw new RangeError("Two fails");
    },
  });
  resources.use({ [Symbol.dispose]: () => void closed.push(3) });
  await rejects(resources.close(), /Two fails/);
  deepEqual(closed, [3, 2, 1]);
  await resources.close();
  deepEqual(closed, [3, 2, 1]);
});
