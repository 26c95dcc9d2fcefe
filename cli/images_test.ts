import { match, strictEqual } from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { Scene } from "./_test_scene.ts";

Deno.test("export --as oci, import: the id stays, of a snapshot and of a layer over another", async () => {
  using scene = new Scene();
  await scene.saved();
  writeFileSync(scene.at("tree", "new"), "new\n");
  const id = (await scene.ok("save", "tree", "-t", "later", "--workers", "0"))
    .trim();
  match(
    await scene.ok("export", "later", "--as", "oci", "image", "--base", "main"),
    /^sha256:[0-9a-f]{64}\n$/,
  );
  strictEqual((await scene.ok("import", "--from", "oci", "image")).trim(), id);
  const part = ["export", "main:sub", "--as", "oci", "part", "--image", "sub"];
  await scene.ok(...part, "--compression", "none");
  const args = ["import", "--from", "oci", "part", "--image", "sub"];
  await scene.ok(...args, "--tag", "part");
  strictEqual(
    await scene.ok("ls", "-R", "part"),
    await scene.ok("ls", "-R", "main:sub"),
  );
});

Deno.test("export --as oci, import: what cannot be is refused, and nothing half is left", async () => {
  using scene = new Scene();
  await scene.saved();
  const code = async (...args: string[]) => (await scene.snap(args)).code;
  const as = ["--as", "oci"];
  strictEqual(await code("export", "main", ...as, "tree"), 1);
  strictEqual(await code("export", "main:a.ts", ...as, "image"), 1);
  const wrong = ["--compression", "lzma"];
  strictEqual(await code("export", "main", ...as, "image", ...wrong), 2);
  writeFileSync(scene.at("tree", ".wh.a"), "");
  await scene.ok("save", "tree", "-t", "marked", "--workers", "0");
  strictEqual(await code("export", "marked", ...as, "image"), 1);
  const left = readdirSync(scene.path).filter((name) => /image/.test(name));
  strictEqual(left.length, 0);
  strictEqual(await code("import", "--from", "oci", "-"), 2);
  const none = await scene.snap(["import", "--from", "oci", "tree"]);
  match(none.stderr, /it has no index\.json\n.*hint: an image layout/);
});
