import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { type Outcome, Sandbox } from "../_testing.ts";
import { CONFIG_KEYS } from "./config_keys.ts";

const TOKEN = "0123456789abcdef0123";

/** A folder with a configuration. */
class Configured extends Sandbox {
  readonly file = this.at("home", ".config", "snap", "config.toml");

  constructor(text: string, mode = 0o600) {
    super();
    mkdirSync(this.at("home", ".config", "snap"), { recursive: true });
    writeFileSync(this.file, text, { mode });
  }

  async ok(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const outcome = await this.run(args, { env });
    strictEqual(outcome.code, 0, outcome.stderr);
    return outcome;
  }
}

/** The lines of `config` by the names of the settings. */
function settingsIn(stdout: string): Map<string, string[]> {
  const lines = stdout.trimEnd().split("\n").map((line) => line.split("\t"));
  return new Map(lines.map(([name, ...rest]) => [name, rest]));
}

Deno.test("a name of the configuration is a store, before a folder of that name", async () => {
  using scene = new Configured('[stores.near]\nurl = "~/near"\n');
  mkdirSync(scene.at("near"));
  await scene.ok(["init", "--store", "near"]);
  const { stdout } = await scene.ok(["stats", "--store", "near", "--json"]);
  strictEqual(JSON.parse(stdout).path, scene.at("home", "near"));
  const { code } = await scene.run(["stats", "--store", "./near"]);
  strictEqual(code, 1);
  const other = await scene.run(["stats", "--store", "far"]);
  strictEqual(other.code, 1);
  match(
    other.stderr,
    /no such folder, nor is there \[stores\.far\] in \S+config\.toml/,
  );
  mkdirSync(scene.at("far"));
  match((await scene.run(["log", "--store", "far"])).stderr, /far as a store/);
});

Deno.test("the configured store is taken before the user's own, after .snap and the environment", async () => {
  using scene = new Configured(
    'store = "near"\n[stores.near]\nurl = "~/near"\n',
  );
  const pathOf = async (env = {}): Promise<string> =>
    JSON.parse((await scene.ok(["stats", "--json"], env)).stdout).path;
  await scene.ok(["init", "--store", "near"]);
  await scene.ok(["init", "other/store"]);
  strictEqual(await pathOf(), scene.at("home", "near"));
  const other = scene.at("other", "store");
  strictEqual(await pathOf({ SNAP_STORE: other }), other);
  await scene.ok(["init"]);
  strictEqual(await pathOf(), scene.at(".snap"));
});

Deno.test("what is wrong in a configuration is told with its line, and no secret", async () => {
  const cases: [string, number, RegExp][] = [
    [
      '\nstroe = "x"',
      2,
      /stroe: there is no such key\n {2}hint: did you mean store\?/,
    ],
    ['store = ""', 1, /store: it is a text that is not empty/],
    ["jobs = 0", 1, /jobs: it takes a number from 1 to 256/],
    ['jobs = "many"', 1, /jobs/],
    [
      'limit-rate = "1k/s"',
      1,
      /limit-rate: it takes bytes a second such as 10m/,
    ],
    ['limit-rate = "12"', 1, /at least 1,024/],
    ['url = "s3://b/x"', 1, /url: there is no such key/],
    ["stores = 3", 1, /stores: it is no table/],
    ['[stores.a]\nurl = "s3://bucket/x"\nstore = "x"', 3, /no such key/],
    ["[stores.a]\njobs = 3", 1, /stores\.a: it has no url/],
    ['[stores.a]\nurl = "gs://b"', 2, /there is no scheme gs/],
    ['[stores.a]\nurl = "near"', 2, /begins with \/ or ~\//],
    ['[stores."a/b"]\nurl = "/x"', 1, /the name of a store is letters/],
    ['[stores.a]\nurl = "/x"\njobs = 3', 3, /only stores far away can have it/],
    [
      `[stores.a]\nurl = "s3://bucket"\ntoken = "${TOKEN}"`,
      3,
      /only http:\/\//,
    ],
    [
      `[stores.a]\nurl = "https://h"\ntoken = "${TOKEN}"\n\ntoken-file = "/x"`,
      5,
      /there is token already/,
    ],
    ['cache-dir = "cache"', 1, /cache-dir: it begins with \/ or ~\//],
    [`[stores.a]\nurl = "https://h"\ntoken = "${TOKEN}\n`, 3, /, line 3: /],
    ["[stores.a]\nurl = [\n1,\n2]", 4, /url: it is a text/],
    ['[stores]\na.url = "https://h"\na.x = 1', 3, /stores\.a\.x/],
  ];
  for (const [text, line, words] of cases) {
    using scene = new Configured(text);
    const { code, stderr } = await scene.run(["config"]);
    strictEqual(code, 1, text);
    match(stderr, new RegExp(`, line ${line}: `), text);
    match(stderr, words, text);
    strictEqual(stderr.includes(TOKEN), false, stderr);
  }
});

Deno.test("the configuration says how stores are compressed that init makes", async () => {
  using scene = new Configured('codec = "lz4"\n');
  const codecOf = async (...args: string[]): Promise<string> => {
    const { stdout } = await scene.ok(["init", "--json", ...args]);
    return JSON.parse(stdout).settings.codec;
  };
  strictEqual(await codecOf("one"), "lz4");
  strictEqual(await codecOf("two", "--codec", "zstd:5"), "zstd:5");
});

Deno.test("a variable for the style of addresses is told, and stands behind an address", async () => {
  using scene = new Configured("");
  const { stdout } = await scene.ok(["config"], { SNAP_S3_PATH_STYLE: "no" });
  deepStrictEqual(settingsIn(stdout).get("path-style"), [
    "false",
    "SNAP_S3_PATH_STYLE",
  ]);
  // A request would say which; the address is refused before one is made.
  const store = "s3://bucket?path-style=maybe";
  const env = { SNAP_S3_PATH_STYLE: "no", AWS_ACCESS_KEY_ID: "a" };
  const { stderr } = await scene.run(["log", "--store", store], { env });
  match(stderr, /path-style: it is true or false: found "maybe"/);
});

Deno.test("config tells what holds and where it comes from, and no token", async () => {
  using scene = new Configured(
    `store = "far"\njobs = 4\nlimit-rate = "1m"\n` +
      `[stores.far]\nurl = "https://me:pass@host/x"\ntoken = "${TOKEN}"\n`,
  );
  const plain = await scene.ok(["config"]);
  const isSaid = ([, [, source]]: [string, string[]]) => source !== "default";
  deepStrictEqual(
    new Map([...settingsIn(plain.stdout)].filter(isSaid)),
    new Map([
      ["configuration", [scene.file, "file"]],
      ["store", ["far", scene.file]],
      ["limit-rate", ["1048576", scene.file]],
      ["jobs", ["4", scene.file]],
      ["stores.far.url", ["https://me@host/x", "file"]],
      ["stores.far.token", ["(not shown)", "file"]],
    ]),
  );
  const env = { SNAP_JOBS: "5", SNAP_TOKEN: TOKEN, SNAP_LIMIT_RATE: "2m" };
  const args = ["config", "--limit-rate", "3m"];
  const { stdout } = await scene.ok(args, env);
  const settings = settingsIn(stdout);
  deepStrictEqual(settings.get("jobs"), ["5", "SNAP_JOBS"]);
  deepStrictEqual(settings.get("limit-rate"), ["3145728", "--limit-rate"]);
  deepStrictEqual(settings.get("token"), ["(not shown)", "SNAP_TOKEN"]);
  for (const text of [plain.stdout, stdout]) {
    strictEqual(text.includes(TOKEN) || text.includes("pass"), false, text);
  }
  using none = new Sandbox();
  const { stdout: bare } = await none.run(["config"]);
  deepStrictEqual(settingsIn(bare).get("store"), [
    none.at("home/.local/share/snap/store"),
    "default",
  ]);
});

Deno.test("options and variables that cannot be are wrong usage", async () => {
  using scene = new Sandbox();
  const far = ["log", "--store", "https://host.invalid/x"];
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["--jobs", "0"], {}, /--jobs "0": it takes a number from 1 to 256/],
    [["--limit-rate", "fast"], {}, /--limit-rate "fast"/],
    [[], { SNAP_JOBS: "1e3" }, /SNAP_JOBS "1e3"/],
    [[], { SNAP_LIMIT_RATE: "-1" }, /SNAP_LIMIT_RATE "-1"/],
    [[], { SNAP_CACHE_DIR: "cache" }, /SNAP_CACHE_DIR "cache": it begins with/],
  ];
  for (const [args, env, words] of cases) {
    const { code, stderr } = await scene.run([...far, ...args], { env });
    strictEqual(code, 2, stderr);
    match(stderr, words);
  }
});

Deno.test("a configuration that others may read is told when it has a token", async () => {
  const store = '[stores.a]\nurl = "https://h"\n';
  for (
    const [text, mode, isTold] of [
      [`${store}token = "${TOKEN}"`, 0o644, true],
      [`${store}token = "${TOKEN}"`, 0o600, false],
      [store, 0o644, false],
    ] as const
  ) {
    using scene = new Configured(text, mode);
    const { stderr } = await scene.ok(["config"]);
    strictEqual(/may read the tokens .*chmod 600/.test(stderr), isTold, text);
  }
});

Deno.test("SNAP_CONFIG names the file, which then has to be there", async () => {
  using scene = new Configured("jobs = 7");
  const other = scene.at("other.toml");
  const env = { SNAP_CONFIG: other };
  const { code, stderr } = await scene.run(["config"], { env });
  strictEqual(code, 1);
  match(
    stderr,
    /Cannot read configuration .*other\.toml: there is no such file/,
  );
  writeFileSync(other, "jobs = 8");
  const { stdout } = await scene.ok(["config"], env);
  deepStrictEqual(settingsIn(stdout).get("jobs"), ["8", other]);
});

Deno.test("every key has a place in the documentation", () => {
  const text = Deno.readTextFileSync(
    new URL("../../docs/STORES.md", import.meta.url),
  );
  for (const [name, { variable, help }] of Object.entries(CONFIG_KEYS)) {
    const row = text.split("\n").find((line) =>
      line.startsWith(`| \`${name}\` `)
    );
    strictEqual(row?.includes(help.replaceAll("|", "\\|")), true, name);
    strictEqual(row!.includes(`\`${variable}\``), variable !== undefined, name);
  }
});
