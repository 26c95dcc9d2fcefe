import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { Prng, seededTest } from "../../tests/_prng.ts";
import {
  build,
  joinZeros,
  makeRows,
  readerOf,
  readRows,
} from "../testdata/recipes.ts";
import { RecipeNode } from "./recipe.ts";
import { RecipeBuilder } from "./recipe_builder.ts";

const ID = new Uint8Array(32).fill(1);
/** An id that never closes a node. */
const OPEN_ID = new Uint8Array(32).fill(0xff);
const CLOSING_ID = new Uint8Array(32).fill(9, 2);

function chunks(
  count: number,
  id = OPEN_ID,
): { id: Uint8Array; size: number }[] {
  return Array.from({ length: count }, () => ({ id, size: 10 }));
}

function decodeAll(nodes: Map<string, Uint8Array>): RecipeNode[] {
  return [...nodes.values()].map((bytes) =>
    RecipeNode.decode(bytes, wasmHasher)
  );
}

function shape(rows: { id?: Uint8Array; size: number }[]): string {
  return decodeAll(build(rows).nodes)
    .map(({ level, count }) => `${level}:${count}`).join(" ");
}

seededTest("RecipeBuilder makes what RecipeReader reads back", (prng) => {
  const count = 1 + prng.below(prng.pick([3, 600, 6000]));
  const rows = makeRows(prng, count, prng.pick([0, 0.01, 0.5, 1]));
  const recipe = build(rows, 3);
  const found = readRows(readerOf(recipe, 3), recipe);
  deepEqual(found, joinZeros(rows));
  equal(recipe.size, rows.reduce((sum, { size }) => sum + size, 0));
}, { roundCount: 40 });

Deno.test("RecipeBuilder makes one node of one chunk, or of one run of zeros", () => {
  equal(shape(chunks(1)), "0:1");
  equal(shape([{ size: 2 ** 50 }]), "0:1");
});

Deno.test("RecipeBuilder joins runs of zeros", () => {
  equal(shape([{ size: 1 }, { size: 2 }, ...chunks(1), { size: 3 }]), "0:3");
});

Deno.test("RecipeBuilder closes nodes at 4096 rows, when another row comes", () => {
  equal(shape(chunks(4096)), "0:4096");
  equal(shape(chunks(4097)), "0:4096 0:1 1:2");
  equal(shape([...chunks(4095), { size: 1 }, ...chunks(1)]), "0:4096 0:1 1:2");
});

Deno.test("RecipeBuilder closes nodes from 256 rows on by the id of a row", () => {
  equal(shape(chunks(256, CLOSING_ID)), "0:256");
  equal(shape(chunks(257, CLOSING_ID)), "0:256 0:1 1:2");
  const late = [...chunks(300), ...chunks(1, CLOSING_ID), ...chunks(1)];
  equal(shape(late), "0:301 0:1 1:2");
  const zeros = [...chunks(255), { size: 5 }, ...chunks(3, CLOSING_ID)];
  equal(shape(zeros), "0:257 0:2 1:2");
});

Deno.test("RecipeBuilder hands out nodes before those that name them", () => {
  const { nodes } = build(makeRows(new Prng(1), 20_000, 0.1));
  const all = decodeAll(nodes);
  ok(all.some(({ level }) => level === 1));
  const seen = new Set<string>();
  for (const node of all) {
    for (let row = 0; row < node.count && node.level > 0; row++) {
      const start = node.idStart(row);
      ok(seen.has(node.bytes.slice(start, start + 32).toHex()));
    }
    seen.add(node.id.toHex());
  }
  equal(all.filter(({ isRoot }) => isRoot).length, 1);
  ok(all.at(-1)!.isRoot);
});

Deno.test("RecipeBuilder is as new after finish and after clear", () => {
  const found: string[] = [];
  const builder = new RecipeBuilder({
    hasher: wasmHasher,
    onNode: (bytes) => void found.push(bytes.toHex()),
  });
  const fill = () => {
    for (let i = 0; i < 5000; i++) builder.push(OPEN_ID, 0, 1 + i);
    builder.pushZeros(5);
  };
  fill();
  builder.finish({ id: ID, kind: 1 });
  const first = found.splice(0);
  fill();
  builder.clear();
  equal(builder.plainSize, 0);
  found.length = 0;
  fill();
  builder.finish({ id: ID, kind: 1 });
  deepEqual(found, first);
});

Deno.test("RecipeBuilder keeps most nodes when a chunk is inserted", () => {
  const rows = makeRows(new Prng(2), 40_000, 0);
  const before = build(rows).nodes;
  const [added] = makeRows(new Prng(3), 1, 0);
  const after = build(rows.toSpliced(20_000, 0, added)).nodes;
  const fresh = [...after.keys()].filter((id) => !before.has(id));
  // The node it is in, perhaps the next, one for each level, and the root.
  ok(before.size > 50, `${before.size}`);
  ok(fresh.length <= 4, `${fresh.length} of ${after.size}`);
});

Deno.test("RecipeBuilder refuses sizes that cannot be", () => {
  const builder = new RecipeBuilder({ hasher: wasmHasher, onNode: () => {} });
  for (const size of [0, -1, 0.5, NaN, (4 << 20) + 1]) {
    throws(() => builder.push(ID, 0, size), RangeError, `${size}`);
  }
  for (const size of [0, -1, 0.5, NaN, 2 ** 53]) {
    throws(() => builder.pushZeros(size), RangeError, `${size}`);
  }
  throws(() => builder.finish({ id: ID, kind: 1 }), RangeError);
  builder.pushZeros(2 ** 53 - 1);
  throws(() => builder.push(ID, 0, 1), RangeError);
});

Deno.test("RecipeBuilder needs memory for one node a level", () => {
  // The 5,000,000 rows of bench/codec_bench.ts, smaller.
  const rowCount = 200_000;
  let nodeCount = 0;
  let size = 0;
  const builder = new RecipeBuilder({
    hasher: wasmHasher,
    onNode: (bytes) => {
      nodeCount++;
      size += bytes.length;
    },
  });
  const id = new Uint8Array(32);
  const prng = new Prng(4);
  const before = Deno.memoryUsage();
  for (let i = 0; i < rowCount; i++) {
    for (let at = 0; at < 4; at++) id[at] = prng.u32();
    builder.push(id, 0, 1 + (i & 0xffff));
  }
  const { external, heapUsed } = Deno.memoryUsage();
  builder.finish({ id: ID, kind: 1 });
  ok(nodeCount > 100 && size > 41 * rowCount);
  ok(external - before.external < 2 << 20, `${external - before.external}`);
  ok(heapUsed - before.heapUsed < 40 << 20, `${heapUsed - before.heapUsed}`);
});
