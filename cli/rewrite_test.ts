import { match, strictEqual } from "node:assert/strict";
import { rmSync } from "node:fs";
import { Scene } from "./_test_scene.ts";

Deno.test("rewrite: the id of a save without what is left out; the old one stays", async () => {
  using scene = new Scene();
  const old = await scene.saved();
  const args = ["rewrite", "main", "--exclude", "/sub"];
  const id = await scene.ok(...args, "--dry-run");
  strictEqual((await scene.ok("log")).split("\n").length, 2);
  strictEqual(await scene.ok(...args), id);
  strictEqual((await scene.ok("log")).split("\n").length, 3);
  match(await scene.ok("tag"), new RegExp(`^main\t${old}`));
  rmSync(scene.at("tree", "sub"), { recursive: true });
  strictEqual(await scene.ok("id", "tree", "--workers", "0"), id);
  await scene.ok(...args, "--tag", "main");
  match(await scene.ok("tag"), new RegExp(`^main\t${id.trim()}`));
  strictEqual((await scene.snap(["verify", "--data"])).code, 0);
});

Deno.test("rewrite --include: what matches, and directories on the way", async () => {
  using scene = new Scene();
  await scene.saved();
  const id = (await scene.ok("rewrite", "main", "--include", "b.ts")).trim();
  strictEqual(await scene.ok("ls", "-R", id), "sub\nsub/b.ts\n");
  const none = await scene.snap(["rewrite", "main", "--include", "gone"]);
  strictEqual(none.code, 1);
  match(none.stderr, /of which nothing is left\n.*hint: nothing in it matches/);
});

Deno.test("rewrite: says where nothing is left out, and refuses to do without rules", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const args = ["rewrite", "main", "--exclude", "gone"];
  const { stdout, stderr } = await scene.snap(args);
  strictEqual(stdout, `${id}\n`);
  match(stderr, /Nothing is left out/);
  strictEqual((await scene.snap(["rewrite", "main"])).code, 2);
  strictEqual((await scene.ok("log")).split("\n").length, 2);
});
