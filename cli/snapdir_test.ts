// Stores of snapdir, with the real snapdir as judge where it is installed.
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { lacksServer, newBucket, s3Server } from "../tests/_s3_server.ts";
import {
  lacksSnapdir,
  realSnapdir,
  type SnapdirCall,
} from "../tests/_snapdir.ts";
import { noise, readDisk } from "../tests/_snapshots.ts";
import { canMount, mountTmpfs, resizeTmpfs, unmount } from "../tests/_tmpfs.ts";
import { type Outcome, Sandbox } from "./_testing.ts";

const ignore = lacksSnapdir();
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";

/** A folder with a tree of what snapdir can hold, a store, and a pool. */
class Scene extends Sandbox {
  env: Readonly<Record<string, string>> = {};

  constructor() {
    super();
    mkdirSync(this.at("tree", "sub", "empty"), { recursive: true });
    this.write("a", "one\n");
    this.write("a.b", "one\n");
    this.write("nothing", "");
    this.write("sub/große Datei", noise(9_000_000, 1));
    this.write("sub/tool", "#!/bin/sh\n", 0o4755);
    this.write("sub/zero", new Uint8Array(5_000_000));
    chmodSync(this.at("tree", "sub"), 0o2750);
    chmodSync(this.at("tree"), 0o755);
  }

  write(name: string, content: string | Uint8Array, mode = 0o640): void {
    writeFileSync(this.at("tree", name), content);
    chmodSync(this.at("tree", name), mode);
  }

  async snap(...args: string[]): Promise<Outcome> {
    const { env } = this;
    return await this.run(["--store", this.at("store"), ...args], { env });
  }

  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.snap(...args);
    strictEqual(code, 0, stderr);
    return stdout.trim();
  }

  async saved(): Promise<void> {
    await this.ok("init");
    await this.ok("save", "tree", "-t", "main", "--workers", "0");
  }

  async real(call: SnapdirCall, ...args: string[]): Promise<string> {
    return await realSnapdir(this.at("home"), this.env, call, ...args);
  }

  get pool(): string {
    return `file://${this.at("pool")}`;
  }
}

/** What snapdir holds of a tree: paths, permissions and contents. */
function held(path: string): [string, number, string][] {
  return [...readDisk(path)].map((
    [name, entry],
  ) => [name, entry.mode, entry.content]);
}

Deno.test({
  name: "snapdir pulls what export has written, and finds it sound",
  ignore,
  async fn() {
    using scene = new Scene();
    await scene.saved();
    const id = await scene.ok("export", "main", "--as", "snapdir", "pool");
    strictEqual(id, await scene.real("id", scene.at("tree")));
    strictEqual(await scene.real("verify", id, scene.pool), "True");
    await scene.real("pull", id, scene.pool, scene.at("pulled"));
    deepStrictEqual(held(scene.at("pulled")), held(scene.at("tree")));
  },
});

/** The files of a store of snapdir. */
function filesOf(folder: string): Map<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    names.filter((one) => one.isFile()).map((one) => {
      const path = `${one.parentPath}/${one.name}`;
      return [path.slice(folder.length), readFileSync(path)] as const;
    }).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

Deno.test({
  name:
    "import brings back what snapdir has pushed, and export makes the same store of it",
  ignore,
  async fn() {
    using scene = new Scene();
    await scene.ok("init");
    const id = await scene.real("push", scene.at("tree"), scene.pool);
    await scene.ok("import", "--from", "snapdir", scene.pool, "-t", "theirs");
    await scene.ok("restore", "theirs", "out", "--workers", "0");
    deepStrictEqual(held(scene.at("out")), held(scene.at("tree")));
    strictEqual(
      await scene.ok("export", "theirs", "--as", "snapdir", "mine"),
      id,
    );
    deepStrictEqual(filesOf(scene.at("mine")), filesOf(scene.at("pool")));
    const again = await scene.snap(
      ...["export", "theirs", "--as", "snapdir", "mine", "--json"],
    );
    match(again.stdout, /"newObjectCount":0,/);
  },
});

Deno.test({
  name:
    "links are followed as snapdir follows them, or left out as it leaves them out",
  ignore,
  async fn() {
    using scene = new Scene();
    const links = {
      "a-": "a",
      "dir": "sub",
      "dir.": "sub/empty/..",
      "sub/up": "../a.b",
      "sub/through": "../dir/tool",
      "gone": "nowhere",
      "self": "self",
      "twice": "dir",
    };
    for (const [name, target] of Object.entries(links)) {
      symlinkSync(target, scene.at("tree", name));
    }
    for (const more of [[], ["--no-follow"]]) {
      const theirs = await scene.real("manifest", scene.at("tree"), ...more);
      const args = ["tree", "--as", "snapdir", "--workers", "0", ...more];
      strictEqual(await scene.ok("manifest", ...args), theirs.trim());
      strictEqual(
        await scene.ok("id", ...args),
        await scene.real("id", scene.at("tree"), ...more),
      );
    }
    await scene.saved();
    const id = await scene.ok("export", "main", "--as", "snapdir", "pool");
    strictEqual(id, await scene.real("push", scene.at("tree"), scene.pool));
    const { stdout } = await scene.snap(
      ...["import", "--from", "snapdir", "pool", id, "--json"],
    );
    match(stdout, /"otherSizeCount":9/);
  },
});

Deno.test({
  name: "a bucket holds the stores of both",
  ignore: ignore || lacksServer("moto"),
  async fn() {
    using scene = new Scene();
    const server = await s3Server("moto");
    const bucket = await newBucket(server);
    scene.env = {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: "us-east-1",
    };
    scene.write("sub/large", noise(20_000_000, 2));
    await scene.saved();
    const mine = `s3://${bucket}/a/mine`;
    const id = await scene.ok("export", "main", "--as", "snapdir", mine);
    await scene.real("pull", id, mine, scene.at("pulled"));
    deepStrictEqual(held(scene.at("pulled")), held(scene.at("tree")));
    const theirs = `s3://${bucket}/theirs`;
    strictEqual(await scene.real("push", scene.at("tree"), theirs), id);
    await scene.ok("import", "--from", "snapdir", theirs, "-t", "theirs");
    await scene.ok("restore", "theirs", "out", "--workers", "0");
    deepStrictEqual(held(scene.at("out")), held(scene.at("tree")));
  },
});

Deno.test("what snapdir cannot hold is told, and the rest exported", async () => {
  using scene = new Scene();
  symlinkSync("/etc", scene.at("tree", "out"));
  await scene.saved();
  const { code, stderr } = await scene.snap(
    ...["export", "main", "--as", "snapdir", "pool"],
  );
  strictEqual(code, 0);
  match(stderr, /Left out what snapdir cannot hold: 1 link out of it/);
});

Deno.test("an import from where nothing is makes no snapshot, and says what to do", async () => {
  using scene = new Scene();
  await scene.ok("init");
  const { code, stderr } = await scene.snap(
    "import",
    "--from",
    "snapdir",
    "pool",
  );
  strictEqual(code, 1);
  match(stderr, /no snapshot of snapdir is there\n {2}hint: /);
  strictEqual(existsSync(scene.at("pool")), false);
  strictEqual(await scene.ok("log"), "");
});

Deno.test({
  name:
    "an export onto a full disk leaves no manifest, and goes on when there is room",
  ignore: !canMount(),
  async fn() {
    using scene = new Scene();
    await scene.saved();
    mountTmpfs(scene.at("pool"), "4m");
    try {
      const args = ["export", "main", "--as", "snapdir", "pool"];
      const { code, stderr } = await scene.snap(...args);
      strictEqual(code, 1);
      match(stderr, /: the disk is full \(ENOSPC\)$/m);
      const files = [...filesOf(scene.at("pool")).keys()];
      deepStrictEqual(
        files.filter((name) => !/^\/\.objects\/.*\w{55}$/.test(name)),
        [],
      );
      resizeTmpfs(scene.at("pool"), "40m");
      await scene.ok(...args);
      await scene.ok("import", "--from", "snapdir", "pool");
    } finally {
      unmount(scene.at("pool"));
    }
  },
});

Deno.test({
  name: "a server of SFTP holds a store of snapdir",
  ignore: !existsSync(SFTP_SERVER),
  async fn() {
    using scene = new Scene();
    await scene.saved();
    scene.env = { SNAP_SFTP_COMMAND: SFTP_SERVER };
    const url = `sftp://host${scene.at("pool")}`;
    const id = await scene.ok("export", "main", "--as", "snapdir", url);
    strictEqual(
      await scene.ok("export", "main", "--as", "snapdir", "same"),
      id,
    );
    const files = filesOf(scene.at("pool"));
    for (const [name, bytes] of filesOf(scene.at("same"))) {
      deepStrictEqual(files.get(name), bytes);
    }
    await scene.ok("import", "--from", "snapdir", url, "-t", "back");
    await scene.ok("restore", "back", "out", "--workers", "0");
    deepStrictEqual(held(scene.at("out")), held(scene.at("tree")));
  },
});

Deno.test("an export into a folder that cannot be written leaves no manifest", async () => {
  using scene = new Scene();
  await scene.saved();
  mkdirSync(scene.at("pool"));
  writeFileSync(scene.at("pool", ".objects"), "");
  const { code, stderr } = await scene.snap(
    "export",
    "main",
    "--as",
    "snapdir",
    "pool",
  );
  strictEqual(code, 1);
  match(stderr, /Cannot .*pool\/\.objects\//);
  strictEqual(existsSync(scene.at("pool", ".manifests")), false);
});

Deno.test("--as snapdir goes with nothing that is not snapdir's", async () => {
  using scene = new Scene();
  await scene.ok("init");
  for (
    const args of [
      ["manifest", "tree", "--as", "tar"],
      ["manifest", "tree", "--as", "snapdir", "-a"],
      ["manifest", "tree", "--as", "snapdir", "--json"],
      ["manifest", "tree", "--no-follow"],
      ["id", "tree", "--no-follow"],
      ["import", "--from", "snapdir", "http://127.0.0.1:9/x"],
      ["import", "--from", "snapdir", "ssh://host/x"],
    ]
  ) {
    const { code, stderr } = await scene.snap(...args);
    strictEqual(code, 2, stderr);
  }
});
