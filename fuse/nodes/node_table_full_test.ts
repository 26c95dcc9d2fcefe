import { equal, match, throws } from "node:assert/strict";
import { EntryKind } from "@snap/manifest/extras";
import { ArenaFullError } from "./arena.ts";
import { NodeTable } from "./node_table.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

const MESSAGE = /^Out of mount memory: need \d+ bytes, limit 1048576$/;

/** A root directory of fifos, in about 100 bytes each. */
function rootOf(count: number) {
  const tree = new TreeBuilder();
  const page = new AttributePageBuilder();
  page.setTreeId(new Uint8Array(32));
  const nobody = new Uint8Array(0);
  page.setOwner(page.addRow(), page.internOwner(0, 0, nobody, nobody));
  for (let i = 0; i < count; i++) {
    const name = new TextEncoder().encode(String(i).padStart(6, "0"));
    tree.add(name, 0, name.length, EntryKind.fifo);
    page.setOwner(page.addRow(), page.internOwner(0, 0, nobody, nobody));
  }
  return { treeBytes: tree.build(), pageBytes: page.build() };
}

Deno.test("NodeTable keeps nothing of a volume that finds no room", () => {
  const nodes = NodeTable.create({ sizeMax: 1 << 20, isAll: true });
  const [small, large] = [rootOf(1), rootOf(6000)];
  const id = nodes.addVolume(large);
  nodes.remember(id);
  for (let i = 0; i < 100; i++) {
    throws(() => nodes.addVolume(large), (error) => {
      match((error as Error).message, MESSAGE);
      return error instanceof ArenaFullError;
    });
  }
  for (let i = 0; i < 3; i++) nodes.remember(nodes.addVolume(small));
  nodes.forget(id, 1);
  equal(nodes.addVolume(large), id);
});
