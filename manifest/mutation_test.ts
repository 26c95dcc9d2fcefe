import { deepStrictEqual, ok } from "node:assert/strict";
import { type Prng, seededTest } from "../tests/_prng.ts";
import { AttributePage } from "./page/attribute_page.ts";
import { decodeExtras, encodeExtras } from "./extras/extras.ts";
import { ManifestSyntaxError } from "./manifest_syntax_error.ts";
import { GOLDEN_PAGE, GOLDEN_TREE, hex } from "./testdata/golden.ts";
import {
  buildPage,
  buildTree,
  randomEntries,
  randomRows,
} from "./testdata/random_directory.ts";
import { Tree } from "./tree/tree.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../tests/_manifest_builders.ts";

/** Decodes a tree and encodes what was read. */
function rewriteTree(bytes: Uint8Array): Uint8Array {
  const tree = Tree.decode(bytes);
  const builder = new TreeBuilder();
  for (let row = 0; row < tree.count; row++) builder.copyRow(tree, row);
  return builder.build();
}

/** Decodes a page and encodes what was read. */
function rewritePage(bytes: Uint8Array): Uint8Array {
  const page = AttributePage.decode(bytes);
  const builder = new AttributePageBuilder();
  builder.setTreeId(page.treeId);
  for (let at = 0; at < page.directories; at++) {
    builder.addPageId(page.bytes, page.pageIdStart(at));
  }
  for (let row = 0; row < page.rows; row++) builder.copyRow(page, row);
  return builder.build();
}

function rewriteExtras(bytes: Uint8Array): Uint8Array {
  return encodeExtras(decodeExtras(bytes));
}

/** Says whether bytes are accepted, and fails unless they are then written as they were read. */
function isAccepted(
  bytes: Uint8Array,
  rewrite: (bytes: Uint8Array) => Uint8Array,
): boolean {
  let again: Uint8Array;
  try {
    again = rewrite(bytes);
  } catch (error) {
    if (!(error instanceof ManifestSyntaxError)) throw error;
    ok(
      error.offset >= 0 && error.offset <= bytes.length,
      `offset ${error.offset}`,
    );
    return false;
  }
  deepStrictEqual(again, bytes.slice());
  return true;
}

/** Numbers that are at the edge of something. */
const EDGES = [
  0,
  1,
  0x7f,
  0x80,
  0xff,
  0xffff,
  0x1fffff,
  0x200000,
  0x7fffffff,
  0xffffffff,
];

/** Changes bytes in one of the ways in which bytes go wrong. */
function mutate(bytes: Uint8Array, prng: Prng): Uint8Array {
  const at = prng.below(bytes.length);
  const mutated = bytes.slice();
  const way = prng.below(7);
  if (way === 0) mutated[at] ^= 1 << prng.below(8);
  if (way === 1) mutated[at] = prng.u32();
  if (way === 2) return mutated.subarray(0, at);
  if (way === 3) {
    return Uint8Array.of(...mutated, ...prng.bytes(1 + prng.below(9)));
  }
  if (way === 4) {
    return Uint8Array.of(
      ...mutated.subarray(0, at),
      ...mutated.subarray(at + 1),
    );
  }
  if (way === 5 && at + 4 <= bytes.length) {
    new DataView(mutated.buffer).setUint32(at, prng.pick(EDGES), true);
  }
  if (way === 6) {
    mutated.copyWithin(at, prng.below(bytes.length), prng.below(bytes.length));
  }
  return mutated;
}

/** Mutates bytes again and again, also what was mutated and accepted. */
function mutateOften(
  bytes: Uint8Array,
  prng: Prng,
  rewrite: (bytes: Uint8Array) => Uint8Array,
): void {
  ok(isAccepted(bytes, rewrite));
  for (let round = 0; round < 200; round++) {
    const mutated = mutate(bytes, prng);
    if (mutated.length > 0 && isAccepted(mutated, rewrite)) bytes = mutated;
  }
}

seededTest("Tree accepts no mutation that it would write otherwise", (prng) => {
  mutateOften(buildTree(randomEntries(prng, 12)), prng, rewriteTree);
});

seededTest(
  "AttributePage accepts no mutation that it would write otherwise",
  (prng) => {
    const rows = randomRows(prng, 1 + prng.below(8));
    const pageIds = Array.from(
      { length: prng.below(rows.length) },
      () => prng.bytes(32),
    );
    mutateOften(buildPage(rows, prng.bytes(32), pageIds), prng, rewritePage);
  },
);

seededTest(
  "decodeExtras accepts no mutation that it would write otherwise",
  (prng) => {
    for (const { extras } of randomRows(prng, 10)) {
      if (extras !== undefined) mutateOften(extras, prng, rewriteExtras);
    }
  },
);

seededTest("Tree and AttributePage refuse noise", (prng) => {
  for (let round = 0; round < 100; round++) {
    const noise = prng.bytes(prng.below(400));
    noise.set(GOLDEN_TREE.subarray(0, Math.min(4, noise.length)));
    isAccepted(noise, rewriteTree);
    noise.set(GOLDEN_PAGE.subarray(0, Math.min(4, noise.length)));
    isAccepted(noise, rewritePage);
  }
});

/** Flips each bit; returns how many flips were accepted. */
function flipAll(
  bytes: Uint8Array,
  rewrite: (bytes: Uint8Array) => Uint8Array,
): number {
  let accepted = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    if (isAccepted(flipped, rewrite)) accepted++;
  }
  return accepted;
}

Deno.test("Tree refuses each flipped bit, or reads it as another tree", () => {
  const accepted = flipAll(GOLDEN_TREE, rewriteTree);
  ok(accepted > 600 && accepted < 8 * GOLDEN_TREE.length - 1200, `${accepted}`); // Ids take any bits.
});

Deno.test("AttributePage refuses each flipped bit, or reads it as another page", () => {
  const accepted = flipAll(GOLDEN_PAGE, rewritePage);
  ok(accepted > 1000 && accepted < 8 * GOLDEN_PAGE.length - 500, `${accepted}`);
});

Deno.test("AttributePage checks a page of as many owners as rows in bounded time", () => {
  const builder = new AttributePageBuilder();
  builder.setTreeId(new Uint8Array(32));
  const name = hex("61");
  for (let row = 0; row < 50_000; row++) {
    builder.setOwner(
      builder.addRow(),
      builder.internOwner(row, row % 3, name, name),
    );
  }
  const page = AttributePage.decode(builder.build());
  ok(page.owners === 50_000 && page.uid(49_999) === 49_999);
});
