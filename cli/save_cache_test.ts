// What a save keeps on this machine of its source.
import { appendFileSync, existsSync, readdirSync } from "node:fs";
import { match, notStrictEqual, strictEqual } from "node:assert/strict";
import { Scene } from "./_test_scene.ts";

Deno.test("a save keeps rows of its source, and the next one comes to the same with them", async () => {
  using scene = new Scene();
  const folder = scene.at("home/.cache/snap/stores/rows");
  await scene.ok("init");
  const first = await scene.ok("save", "tree", "--workers", "0", "--no-cache");
  strictEqual(existsSync(folder), false);
  for (let i = 0; i < 3; i++) {
    strictEqual(await scene.ok("save", "tree", "--workers", "0"), first);
  }
  appendFileSync(scene.at("tree/sub/b.ts"), "more");
  const second = await scene.ok("save", "tree", "--workers", "0");
  notStrictEqual(second, first);
  await scene.ok("save", "tree/sub", "--workers", "0");
  // Files as young as these are not believed, and so no rows may be there.
  if (existsSync(folder)) {
    for (const name of readdirSync(folder)) match(name, /^[0-9a-f]{64}$/);
  }
});
