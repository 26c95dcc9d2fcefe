// Archives in buckets, on a real server of S3.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { openS3Objects, type S3Objects } from "@snap/store/s3";
import {
  lacksServer,
  newBucket,
  type S3Server,
  s3Server,
  signedFetch,
} from "../tests/_s3_server.ts";
import { MeddlingProxy } from "../tests/_meddling_proxy.ts";
import { denoFolder } from "../tests/_run.ts";
import { noise } from "../tests/_test_bytes.ts";
import { type Outcome, Sandbox } from "./_testing.ts";

const ignore = lacksServer("moto");
const MAIN = new URL("main.ts", import.meta.url).pathname;
const MIB = 1024 * 1024;
const PART_SIZE = 8 * MIB;

/** A snapshot of noise of several parts, and a bucket. */
class Scene extends Sandbox {
  readonly env: Readonly<Record<string, string>>;
  readonly bucket: string;
  /** The id of the snapshot. */
  id = "";
  readonly #server: S3Server;

  constructor(server: S3Server, bucket: string) {
    super();
    this.#server = server;
    this.bucket = bucket;
    const { accessKeyId, secretAccessKey } = server.credentials;
    this.env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: server.endpoint,
      SNAP_STORE: this.at("store"),
    };
  }

  static async make(sizes: readonly number[]): Promise<Scene> {
    const server = await s3Server("moto");
    const scene = new Scene(server, await newBucket(server));
    Deno.mkdirSync(scene.at("tree"));
    for (const [i, size] of sizes.entries()) {
      writeFileSync(scene.at("tree", `${i}`), noise(i + 1, size));
    }
    await scene.ok("init");
    scene.id = await scene.ok("save", "tree", "-t", "main", "--workers", "0");
    return scene;
  }

  async snap(...args: string[]): Promise<Outcome> {
    return await this.run(args, { env: this.env });
  }

  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.snap(...args);
    strictEqual(code, 0, stderr);
    return stdout.trim();
  }

  async objects(prefix = ""): Promise<S3Objects> {
    const url = `s3://${this.bucket}/${prefix}`;
    return await openS3Objects(url, { ...this.#server, env: {} });
  }

  async read(name: string): Promise<Uint8Array> {
    const objects = await this.objects();
    return Buffer.concat(await Array.fromAsync(objects.read(name)));
  }

  async uploads(): Promise<number> {
    const path = `${this.bucket}?uploads`;
    const answer = await signedFetch(this.#server, "GET", path);
    return (await answer.text()).split("<Upload>").length - 1;
  }
}

Deno.test({
  name:
    "export, import: an archive in a bucket is the one that a file would be, byte for byte",
  ignore,
  async fn() {
    using scene = await Scene.make([3 * MIB, 10]);
    const { id } = scene;
    for (const format of ["tar", "tar.gz", "tar.zst"]) {
      const url = `s3://${scene.bucket}/some%20where/main.${format}`;
      const digest = await scene.ok("export", "main", "--as", format, url);
      const file = `main.${format}`;
      strictEqual(
        await scene.ok("export", "main", "--as", format, file),
        digest,
      );
      const there = await scene.read(`some where/${file}`);
      ok(readFileSync(scene.at(file)).equals(there), format);
      const sum = ["--sha256", digest, "--tag", format];
      strictEqual(await scene.ok("import", "--from", "tar", url, ...sum), id);
    }
  },
});

Deno.test({
  name:
    "export: an archive that is there is only replaced if asked for; the same one is not sent again",
  ignore,
  async fn() {
    using scene = await Scene.make([20 * MIB]);
    const url = `s3://${scene.bucket}/main.tar`;
    const args = ["-v", "export", "main", "--as", "tar", url];
    const digest = await scene.ok(...args);
    const again = await scene.snap(...args);
    deepStrictEqual([again.code, again.stdout.trim()], [0, digest]);
    match(again.stderr, /^Sent 0 B of 20.* MiB: the rest was there$/m);
    await scene.ok(
      "save",
      "tree",
      "-t",
      "other",
      "--exclude",
      "/0",
      "--workers",
      "0",
    );
    const other = ["export", "other", "--as", "tar", url];
    const refused = await scene.snap(...other);
    strictEqual(refused.code, 1);
    match(
      refused.stderr,
      /Cannot write s3:.*main\.tar: it is there\n.*--existing/,
    );
    strictEqual(sha256(await scene.read("main.tar")), digest);
    const small = await scene.ok(...other, "--existing");
    strictEqual(sha256(await scene.read("main.tar")), small);
    strictEqual(await scene.uploads(), 0);
  },
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test({
  name:
    "export: a process that is killed at any part leaves what the next one goes on with",
  ignore,
  async fn() {
    using scene = await Scene.make([34 * MIB]);
    await using proxy = await MeddlingProxy.start(scene.env.AWS_ENDPOINT_URL);
    const env = { ...scene.env, AWS_ENDPOINT_URL: proxy.endpoint };
    // After the look, the list and the begin.
    for (const at of [4, 6, 8]) {
      const url = `s3://${scene.bucket}/${at}/main.tar`;
      const command = ["-v", "export", "main", "--as", "tar", url];
      const args = ["run", "-A", "-q", MAIN, ...command];
      const before = proxy.byteCount, from = proxy.count;
      const child = spawn(Deno.execPath(), args, {
        ...{ stdio: "ignore", cwd: scene.path },
        env: { ...env, PATH: Deno.env.get("PATH")!, DENO_DIR: denoFolder() },
      });
      const ended = new Promise((resolve) =>
        child.once("exit", (_, signal) => resolve(signal))
      );
      proxy.fate = (number) => {
        if (number - from < at) return "pass";
        if (number - from === at) child.kill("SIGKILL");
        return "drop";
      };
      strictEqual(await ended, "SIGKILL");
      proxy.fate = () => "pass";
      const { code, stdout, stderr } = await scene.run(command, { env });
      strictEqual(code, 0, stderr);
      if (at > 4) match(stderr, /^Sent .* of 34.* MiB: the rest was there$/m);
      const sent = proxy.byteCount - before;
      ok(sent < 35 * MIB + 4 * PART_SIZE, `${at}: ${sent}`);
      strictEqual(sha256(await scene.read(`${at}/main.tar`)), stdout.trim());
    }
    strictEqual(await scene.uploads(), 0);
  },
});

Deno.test({
  name:
    "export, import: an image in a bucket, as a layout and as an archive; skopeo reads both",
  ignore,
  async fn() {
    using scene = await Scene.make([10 * MIB, 10]);
    const { id } = scene;
    const less = await scene.ok(
      ...["save", "tree", "-t", "less", "--exclude", "/1", "--workers", "0"],
    );
    const layout = `s3://${scene.bucket}/images/main`;
    const as = (
      target: string,
      format = "oci",
    ) => ["export", "main", "--as", format, target, "--base", "less"];
    const digest = await scene.ok(...as(layout));
    // Once more, as after a kill: all is there.
    strictEqual(await scene.ok(...as(layout)), digest);
    strictEqual(await scene.ok("import", "--from", "oci", layout), id);
    const archive = `${layout}.tar`;
    strictEqual(await scene.ok(...as(archive, "oci-archive")), digest);
    strictEqual(await scene.ok("import", "--from", "oci", archive), id);
    const refused = await scene.snap("export", "less", "--as", "oci", layout);
    strictEqual(refused.code, 1);
    match(refused.stderr, /Cannot write s3:.*: it is there\n.*--existing/);
    strictEqual(await scene.ok("import", "--from", "oci", layout), id);
    await scene.ok("export", "less", "--as", "oci", layout, "--existing");
    strictEqual(await scene.ok("import", "--from", "oci", layout), less);
    // The archive is what a file would be.
    await scene.ok(...as("image.tar", "oci-archive"));
    const bytes = await scene.read("images/main.tar");
    ok(readFileSync(scene.at("image.tar")).equals(bytes));
    strictEqual(inspected(`oci-archive:${scene.at("image.tar")}`), digest);
    strictEqual(await scene.ok("import", "--from", "oci", "image.tar"), id);
  },
});

/** The digest that skopeo finds. */
function inspected(image: string): string {
  const env = { PATH: Deno.env.get("PATH")!, HOME: "/nonexistent" };
  const text = execFileSync("skopeo", ["inspect", image], { env });
  return JSON.parse(text.toString()).Digest;
}

Deno.test({
  name: "export, import: addresses that cannot be meant, and what is not there",
  ignore,
  async fn() {
    using scene = await Scene.make([10]);
    const run = (...args: string[]) => scene.snap(...args);
    for (
      const [url, reason] of [
        ["https://host/a.tar", /it is neither a path nor s3:\/\//],
        ["sftp://me:secret@host/a.tar", /"sftp:\/\/me@host\/a.tar".*neither/],
        ["gopher://host/a.tar", /there is no scheme gopher/],
        ["s3://bucket", /it names no object/],
        [`s3://${scene.bucket}/a/`, /it names no object/],
      ] as const
    ) {
      const exported = await run("export", "main", "--as", "tar", url);
      strictEqual(exported.code, 2, url);
      match(exported.stderr, reason);
      const imported = await run("import", "--from", "tar", url);
      strictEqual(imported.code, 2, url);
      match(imported.stderr, reason);
    }
    const none = await run(
      ...["import", "--from", "tar", `s3://${scene.bucket}/none.tar`],
    );
    strictEqual(none.code, 1);
    match(none.stderr, /Cannot read s3:.*none\.tar: there is no such object/);
    const layout = await run(
      ...["import", "--from", "oci", `s3://${scene.bucket}/none`],
    );
    match(layout.stderr, /Cannot import image as it has no index\.json/);
    const bucket = `s3://b-${crypto.randomUUID()}/a.tar`;
    const lost = await run("export", "main", "--as", "tar", bucket);
    strictEqual(lost.code, 1);
    match(lost.stderr, /the bucket is not there/);
  },
});
