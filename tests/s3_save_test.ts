// Saves into a bucket of a real server: killed, interrupted, on a full disk.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import { StoreError } from "@snap/store";
import { formatSettings, initStore } from "@snap/store/format";
import { openS3Store, type S3Store, type S3StoreOptions } from "@snap/store/s3";
import { canMount, mountTmpfs, unmount } from "./_tmpfs.ts";
import { Prng, seedOfRun } from "./_prng.ts";
import { deadlyFetch, type Moment } from "./_deadly_fetch.ts";
import type { S3Place } from "./_s3_crash_save.ts";
import { lacksServer, newBucket, s3Server, signedFetch } from "./_s3_server.ts";
import {
  noise,
  open,
  readDisk,
  readEverything,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

const PROGRAM = new URL("./_s3_crash_save.ts", import.meta.url).pathname;
const MIB = 1024 * 1024;
/** Saves that are killed; more with an environment variable. */
const KILL_COUNT = Number(Deno.env.get("SNAP_KILLS") ?? 4);
/** The smallest part that real servers take. */
const PART_SIZE = 5 * MIB;
/** Packs of three parts, so that most moments lie within an upload. */
const SETTINGS = {
  ...SMALL_SETTINGS,
  chunk: { ...SMALL_SETTINGS.chunk, sizeAverage: 16384, sizeMax: 65536 },
  bundleSizeMax: 512 * 1024,
  packSizeTarget: 12 * MIB,
  codec: "none",
};
/**
 * What a kill makes go again, in bytes. Trees that a killed save has sent are sent
 * again, as only a record proves that they are whole; each pack has a head and a
 * table, and each upload some XML.
 */
const AGAIN_MAX = 256 * 1024;
const ignore = lacksServer("ceph");

function makeSource(path: string): void {
  for (let i = 0; i < 8; i++) {
    mkdirSync(join(path, `${i}`), { recursive: true });
    for (let k = 0; k < 40; k++) {
      const content = noise(60_000 + 1000 * k, 100 * i + k + 1);
      writeFileSync(join(path, `${i}`, `${k}`), content);
    }
  }
  writeFileSync(join(path, "large"), noise(20 * MIB, 9999));
}

/** A bucket with an empty store, and a folder. */
class Scene implements Disposable {
  readonly folder: TemporaryFolder = new TemporaryFolder();
  readonly bucket: string;
  readonly place: S3Place;

  constructor(bucket: string, server: S3Place["server"]) {
    this.bucket = bucket;
    this.place = {
      url: `s3://${bucket}/some/prefix`,
      server,
      spool: this.folder.join("spool"),
      partSize: PART_SIZE,
      source: this.folder.join("source"),
      workers: 2,
      indexByteCount: 24 * MIB,
    };
  }

  static async make(): Promise<Scene> {
    const server = await s3Server("ceph");
    const scene = new Scene(await newBucket(server), server);
    await initStore(await scene.open(), formatSettings(SETTINGS));
    return scene;
  }

  async open(options: S3StoreOptions = {}): Promise<S3Store> {
    const { url, server, spool, partSize } = this.place;
    return await openS3Store(url, {
      ...server,
      env: {},
      spool,
      partSize,
      ...options,
    });
  }

  /** Names of files that wait for an upload. */
  spooled(): string[] {
    const { spool } = this.place;
    return existsSync(spool) ? readdirSync(spool) : [];
  }

  /** Bytes that the server has of packs and tables, whole or not. */
  async arrived(): Promise<{ bytes: number; uploads: number }> {
    let bytes = 0, uploads = 0;
    for await (const batch of (await this.open()).list("")) {
      for (const { name, size } of batch) {
        if (!name.startsWith("config/")) bytes += size;
      }
    }
    const list = await this.#ask(`${this.bucket}?uploads`);
    for (const [, upload] of list.matchAll(/<Upload>(.*?)<\/Upload>/gs)) {
      const key = textIn(upload, "Key"), id = textIn(upload, "UploadId");
      const path = `${this.bucket}/${key}?uploadId=${encodeURIComponent(id)}`;
      const parts = await this.#ask(path);
      for (const [, part] of parts.matchAll(/<Part>(.*?)<\/Part>/gs)) {
        bytes += Number(textIn(part, "Size"));
      }
      uploads++;
    }
    return { bytes, uploads };

    function textIn(xml: string, name: string): string {
      return new RegExp(`<${name}>(.*?)</${name}>`).exec(xml)![1];
    }
  }

  async #ask(path: string): Promise<string> {
    return await (await signedFetch(this.place.server, "GET", path)).text();
  }

  /** What a save has sent, and how many requests it made. */
  async save(store: S3Store): Promise<{ sent: number; requests: number }> {
    await using snapshots = await open(store);
    const { source, workers, indexByteCount } = this.place;
    const { errors } = await save(snapshots, source, {
      workers,
      indexByteCount,
    });
    deepEqual(errors, []);
    const { bytesOut: sent, requests } = store.meter;
    return { sent, requests };
  }

  /** Saves in a process that kills itself; tells whether it did. */
  async killedSave(moment: Moment): Promise<boolean> {
    const { place } = this;
    const plan = JSON.stringify({ place, moment });
    const args = ["run", "-A", "--no-check", PROGRAM, plan];
    const { success, signal, stderr } = await new Deno.Command(
      Deno.execPath(),
      { args, stdout: "null", stderr: "piped" },
    ).output();
    ok(success || signal === "SIGKILL", new TextDecoder().decode(stderr));
    return !success;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

async function checkWhole(
  snapshots: Snapshots<S3Store>,
  { folder, place }: Scene,
): Promise<void> {
  deepEqual((await verify(snapshots, { data: true })).damages, []);
  const [record] = await snapshots.records();
  const target = folder.join("target");
  deepEqual((await restore(snapshots, record, target)).errors, []);
  sameEntries(readDisk(target), readDisk(place.source));
  rmSync(target, { recursive: true });
}

Deno.test({
  name:
    "save into a bucket that is killed at any moment is gone on with: what has arrived is not sent again",
  ignore,
  async fn() {
    const prng = new Prng(seedOfRun());
    using first = await Scene.make();
    makeSource(first.place.source);
    const whole = await first.save(await first.open());
    let killed = 0;
    for (let i = 0; i < KILL_COUNT; i++) {
      using scene = await Scene.make();
      const { source } = first.place;
      Object.assign(scene.place, { source });
      const moments: Moment[] = [];
      let kills = 0;
      for (let k = prng.below(4) === 0 ? 2 : 1; k > 0; k--) {
        const moment: Moment = {
          request: 1 + prng.below(whole.requests),
          phase: prng.pick(["before", "within", "after"]),
          rounds: 1 + prng.below(60),
        };
        moments.push(moment);
        if (await scene.killedSave(moment)) kills++;
      }
      const title = `seed ${prng.seed}, kills ${JSON.stringify(moments)}`;
      killed += kills;
      // Whatever can be named is whole.
      const store = await scene.open();
      const before = await open(await scene.open());
      await readEverything(before);
      await before[Symbol.asyncDispose]();
      const { bytes } = await scene.arrived();
      const { sent } = await scene.save(store);
      const again = bytes + sent - whole.sent;
      ok(
        again <= Math.max(1, kills) * AGAIN_MAX,
        `${again} bytes again, ${title}`,
      );
      deepEqual(scene.spooled(), [], title);
      equal((await scene.arrived()).uploads, 0, title);
      await using snapshots = await open(store);
      await checkWhole(snapshots, scene);
    }
    ok(killed > KILL_COUNT / 2, `${killed} kills`);
  },
});

Deno.test({
  name: "save into a bucket that is interrupted leaves nothing half",
  ignore,
  async fn() {
    using scene = await Scene.make();
    makeSource(scene.place.source);
    const { source, workers } = scene.place;
    for (const request of [2, 8, 16]) {
      const interrupt = new AbortController();
      const reason = new Error("interrupted");
      const moment = { request, phase: "within", rounds: 5 } as const;
      const store = await scene.open({
        fetch: deadlyFetch(moment, () => interrupt.abort(reason)),
      });
      await using snapshots = await open(store);
      const { signal } = interrupt;
      await rejects(save(snapshots, source, { workers, signal }), reason);
      deepEqual(scene.spooled(), []);
      equal((await scene.arrived()).uploads, 0);
      deepEqual(await snapshots.records(), []);
    }
    const store = await scene.open();
    await scene.save(store);
    await using snapshots = await open(store);
    await checkWhole(snapshots, scene);
  },
});

Deno.test({
  name:
    "save into a bucket says that the disk of its spool is full, and leaves nothing there",
  ignore: ignore || !canMount(),
  async fn() {
    using scene = await Scene.make();
    makeSource(scene.place.source);
    const { source, spool } = scene.place;
    for (const workers of [0, 2]) {
      mountTmpfs(spool, "8m");
      try {
        await using snapshots = await open(await scene.open());
        await rejects(save(snapshots, source, { workers }), (error) => {
          ok(error instanceof StoreError, String(error));
          equal(error.code, "ENOSPC");
          ok(error.path?.startsWith(spool), error.path);
          ok(/no space is left|is full/.test(error.message), error.message);
          return true;
        });
        deepEqual(scene.spooled(), []);
        equal((await scene.arrived()).uploads, 0);
      } finally {
        unmount(spool);
      }
    }
  },
});
