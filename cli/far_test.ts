// Every command on every kind of store that is far away, next to a folder: the
// same words, the same answers.
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { lacksServer, s3Server } from "../tests/_s3_server.ts";
import { Scene } from "./_test_scene.ts";
import type { Outcome } from "./_testing.ts";

const MAIN = new URL("main.ts", import.meta.url).pathname;
/** Threads would only make it slower. */
const ALONE = ["--workers", "0"];

/** Stands for ssh: runs the command of the other host here, by a shell as there. */
const FAKE_SSH = '#!/bin/sh\nfor line; do :; done\nexec sh -c "$line"\n';

/** Where a store is, and what has to be known of it. */
interface Place {
  readonly store: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a server in this process, for as long as a test needs it. */
async function serving(
  scene: Scene,
  args: readonly string[],
  use: (url: string) => Promise<void>,
): Promise<Outcome> {
  const stop = new AbortController();
  const url = Promise.withResolvers<string>();
  const ended = scene.run(["serve", ...args], {
    signal: stop.signal,
    onStdout: (bytes) => url.resolve(new TextDecoder().decode(bytes).trim()),
  });
  const failed = ended.then(({ stderr }) => {
    throw new Error(`Cannot serve: ${stderr}`);
  });
  try {
    await use(await Promise.race([url.promise, failed]));
  } finally {
    stop.abort();
  }
  failed.catch(() => {});
  return await ended;
}

/** What goes by another name far away, and what takes another time. */
function comparable({ code, stdout, stderr }: Outcome): unknown {
  const same = (text: string): string =>
    // Files that are young are read again: how many are, is a matter of time.
    text.replace(/\d+ read, \d+:\d+/, "").replace(
      /\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g,
      "TIME",
    )
      .replace(/latest is \S+ of .*\n/g, "");
  return { code, stdout: same(stdout), stderr: same(stderr) };
}

/** Runs every command, and gives what each of them answered. */
async function runAll(scene: Scene, place: Place): Promise<unknown[]> {
  const { env } = place;
  const answers: unknown[] = [];
  const snap = async (...args: string[]): Promise<Outcome> =>
    await scene.run(["--store", place.store, ...args], { env });
  const ok = async (...args: string[]): Promise<void> => {
    const outcome = await snap(...args);
    strictEqual(outcome.code, 0, `${args.join(" ")}: ${outcome.stderr}`);
    answers.push([args[0], comparable(outcome)]);
  };
  const save = ["save", "tree", ...ALONE];
  await ok(...save, "--tag", "main");
  writeFileSync(scene.at("tree", "later"), "later\n");
  await ok(...save, "--message", "second");
  await ok(...save, "--message", "second");
  rmSync(scene.at("tree", "later"));
  await ok(...save, "--dry-run");
  for (
    const args of [
      ["ls", "-R", "main"],
      ["ls", "latest:sub"],
      ["cat", "main:sub/b.ts"],
      ["find", "*.ts", "main"],
      ["diff", "main", "latest"],
      ["diff", "-a", "main", "./tree", ...ALONE],
      ["manifest", "-a", "main"],
      ["tag", "other", "main"],
      ["verify", "--data"],
      ["repair", "index"],
      ["repair", "packs"],
      ["repair", "snapshots"],
      ["recover"],
      ["restore", "main", "out", ...ALONE],
      ["restore", "main:sub/b.ts", "-"],
    ]
  ) await ok(...args);
  rmSync(scene.at("out"), { recursive: true });
  strictEqual((await snap("tag")).stdout.split("\n").length, 3);
  strictEqual((await snap("log")).stdout.split("\n").length, 3);
  const absent = await snap("ls", "absent");
  match(absent.stderr, /Cannot find snapshot absent/);
  const { stdout } = await snap("stats", "--json");
  const { path, recordCount, tagCount, requestCount } = JSON.parse(stdout);
  strictEqual(path.length > 0, true);
  strictEqual(requestCount > 0 || place.store.startsWith("/"), true);
  answers.push([recordCount, tagCount]);
  return answers;
}

/** What a folder answers, which every other store has to. */
async function answersOfFolder(scene: Scene): Promise<unknown[]> {
  const folder = { store: scene.at("folder"), env: {} };
  strictEqual((await scene.run(["init", folder.store])).code, 0);
  return await runAll(scene, folder);
}

Deno.test("a store behind serve answers every command as a folder does", async () => {
  using scene = new Scene();
  const expected = await answersOfFolder(scene);
  await scene.run(["init", scene.at("served")]);
  const log = scene.at("access.log");
  const args = [scene.at("served"), "--listen", "127.0.0.1:0"];
  const { code, stderr } = await serving(
    scene,
    [...args, "--access-log", log],
    async (store) => {
      deepStrictEqual(await runAll(scene, { store, env: {} }), expected);
    },
  );
  deepStrictEqual([code, stderr], [0, ""]);
  match(readFileSync(log, "utf8"), / 201 PUT create packs\/\S+ append \d+> /);
  strictEqual(statSync(log).mode & 0o777, 0o600);
});

Deno.test("a store on another host answers every command as a folder does", async () => {
  using scene = new Scene();
  const expected = await answersOfFolder(scene);
  const ssh = scene.at("ssh");
  writeFileSync(ssh, FAKE_SSH, { mode: 0o755 });
  const env = {
    SNAP_SSH: ssh,
    SNAP_REMOTE_COMMAND: `${Deno.execPath()} run -A --no-check ${MAIN}`,
  };
  const store = `ssh://host${scene.at("far's store")}`;
  const { code, stdout, stderr } = await scene.run(["init", store], { env });
  deepStrictEqual([code, stdout, stderr], [0, `${store}\n`, ""]);
  strictEqual(existsSync(scene.at("far's store", "config", "1")), true);
  match(
    (await scene.run(["init", store], { env })).stderr,
    /Cannot make a store in .*: there is one/,
  );
  deepStrictEqual(await runAll(scene, { store, env }), expected);
  const absent = await scene.run(["log", "--store", `${store}-`], { env });
  strictEqual(absent.code, 1);
  match(
    absent.stderr,
    /^snap: Cannot open ssh:\/\/host.*, which says: Cannot open .* no such folder\n {2}hint: /,
  );
  const none = { ...env, SNAP_REMOTE_COMMAND: "no-such-program" };
  match(
    (await scene.run(["log", "--store", store], { env: none })).stderr,
    /not found .*\n {2}hint: .*PATH of the other host/,
  );
  writeFileSync(ssh, "#!/bin/sh\necho Welcome\nsleep 60", { mode: 0o755 });
  match(
    (await scene.run(["log", "--store", store], { env })).stderr,
    /begin with .*Welcome.*\n {2}hint: what the shell there prints/,
  );
});

Deno.test("a bucket that is not there is an error that names the store", async () => {
  using scene = new Scene();
  const body = "<Error><Code>NoSuchBucket</Code></Error>";
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(body, { status: 404 }),
  );
  const env = {
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL: `http://127.0.0.1:${server.addr.port}`,
    XDG_CACHE_HOME: scene.at("cache"),
  };
  for (const command of ["init", "log", "stats"]) {
    const args = [command, "--store", "s3://absent/$&"];
    const { code, stderr } = await scene.run(args, { env });
    deepStrictEqual([code, stderr], [
      1,
      "snap: Cannot open s3://absent/$&: the bucket is not there (404 NoSuchBucket)\n",
    ]);
  }
});

Deno.test({
  name: "a store in a bucket answers every command as a folder does",
  ignore: lacksServer("moto"),
  async fn() {
    using scene = new Scene();
    const expected = await answersOfFolder(scene);
    const { endpoint, credentials } = await s3Server("moto");
    const env = {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL: endpoint,
      XDG_CACHE_HOME: scene.at("cache"),
    };
    const bucket = `far-${crypto.randomUUID()}`;
    const store = `s3://${bucket}/a/b`;
    const lacking = await scene.run(["init", "--store", store], { env });
    strictEqual(lacking.code, 1);
    match(lacking.stderr, /^snap: Cannot open s3:.* NoSuchBucket/);
    await (await fetch(`${endpoint}/${bucket}`, {
      method: "PUT",
      headers: {
        authorization: "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/s3",
      },
    })).body?.cancel();
    match(
      (await scene.run(["log", "--store", store], { env })).stderr,
      /^snap: Cannot open s3:\S+ as a store: it has no config\/1\n {2}hint: snap init/,
    );
    const { code, stderr } = await scene.run(["init", "--store", store], {
      env,
    });
    deepStrictEqual([code, stderr], [0, ""]);
    deepStrictEqual(await runAll(scene, { store, env }), expected);
  },
});

Deno.test("Ctrl-C ends a save into a store far away, and leaves nothing half", async () => {
  using scene = new Scene();
  const served = scene.at("served");
  await scene.run(["init", served]);
  // More than goes at once; at this rate the rest takes hours.
  const random = new Uint8Array(8 << 20).map((_, i) => (i * i) >> 11);
  writeFileSync(scene.at("tree", "large"), random);
  await serving(scene, [served, "--listen", "127.0.0.1:0"], async (url) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", MAIN, "save", scene.at("tree")],
        ...["--store", url, "--limit-rate", "1k", "--json", "--no-cache"],
      ],
      env: { XDG_CACHE_HOME: scene.at("cache"), HOME: scene.at("home") },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stdout = new Response(child.stdout).text();
    let said = "";
    const lines = child.stderr.pipeThrough(new TextDecoderStream());
    for await (const text of lines) {
      said += text;
      if (/"sentByteCount":[1-9]/.test(said)) child.kill("SIGINT");
    }
    strictEqual((await child.status).code, 130, said);
    strictEqual(await stdout, "");
  });
  deepStrictEqual(readdirSync(scene.at("cache", "snap", "spool", "files")), []);
  const snap = (...args: string[]) => scene.run(["--store", served, ...args]);
  strictEqual((await snap("log")).stdout, "");
  strictEqual((await snap("verify")).code, 0);
});

Deno.test("push to another host, and clone from there", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  const ssh = scene.at("ssh");
  writeFileSync(ssh, FAKE_SSH, { mode: 0o755 });
  const env = {
    SNAP_SSH: ssh,
    SNAP_REMOTE_COMMAND: `${Deno.execPath()} run -A --no-check ${MAIN}`,
  };
  const far = `ssh://host${scene.at("far's store")}`;
  await scene.run(["init", far], { env });
  const pushed = await scene.snap(["push", far], { env });
  match(pushed.stdout, /^Copied 1 snapshot .*, 1 entry of tags\n$/);
  const cloned = await scene.run(["clone", far, "copy"], { env });
  match(cloned.stdout, /^Copied 1 snapshot /);
  const verified = await scene.run(["verify", "--data", "--store", "copy"]);
  strictEqual(verified.code, 0);
  match((await scene.run(["tag", "--store", "copy"])).stdout, new RegExp(id));
});

/** Makes a bucket, and gives a store in it and the environment that leads there. */
async function inBucket(scene: Scene): Promise<Place> {
  const { endpoint, credentials } = await s3Server("moto");
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: endpoint,
    XDG_CACHE_HOME: scene.at("cache"),
  };
  const bucket = `far-${crypto.randomUUID()}`;
  const authorization = "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/s3";
  const init = { method: "PUT", headers: { authorization } };
  await (await fetch(`${endpoint}/${bucket}`, init)).body?.cancel();
  return { store: `s3://${bucket}/a`, env };
}

/** Passes requests on to another server, without the condition that they have. */
function unconditional(endpoint: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("if-none-match");
      const body = request.body && await request.bytes();
      return await fetch(endpoint + pathname + search, {
        method: request.method,
        headers,
        body,
        redirect: "manual",
      });
    },
  );
}

Deno.test({
  name:
    "a bucket that cannot create only what is absent gets no store, unless there is a single writer",
  ignore: lacksServer("moto"),
  async fn() {
    using scene = new Scene();
    const { store, env: direct } = await inBucket(scene);
    await using server = unconditional(direct.AWS_ENDPOINT_URL);
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${server.addr.port}`;
    const env = { ...direct, AWS_ENDPOINT_URL };
    const refused = await scene.run(["init", store], { env });
    deepStrictEqual([refused.code, refused.stderr], [
      1,
      `snap: Cannot make a store in ${store}: its server cannot create only what is absent, so that two who write at once could lose what they saved\n` +
      "  hint: --single-writer says that only one program ever writes at a time\n",
    ]);
    const bare = await fetch(`${AWS_ENDPOINT_URL}/${new URL(store).host}`);
    strictEqual((await bare.text()).includes("<Key>"), false);
    const init = ["init", store, "--single-writer"];
    strictEqual((await scene.run(init, { env })).code, 0);
    const alone = ["--store", `${store}?single-writer`];
    const saved = await scene.run(["save", "tree", ...alone, ...ALONE], {
      env,
    });
    strictEqual(saved.code, 0, saved.stderr);
    strictEqual((await scene.run(["verify", ...alone], { env })).code, 0);
  },
});

Deno.test({
  name: "push to a bucket, and clone from there",
  ignore: lacksServer("moto"),
  async fn() {
    using scene = new Scene();
    await scene.saved();
    const { store: far, env } = await inBucket(scene);
    await scene.run(["init", far], { env });
    const pushed = await scene.snap(["push", far], { env });
    match(pushed.stdout, /^Copied 1 snapshot /);
    const cloned = await scene.run(["clone", far, "copy"], { env });
    match(cloned.stdout, /^Copied 1 snapshot /);
    const verified = await scene.run(["verify", "--data", "--store", "copy"]);
    strictEqual(verified.code, 0);
  },
});
