import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { FakeTiming } from "../wrap/testdata/fake_timing.ts";
import {
  openS3Objects,
  type S3Objects,
  type S3StoreOptions,
  type WrittenObject,
} from "./mod.ts";
import {
  FakeS3,
  s3Error,
  type Seen,
  type Trouble,
} from "./testdata/fake_s3.ts";
import { pattern } from "./testdata/fake_store.ts";

const KEY = "p/layer.tar";
const PART_SIZE = 1000;
/** Five parts, the last of which is short. */
const content = pattern(4500);
/** What is under way at once, and what is made. */
const AGAIN_MAX = 5 * PART_SIZE;

interface Scene extends AsyncDisposable {
  readonly fake: FakeS3;
  open(options?: S3StoreOptions): Promise<S3Objects>;
}

async function newScene(): Promise<Scene> {
  const fake = await FakeS3.start();
  return {
    fake,
    open: (options = {}) =>
      openS3Objects("s3://bucket/p", {
        endpoint: fake.endpoint,
        credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
        env: {},
        partSize: PART_SIZE,
        timing: new FakeTiming(),
        ...options,
      }),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

/** Writes bytes in pieces that fit no part. */
async function write(
  objects: S3Objects,
  bytes: Uint8Array,
  { isReplacing = false, signal }: {
    isReplacing?: boolean;
    signal?: AbortSignal;
  } = {},
): Promise<WrittenObject> {
  await using writer = objects.write("layer.tar", {
    isReplacing,
    ...signal && { signal },
  });
  for (let at = 0; at < bytes.length; at += 333) {
    await writer.write(bytes.slice(at, at + 333));
  }
  return await writer.finish();
}

async function read(
  objects: S3Objects,
  options: { offset?: number; length?: number } = {},
): Promise<Uint8Array> {
  const pieces = await Array.fromAsync(objects.read("layer.tar", options));
  return new Uint8Array(Buffer.concat(pieces));
}

const isPart = ({ kind }: Seen) => kind === "PUT part";

Deno.test("an object is written in parts while it is made, and one that fits a part in one request", async () => {
  for (const size of [0, 1, PART_SIZE, PART_SIZE + 1, 4500, 5000]) {
    await using scene = await newScene();
    const { fake } = scene;
    const bytes = pattern(size);
    const objects = await scene.open();
    const written = await write(objects, bytes);
    deepStrictEqual(written, { byteCount: size, sentByteCount: size });
    deepStrictEqual(fake.objects.get(KEY), bytes);
    const parts = fake.seen.filter(isPart).map(({ body }) => body.length);
    const count = size > PART_SIZE ? Math.ceil(size / PART_SIZE) : 0;
    strictEqual(parts.length, count);
    deepStrictEqual(await read(objects), bytes);
    strictEqual(await objects.size("layer.tar"), size);
    // Once more it is there, and nothing is sent.
    const again = await write(objects, bytes);
    deepStrictEqual(again, { byteCount: size, sentByteCount: 0 });
    strictEqual(fake.uploads.size, 0);
  }
});

Deno.test("a range of an object is read, and one beyond its end is empty", async () => {
  await using scene = await newScene();
  scene.fake.objects.set(KEY, content);
  const objects = await scene.open();
  const range = await read(objects, { offset: 1000, length: 50 });
  deepStrictEqual(range, content.slice(1000, 1050));
  const end = await read(objects, { offset: 4400, length: 1000 });
  deepStrictEqual(end, content.slice(4400));
  strictEqual((await read(objects, { offset: 9000 })).length, 0);
  strictEqual((await read(objects, { length: 0 })).length, 0);
  await rejects(Array.fromAsync(objects.read("none")), {
    name: "NotFoundError",
  });
  strictEqual(await objects.size("none"), undefined);
});

Deno.test("an object that is replaced while it is read is an error", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  fake.objects.set(KEY, pattern(20 * 1024 * 1024));
  fake.onRequest = ({ number }) => {
    if (number === 3) fake.objects.set(KEY, new Uint8Array(20 * 1024 * 1024));
  };
  await rejects(read(await scene.open()), {
    code: "ESTALE",
    message: "Cannot read layer.tar: it was replaced while it was read",
  });
});

Deno.test("what ends early at each request goes on: no more is sent again than was under way", async () => {
  for (let at = 1;; at++) {
    for (const fate of ["before", "after"]) {
      await using scene = await newScene();
      const { fake } = scene;
      let count = 0;
      const over = new AbortController();
      const dying: typeof fetch = async (...args) => {
        const isLast = ++count === at;
        if (isLast && fate === "before") over.abort();
        over.signal.throwIfAborted();
        const answer = await fetch(...args);
        if (isLast) over.abort();
        return answer;
      };
      const { signal } = over;
      const first = await scene.open({ fetch: dying });
      const ended = await write(first, content, { signal }).catch(() => {});
      const before = sentParts(fake);
      const { sentByteCount } = await write(await scene.open(), content);
      deepStrictEqual(fake.objects.get(KEY), content);
      strictEqual(fake.uploads.size, 0);
      const all = sentParts(fake);
      ok(all <= content.length + AGAIN_MAX, `${at} ${fate}: ${all} bytes`);
      strictEqual(all - before, sentByteCount);
      if (ended !== undefined) {
        ok(at > 9, `it has ended before request ${at}`);
        return;
      }
    }
  }
});

function sentParts(fake: FakeS3): number {
  return fake.seen.filter(isPart).reduce(
    (sum, one) => sum + one.body.length,
    0,
  );
}

const PASSING: Readonly<Record<string, Trouble>> = {
  "its answer is lost": "lose",
  "it is dropped": "drop",
  "its answer is cut": "cut",
  "the server fails": s3Error(500, "InternalError"),
  "the server is busy": s3Error(503, "SlowDown"),
};

for (const [trouble, what] of Object.entries(PASSING)) {
  Deno.test(`an object is written where ${trouble}, at each request`, async () => {
    for (const size of [700, 4500]) {
      for (let at = 1;; at++) {
        await using scene = await newScene();
        const { fake } = scene;
        fake.trouble = ({ number, kind }) => {
          // What ends a connection behind the answer to HEAD has no body to cut.
          if (number !== at || (what === "cut" && /^HEAD/.test(kind))) {
            return undefined;
          }
          return what;
        };
        const bytes = pattern(size);
        await write(await scene.open(), bytes);
        deepStrictEqual(fake.objects.get(KEY), bytes);
        // A begin that the runtime sent twice by itself nobody can know of.
        if (what !== "lose") strictEqual(fake.uploads.size, 0);
        if (fake.seen.length < at) break;
      }
    }
  });
}

Deno.test("the upload of other bytes is not completed, and goes when the object is there", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  const stale = new Uint8Array(content).reverse();
  fake.trouble = ({ kind }) =>
    kind === "POST upload" ? s3Error(403, "AccessDenied") : undefined;
  await rejects(write(await scene.open(), stale), { code: "AccessDenied" });
  // Its first part is the same, another is not.
  const near = content.slice();
  near[2500] ^= 1;
  await rejects(write(await scene.open(), near), { code: "AccessDenied" });
  strictEqual(fake.uploads.size, 2);
  fake.trouble = () => undefined;
  const { sentByteCount } = await write(await scene.open(), content);
  strictEqual(sentByteCount, PART_SIZE);
  deepStrictEqual(fake.objects.get(KEY), content);
  strictEqual(fake.uploads.size, 0);
});

Deno.test("uploads of other keys that begin alike are left alone", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  fake.uploads.set("1", { key: `${KEY}.old`, parts: new Map() });
  fake.uploads.set("2", { key: "p/layer", parts: new Map() });
  await write(await scene.open(), content);
  deepStrictEqual([...fake.uploads.keys()], ["1", "2"]);
});

Deno.test("a server that lists no uploads gets a new one", async () => {
  for (
    const answer of [
      s3Error(403, "AccessDenied"),
      s3Error(501, "NotImplemented"),
    ]
  ) {
    await using scene = await newScene();
    const { fake } = scene;
    fake.trouble = ({ kind }) => kind === "GET uploads" ? answer : undefined;
    await write(await scene.open(), content);
    deepStrictEqual(fake.objects.get(KEY), content);
  }
});

Deno.test("keys that may only write are enough", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  fake.trouble = ({ kind }) =>
    /^(GET|HEAD)/.test(kind) ? s3Error(403, "AccessDenied") : undefined;
  await write(await scene.open(), content);
  deepStrictEqual(fake.objects.get(KEY), content);
});

Deno.test("an object that is there is only replaced if asked for", async () => {
  const others: Record<string, Uint8Array> = {
    "begins otherwise": pattern(4500).reverse(),
    "begins alike": Uint8Array.from([...content.slice(0, 4499), 0]),
    "is shorter": content.slice(0, 3000),
    "is longer": pattern(6000),
    "is of another number of parts": content,
  };
  for (const [name, other] of Object.entries(others)) {
    await using scene = await newScene();
    const { fake } = scene;
    fake.objects.set(KEY, other);
    const objects = await scene.open();
    const refused = {
      code: "EEXIST",
      message: "Cannot write layer.tar: it is there",
    };
    await rejects(write(objects, content), refused, name);
    await rejects(write(objects, content.slice(0, 500)), refused, name);
    strictEqual(sentParts(fake), 0);
    deepStrictEqual(fake.objects.get(KEY), other);
    strictEqual(fake.uploads.size, 0);
    await write(objects, content, { isReplacing: true });
    deepStrictEqual(fake.objects.get(KEY), content);
    const small = content.slice(0, 500);
    await write(objects, small, { isReplacing: true });
    deepStrictEqual(fake.objects.get(KEY), small);
  }
});

Deno.test("an object that comes while another is sent is not replaced", async () => {
  for (const size of [500, 4500]) {
    await using scene = await newScene();
    const { fake } = scene;
    const other = pattern(10).reverse();
    fake.onRequest = ({ kind }) => {
      if (/^PUT/.test(kind)) fake.objects.set(KEY, other);
    };
    await rejects(write(await scene.open(), pattern(size)), { code: "EEXIST" });
    deepStrictEqual(fake.objects.get(KEY), other);
    strictEqual(fake.uploads.size, 0);
  }
});

Deno.test("an upload that others have ended: the same bytes are there, or it is said", async () => {
  // As another program makes it, in the same parts.
  await using elsewhere = await newScene();
  await write(await elsewhere.open(), content);
  const made = elsewhere.fake.objects.get(KEY)!;
  for (const there of [made, undefined]) {
    await using scene = await newScene();
    const { fake } = scene;
    fake.onRequest = ({ query }) => {
      if (query.get("partNumber") !== "4") return;
      fake.uploads.clear();
      if (there !== undefined) fake.objects.set(KEY, there);
    };
    const writing = write(await scene.open(), content);
    if (there === undefined) {
      await rejects(writing, {
        code: "GONE",
        message: "Cannot write layer.tar: its upload was ended by others",
      });
    } else await writing;
    deepStrictEqual(fake.objects.get(KEY), there);
  }
});

Deno.test("a server that loses or swaps bytes is found out", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  fake.trouble = ({ kind }) => {
    if (kind !== "POST upload") return undefined;
    return (answer) => {
      fake.objects.set(KEY, content.slice(1));
      return answer;
    };
  };
  await rejects(write(await scene.open(), content), {
    code: "EPROTO",
    message: /it has other bytes than were sent/,
  });
});

Deno.test("there are no more than 10,000 parts: who says how much comes gets larger ones", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  const objects = await scene.open({ partSize: 1 });
  const bytes = pattern(10_001);
  await using writer = objects.write("layer.tar", { sizeHint: bytes.length });
  await writer.write(bytes);
  await writer.finish();
  deepStrictEqual(fake.objects.get(KEY), bytes);
  strictEqual(sentParts(fake), 0);
});

Deno.test("the first part is there before another one is sent: an upload is known by it", async () => {
  await using scene = await newScene();
  const { fake } = scene;
  fake.trouble = ({ kind, query }) => {
    if (kind !== "PUT part" || query.get("partNumber") !== "1") return;
    return fake.seen.filter(isPart).length < 3 ? "drop" : undefined;
  };
  await write(await scene.open(), content);
  const numbers = fake.seen.filter(isPart)
    .map(({ query }) => Number(query.get("partNumber")));
  deepStrictEqual(numbers.slice(0, 3), [1, 1, 1]);
});
