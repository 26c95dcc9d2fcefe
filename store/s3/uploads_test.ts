import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encodeHeader } from "../header.ts";
import { ownerText, thisOwner } from "../owner/process_owner.ts";
import { s3Error, type Trouble } from "./testdata/fake_s3.ts";
import { type FakeStore, fakeStore, pattern } from "./testdata/fake_store.ts";

const SAVE_ID = "5a".repeat(16);
const NAME = "packs/ab/large";
const KEY = `p/${NAME}`;

/** A pack of five parts, the last of which is short. */
const pack = pattern(4500);
pack.set(encodeHeader({
  kind: "PACK",
  saveId: new Uint8Array(16).fill(7),
  salt: new Uint8Array(32).fill(9),
}));

const PASSING: Readonly<Record<string, Trouble>> = {
  "its answer is lost": "lose",
  "it is dropped": "drop",
  "its answer is cut": "cut",
  "the server fails": s3Error(500, "InternalError"),
  "the server is busy": s3Error(503, "SlowDown"),
  "it says 200 and means an error": {
    ...s3Error(500, "InternalError"),
    status: 200,
  },
};

for (const [trouble, what] of Object.entries(PASSING)) {
  Deno.test(`S3Store uploads in parts where ${trouble}, at each request`, async () => {
    for (let at = 1;; at++) {
      await using scene = await fakeStore();
      const { fake } = scene;
      fake.trouble = ({ number, kind }) => {
        // Only what answers with XML can say 200 and go wrong.
        const isXml = /^POST/.test(kind);
        if (number !== at) return undefined;
        return typeof what === "object" && what.status === 200 && !isXml
          ? undefined
          : what;
      };
      strictEqual(await adoptPack(scene), true);
      deepStrictEqual(fake.objects.get(KEY), pack);
      deepStrictEqual(readdirSync(scene.spool), []);
      if (fake.seen.length < at) break;
      const others = [...fake.uploads.keys()].length;
      // A begin that the runtime sent twice by itself nobody can know of.
      ok(others === 0 || trouble !== "the server is busy", `${others}`);
    }
  });
}

Deno.test("S3Store sends parts of one size", async () => {
  await using scene = await fakeStore();
  const { fake } = scene;
  await adoptPack(scene);
  deepStrictEqual(fake.kinds, [
    "GET object",
    "POST uploads",
    ...Array(5).fill("PUT part"),
    "POST upload",
  ]);
  deepStrictEqual(partSizes(scene), [1000, 1000, 1000, 1000, 500]);
});

Deno.test("S3Store sends larger parts where there would be too many", async () => {
  await using scene = await fakeStore({ partSize: 100 });
  const { store, fake } = scene;
  const path = await store.spoolPath(SAVE_ID);
  writeFileSync(path, new Uint8Array(1_000_100));
  await store.adopt(NAME, path);
  deepStrictEqual(partSizes(scene), [1_000_100]);
  strictEqual(fake.objects.get(KEY)!.length, 1_000_100);
});

Deno.test("S3Store says that a pack is there, and ends the upload of another", async () => {
  await using scene = await fakeStore();
  const { fake } = scene;
  // It comes after the look and before the end.
  fake.onRequest = ({ number }) => {
    if (number === 3) fake.objects.set(KEY, pattern(10));
  };
  strictEqual(await adoptPack(scene), false);
  strictEqual(fake.objects.get(KEY)!.length, 10);
  strictEqual(fake.uploads.size, 0);
  deepStrictEqual(readdirSync(scene.spool), []);
});

Deno.test("S3Store begins anew where an upload has vanished", async () => {
  await using scene = await fakeStore();
  const { fake } = scene;
  fake.onRequest = ({ number }) => {
    if (number === 5) fake.uploads.clear();
  };
  strictEqual(await adoptPack(scene), true);
  deepStrictEqual(fake.objects.get(KEY), pack);
  strictEqual(fake.uploads.size, 0);
});

Deno.test("S3Store begins anew where the server has lost a part", async () => {
  await using scene = await fakeStore();
  const { fake } = scene;
  fake.onRequest = ({ number, kind }) => {
    if (kind !== "POST upload" || number > 8) return;
    for (const { parts } of fake.uploads.values()) parts.delete(2);
  };
  strictEqual(await adoptPack(scene), true);
  deepStrictEqual(fake.objects.get(KEY), pack);
  strictEqual(fake.uploads.size, 0);
});

Deno.test("S3Store leaves nothing of an upload that is refused", async () => {
  await using scene = await fakeStore();
  const { fake } = scene;
  fake.trouble = ({ number, kind }) =>
    number > 4 && kind === "PUT part"
      ? s3Error(403, "AccessDenied")
      : undefined;
  await rejects(adoptPack(scene), {
    message:
      "Cannot store packs/ab/large: the keys give no right to it (403 AccessDenied)",
  });
  strictEqual(fake.uploads.size, 0);
  deepStrictEqual(readdirSync(scene.spool), []);
});

Deno.test("S3Store leaves nothing of an upload that is interrupted", async () => {
  await using scene = await fakeStore();
  const { fake } = scene;
  const stop = new AbortController();
  const reason = new Error("enough");
  fake.onRequest = ({ number }) => {
    if (number === 5) stop.abort(reason);
  };
  await rejects(adoptPack(scene, stop.signal), reason);
  strictEqual(fake.uploads.size, 0);
  deepStrictEqual(readdirSync(scene.spool), []);
});

Deno.test("S3Store keeps for later what it cannot send now", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  let isDown = true;
  fake.trouble = ({ number }) => isDown && number > 4 ? "drop" : undefined;
  await rejects(adoptPack(scene), { code: "ECONNRESET" });
  strictEqual(readdirSync(scene.spool).length, 2);
  await rejects(store.finishUploads(), { code: "ECONNRESET" });
  strictEqual(readdirSync(scene.spool).length, 2);
  isDown = false;
  fake.seen.length = 0;
  strictEqual(await store.finishUploads(), 1);
  deepStrictEqual(fake.objects.get(KEY), pack);
  deepStrictEqual(readdirSync(scene.spool), []);
  // Two parts had arrived.
  deepStrictEqual(partSizes(scene), [1000, 1000, 500]);
  strictEqual(await store.finishUploads(), 0);
});

Deno.test("S3Store killed at any step of an upload goes on with it", async () => {
  for (const isDone of [false, true]) {
    for (let at = 1;; at++) {
      await using scene = await fakeStore();
      const { fake, store } = scene;
      fake.pageSize = 2;
      const path = await store.spoolPath(SAVE_ID);
      writeFileSync(path, pack);
      const isKilled = await killedAt(scene, path, at, isDone);
      if (!isKilled) {
        deepStrictEqual(readdirSync(scene.spool), []);
        break;
      }
      const arrived = [...fake.uploads.values()].map(({ parts }) => parts.size);
      const wasThere = fake.objects.has(KEY);
      fake.seen.length = 0;
      // Before the journal, there is nothing to go on with.
      const count = await store.finishUploads();
      strictEqual(count, at === 1 ? 0 : 1, `request ${at}`);
      if (at === 1) continue;
      deepStrictEqual(fake.objects.get(KEY), pack);
      strictEqual(fake.uploads.size, 0, `request ${at}`);
      deepStrictEqual(readdirSync(scene.spool), []);
      const missing = wasThere ? 0 : 5 - (arrived[0] ?? 0);
      strictEqual(partSizes(scene).length, missing, `request ${at}`);
    }
  }
});

Deno.test("S3Store ends uploads whose answer was lost, however often it is stopped before", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  const path = await store.spoolPath(SAVE_ID);
  writeFileSync(path, pack);
  // The server has begun an upload of which no journal knows.
  await killedAt(scene, path, 2, true);
  strictEqual(fake.uploads.size, 1);
  let isDown = true;
  fake.trouble = ({ kind }) =>
    isDown && kind === "GET uploads" ? "drop" : undefined;
  await rejects(store.finishUploads(), { code: "ECONNRESET" });
  isDown = false;
  strictEqual(await store.finishUploads(), 1);
  deepStrictEqual(fake.objects.get(KEY), pack);
  strictEqual(fake.uploads.size, 0);
});

Deno.test("S3Store sends a part again that the server has otherwise", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  const path = await store.spoolPath(SAVE_ID);
  writeFileSync(path, pack);
  await killedAt(scene, path, 6, false);
  const [upload] = fake.uploads.values();
  strictEqual(upload.parts.size, 3);
  upload.parts.set(1, pattern(1000));
  upload.parts.set(2, pattern(999));
  fake.seen.length = 0;
  strictEqual(await store.finishUploads(), 1);
  deepStrictEqual(fake.objects.get(KEY), pack);
  strictEqual(partSizes(scene).length, 4);
});

Deno.test("S3Store takes no upload from a process that lives, nor of another machine", async () => {
  await using scene = await fakeStore();
  const { fake, store, spool } = scene;
  const path = await store.spoolPath(SAVE_ID);
  writeFileSync(path, pack);
  await killedAt(scene, path, 5, false);
  const [journal] = readdirSync(spool).filter((name) => /journal$/.test(name));
  const [, id] = /^(upload-[0-9a-f]{32})-/.exec(journal)!;
  const parent = Number(
    execFileSync("sh", ["-c", "echo $PPID"], { encoding: "utf8" }),
  );
  strictEqual(parent, Deno.pid);
  const here = thisOwner();
  const others = [
    { ...here, pid: 1, start: startOf(1) },
    { ...here, host: "00000000" },
  ];
  let name = journal;
  for (const owner of others) {
    const next = `${id}-${ownerText(owner)}.journal`;
    renameSync(`${spool}/${name}`, `${spool}/${next}`);
    name = next;
    strictEqual(await store.finishUploads(), 0);
    ok(existsSync(`${spool}/${name}`));
  }
  // What a machine had not written when it went down is not to be sent.
  const before = { ...here, boot: "00000000" };
  renameSync(`${spool}/${name}`, `${spool}/${id}-${ownerText(before)}.journal`);
  strictEqual(await store.finishUploads(), 0);
  deepStrictEqual(readdirSync(spool), []);
  strictEqual(fake.uploads.size, 0);
});

Deno.test("S3Store removes journals that say nothing, and of files that are gone", async () => {
  await using scene = await fakeStore();
  const { store, spool } = scene;
  await store.spoolPath(SAVE_ID);
  const owner = ownerText({ ...thisOwner(), pid: 2 ** 22 + 1, start: "1" });
  const path = (i: number) =>
    `${spool}/upload-${String(i).repeat(32)}-${owner}.journal`;
  writeFileSync(path(1), '{"head":{"name":"pa');
  writeFileSync(
    path(2),
    '{"head":{"name":"packs/ab/x","place":"elsewhere","size":4,"partSize":2}}',
  );
  writeFileSync(path(3), "");
  strictEqual(await store.finishUploads(), 0);
  deepStrictEqual(readdirSync(spool), []);
});

function startOf(pid: number): string {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return text.replace(/^.*\) /s, "").split(" ")[19];
}

async function adoptPack(
  { store }: FakeStore,
  signal?: AbortSignal,
): Promise<boolean> {
  const path = await store.spoolPath(SAVE_ID);
  writeFileSync(path, pack);
  try {
    return await store.adopt(NAME, path, signal && { signal });
  } finally {
    strictEqual(existsSync(path), false);
  }
}

function partSizes({ fake }: FakeStore): number[] {
  return fake.seen.filter(({ kind }) => kind === "PUT part")
    .map(({ body }) => body.length);
}

/**
 * Uploads in a process that is killed at a request, before or after that is done.
 *
 * @returns False if it ended before.
 */
async function killedAt(
  { fake, spool }: FakeStore,
  path: string,
  at: number,
  isDone: boolean,
): Promise<boolean> {
  const program = fileURLToPath(
    new URL("testdata/adopt_one.ts", import.meta.url),
  );
  const options = { endpoint: fake.endpoint, spool };
  const child = spawn(Deno.execPath(), [
    "run",
    "-A",
    "--no-check",
    program,
    JSON.stringify({ options, name: NAME, path }),
  ], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise<string | null>((resolve) =>
    child.once("close", (_, signal) => resolve(signal))
  );
  fake.trouble = ({ number }) => {
    if (number !== at) return undefined;
    if (!isDone) child.kill("SIGKILL");
    // The kill comes before an answer would.
    return isDone
      ? (answer) => {
        child.kill("SIGKILL");
        return answer;
      }
      : "hang";
  };
  const signal = await ended;
  fake.trouble = () => undefined;
  return signal === "SIGKILL";
}

Deno.test("S3Store lists uploads that others have begun, and ends them", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  fake.uploads.set("one", { key: KEY, parts: new Map() });
  fake.uploads.set("elsewhere", { key: "q/packs/ab/other", parts: new Map() });
  const uploads = await store.listUploads();
  deepStrictEqual(uploads.map(({ name }) => name), [NAME]);
  await uploads[0].abort();
  deepStrictEqual([...fake.uploads.keys()], ["elsewhere"]);
});
