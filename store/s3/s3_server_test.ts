import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  lacksServer,
  newBucket,
  type S3Personality,
  s3Server,
  signedFetch,
} from "../../tests/_s3_server.ts";
import { encodeHeader } from "../header.ts";
import { testStore } from "../testing/mod.ts";
import { openS3Store, type S3Store, type S3StoreOptions } from "./mod.ts";
import { MeddlingProxy } from "../../tests/_meddling_proxy.ts";

const MIB = 1024 * 1024;
const SAVE_ID = "5a".repeat(16);
/** The smallest part that real servers take. */
const partSize = 5 * MIB;

for (const personality of ["ceph", "moto"] as const) {
  const ignore = lacksServer(personality);

  testStore(`S3Store on ${personality}`, async () => {
    const { store, folder } = await newStore(personality);
    return {
      store,
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  }, (title, fn) => Deno.test({ name: title, ignore, fn }));

  Deno.test({
    name: `S3Store on ${personality} creates only what is absent`,
    ignore,
    async fn() {
      const { store, folder } = await newStore(personality);
      await store.probe();
      deepStrictEqual(await Array.fromAsync(store.list("")), []);
      Deno.removeSync(folder, { recursive: true });
    },
  });

  Deno.test({
    name: `S3Store on ${personality} uploads in parts`,
    ignore,
    async fn() {
      const { store, folder } = await newStore(personality, { partSize });
      const bytes = pattern(2 * partSize + 777);
      const path = await store.spoolPath(SAVE_ID);
      writeFileSync(path, bytes);
      strictEqual(await store.adopt("packs/ab/large", path), true);
      strictEqual(await store.size("packs/ab/large"), bytes.length);
      deepStrictEqual(await store.read("packs/ab/large"), bytes);
      const offset = partSize - 100;
      deepStrictEqual(
        await store.read("packs/ab/large", { offset, length: 200 }),
        bytes.subarray(offset, offset + 200),
      );
      deepStrictEqual(readdirSync(`${folder}/spool`), []);
      const again = await store.spoolPath(SAVE_ID);
      writeFileSync(again, bytes);
      strictEqual(await store.adopt("packs/ab/large", again), false);
      deepStrictEqual(readdirSync(`${folder}/spool`), []);
      Deno.removeSync(folder, { recursive: true });
    },
  });

  Deno.test({
    name: `S3Store on ${personality} keeps stores in one bucket apart`,
    ignore,
    async fn() {
      const server = await s3Server(personality);
      const bucket = await newBucket(server);
      const open = (path: string) =>
        openS3Store(`s3://${bucket}/${path}`, { ...server, env: {} });
      const [one, other] = await Promise.all([
        open("a b/ä+%25 'x'"),
        open("a b"),
      ]);
      await one.create("tags/%4dain/1", pattern(9));
      strictEqual(await one.size("tags/%4dain/1"), 9);
      strictEqual(await other.size("tags/%4dain/1"), undefined);
      deepStrictEqual(await Array.fromAsync(one.list("")), [[
        { name: "tags/%4dain/1", size: 9 },
      ]]);
      deepStrictEqual(await Array.fromAsync(other.list("")), []);
    },
  });

  Deno.test({
    name:
      `S3Store on ${personality} tells an absent bucket from an absent name`,
    ignore,
    async fn() {
      const server = await s3Server(personality);
      const store = await openS3Store("s3://no-such-bucket-here/x", {
        ...server,
        env: {},
      });
      const code = "NoSuchBucket";
      await rejects(store.read("config/1"), { name: "RemoteError", code });
      await rejects(store.size("config/1"), { code });
      await rejects(store.create("config/1", pattern(1)), { code });
      await rejects(Array.fromAsync(store.list("")), { code });
    },
  });
}

for (const personality of ["ceph", "moto"] as const) {
  const ignore = lacksServer(personality);

  Deno.test({
    name: `S3Store on ${personality} uploads whatever answer is lost`,
    ignore,
    async fn() {
      await meddled(
        personality,
        async ({ proxy, store, bucket, bytes, add }) => {
          for (let at = 1;; at++) {
            const name = `packs/ab/lost${at}`;
            proxy.count = 0;
            proxy.fate = (number) => number === at ? "lose" : "pass";
            strictEqual(await store.adopt(name, await add()), true, `${at}`);
            deepStrictEqual(await store.read(name), bytes);
            if (proxy.count < at) break;
          }
          // A begin that the runtime has sent twice by itself is known to nobody.
          ok(await uploadsIn(personality, bucket) <= 1);
        },
      );
    },
  });

  Deno.test({
    name: `S3Store on ${personality} goes on with an upload that was killed`,
    ignore,
    async fn() {
      await meddled(personality, async (scene) => {
        const { proxy, store, options, bucket, bytes, add } = scene;
        for (let at = 2;; at++) {
          const name = `packs/ab/killed${at}`;
          const path = await add();
          proxy.count = proxy.byteCount = 0;
          const isDone = at % 2 === 0;
          const signal = await new Promise((resolve) => {
            const child = spawn(Deno.execPath(), [
              "run",
              "-A",
              "--no-check",
              fileURLToPath(new URL("testdata/adopt_one.ts", import.meta.url)),
              JSON.stringify({
                options,
                name,
                path,
                url: `s3://${bucket}/some/prefix`,
              }),
            ], { stdio: ["ignore", "inherit", "inherit"] });
            child.once("close", (_, signal) => resolve(signal));
            proxy.fate = (number) => {
              if (number === at) child.kill("SIGKILL");
              return number < at ? "pass" : isDone ? "lose" : "drop";
            };
          });
          proxy.fate = () => "pass";
          if (signal !== "SIGKILL") break;
          strictEqual(await store.finishUploads(), 1, `${at}`);
          deepStrictEqual(await store.read(name), bytes);
          // What the server has is not sent again, but for one part.
          ok(proxy.byteCount < bytes.length + partSize + 10_000, `${at}`);
        }
        strictEqual(await uploadsIn(personality, bucket), 0);
      });
    },
  });
}

Deno.test({
  name: "S3Store on ceph says what is wrong with keys",
  ignore: lacksServer("ceph"),
  async fn() {
    const server = await s3Server("ceph");
    const bucket = await newBucket(server);
    const open = (accessKeyId: string, secretAccessKey: string) =>
      openS3Store(`s3://${bucket}`, {
        ...server,
        env: {},
        credentials: { accessKeyId, secretAccessKey },
      });
    await rejects((await open("AKIATEST", "wrong")).read("config/1"), {
      message:
        "Cannot read config/1: the secret key does not fit (403 SignatureDoesNotMatch)",
    });
    await rejects((await open("AKIAOTHER", "wrong")).read("config/1"), {
      message:
        "Cannot read config/1: the access key is not known there (403 InvalidAccessKeyId)",
    });
    const anonymous = await openS3Store(`s3://${bucket}`, {
      endpoint: server.endpoint,
      anonymous: true,
      env: {},
    });
    await rejects(anonymous.read("config/1"), { status: 403 });
  },
});

async function newStore(
  personality: S3Personality,
  options: S3StoreOptions = {},
): Promise<{ store: S3Store; folder: string; bucket: string }> {
  const server = await s3Server(personality);
  const bucket = await newBucket(server);
  const folder = Deno.makeTempDirSync({ prefix: "s3-store-" });
  const store = await openS3Store(`s3://${bucket}/some/prefix`, {
    ...server,
    env: {},
    spool: `${folder}/spool`,
    ...options,
  });
  return { store, folder, bucket };
}

interface Meddled {
  readonly proxy: MeddlingProxy;
  readonly store: S3Store;
  readonly options: S3StoreOptions;
  readonly bucket: string;
  readonly bytes: Uint8Array;
  /** Makes a file of these bytes. */
  add(): Promise<string>;
}

/** A store on a real server, behind a proxy. */
async function meddled(
  personality: S3Personality,
  use: (scene: Meddled) => Promise<void>,
): Promise<void> {
  const server = await s3Server(personality);
  await using proxy = await MeddlingProxy.start(server.endpoint);
  const bytes = pattern(2 * partSize + 777);
  bytes.set(encodeHeader({
    kind: "PACK",
    saveId: new Uint8Array(16).fill(7),
    salt: new Uint8Array(32).fill(9),
  }));
  // moto answers 500 while it is still at work on a call whose sender was killed.
  const retry = { pauseFirstMs: 20 };
  const { store, folder, bucket } = await newStore(personality, {
    endpoint: proxy.endpoint,
    partSize,
    retry,
  });
  const options = {
    endpoint: proxy.endpoint,
    credentials: server.credentials,
    spool: `${folder}/spool`,
    partSize,
    retry,
  };
  const add = async () => {
    const path = await store.spoolPath(SAVE_ID);
    writeFileSync(path, bytes);
    return path;
  };
  await use({ proxy, store, options, bucket, bytes, add });
  Deno.removeSync(folder, { recursive: true });
}

/** How many uploads have not ended. */
async function uploadsIn(
  personality: S3Personality,
  bucket: string,
): Promise<number> {
  const server = await s3Server(personality);
  const response = await signedFetch(server, "GET", `${bucket}?uploads`);
  return (await response.text()).match(/<Upload>/g)?.length ?? 0;
}

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
}
