// What a command keeps on this machine of a store far away, and when it does not.
import { match, ok, strictEqual } from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { openFileStore } from "@snap/store/file";
import { nodeListener, serveStore } from "@snap/store/serve";
import { Scene } from "./_test_scene.ts";
import type { RunOptions } from "./_testing.ts";

/** A store behind a server that counts requests. */
class FarScene implements AsyncDisposable {
  readonly scene: Scene = new Scene();
  /** Requests since this was set last. */
  requestCount = 0;
  #server: Server | undefined;
  url = "";

  /** Saves into a folder, and serves it. */
  async start(): Promise<void> {
    const { scene } = this;
    await this.#run(["init", "store"]);
    const options = ["--workers", "0", "--no-cache"];
    await this.#run(["save", "tree", "--store", "./store", ...options]);
    const store = await openFileStore(scene.at("store"));
    const handler = serveStore(store, { access: { loopback: "append" } });
    const listener = nodeListener(handler);
    const server = createServer((incoming, outgoing) => {
      this.requestCount++;
      listener(incoming, outgoing);
    });
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve)
    );
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** Runs a command on the store far away; gives what it said, and how many requests it made. */
  async far(
    args: readonly string[],
    options?: RunOptions,
  ): Promise<{ stdout: string; requests: number }> {
    this.requestCount = 0;
    const stdout = await this.#run(["--store", this.url, ...args], options);
    return { stdout, requests: this.requestCount };
  }

  async #run(args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.scene.run(args, options);
    strictEqual(code, 0, stderr);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
    this.scene[Symbol.dispose]();
  }
}

/** The files of packs below a folder. */
function packsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && one.parentPath.includes("/packs/"))
    .map(({ parentPath, name }) => `${parentPath}/${name}`);
}

Deno.test("what a command has read another one need not ask for", async () => {
  await using far = new FarScene();
  await far.start();
  const first = await far.far(["ls", "-R", "latest"]);
  const second = await far.far(["ls", "-R", "latest"]);
  strictEqual(second.stdout, first.stdout);
  ok(second.requests < first.requests, `${second.requests}`);
  const folder = far.scene.at("home/.cache/snap/stores");
  ok(packsBelow(folder).length > 0);
  rmSync(folder, { recursive: true });
  const third = await far.far(["ls", "-R", "latest"]);
  strictEqual(third.requests, first.requests);
});

Deno.test("--no-cache keeps nothing and uses nothing", async () => {
  await using far = new FarScene();
  await far.start();
  const args = ["ls", "-R", "latest"];
  const { requests } = await far.far([...args, "--no-cache"]);
  ok(!existsSync(far.scene.at("home/.cache/snap/stores")));
  await far.far(args);
  strictEqual((await far.far([...args, "--no-cache"])).requests, requests);
});

Deno.test("SNAP_CACHE_DIR and SNAP_CACHE_SIZE say where a cache is, and how large", async () => {
  await using far = new FarScene();
  await far.start();
  const env = { SNAP_CACHE_DIR: far.scene.at("mine") };
  await far.far(["cat", "latest:sub/b.ts"], { env });
  ok(packsBelow(env.SNAP_CACHE_DIR).length > 0);
  ok(!existsSync(far.scene.at("home/.cache/snap/stores")));
  rmSync(env.SNAP_CACHE_DIR, { recursive: true });
  const small = { ...env, SNAP_CACHE_SIZE: "1k" };
  await far.far(["cat", "latest:sub/b.ts"], { env: small });
  strictEqual(packsBelow(env.SNAP_CACHE_DIR).length, 0);
});

Deno.test("verify reads the store itself, whatever the cache has", async () => {
  await using far = new FarScene();
  await far.start();
  await far.far(["ls", "-R", "latest"]);
  await far.far(["cat", "latest:sub/b.ts"]);
  for (const path of packsBelow(far.scene.at("home/.cache/snap/stores"))) {
    writeFileSync(path, readFileSync(path).fill(0));
  }
  await far.far(["verify", "--data"]);
  for (const path of packsBelow(far.scene.at("store"))) {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    rmSync(path);
    writeFileSync(path, bytes);
  }
  const { code, stdout } = await far.scene.run([
    "--store",
    far.url,
    "verify",
    "--data",
  ]);
  strictEqual(code, 4, stdout);
});

Deno.test("stats tells what did not have to be asked for", async () => {
  await using far = new FarScene();
  await far.start();
  const { stdout } = await far.far(["stats", "--json"]);
  match(
    stdout,
    /"cacheHitCount":\d+,"cacheMissCount":\d+,"cacheByteCount":\d+/,
  );
  match(
    (await far.far(["stats"])).stdout,
    /reads without a request\t\d+ of \d+/,
  );
  const { stdout: uncached } = await far.far(["stats", "--json", "--no-cache"]);
  ok(!uncached.includes("cacheHitCount"));
});
