import { match, strictEqual as equal } from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noise } from "../tests/_test_bytes.ts";
import { Sandbox } from "./_testing.ts";

/** A store with two saves, the first of which is forgotten. */
class Scene extends Sandbox {
  readonly store: string = this.at("st");

  static async make(): Promise<Scene> {
    const scene = new Scene();
    mkdirSync(scene.at("src"));
    await scene.snap("init", "--codec", "none");
    writeFileSync(scene.at("src", "old"), noise(1, 5000));
    writeFileSync(scene.at("src", "both"), noise(2, 5000));
    await scene.snap("save", "src", "--workers", "0");
    const [first] = scene.records();
    rmSync(scene.at("src", "old"));
    await scene.snap("save", "src", "--workers", "0");
    rmSync(join(scene.store, "snapshots", first));
    return scene;
  }

  async snap(...args: string[]) {
    return await this.run(args, { env: { SNAP_STORE: this.store } });
  }

  records(): string[] {
    return readdirSync(join(this.store, "snapshots"));
  }

  async checkWhole(): Promise<void> {
    const { code, stderr } = await this.snap("verify", "--data");
    equal(code, 0, stderr);
  }
}

Deno.test("prune says what it removes, and a dry run says the same", async () => {
  using scene = await Scene.make();
  const args = ["prune"];
  const dry = await scene.snap(...args, "--dry-run");
  equal(dry.code, 0, dry.stderr);
  const said =
    /^(Would remove|Removed) 2 packs, 10\.\d KiB; what is needed of 1 pack takes (about )?5\.\d KiB\n$/;
  match(dry.stdout, said);
  const { code, stdout, stderr } = await scene.snap(...args);
  equal(code, 0, stderr);
  equal(stderr, "");
  match(stdout, said);
  await scene.checkWhole();
  equal((await scene.snap(...args)).stdout, "Nothing to remove\n");
});

Deno.test("prune stops at a broken snapshot, and goes on despite it", async () => {
  using scene = await Scene.make();
  const [name] = scene.records();
  const packs = join(scene.store, "packs");
  for (const one of readdirSync(packs, { recursive: true })) {
    const path = join(packs, String(one));
    if (/[0-9a-f]{64}$/.test(path)) rmSync(path);
  }
  const { code, stderr } = await scene.snap("prune", "--single-writer");
  equal(code, 1);
  match(stderr, new RegExp(`snapshot ${name.slice(0, 12)} is broken`));
  match(stderr, /hint: snap verify names .*; --despite ID goes on/);
  const args = ["prune", "--single-writer", "--despite"];
  const despite = await scene.snap(...args, name.slice(0, 12));
  equal(despite.code, 0, despite.stderr);
  const wrong = await scene.snap(...args, "f".repeat(12));
  match(wrong.stderr, /no id begins so/);
});

Deno.test("prune refuses values that are none", async () => {
  using scene = await Scene.make();
  for (
    const [option, value] of [
      ["--wait", "soon"],
      ["--max-repack", "much"],
      ["--max-unused", "101"],
      ["--recompress", "zip"],
    ]
  ) {
    const { code, stderr } = await scene.snap("prune", option, value);
    equal(code === 0, false);
    match(stderr, new RegExp(`${value}`));
  }
});
