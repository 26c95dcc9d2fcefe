import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { TableList } from "@snap/pack/objects";
import { PackSearches } from "./pack_searches.ts";

/** Searches that end when a test lets them. */
function scene() {
  const tables = TableList.create();
  const under: PromiseWithResolvers<void>[] = [];
  const faults: unknown[] = [];
  let begun = Promise.withResolvers<void>();
  const searches = new PackSearches({
    tables,
    find() {
      under.push(Promise.withResolvers());
      begun.resolve();
      begun = Promise.withResolvers();
      return under.at(-1)!.promise;
    },
    onFault: (error) => faults.push(error),
  });
  return { tables, under, faults, searches, begun: () => begun.promise };
}

/** Whether nothing more is begun after all that is due. */
async function settled(): Promise<void> {
  for (let i = 0; i < 9; i++) await Promise.resolve();
}

Deno.test("PackSearches makes one search for all who ask until it ends", async () => {
  const { tables, under, searches, begun } = scene();
  const first = begun();
  searches.take();
  searches.take();
  await first;
  strictEqual(tables.search, "wanted");
  under[0].resolve();
  await settled();
  strictEqual(tables.search, "made");
  searches.take();
  await settled();
  strictEqual(under.length, 1);
  await searches.stop();
});

Deno.test("PackSearches searches again for what is wanted while it searches", async () => {
  const { tables, under, searches, begun } = scene();
  const first = begun();
  searches.take();
  await first;
  tables.wantSearch();
  searches.take();
  const second = begun();
  under[0].resolve();
  await second;
  strictEqual(tables.search, "wanted");
  under[1].resolve();
  await settled();
  strictEqual(tables.search, "made");
  await searches.stop();
});

Deno.test("PackSearches tells of a search that fails, and makes the next", async () => {
  const { tables, under, faults, searches, begun } = scene();
  const first = begun();
  searches.take();
  await first;
  const error = new Error("the store is away");
  under[0].reject(error);
  await settled();
  deepStrictEqual(faults, [error]);
  strictEqual(tables.search, "failed");
  tables.wantSearch();
  const second = begun();
  searches.take();
  await second;
  under[1].resolve();
  await settled();
  strictEqual(tables.search, "made");
  await searches.stop();
});

Deno.test("PackSearches ends beside a store that never answers, and says nothing of it", async () => {
  const { under, faults, searches, begun } = scene();
  const first = begun();
  searches.take();
  await first;
  searches.take();
  await searches.stop();
  under[0].reject(new Error("too late"));
  await settled();
  deepStrictEqual(faults, []);
  ok(under.length === 1);
});
