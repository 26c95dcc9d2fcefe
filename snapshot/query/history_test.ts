import { deepStrictEqual } from "node:assert/strict";
import { latin, TestSnapshots } from "../../tests/_test_snapshots.ts";
import { pathHistory } from "./history.ts";

Deno.test("pathHistory tells when a path came, changed and went, of each source for itself", async () => {
  const test = new TestSnapshots();
  const there = { host: "there" };
  const records = [
    await test.save({ other: { file: "x" } }),
    await test.save({ d: { directory: { f: { file: "1" } } } }),
    await test.save({ d: { directory: { f: { file: "12" } } } }, there),
    await test.save({
      d: { directory: { f: { file: "1" } } },
      y: { fifo: true },
    }),
    await test.save({ d: { directory: { f: { file: "1", mode: 0o600 } } } }),
    await test.save({ d: { directory: { f: { file: "2" } } } }),
    await test.save({ d: { directory: { f: { link: "2" } } } }),
    await test.save({ d: { file: "no directory" } }),
    await test.save({ d: { directory: { f: { link: "2" } } } }),
  ];
  const snapshots = await test.open();
  const steps = async (path: string): Promise<unknown[]> =>
    (await Array.fromAsync(
      pathHistory(snapshots, latin(path), records.toReversed()),
    )).map(({ change, record, entry }) => [
      change,
      records.indexOf(records.find((one) => one.record === record.record)!),
      entry?.size,
    ]);
  deepStrictEqual(await steps("d/f"), [
    ["added", 1, 1],
    ["modified", 5, 1],
    ["modified", 6, 1],
    ["removed", 7, undefined],
    ["added", 8, 1],
    ["added", 2, 2],
  ]);
  deepStrictEqual((await steps("d")).length, 6);
  deepStrictEqual(await steps("gone"), []);
  // The root changes with all that is below.
  deepStrictEqual((await steps("")).length, 9);
});
