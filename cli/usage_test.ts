import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { Scene } from "./_test_scene.ts";

/** Rows of what was written for programs. */
function rowsOf(text: string): string[][] {
  return text.trimEnd().split("\n").map((line) => line.split("\t"));
}

/** Three snapshots: `a.ts` grows, then is gone. */
async function threeSaves(scene: Scene): Promise<string[]> {
  await scene.ok("init");
  const save = ["save", "tree", "--workers", "0", "-t", "main"];
  const ids = [await scene.ok(...save)];
  writeFileSync(scene.at("tree", "a.ts"), "x".repeat(1000));
  ids.push(await scene.ok(...save));
  rmSync(scene.at("tree", "a.ts"));
  ids.push(await scene.ok(...save));
  return ids.map((id) => id.trim());
}

Deno.test("stats --deep and --by snapshot: what is shared, and what each alone needs", async () => {
  using scene = new Scene();
  const ids = await threeSaves(scene);
  const sums = new Map(
    rowsOf(await scene.ok("stats", "--deep")).map(([key, value]) => [
      key,
      value,
    ]),
  );
  strictEqual(sums.get("snapshots"), "3");
  strictEqual(sums.get("size of all of them"), String(21 + 1015 + 15));
  strictEqual(sums.get("different content"), String(21 + 1000));
  strictEqual(
    sums.get("deduplication"),
    String(Math.round(100 * 1051 / 1021) / 100),
  );
  const rows = rowsOf(await scene.ok("stats", "--by", "snapshot"));
  deepStrictEqual(
    rows.map((row) => [row[0], row[6]]),
    // A root tree and its page; the two others have a file of their own.
    [[ids[2], "2"], [ids[1], "3"], [ids[0], "3"]],
  );
  const watched = await scene.snap(["stats", "--by", "snapshot"], {
    isTerminal: true,
  });
  match(watched.stdout, /^id +record +time +source +size +own +stored$/m);
});

Deno.test("stats --by directory and type, and --growth: sizes of files", async () => {
  using scene = new Scene();
  await threeSaves(scene);
  const rows = async (...args: string[]) =>
    rowsOf(await scene.ok("stats", ...args));
  deepStrictEqual(await rows("--by", "directory", "main~1"), [
    [".", "1", "1000"],
    ["sub", "3", "15"],
  ]);
  deepStrictEqual(await rows("--by", "type", "main~1"), [
    [".ts", "2", "1005"],
    ["", "2", "10"],
  ]);
  deepStrictEqual(await rows("--growth", "main~2", "main~1"), [
    [".", "0", "994"],
  ]);
  const byType = ["--growth", "main~1", "main", "--by", "type"];
  deepStrictEqual(await rows(...byType), [[".ts", "-1", "-1000"]]);
  const watched = await scene.snap(["stats", ...byType], { isTerminal: true });
  match(watched.stdout, /^\.ts +-1 +-1\.0 KiB$/m);
});

Deno.test("stats --packs: the packs that are enough for a snapshot", async () => {
  using scene = new Scene();
  await threeSaves(scene);
  const packs = rowsOf(await scene.ok("stats", "--packs", "main~2"));
  strictEqual(packs.length, 2);
  for (const [name, size, needed] of packs) {
    match(name, /^packs\/[0-9a-f]{2}\/[0-9a-f]{64}$/);
    strictEqual(Number(size) > Number(needed), true);
  }
});

Deno.test("stats refuses options and arguments that do not go together", async () => {
  using scene = new Scene();
  const cases: [string[], RegExp][] = [
    [["--by", "host"], /--by "host": it is snapshot, directory or type/],
    [["--by", "type", "--packs"], /--by and --packs at once/],
    [["--growth", "main"], /--growth without two snapshots/],
    [["--growth", "a", "b", "--packs"], /--growth but by directory or type/],
    [["--depth", "2"], /--depth but by directory/],
    [["--deep", "main"], /"main": it is one too many/],
    [["main", "other"], /"other": it is one too many/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await scene.snap(["stats", ...args]);
    strictEqual(code, 2, args.join(" "));
    match(stderr, message);
  }
});

Deno.test("diff --stat: how many changes there are of each kind", async () => {
  using scene = new Scene();
  await threeSaves(scene);
  const rows = async (...args: string[]) =>
    rowsOf(await scene.ok("diff", "--stat", ...args));
  deepStrictEqual(await rows("main~2", "main~1"), [
    ["changed", "1", "1", "994"],
    ["all", "1", "1", "994"],
  ]);
  deepStrictEqual(await rows("main~1", "main"), [
    ["removed", "1", "1", "-1000"],
    ["all", "1", "1", "-1000"],
  ]);
  deepStrictEqual(await rows("main", "main"), [["all", "0", "0", "0"]]);
  const args = ["diff", "--stat", "--exit-code", "main~1", "main"];
  const { code, stdout } = await scene.snap(args, { isTerminal: true });
  strictEqual(code, 1);
  match(stdout, /^removed +1 +1 +-1\.0 KiB$/m);
});

Deno.test("find --history: when a path came, changed and went", async () => {
  using scene = new Scene();
  const ids = await threeSaves(scene);
  const rows = rowsOf(await scene.ok("find", "--history", "a.ts"));
  deepStrictEqual(rows.map((row) => [row[0], row[2], row[4]]), [
    ["+", ids[0], "6"],
    ["~", ids[1], "1000"],
    ["-", ids[2], ""],
  ]);
  strictEqual(
    rowsOf(await scene.ok("find", "--history", "sub/100%")).length,
    1,
  );
  strictEqual(
    rowsOf(await scene.ok("find", "--history", "sub/100%25")).length,
    1,
  );
  const { code, stderr } = await scene.snap(["find", "--history", "gone"]);
  strictEqual(code, 1);
  match(stderr, /Cannot find "gone" in 3 snapshots/);
  for (const more of [["main"], ["--long"]]) {
    const args = ["find", "--history", "a.ts", ...more];
    strictEqual((await scene.snap(args)).code, 2);
  }
});
