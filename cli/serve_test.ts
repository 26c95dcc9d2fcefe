import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { openHttpStore } from "@snap/store/http";
import { parseLines } from "./_schema_check.ts";
import { Scene } from "./_test_scene.ts";

const MAIN = new URL("main.ts", import.meta.url).pathname;
const TOKENS = {
  read: "r0123456789abcdef",
  append: "a0123456789abcdef",
  prune: "p0123456789abcdef",
};

/** A server in a process of its own. */
class Served implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly url: string;
  readonly #stderr: Promise<string>;

  private constructor(
    child: Deno.ChildProcess,
    url: string,
    stderr: Promise<string>,
  ) {
    this.child = child;
    this.url = url;
    this.#stderr = stderr;
  }

  static async start(scene: Scene, ...args: string[]): Promise<Served> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", MAIN, "serve", scene.at("store")],
        ...["--listen", "127.0.0.1:0", ...args],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    const url = new TextDecoder().decode(value).trim();
    if (url === "") throw new Error(`Cannot serve: ${await stderr}`);
    return new Served(child, url, stderr);
  }

  /** Tells it to end; gives its answer, and what it said. */
  async end(): Promise<{ code: number; stderr: string }> {
    this.child.kill("SIGTERM");
    await this.child.stdout.cancel();
    const { code } = await this.child.status;
    return { code, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.stdout.cancel().catch(() => {});
    await this.child.status;
    await this.#stderr;
  }
}

async function madeScene(): Promise<Scene> {
  const scene = new Scene();
  await scene.ok("init");
  return scene;
}

/** A file of tokens, one of each right. */
function writeTokens(scene: Scene): string {
  const path = scene.at("tokens");
  const lines = Object.entries(TOKENS).map((words) => words.join(" "));
  writeFileSync(path, ["# who", "", ...lines, ""].join("\n"), { mode: 0o600 });
  return path;
}

Deno.test("serve gives each token its right, and a command says which is missing", async () => {
  using scene = await madeScene();
  await using served = await Served.start(
    scene,
    "--tokens",
    writeTokens(scene),
  );
  const snap = async (token: string | undefined, ...args: string[]) =>
    await scene.run(["--store", served.url, ...args], {
      env: token === undefined ? {} : { SNAP_TOKEN: token },
    });
  const save = ["save", "tree", "--workers", "0"];
  for (const token of [undefined, "x".repeat(20)]) {
    const { code, stderr } = await snap(token, "log");
    deepStrictEqual([code, stderr.includes("token")], [1, true], stderr);
  }
  const refused = await snap(TOKENS.read, ...save);
  strictEqual(refused.code, 1);
  match(
    refused.stderr,
    /^snap: Cannot add to http:\S+: its server lets this token/,
  );
  strictEqual((await snap(TOKENS.append, ...save)).code, 0);
  strictEqual((await snap(TOKENS.read, "verify", "--data")).code, 0);
  await scene.ok("tag", "main", "latest");
  const forget = ["forget", "main", "--tagged"];
  const kept = await snap(TOKENS.append, ...forget);
  strictEqual(kept.code, 1);
  match(kept.stderr, /Cannot remove .*: the token has too few rights \(403\)/);
  match(await scene.ok("tag"), /^main\t/);
  strictEqual(existsSync(scene.at("store", "forgotten")), false);
  strictEqual((await snap(TOKENS.prune, ...forget)).code, 0);
  strictEqual(await scene.ok("log"), "");
  const bad = await snap("two words", "log");
  match(bad.stderr, /^snap: Cannot open store.* its token/);
  strictEqual(bad.stderr.includes("two words"), false);
  deepStrictEqual(await served.end(), { code: 0, stderr: "" });
});

Deno.test("a store behind serve is repaired by who may do all, and by nobody else", async () => {
  using scene = await madeScene();
  await scene.ok("save", "tree", "--workers", "0");
  const packs = scene.at("store", "packs");
  for (const name of readdirSync(packs, { recursive: true })) {
    const path = scene.at("store", "packs", `${name}`);
    if (!statSync(path).isFile()) continue;
    chmodSync(path, 0o600);
    truncateSync(path, statSync(path).size - 1);
  }
  await using served = await Served.start(
    scene,
    "--tokens",
    writeTokens(scene),
  );
  const snap = async (token: string, ...args: string[]) =>
    await scene.run(["--store", served.url, ...args], {
      env: { SNAP_TOKEN: token },
    });
  strictEqual((await snap(TOKENS.read, "verify")).code, 4);
  const before = filesOf(scene);
  for (const token of [TOKENS.read, TOKENS.append]) {
    const { code, stderr } = await snap(token, "repair", "packs");
    strictEqual(code, 1);
    match(stderr, /^snap: Cannot /);
    match(stderr, /right|lets this token/);
    strictEqual((await snap(token, "repair", "packs", "-n")).code, 0);
  }
  deepStrictEqual(filesOf(scene), before);
  const { code, stderr } = await snap(TOKENS.prune, "repair", "packs");
  strictEqual(code, 0, stderr);
  strictEqual((await snap(TOKENS.read, "verify", "--data")).code, 0);
});

/** Names of the files of the store but those of leases, which say who was there. */
function filesOf(scene: Scene): string[] {
  return readdirSync(scene.at("store"), { recursive: true })
    .map((name) => `${name}`)
    .filter((name) => /^(packs|index|snapshots|gc)/.test(name))
    .sort();
}

Deno.test("serve lets all read where it is told to", async () => {
  using scene = await madeScene();
  const id = await scene.ok("save", "tree", "--workers", "0");
  await using served = await Served.start(scene, "--anonymous");
  const far = (...args: string[]) =>
    scene.run(["--store", served.url, ...args]);
  strictEqual((await far("log")).stdout.startsWith(id.trim()), true);
  match(
    (await far("tag", "x", "latest")).stderr,
    /^snap: Cannot add to \S+: its server lets .* read$/m,
  );
});

Deno.test("serve speaks TLS, and a certificate that nobody knows is told", async () => {
  using scene = await madeScene();
  const [cert, key] = [scene.at("cert.pem"), scene.at("key.pem")];
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt"],
    ...["ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", key, "-out", cert],
  ], { stdio: "ignore" });
  const tls = ["--tls-cert", cert, "--tls-key", key];
  await using served = await Served.start(scene, ...tls);
  match(served.url, /^https:/);
  const unknown = await scene.run(["log", "--store", served.url]);
  strictEqual(unknown.code, 1);
  match(
    unknown.stderr,
    /^snap: Cannot open https:\S+: the certificate or the encryption of \S+ does not fit: /,
  );
  const client = Deno.createHttpClient({
    caCerts: [readFileSync(cert, "utf8")],
  });
  const store = await openHttpStore(served.url, {
    fetch: (url, init) => fetch(url, { ...init, client }),
  });
  strictEqual(await store.size("config/1") !== undefined, true);
  client.close();
  const mixed = ["serve", scene.at("store"), "--tls-cert", key];
  const bad = await scene.run([...mixed, "--tls-key", cert]);
  strictEqual(bad.code, 1);
  match(bad.stderr, /^snap: Cannot use the certificate and its key: /);
});

Deno.test("serve finishes what is at work when it is told to end", async () => {
  using scene = await madeScene();
  await using served = await Served.start(scene);
  const { port } = new URL(served.url);
  const connection = await Deno.connect({ port: Number(port) });
  const write = (text: string) =>
    connection.write(new TextEncoder().encode(text));
  await write(
    `PUT /index/aa HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nIf-None-Match: *\r\nContent-Length: 4\r\n\r\nab`,
  );
  // The answer to another request says that the first is at work.
  await (await fetch(`${served.url}healthz`)).text();
  const ended = served.end();
  await write("cd");
  const bytes = new Uint8Array(1000);
  const count = await connection.read(bytes);
  match(
    new TextDecoder().decode(bytes.subarray(0, count!)),
    /^HTTP\/1\.1 201 /,
  );
  connection.close();
  deepStrictEqual(await ended, { code: 0, stderr: "" });
  strictEqual(readFileSync(scene.at("store/index/aa"), "utf8"), "abcd");
});

Deno.test("serve ends at once at the second signal", async () => {
  using scene = await madeScene();
  await using served = await Served.start(scene);
  const { port } = new URL(served.url);
  const connection = await Deno.connect({ port: Number(port) });
  await connection.write(new TextEncoder().encode(
    `PUT /index/aa HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nIf-None-Match: *\r\nContent-Length: 4\r\n\r\nab`,
  ));
  await (await fetch(`${served.url}healthz`)).text();
  served.child.kill("SIGTERM");
  await untilRefused(served.url);
  const { code } = await served.end();
  strictEqual(code, 0);
  connection.close();
});

Deno.test("serve refuses what cannot be, with a hint", async () => {
  using scene = await madeScene();
  const store = scene.at("store");
  const taken = createServer();
  await new Promise<void>((ok) => taken.listen(0, "127.0.0.1", ok));
  const { port } = taken.address() as AddressInfo;
  const tokens = (text: string): string => {
    writeFileSync(scene.at("bad"), text, { mode: 0o600 });
    return scene.at("bad");
  };
  const cases: [string[], number, RegExp][] = [
    [["--listen", `127.0.0.1:${port}`], 1, /another program does.*\n {2}hint/],
    [["--listen", "somewhere"], 2, /it takes HOST:PORT/],
    [["--listen", ":70000"], 2, /it takes HOST:PORT/],
    [["--listen", ":0"], 2, /without tokens\n {2}hint: --tokens/],
    [["--tls-cert", "x"], 2, /without the other/],
    [["--tls-cert", "x", "--tls-key", "y"], 1, /Cannot read \S+: ENOENT/],
    [["--tokens", "absent"], 1, /there is no such file/],
    [["--tokens", tokens("read")], 1, /line 1 is not RIGHT TOKEN/],
    [["--read-only", "--append-only"], 2, /at once/],
    [["--read-only", "--tokens", "x"], 2, /each token has its right/],
    [["--stdio", "--listen", ":1"], 2, /--listen with --stdio/],
    [["--create"], 2, /--create without --stdio/],
    [["--body-size", "1k"], 2, /from 64k to 16m/],
    [["--requests", "0"], 2, /nothing could be served/],
    [["--store", "x"], 2, /two names/],
  ];
  for (const [args, code, words] of cases) {
    const outcome = await scene.run(["serve", store, ...args]);
    strictEqual(outcome.code, code, `${args.join(" ")}: ${outcome.stderr}`);
    match(outcome.stderr, words);
    strictEqual(outcome.stdout, "");
  }
  for (const line of ["write abcdefgh12345678", "read short", "# none"]) {
    const args = ["serve", store, "--tokens", tokens(line)];
    const { stderr } = await scene.run(args);
    match(stderr, /^snap: Cannot read tokens from /);
    strictEqual(/abcdefgh|short$/.test(stderr), false, stderr);
  }
  await new Promise((ok) => taken.close(ok));
  const absent = await scene.run(["serve", scene.at("absent")]);
  match(absent.stderr, /absent as a store/);
});

Deno.test("serve writes a line for each request", async () => {
  using scene = await madeScene();
  const log = scene.at("log");
  const args = ["--access-log", log, "--json"];
  await using served = await Served.start(scene, ...args);
  const [{ type, url }] = parseLines(`${served.url}\n`);
  strictEqual(type, "serving");
  await (await fetch(`${url}config/1`)).arrayBuffer();
  await (await fetch(`${url}nothing/at/all%20`)).arrayBuffer();
  await served.end();
  const lines = parseLines(readFileSync(log, "utf8"));
  deepStrictEqual(lines.map((line) => [line.verb, line.status]), [
    ["read", 200],
    [undefined, 400],
  ]);
  match(String(lines[0].time), /^\d{4}-/);
  strictEqual(lines[0].peer, "127.0.0.1");
});

Deno.test("a listing lets a web server serve, and stays as new as what is saved here", async () => {
  using scene = await madeScene();
  const save = ["save", "tree", "--workers", "0"];
  await scene.ok(...save, "--tag", "main");
  const { stdout } = await scene.run(["listing", scene.at("store")]);
  match(stdout, /^Wrote a listing of \d+ names$/m);
  const web = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => fileOf(scene.at("store"), request),
  );
  const far = `http://127.0.0.1:${web.addr.port}/`;
  const snap = (...args: string[]) => scene.run(["--store", far, ...args]);
  strictEqual((await snap("log")).stdout.split("\n").length, 2);
  writeFileSync(scene.at("tree", "more"), "more\n");
  await scene.ok(...save);
  await scene.ok("tag", "new", "latest");
  strictEqual((await snap("log")).stdout.split("\n").length, 3);
  strictEqual((await snap("tag")).stdout.split("\n").length, 3);
  strictEqual((await snap("cat", "new:more")).stdout, "more\n");
  match((await snap("stats")).stdout, /^packs\t\nsize of packs\t\n/m);
  strictEqual((await snap("verify", "--data")).code, 0);
  const refused = await snap(...save);
  strictEqual(refused.code, 1);
  match(refused.stderr, /can only be read\n {2}hint: snap serve/);
  await web.shutdown();
});

/** Waits until a server takes no more: it has heard of its end. */
async function untilRefused(url: string): Promise<void> {
  for (let isOpen = true; isOpen;) {
    isOpen = await fetch(`${url}healthz`, { headers: { connection: "close" } })
      .then(async (response) => {
        await response.body?.cancel();
        return response.status === 200;
      }, () => false);
  }
}

/** What a web server that knows nothing of stores answers. */
function fileOf(folder: string, request: Request): Response {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const { pathname } = new URL(request.url);
    bytes = new Uint8Array(readFileSync(folder + pathname));
  } catch {
    return new Response(null, { status: request.method === "GET" ? 404 : 405 });
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  if (range === null) return new Response(bytes);
  const first = Number(range[1]);
  const end = range[2] === ""
    ? bytes.length
    : Math.min(bytes.length, Number(range[2]) + 1);
  if (first >= bytes.length) return new Response(null, { status: 416 });
  const headers = {
    "content-range": `bytes ${first}-${end - 1}/${bytes.length}`,
  };
  return new Response(bytes.subarray(first, end), { status: 206, headers });
}
