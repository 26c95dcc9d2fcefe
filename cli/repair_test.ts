import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Sandbox } from "./_testing.ts";

/** A store with two saves. */
class Scene extends Sandbox {
  readonly env = { SNAP_STORE: this.at("st") };

  static async make(): Promise<Scene> {
    const scene = new Scene();
    mkdirSync(scene.at("src", "deep"), { recursive: true });
    await scene.ok("init", "--codec", "none");
    writeFileSync(scene.at("src", "a"), "good\n");
    await scene.ok("save", "src");
    writeFileSync(scene.at("src", "deep", "b"), "more\n");
    await scene.ok("save", "src");
    return scene;
  }

  snap(...args: string[]) {
    const [workers] = ["save", "restore"].includes(args[0])
      ? [["--workers", "0"]]
      : [[]];
    return this.run([...args, ...workers], { env: this.env });
  }

  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.snap(...args);
    strictEqual(code, 0, stderr);
    return stdout;
  }

  tables(): string[] {
    const folder = this.at("st", "index");
    return readdirSync(folder).map((name) => join(folder, name));
  }

  flip(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    chmodSync(path, 0o600);
    writeFileSync(path, bytes);
  }

  packs(): string[] {
    const folder = this.at("st", "packs");
    return readdirSync(folder, { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((path) => /[0-9a-f]{64}$/.test(path));
  }
}

const RUINS: Record<string, (scene: Scene) => void> = {
  "is gone": (scene) => scene.tables().forEach((path) => rmSync(path)),
  "has a flipped bit in each head": (scene) =>
    scene.tables().forEach((path) => scene.flip(path, 8)),
  "has a flipped bit in each page of packs": (scene) =>
    scene.tables().forEach((path) => scene.flip(path, 4100)),
  "has a flipped bit in each page of objects": (scene) =>
    scene.tables().forEach((path) => scene.flip(path, -3000)),
  "has bytes appended": (scene) =>
    scene.tables().forEach((path) => {
      chmodSync(path, 0o600);
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.of(1)]));
    }),
};

for (const [ruin, damage] of Object.entries(RUINS)) {
  Deno.test(`repair index: an index that ${ruin}`, async () => {
    using scene = await Scene.make();
    damage(scene);
    // Everything works meanwhile, and says once what it met.
    strictEqual(await scene.ok("cat", "latest:deep/b"), "more\n");
    const restored = await scene.snap("restore", "latest", "out");
    strictEqual(restored.code, 0, restored.stderr);
    strictEqual(readFileSync(scene.at("out", "a"), "utf8"), "good\n");
    const told = restored.stderr.match(/snap repair index mends it/g);
    strictEqual(told?.length, 1, restored.stderr);
    const found = await scene.snap("verify", "--data");
    strictEqual(found.code, 4, found.stderr);
    const lines = found.stderr.trimEnd().split("\n");
    strictEqual(lines.at(-1), "The index is mended by: snap repair index");
    match(lines.at(-2)!, /^Verified 2 records.*(index missing|index table)/);
    ok(!/repair packs/.test(found.stderr), found.stderr);
    // Repaired, nothing is said any more.
    const repaired = await scene.snap("repair", "index");
    strictEqual(repaired.code, 0, repaired.stderr);
    strictEqual(repaired.stderr, "");
    match(repaired.stdout, /^Wrote what \d packs? says? into the index/);
    const whole = await scene.snap("verify", "--data");
    strictEqual(whole.code, 0, whole.stdout);
    const quiet = await scene.snap("cat", "latest:a");
    strictEqual(quiet.stdout, "good\n");
    match(quiet.stderr, /^latest is .*\n$/);
    strictEqual(
      await scene.ok("repair", "index"),
      "Nothing to repair: the index names every pack\n",
    );
  });
}

Deno.test("repair index: a table stays that may be all that tells of a lost pack", async () => {
  using scene = await Scene.make();
  scene.tables().forEach((path) => scene.flip(path, 8));
  // Both saves have a pack of data and one of trees.
  const data = scene.packs().filter((path) =>
    readFileSync(path).includes("good\n")
  );
  strictEqual(data.length, 1);
  rmSync(data[0]);
  const { code, stderr, stdout } = await scene.snap(
    "repair",
    "index",
    "--json",
  );
  strictEqual(code, 4);
  match(stderr, /snapshots need 1 object that no pack holds/);
  const report = JSON.parse(stdout);
  strictEqual(report.keptTables.length, 2);
  strictEqual(report.missingCount, 1);
  // What is there still is stored again; then the tables go.
  await scene.ok("save", "src", "--read-all");
  strictEqual((await scene.snap("verify", "latest")).code, 4);
  await scene.ok("repair", "index");
  const last = await scene.snap("verify", "--data");
  strictEqual(last.code, 0, last.stdout + last.stderr);
});

Deno.test("repair: only index, packs and snapshots can be", async () => {
  using scene = await Scene.make();
  const { code, stderr } = await scene.snap("repair", "records");
  strictEqual(code, 2);
  match(stderr, /only index, packs and snapshots can be/);
  strictEqual((await scene.snap("repair")).code, 2);
  strictEqual((await scene.snap("repair", "index", "-n")).code, 2);
  strictEqual((await scene.snap("repair", "index", "x")).code, 2);
  match(await scene.ok("repair", "--help"), /repair \[OPTION\]... PART/);
  match(await scene.ok("completions", "bash"), /repair\)/);
});

Deno.test("repair: what is left after damage is restored, and what is lost is named", async () => {
  using scene = await Scene.make();
  const [data] = scene.packs().filter((path) =>
    readFileSync(path).includes("good\n")
  );
  const at = readFileSync(data).indexOf("good\n");
  scene.flip(data, at);
  strictEqual((await scene.snap("verify")).code, 0);
  const dry = await scene.snap("repair", "packs", "--dry-run");
  strictEqual(dry.code, 4, dry.stderr);
  match(dry.stdout, /^packs\/\S+: 0 objects copied, .*, 1 object lost\n/);
  const packs = await scene.snap("repair", "packs", "--json");
  strictEqual(packs.code, 4);
  const [pack] = packs.stdout.trim().split("\n").map((one) => JSON.parse(one));
  strictEqual(pack.type, "repairedPack");
  ok(data.endsWith(pack.name));
  // It is known from now on, without reading all.
  const found = await scene.snap("verify");
  strictEqual(found.code, 4);
  match(found.stdout, /needed by \S+:a\n/);
  const mended = await scene.snap("repair", "snapshots");
  strictEqual(mended.code, 0, mended.stderr);
  strictEqual(mended.stdout.match(/^ {2}lost: a$/gm)?.length, 2);
  const ids = Array.from(
    mended.stdout.matchAll(/repaired as ([0-9a-f]{64})$/gm),
    ([, id]) => id,
  );
  const restored = await scene.snap("restore", ids[0], "out");
  strictEqual(restored.code, 0, restored.stderr);
  deepStrictEqual(readdirSync(scene.at("out")), ["deep"]);
  // The old ones go, and all is well; the pack stays until it is pruned.
  const old = found.stdout.match(/needed by ([0-9a-f]{12})/)![1];
  match(await scene.ok("log", "--json"), /"repairOf"/);
  for (const line of (await scene.ok("log", "--json")).trim().split("\n")) {
    const { record, repairOf } = JSON.parse(line);
    if (repairOf === undefined) await scene.ok("forget", record);
  }
  ok(old.length === 12);
  const whole = await scene.snap("verify", "--data");
  strictEqual(whole.code, 0, whole.stdout + whole.stderr);
});

Deno.test("repair: what a marked pack has lost comes back from a clone", async () => {
  using scene = await Scene.make();
  const here = ["--workers", "0"];
  const { code } = await scene.run(["clone", "st", "clone", ...here]);
  strictEqual(code, 0);
  const [data] = scene.packs().filter((path) =>
    readFileSync(path).includes("good\n")
  );
  scene.flip(data, readFileSync(data).indexOf("good\n"));
  strictEqual((await scene.snap("repair", "packs")).code, 4);
  strictEqual((await scene.snap("verify")).code, 4);
  await scene.ok("pull", "--recheck", "./clone", ...here);
  strictEqual((await scene.snap("verify", "--data")).code, 0);
  strictEqual((await scene.snap("repair", "packs")).code, 0);
});

Deno.test("recover: a snapshot whose record is gone comes back under its id", async () => {
  using scene = await Scene.make();
  const [last] = (await scene.ok("log", "--json")).trim().split("\n");
  const { id, record } = JSON.parse(last);
  const folder = scene.at("st", "snapshots");
  const [name] = readdirSync(folder).filter((one) => one.includes(record));
  rmSync(join(folder, name));
  const listed = await scene.ok("recover", "--dry-run");
  match(listed, new RegExp(`^${id}  2\\S+  2 entries\n$`));
  strictEqual((await scene.snap("restore", id, "out")).code, 1);
  strictEqual((await scene.snap("recover", "0000")).code, 1);
  strictEqual((await scene.snap("recover", "x")).code, 2);
  match(await scene.ok("recover", id.slice(0, 8)), new RegExp(id));
  strictEqual((await scene.snap("restore", id, "out")).code, 0);
  strictEqual(readFileSync(scene.at("out", "deep", "b"), "utf8"), "more\n");
  strictEqual(await scene.ok("recover"), "");
  strictEqual((await scene.snap("verify", "--data")).code, 0);
});

Deno.test("verify DIR: every byte of a folder is compared with its newest snapshot", async () => {
  using scene = await Scene.make();
  const verify = (...args: string[]) =>
    scene.snap("verify", ...args, "--workers", "0");
  strictEqual((await verify("src")).code, 0);
  strictEqual((await verify("./src")).code, 0);
  // The same size and time: only the bytes tell.
  const path = scene.at("src", "a");
  const { atime, mtime } = statSync(path);
  writeFileSync(path, "Good\n");
  utimesSync(path, atime, mtime);
  writeFileSync(scene.at("src", "new"), "");
  const changed = await verify("src");
  strictEqual(changed.code, 1, changed.stderr);
  strictEqual(changed.stdout, "~ a\n+ new\n");
  match(changed.stderr, /src differs from snapshot/);
  const { stdout } = await verify("src", "--json");
  match(stdout, /"type":"verified".*"isSame":false/);
  // Another snapshot, and a folder that was never saved.
  const other = await verify("src", "latest~1");
  strictEqual(other.stdout, "~ a\n+ deep/b\n+ new\n");
  const none = await verify("src/deep");
  strictEqual(none.code, 1);
  match(none.stderr, /Cannot find a snapshot of src\/deep/);
});

Deno.test("verify --part: all parts are all packs, and no limit is passed over", async () => {
  using scene = await Scene.make();
  const [data] = scene.packs().filter((path) =>
    readFileSync(path).includes("good\n")
  );
  scene.flip(data, readFileSync(data).indexOf("good\n"));
  const codes = [];
  for (const part of ["1/3", "2/3", "3/3"]) {
    const limit = ["--limit-rate", "100m"];
    codes.push((await scene.snap("verify", "--part", part, ...limit)).code);
  }
  deepStrictEqual(codes.sort(), [0, 0, 4]);
  for (const part of ["0/3", "4/3", "x", "1/0", "1"]) {
    const { code, stderr } = await scene.snap("verify", "--part", part);
    strictEqual(code, 2, part);
    match(stderr, /it takes a number and how many there are/);
  }
  strictEqual((await scene.snap("verify", "latest", "--part", "1/1")).code, 2);
});

Deno.test("verify: a long list is counted by cause and cut, and whole with -v", async () => {
  using scene = await Scene.make();
  for (let i = 0; i < 30; i++) {
    writeFileSync(scene.at("src", `many${i}`), `many ${i}\n`);
  }
  await scene.ok("save", "src");
  const [data] = scene.packs().filter((path) =>
    readFileSync(path).includes("many 29")
  );
  rmSync(data);
  const cut = await scene.snap("verify");
  strictEqual(cut.code, 4);
  ok(cut.stdout.split("\n").length < 40, cut.stdout);
  match(cut.stderr, /\d+ more are not listed: -v lists them\n/);
  match(cut.stderr, /Verified .*: \d+ damages: .*objects missing.*1 pack miss/);
  match(cut.stderr.trimEnd().split("\n").at(-1)!, /What is missing comes back/);
  const whole = await scene.snap("verify", "-v");
  ok(whole.stdout.split("\n").length > cut.stdout.split("\n").length + 20);
  const json = await scene.snap("verify", "--json");
  ok(json.stdout.split("\n").length > 30);
});
