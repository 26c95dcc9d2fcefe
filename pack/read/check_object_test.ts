import { equal } from "node:assert/strict";
import {
  ATTRIBUTES_CONTEXT,
  type HashContext,
  RECIPE_CONTEXT,
  TREE_CONTEXT,
} from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { ObjectCheck } from "./check_object.ts";
import { idOf, Random } from "../_testing.ts";
import { ObjectKind } from "../object_kind.ts";
import { encodeRecipeNode } from "../recipe/recipe.ts";

const check = new ObjectCheck(wasmHasher);
const random = new Random(3);
const { attributes, content, recipe, tree } = ObjectKind;

function idIn(context: HashContext, plain: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.deriveInto(context, plain, id);
  return id;
}

/** A node of a recipe; with an id it is the root of that object. */
function node(id?: Uint8Array): Uint8Array {
  const rows = {
    count: 1,
    ids: random.bytes(32),
    sizes: Float64Array.of(7),
    kinds: Uint8Array.of(1),
  };
  const out = new Uint8Array(1000);
  const root = id && { id, kind: content, hasher: wasmHasher };
  return out.slice(0, encodeRecipeNode(rows, 0, out, root));
}

const plain = random.bytes(100);
const rootId = random.bytes(32);
const inner = node();
const cases: [string, number, Uint8Array, Uint8Array][] = [
  ["content", content, plain, idOf(plain)],
  ["a tree", tree, plain, idIn(TREE_CONTEXT, plain)],
  ["attributes", attributes, plain, idIn(ATTRIBUTES_CONTEXT, plain)],
  ["a node of a recipe", recipe, inner, idIn(RECIPE_CONTEXT, inner)],
  ["the root of a recipe", recipe, node(rootId), rootId],
];

for (const [name, kind, bytes, id] of cases) {
  Deno.test(`ObjectCheck takes ${name} by its id and kind, and nothing else`, () => {
    equal(check.matches(bytes, kind, id, 0), true);
    const shifted = new Uint8Array(40);
    shifted.set(id, 5);
    equal(check.matches(bytes, kind, shifted, 5), true);
    equal(check.matches(bytes, kind, shifted, 4), false);
    for (let at = 0; at < 32; at++) {
      const other = id.slice();
      other[at] ^= 1;
      equal(
        check.matches(bytes, kind, other, 0),
        false,
        `byte ${at} of the id`,
      );
    }
    for (let at = 0; at < bytes.length; at++) {
      const other = bytes.slice();
      other[at] ^= 1;
      equal(check.matches(other, kind, id, 0), false, `byte ${at}`);
    }
    for (let size = 0; size < bytes.length; size++) {
      const part = bytes.subarray(0, size);
      equal(check.matches(part, kind, id, 0), false, `${size} bytes`);
    }
    for (const other of [content, tree, attributes, recipe]) {
      equal(check.matches(bytes, other, id, 0), other === kind, `${other}`);
    }
  });
}
