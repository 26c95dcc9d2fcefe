import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { Scene } from "./_test_scene.ts";

/** A store with three snapshots of a folder, the last one tagged `main`. */
class ForgetScene extends Scene {
  async threeSaves(): Promise<void> {
    await this.ok("init");
    for (const text of ["one", "two", "three"]) {
      writeFileSync(this.at("tree", "a.ts"), text);
      await this.ok("save", "tree", "-t", "main", "--workers", "0");
    }
  }

  /** Ids of the records, newest first. */
  async records(): Promise<string[]> {
    return (await this.ok("log")).trimEnd().split("\n")
      .map((line) => line.split("\t")[1]);
  }

  configure(text: string): void {
    const folder = this.at("home", ".config", "snap");
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/config.toml`, text);
  }

  async fails(
    args: readonly string[],
    code: number,
    message: RegExp,
  ): Promise<void> {
    const outcome = await this.snap(["forget", ...args]);
    deepStrictEqual([outcome.code, outcome.stdout], [code, ""], args.join(" "));
    match(outcome.stderr, message);
  }
}

Deno.test("forget: a dry run tells what rules keep, and the run does just that", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  const [three, two, one] = await scene.records();
  const args = ["forget", "--keep-last", "2"];
  const said = await scene.ok(...args, "--dry-run");
  const rows = said.trimEnd().split("\n").map((line) => line.split("\t"));
  deepStrictEqual(rows.map((row) => [row[1], ...row.slice(5)]), [
    [three, "kept", "last, named by main"],
    [two, "kept", "last"],
    [one, "goes", ""],
    [undefined],
  ]);
  strictEqual(rows.at(-1)![0], "Would forget 1 record, keep 2");
  strictEqual((await scene.records()).length, 3);
  const done = await scene.ok(...args);
  const summary = "Forgot 1 record, kept 2";
  strictEqual(done, said.replace("Would forget 1 record, keep 2", summary));
  deepStrictEqual(await scene.records(), [three, two]);
  deepStrictEqual(readdirSync(scene.at("store", "forgotten")), [one]);
  match(await scene.ok(...args), /^Nothing to forget, kept 2$/m);
  strictEqual((await scene.snap(["verify"])).code, 0);
  match(await scene.ok("log", "--tag", "main"), /main~1\t/);
});

Deno.test("forget: records by name, and what a tag names only if it is said", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  const [three, two, one] = await scene.records();
  await scene.fails(
    ["main"],
    1,
    /Cannot forget record \w+: main names it\n.*--tagged/,
  );
  await scene.fails([two, three], 1, /main names it/);
  strictEqual((await scene.records()).length, 3);
  strictEqual(await scene.ok("forget", one), "Forgot 1 record\n");
  const { stdout, stderr } = await scene.snap(["forget", "main", "--tagged"]);
  strictEqual(stdout, "Forgot 1 record\n");
  match(stderr, /^Tag main names \w{8}@\w{8} again$/m);
  deepStrictEqual(await scene.records(), [two]);
  await scene.fails(["main~9"], 1, /Cannot find snapshot/);
  const last = await scene.snap(["forget", "--tagged", "main"]);
  match(last.stderr, /^Tag main is deleted$/m);
  strictEqual(await scene.ok("log"), "");
  strictEqual(await scene.ok("tag"), "");
});

Deno.test("forget: an id that several records have is refused", async () => {
  using scene = new ForgetScene();
  await scene.ok("init");
  const save = ["save", "tree", "--workers", "0"];
  const id = (await scene.ok(...save)).trim();
  await scene.ok(...save, "-m", "again");
  await scene.fails([id], 1, /2 records have this id\n.*@/);
  const [newest] = await scene.records();
  await scene.ok("forget", `${id}@${newest}`);
  strictEqual((await scene.records()).length, 1);
  await scene.ok("forget", id.slice(0, 8));
  strictEqual(await scene.ok("log"), "");
});

Deno.test("forget: what cannot be is refused, and nothing is forgotten", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  await scene.ok("tag", "--delete", "main");
  const usage: [string[], RegExp][] = [
    [[], /without ID and without a rule\n.*--keep-last 3/],
    [["--keep-last"], /--keep-last without a value/],
    [["--keep-last", "x"], /Cannot use --keep-last: it takes a number/],
    [["--keep-within", "2026-13-45"], /Cannot use --keep-within: it takes/],
    [["--keep-tag", "a/b"], /Cannot use --keep-tag/],
    [["--group-by", "path"], /Cannot use --group-by/],
    [["--keep-dayly", "1"], /no such option\n.*did you mean --keep-daily/],
    [["main~1", "--keep-last", "1"], /rules and ID at once/],
    [["--keep-last", "1", "--policy"], /--policy and --keep-last at once/],
    [["--keep-last", "1", "--tagged"], /--tagged without ID/],
  ];
  for (const [args, message] of usage) await scene.fails(args, 2, message);
  await scene.fails(["--keep-last", "0"], 1, /keep nothing\n.*--unsafe-keep/);
  await scene.fails(["--keep-tag", "gone"], 1, /there is no such tag/);
  await scene.fails(["--policy"], 1, /there is no \[policy\] in /);
  strictEqual((await scene.records()).length, 3);
  match(
    await scene.ok("forget", "--keep-last", "0", "--unsafe-keep-none"),
    /^Forgot 3 records$/m,
  );
  strictEqual(await scene.ok("log"), "");
});

Deno.test("forget --policy: rules of the configuration, checked whatever is run", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  scene.configure(
    '[policy]\nkeep-last = 2\n\n[policies.few]\nkeep-last = 1\nkeep-tag = ["main"]\n',
  );
  match(await scene.ok("forget", "--policy", "-n"), /^Would forget 1 record/m);
  match(await scene.ok("forget", "--policy=few", "-n"), /^Nothing to forget/m);
  await scene.fails(
    ["--policy=fow"],
    1,
    /no \[policies\.fow\] in .*\n.*--policy=few/,
  );
  const rows = (await scene.run(["config", "--json"])).stdout.trimEnd()
    .split("\n").map((line) => JSON.parse(line));
  deepStrictEqual(
    rows.filter(({ name }) => /polic/.test(name))
      .map(({ name, value }) => [name, value]),
    [
      ["policy.keep-last", "2"],
      ["policies.few.keep-last", "1"],
      ["policies.few.keep-tag", "main"],
    ],
  );
  const wrong: [string, RegExp][] = [
    [
      "[policy]\nkeep-dayly = 1",
      /line 2: policy\.keep-dayly: there is no such rule\n.*keep-daily/,
    ],
    [
      '[policies.a]\nkeep-within = "soon"',
      /line 2: policies\.a\.keep-within: it takes years/,
    ],
    ["policy = 3", /policy: it is no table/],
    ["policies = 3", /policies: it is no table/],
  ];
  for (const [text, message] of wrong) {
    scene.configure(text);
    await scene.fails(["--policy"], 1, message);
  }
  strictEqual((await scene.records()).length, 3);
});

Deno.test("forget: rules are about this host, unless it is said", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  const there = ["save", "tree", "--workers", "0", "--host", "there"];
  await scene.ok(...there, "-m", "1");
  await scene.ok(...there, "-m", "2");
  const rule = ["forget", "-n", "--keep-last", "1"];
  match(await scene.ok(...rule), /Would forget 2 records, keep 1$/m);
  const watched = await scene.snap(rule, { isTerminal: true });
  match(watched.stderr, /Left out 2 of other hosts: --any takes them/);
  match(
    await scene.ok(...rule, "--host", "there"),
    /forget 1 record, keep 1$/m,
  );
  match(await scene.ok(...rule, "--any"), /forget 3 records, keep 2$/m);
});

Deno.test("forget: an interrupted removal is finished, and said so", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  const [, , one] = await scene.records();
  const mark = scene.at("store", "forgotten", one);
  await scene.ok("forget", (await scene.records())[1]);
  const [kept] = readdirSync(scene.at("store", "forgotten"));
  const bytes = Deno.readFileSync(scene.at("store", "forgotten", kept));
  writeFileSync(mark, bytes);
  const args = ["forget", "--keep-last", "5"];
  const dry = await scene.snap([...args, "-n"]);
  match(dry.stderr, new RegExp(`Would remove record ${one}`));
  strictEqual((await scene.records()).length, 2);
  const done = await scene.snap(args);
  match(done.stderr, new RegExp(`Removed record ${one}: it was forgotten`));
  strictEqual((await scene.records()).length, 1);
});

Deno.test("forget --prune frees the space, and its dry run says how much", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  const args = ["forget", "--keep-last", "1", "--any", "--prune"];
  const last = (text: string): string => text.trimEnd().split("\n").at(-1)!;
  const packs = () =>
    readdirSync(scene.at("store", "packs"), { recursive: true })
      .filter((name) => String(name).length > 60).length;
  await scene.ok("tag", "--delete", "main");
  const before = packs();
  const said = last(await scene.ok(...args, "--dry-run"));
  match(said, /^Would remove [2-9] packs, /);
  strictEqual(packs(), before);
  const done = last(await scene.ok(...args));
  const written = /; what is needed .*$/;
  strictEqual(
    done.replace(written, ""),
    said.replace("Would remove", "Removed").replace(written, ""),
  );
  strictEqual(packs() < before, true);
  strictEqual((await scene.snap(["verify", "--data"])).code, 0);
});

Deno.test("forget refuses to wait for nothing", async () => {
  using scene = new ForgetScene();
  await scene.threeSaves();
  const args = ["--keep-last", "1", "--wait", "4m"];
  await scene.fails(args, 2, /Cannot use --wait without --prune/);
});
