import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { RECIPE_CONTEXT } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { seededTest } from "../../tests/_prng.ts";
import { build, makeRows } from "../testdata/recipes.ts";
import {
  encodeRecipeNode,
  RECIPE_NODE_SIZE_MAX,
  RecipeNode,
  RecipeRowKind,
  RecipeSyntaxError,
} from "./recipe.ts";

const ID = new Uint8Array(32).fill(7);
const { chunk, zeros, node } = RecipeRowKind;

interface Row {
  readonly kind: number;
  readonly size: number;
  readonly id?: Uint8Array;
}

interface Made {
  readonly level?: number;
  readonly rootKind?: number;
}

/** Encodes whatever it is given; a root unless the level says otherwise. */
function encode(rows: readonly Row[], made: Made = {}): Uint8Array {
  const ids = new Uint8Array(32 * rows.length);
  rows.forEach(({ kind, id }, i) =>
    ids.set(
      id ?? new Uint8Array(32).fill(kind === zeros ? 0 : i % 200 + 1),
      32 * i,
    )
  );
  const columns = {
    count: rows.length,
    ids,
    sizes: Float64Array.from(rows, ({ size }) => size),
    kinds: Uint8Array.from(rows, ({ kind }) => kind),
  };
  const { level = 0, rootKind } = made;
  const root = rootKind === undefined
    ? undefined
    : { id: ID, kind: rootKind, hasher: wasmHasher };
  const out = new Uint8Array(RECIPE_NODE_SIZE_MAX + 41 * rows.length);
  return out.slice(0, encodeRecipeNode(columns, level, out, root));
}

/** Changes bytes of a node that is not a root, so that no check covers them. */
function patched(bytes: Uint8Array, at: number, ...values: number[]) {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

function decode(bytes: Uint8Array): RecipeNode {
  return RecipeNode.decode(bytes, wasmHasher);
}

const ROWS = [
  { kind: chunk, size: 40_000 },
  { kind: zeros, size: 2 ** 40 },
  { kind: chunk, size: 3 },
];

Deno.test("RecipeNode reads what was encoded", () => {
  const bytes = encode(ROWS, { rootKind: 3 });
  equal(bytes.length, 24 + 3 * 41 + 64);
  const found = decode(bytes);
  equal(found.level, 0);
  equal(found.isRoot, true);
  equal(found.objectKind, 3);
  equal(found.count, 3);
  equal(found.plainSize, 40_003 + 2 ** 40);
  deepEqual(found.id, ID);
  deepEqual([0, 1, 2].map((i) => found.size(i)), ROWS.map((row) => row.size));
  deepEqual([0, 1, 2].map((i) => found.rowKind(i)), [chunk, zeros, chunk]);
  equal(found.bytes[found.idStart(2)], 3);
  equal(found.start(2), 40_000 + 2 ** 40);
});

Deno.test("RecipeNode has the derive-key id of its bytes below a root", () => {
  const bytes = encode(ROWS);
  const id = new Uint8Array(32);
  wasmHasher.deriveInto(RECIPE_CONTEXT, bytes, id);
  deepEqual(decode(bytes).id, id);
});

Deno.test("RecipeNode finds the row of a byte", () => {
  const found = decode(encode(ROWS));
  const offsets = [0, 39_999, 40_000, 40_000 + 2 ** 40, found.plainSize];
  deepEqual(offsets.map((offset) => found.rowAt(offset)), [0, 0, 1, 2, 3]);
});

// A row of a node whose size is set to a number of 64 bits.
function withSize(low: number, high: number): Uint8Array {
  const bytes = encode([{ kind: zeros, size: 1 }]);
  const view = new DataView(bytes.buffer);
  for (const at of [16, 56]) {
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  }
  return bytes;
}

const sound = encode(ROWS);
const closing = new Uint8Array(32).fill(9, 2);
const manyRows = Array.from({ length: 4097 }, () => ROWS[0]);

const DAMAGED: Record<string, Uint8Array> = {
  "nothing": new Uint8Array(0),
  "a head without rows": sound.slice(0, 24),
  "another magic": patched(sound, 3, 0x32),
  "level 8": patched(sound, 4, 8),
  "a mark of a root that is 2": patched(sound, 5, 2),
  "a kind below a root": patched(sound, 6, 1),
  "a recipe of recipes": encode(ROWS, { rootKind: 2 }),
  "a root without a kind": encode(ROWS, { rootKind: 0 }),
  "byte 7 in use": patched(sound, 7, 1),
  "no rows": patched(sound, 8, 0),
  "4097 rows": encode(manyRows),
  "4 billion rows": patched(sound, 8, 255, 255, 255, 255),
  "byte 12 in use": patched(sound, 12, 1),
  "a byte too many": Uint8Array.from([...sound, 0]),
  "a byte too few": sound.slice(0, -1),
  "a root without its check": encode(ROWS, { rootKind: 1 }).slice(0, -32),
  "a root with another check": (() => {
    const bytes = encode(ROWS, { rootKind: 1 });
    return patched(bytes, bytes.length - 1, bytes[bytes.length - 1] ^ 1);
  })(),
  "another sum of sizes": patched(sound, 16, 0),
  "a chunk of no bytes": encode([{ kind: chunk, size: 0 }]),
  "a chunk above 4 MiB": encode([{ kind: chunk, size: (4 << 20) + 1 }]),
  "2^53 bytes": withSize(0, 1 << 21),
  "2^64 - 1 bytes": withSize(0xffff_ffff, 0xffff_ffff),
  "a sum of 2^53": encode([
    { kind: node, size: 2 ** 52 },
    { kind: node, size: 2 ** 52 },
  ], { level: 1 }),
  "row kind 0": encode([{ kind: 0, size: 1 }]),
  "row kind 4": encode([{ kind: 4, size: 1 }]),
  "a node on level 0": encode([{ kind: node, size: 1 }]),
  "a chunk on level 1": encode([{ kind: chunk, size: 1 }], { level: 1 }),
  "zeros on level 1": encode([{ kind: zeros, size: 1 }], { level: 1 }),
  "zeros with an id": encode([{ kind: zeros, size: 1, id: ID }]),
  "zeros beside zeros": encode([ROWS[1], ROWS[1]]),
  "a node that goes on after the row that closes it": encode(
    Array.from({ length: 257 }, () => ({ kind: chunk, size: 1, id: closing })),
  ),
};

for (const [damage, bytes] of Object.entries(DAMAGED)) {
  Deno.test(`RecipeNode refuses ${damage}`, () => {
    throws(() => decode(bytes), RecipeSyntaxError);
  });
}

Deno.test("RecipeNode takes what stands just inside the limits", () => {
  decode(encode(manyRows.slice(0, 4096)));
  decode(encode([{ kind: chunk, size: 4 << 20 }]));
  equal(decode(withSize(0xffff_ffff, 0x1f_ffff)).plainSize, 2 ** 53 - 1);
  decode(encode(
    Array.from({ length: 256 }, () => ({ kind: chunk, size: 1, id: closing })),
  ));
});

Deno.test("RecipeNode notices every flipped bit", () => {
  const root = encode(ROWS, { rootKind: 1 });
  const inner = encode(ROWS);
  const { id } = decode(inner);
  for (let bit = 0; bit < 8 * root.length; bit++) {
    const bytes = patched(root, bit >> 3, root[bit >> 3] ^ 1 << (bit & 7));
    throws(() => decode(bytes), RecipeSyntaxError, `bit ${bit}`);
  }
  for (let bit = 0; bit < 8 * inner.length; bit++) {
    const bytes = patched(inner, bit >> 3, inner[bit >> 3] ^ 1 << (bit & 7));
    try {
      ok(decode(bytes).id.toHex() !== id.toHex(), `bit ${bit}`);
    } catch (error) {
      ok(error instanceof RecipeSyntaxError, String(error));
    }
  }
});

seededTest("RecipeNode refuses what it cannot encode again", (prng) => {
  const { nodes } = build(makeRows(prng, 1 + prng.below(20), 0.3));
  const [bytes] = nodes.values();
  for (let i = 0; i < 200; i++) {
    const other = bytes.slice(0, 24 + 41 * bytes[8]);
    other[5] = other[6] = 0;
    other[prng.below(other.length)] = prng.below(256);
    let found: RecipeNode;
    try {
      found = decode(other);
    } catch (error) {
      ok(error instanceof RecipeSyntaxError, String(error));
      continue;
    }
    const rows = Array.from({ length: found.count }, (_, row): Row => ({
      kind: found.rowKind(row),
      size: found.size(row),
      id: found.bytes.slice(found.idStart(row), found.idStart(row) + 32),
    }));
    deepEqual(encode(rows, { level: found.level }), other);
  }
}, { roundCount: 20 });

Deno.test("RecipeNode reads a node that begins at an odd offset", () => {
  const bytes = new Uint8Array(sound.length + 1);
  bytes.set(sound, 1);
  equal(decode(bytes.subarray(1)).plainSize, decode(sound).plainSize);
});
