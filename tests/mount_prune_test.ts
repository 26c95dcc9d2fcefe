// Snapshots are mounted and restored while their packs are written again and removed.
import { ok, strictEqual } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../_tools/workspace.ts";
import { MountScene, mountTest, waitFor } from "./_mount.ts";
import { noise } from "./_snapshots.ts";

const FILES = 60;
const FILE_SIZE = 600_000;

/** A snapshot whose packs also hold as much that no other needs: all are written again. */
async function prepare(scene: MountScene): Promise<string> {
  const gone = (i: number): string => join(scene.source, `${i}-gone`);
  for (let i = 0; i < FILES; i++) {
    const bytes = noise(FILE_SIZE, i);
    Deno.writeFileSync(join(scene.source, `${i}`), bytes);
    Deno.writeFileSync(gone(i), bytes.slice(1).reverse());
  }
  const first = await scene.save();
  for (let i = 0; i < FILES; i++) Deno.removeSync(gone(i));
  const { tree } = await scene.save();
  const said = await scene.snap("--store", scene.store, "forget", first.tree);
  strictEqual(said.code, 0, said.stderr);
  return tree;
}

/** Prunes; all packs there were are gone then. */
async function prune(scene: MountScene): Promise<void> {
  const packs = (): string[] =>
    readdirSync(join(scene.store, "packs"), { recursive: true })
      .map(String).filter((name) => name.length > 60);
  const before = new Set(packs());
  const how = ["--max-unused", "0", "--recompress", "lz4"];
  const said = await scene.snap("--store", scene.store, "prune", ...how);
  strictEqual(said.code, 0, said.stderr);
  const left = packs().filter((name) => before.has(name));
  ok(left.length < before.size / 2, `${left.length} of ${before.size}`);
}

mountTest("a mount is whole while its packs are written again", async () => {
  await using scene = new MountScene();
  await scene.mount(await prepare(scene));
  using file = Deno.openSync(join(scene.point, "7"));
  const head = new Uint8Array(1000);
  file.readSync(head);
  await prune(scene);
  await scene.bash(`diff -r "$SOURCE" "$MOUNT"`);
  const rest = new Uint8Array(FILE_SIZE);
  let size = 0;
  for (let read; (read = file.readSync(rest.subarray(size))) !== null;) {
    size += read;
  }
  strictEqual(size, FILE_SIZE - head.length);
});

mountTest("a restore is whole while its packs are written again", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const target = scene.folder.join("target");
  const restore = scene.command(
    `exec "$DENO" run -A "${ROOT}cli/main.ts" --store "$STORE" restore ${id} target`,
  ).spawn();
  const isBegun = (): boolean => {
    try {
      return readdirSync(target).length > 0;
    } catch {
      return false;
    }
  };
  await waitFor("restoring", isBegun);
  restore.kill("SIGSTOP");
  await prune(scene);
  restore.kill("SIGCONT");
  const { code, stderr } = await restore.output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  await scene.bash(`diff -r "$SOURCE" "$FOLDER/target"`);
});
