// The sources on Node, which strips types: the same ids, stores that both read.
import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save } from "@snap/snapshot/save";
import { verify } from "@snap/snapshot/verify";
import { findNode, nodeArguments } from "./_node.ts";
import {
  makeFileStore,
  noise,
  open,
  readDisk,
  readEverything,
  TemporaryFolder,
} from "./_snapshots.ts";

const PROGRAM = new URL("./_node_round.ts", import.meta.url).pathname;

for (const workers of [0, 2]) {
  Deno.test(`save, verify and restore run on Node: ${workers} workers`, () =>
    testNode(workers));
}

async function testNode(workers: number): Promise<void> {
  const node = findNode();
  if (node === undefined) {
    return console.warn("No Node that takes types: skipped");
  }
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  for (let i = 0; i < 400; i++) {
    mkdirSync(join(source, `${i % 7}`), { recursive: true });
    writeFileSync(join(source, `${i % 7}`, `${i}`), noise(i * 9, i + 1));
  }
  writeFileSync(join(source, "large"), noise(34_000_000, 1));
  const path = folder.join("store");
  const store = await makeFileStore(path);
  const { success, stdout, stderr } = await new Deno.Command(node, {
    args: [
      ...nodeArguments(PROGRAM),
      path,
      source,
      folder.join("target"),
      `${workers}`,
    ],
  }).output();
  const decoder = new TextDecoder();
  ok(success, decoder.decode(stderr));
  const said = JSON.parse(decoder.decode(stdout));
  equal(said.fileCount, 401);
  deepEqual([said.damageCount, said.errors], [0, []]);
  await using snapshots = await open(store);
  const result = await save(snapshots, source, { workers });
  equal(result.id, said.id);
  equal(result.progress.newObjectCount, 0, "the same chunks");
  equal((await verify(snapshots, { data: true })).damageCount, 0);
  await readEverything(snapshots);
  const contents = (path: string): string[] =>
    Array.from(readDisk(path), ([name, { content }]) => `${name} ${content}`);
  deepEqual(contents(folder.join("target")), contents(source));
  rmSync(path, { recursive: true });
}
