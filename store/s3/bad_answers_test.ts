import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { NotFoundError } from "../errors.ts";
import { encodeHeader } from "../header.ts";
import type { S3Store } from "./mod.ts";
import { type Answer, s3Error, type Trouble } from "./testdata/fake_s3.ts";
import { fakeStore, pattern } from "./testdata/fake_store.ts";

/** A file with a salt, as all files of a store have one. */
const bytes = new Uint8Array(500);
bytes.set(encodeHeader({
  kind: "PACK",
  saveId: new Uint8Array(16).fill(7),
  salt: new Uint8Array(32).fill(9),
}));
bytes.set(pattern(428), 72);

/** Each call of a store, with an answer that is right. */
const CALLS: Readonly<Record<string, (store: S3Store) => Promise<void>>> = {
  create: async (store) => {
    strictEqual(await store.create("index/new", bytes), true);
    deepStrictEqual(await store.read("index/new"), bytes);
  },
  "create of what is there": async (store) => {
    strictEqual(await store.create("index/one", pattern(3)), false);
    deepStrictEqual(await store.read("index/one"), bytes);
  },
  read: async (store) => {
    deepStrictEqual(await store.read("index/one"), bytes);
  },
  "read of a range": async (store) => {
    deepStrictEqual(
      await store.read("index/one", { offset: 7, length: 90 }),
      bytes.subarray(7, 97),
    );
  },
  "read of the rest": async (store) => {
    deepStrictEqual(
      await store.read("index/one", { offset: 7 }),
      bytes.subarray(7),
    );
  },
  "read behind the end": async (store) => {
    strictEqual((await store.read("index/one", { offset: 500 })).length, 0);
    await rejects(store.read("index/one", { offset: 501 }), { code: "SHORT" });
  },
  "read of what is absent": async (store) => {
    await rejects(store.read("index/two"), NotFoundError);
  },
  size: async (store) => {
    strictEqual(await store.size("index/one"), 500);
  },
  "size of an empty file": async (store) => {
    strictEqual(await store.size("index/empty"), 0);
  },
  "size of what is absent": async (store) => {
    strictEqual(await store.size("index/two"), undefined);
  },
  list: async (store) => {
    const names = (await Array.fromAsync(store.list("index/"))).flat()
      .map(({ name }) => name);
    deepStrictEqual(names, ["index/empty", "index/one"]);
  },
  remove: async (store) => {
    await store.remove("index/one");
    strictEqual(await store.size("index/one"), undefined);
  },
};

const PASSING: Readonly<Record<string, Trouble>> = {
  "its answer is lost": "lose",
  "it is dropped": "drop",
  "its answer is cut": "cut",
  "the server fails (500)": s3Error(500, "InternalError"),
  "the server is busy (503)": s3Error(503, "SlowDown"),
  "the server says 429": s3Error(429, "TooManyRequests"),
  "it takes too long (400)": s3Error(400, "RequestTimeout"),
  "a proxy says 502": { status: 502, body: "<html>Bad gateway</html>" },
};

for (const [trouble, what] of Object.entries(PASSING)) {
  Deno.test(`S3Store comes through where ${trouble}, at each request`, async () => {
    for (const [title, call] of Object.entries(CALLS)) {
      for (let at = 1;; at++) {
        await using scene = await fakeStore();
        const { fake, store } = scene;
        fake.objects.set("p/index/one", bytes);
        fake.objects.set("p/index/empty", new Uint8Array(0));
        fake.pageSize = 1;
        let isHidden = false;
        fake.trouble = ({ number, kind }) => {
          if (number !== at) return undefined;
          // An answer to HEAD has no code.
          if (kind === "HEAD object" && typeof what === "object") {
            return { status: 503 };
          }
          // The runtime sends again by itself what a connection that it kept
          // open has swallowed: the store never knows.
          isHidden = number > 1 && typeof what === "string";
          return what;
        };
        await call(store).catch((error) => {
          throw new Error(`${title}, request ${at}`, { cause: error });
        });
        if (fake.seen.length < at) break;
        const { meter } = store;
        if (isHidden && meter.retries === 0) continue;
        strictEqual(meter.requests, fake.seen.length);
        strictEqual(meter.retries, 1, `${title}, request ${at}`);
      }
    }
  });
}

/** An answer in place of the right one, and what the store says. */
const REFUSALS: readonly [string, Trouble, RegExp, string][] = [
  [
    "403",
    s3Error(403, "AccessDenied"),
    /^Cannot \w+ .*: the keys give no right to it \(403 AccessDenied\)$/,
    "AccessDenied",
  ],
  [
    "404 of a bucket",
    s3Error(404, "NoSuchBucket"),
    /: the bucket is not there \(404 NoSuchBucket\)$/,
    "NoSuchBucket",
  ],
  [
    "404 of a proxy",
    {
      status: 404,
      headers: { "content-type": "text/html" },
      body: "<html><p>Not found</html>",
    },
    /: a web page has answered in place of the store \(404\)$/,
    "HTTP404",
  ],
  [
    "a redirect",
    { status: 302, headers: { location: "https://login.example/?x" } },
    /: the server sends elsewhere, to login\.example \(302\)$/,
    "HTTP302",
  ],
  [
    "a portal's page",
    {
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<!doctype html><html><body>Log in</body></html>",
    },
    /: (a web page has answered in place of the store \(200\)|the answer must be .*)$/,
    "EPROTO",
  ],
  [
    "a login that a portal wants",
    { status: 511, body: "Log in" },
    /: the server has answered 511$/,
    "HTTP511",
  ],
];

for (const [title, answer, message, code] of REFUSALS) {
  Deno.test(`S3Store says at once what is wrong: ${title}`, async () => {
    await using scene = await fakeStore();
    const { fake, store, timing } = scene;
    fake.objects.set("p/index/one", bytes);
    fake.trouble = () => answer;
    const calls = [
      () => store.read("index/one"),
      () => store.read("index/one", { offset: 1, length: 5 }),
      () => store.size("index/one"),
      () => store.create("index/two", bytes),
      () => Array.fromAsync(store.list("")),
      () => store.remove("index/one"),
    ];
    for (const call of calls) {
      await rejects(call(), { name: "RemoteError", message, code });
    }
    strictEqual(fake.seen.length, calls.length);
    deepStrictEqual(timing.pauses, []);
    deepStrictEqual([...fake.objects.keys()], ["p/index/one"]);
  });
}

Deno.test("S3Store takes no part of the whole for a range", async () => {
  const wrong: readonly [(answer: Answer) => Answer, RegExp][] = [
    [
      ({ headers }) => ({
        status: 200,
        headers: { etag: headers!.etag },
        body: pattern(100_000_000),
      }),
      /the server answers a range with everything$/,
    ],
    [
      (answer) => ({
        ...answer,
        headers: { ...answer.headers, "content-range": "bytes 0-9/500" },
      }),
      /the range must be 10-19: found 0-9 with 10 bytes$/,
    ],
    [
      (answer) => ({ ...answer, body: pattern(9) }),
      /the range must be 10-19: found 10-19 with 9 bytes$/,
    ],
    [
      (answer) => ({ ...answer, body: pattern(11) }),
      /the range must be 10-19: found 10-19 with 10 bytes$/,
    ],
    [
      ({ headers, ...answer }) => ({
        ...answer,
        headers: { etag: headers!.etag },
      }),
      /the answer does not say which range it is$/,
    ],
  ];
  for (const [change, message] of wrong) {
    await using scene = await fakeStore();
    const { fake, store } = scene;
    fake.objects.set("p/index/one", bytes);
    fake.trouble = () => change;
    const read = store.read("index/one", { offset: 10, length: 10 });
    await rejects(read, { name: "RemoteError", message });
  }
});

Deno.test("S3Store waits at least as long as it is asked to", async () => {
  await using scene = await fakeStore();
  const { fake, store, timing } = scene;
  fake.objects.set("p/index/one", bytes);
  const date = new Date(timing.date() + 60_000).toUTCString();
  const answers = [
    s3Error(429, "TooManyRequests", { "retry-after": "7" }),
    s3Error(503, "SlowDown", { "retry-after": date }),
  ];
  fake.trouble = ({ number }) => answers[number - 1];
  await store.read("index/one");
  const [first, second] = timing.pauses;
  ok(first >= 7000 && first < 8000, `${first}`);
  ok(second > 52_000 && second < 61_000, `${second}`);
  strictEqual(store.meter.throttled, 2);
});

Deno.test("S3Store gives up when it is asked to wait for an hour", async () => {
  await using scene = await fakeStore();
  const { fake, store, timing } = scene;
  fake.trouble = () => s3Error(503, "SlowDown", { "retry-after": "3600" });
  await rejects(store.read("index/one"), {
    message:
      "Cannot read index/one: the server asks for fewer requests (503 SlowDown)",
  });
  deepStrictEqual(timing.pauses, []);
});

Deno.test("S3Store gives up after eight tries, and sooner where nobody ever answered", async () => {
  await using scene = await fakeStore();
  const { fake, store, timing } = scene;
  fake.trouble = () => "drop";
  await rejects(store.read("index/one"), { code: "ECONNRESET" });
  strictEqual(fake.seen.length, 3);
  fake.trouble = () => s3Error(500, "InternalError");
  await rejects(store.read("index/one"), {
    message: "Cannot read index/one: 500 InternalError",
  });
  fake.seen.length = timing.pauses.length = 0;
  timing.chance = 0.999;
  await rejects(store.read("index/one"), { status: 500 });
  strictEqual(fake.seen.length, 8);
  deepStrictEqual(timing.pauses.map((ms) => Math.round(ms)), [
    250,
    500,
    999,
    1998,
    3996,
    7992,
    15984,
  ]);
});

Deno.test("S3Store never takes a conflict for a name that is there", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  fake.trouble = ({ number }) =>
    number < 4 ? s3Error(409, "ConditionalRequestConflict") : undefined;
  strictEqual(await store.create("index/one", bytes), true);
  strictEqual(fake.seen.length, 4);
});

Deno.test("S3Store tells its own lost create from one of another", async () => {
  for (const other of [pattern(499), pattern(500).reverse()]) {
    await using scene = await fakeStore();
    const { fake, store } = scene;
    fake.trouble = ({ number }) => {
      if (number !== 1) return undefined;
      fake.objects.set("p/tags/main/1", other);
      return "drop";
    };
    strictEqual(await store.create("tags/main/1", bytes), false);
    deepStrictEqual(fake.objects.get("p/tags/main/1"), other);
  }
});

Deno.test("S3Store creates again what was removed while it looked", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  fake.trouble = ({ number }) => number === 1 ? "lose" : undefined;
  fake.onRequest = ({ number }) => {
    if (number === 3) fake.objects.clear();
  };
  strictEqual(await store.create("index/one", bytes), true);
  deepStrictEqual(fake.objects.get("p/index/one"), bytes);
});

Deno.test("S3Store signs by the clock of the server, whose answer tells it once", async () => {
  for (const minutes of [-20, 20]) {
    await using scene = await fakeStore();
    const { fake, store, timing } = scene;
    fake.date = () => timing.date() + minutes * 60_000;
    strictEqual(await store.create("index/one", bytes), true);
    strictEqual(fake.seen.length, 2);
    deepStrictEqual(await store.read("index/one"), bytes);
    strictEqual(fake.seen.length, 3);
    deepStrictEqual(timing.pauses, []);
  }
});

Deno.test("S3Store says so where the clocks cannot be brought together", async () => {
  await using scene = await fakeStore();
  const { fake, store, timing } = scene;
  const date = new Date(timing.date()).toUTCString();
  fake.trouble = () => s3Error(403, "RequestTimeTooSkewed", { date });
  await rejects(store.read("index/one"), {
    message:
      "Cannot read index/one: the clock of this machine and that of the server differ (403 RequestTimeTooSkewed)",
  });
  strictEqual(fake.seen.length, 2);
});

Deno.test("S3Store takes the region that the server names", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  fake.objects.set("p/index/one", bytes);
  fake.trouble = ({ headers }) =>
    headers.authorization?.includes("/eu-west-3/s3/")
      ? undefined
      : s3Error(400, "AuthorizationHeaderMalformed", {
        "x-amz-bucket-region": "eu-west-3",
      });
  deepStrictEqual(await store.read("index/one"), bytes);
  deepStrictEqual(await store.read("index/one"), bytes);
  strictEqual(fake.seen.length, 3);
});

Deno.test("S3Store fetches keys anew when the server says that they have ended", async () => {
  let fetched = 0;
  await using scene = await fakeStore({
    credentials: () =>
      Promise.resolve({
        accessKeyId: `AKIA${++fetched}`,
        secretAccessKey: "secret",
        sessionToken: "token",
      }),
  });
  const { fake, store } = scene;
  fake.objects.set("p/index/one", bytes);
  fake.trouble = ({ headers }) => {
    strictEqual(headers["x-amz-security-token"], "token");
    return headers.authorization?.includes("=AKIA2/")
      ? undefined
      : s3Error(400, "ExpiredToken");
  };
  deepStrictEqual(await store.read("index/one"), bytes);
  strictEqual(fetched, 2);
});

Deno.test("S3Store ends a wait for a server that says nothing any more", async () => {
  for (const trouble of ["hang", "stall"] as const) {
    await using scene = await fakeStore();
    const { fake, store, timing } = scene;
    fake.objects.set("p/index/one", bytes);
    fake.trouble = ({ number }) => number === 1 ? trouble : undefined;
    // Once only: the second try has an alarm of its own before the server sees it.
    fake.onRequest = ({ number }) => {
      if (number === 1) setTimeout(() => timing.pass(31_000), 20);
    };
    deepStrictEqual(await store.read("index/one"), bytes);
    strictEqual(fake.seen.length, 2);
    strictEqual(timing.alarmCount, 0);
    strictEqual(store.meter.inFlight, 0);
  }
});

Deno.test("S3Store hears a signal in the middle of an answer and of a pause", async () => {
  await using scene = await fakeStore();
  const { fake, store, timing } = scene;
  fake.objects.set("p/index/one", bytes);
  const reason = new Error("enough");
  for (const trouble of ["hang", "stall"] as const) {
    const stop = new AbortController();
    fake.trouble = () => trouble;
    fake.onRequest = () => setTimeout(() => stop.abort(reason), 5);
    const read = store.read("index/one", { signal: stop.signal });
    await rejects(read, reason);
  }
  const stop = new AbortController();
  fake.onRequest = () => stop.abort(reason);
  fake.trouble = () => s3Error(500, "InternalError");
  await rejects(store.read("index/one", { signal: stop.signal }), reason);
  strictEqual(timing.alarmCount, 0);
  deepStrictEqual(timing.pauses, []);
});

Deno.test("S3Store finds out that a server cannot create only what is absent", async () => {
  const message =
    "Cannot create a name: the server cannot create only what is absent, so that it needs a single writer";
  await using scene = await fakeStore();
  const { fake, store, open } = scene;
  await store.probe();
  fake.isConditional = false;
  await rejects(store.probe(), { message, code: "NO_CONDITION" });
  fake.trouble = ({ headers }) =>
    "if-none-match" in headers ? s3Error(501, "NotImplemented") : undefined;
  await rejects(store.probe(), { code: "NO_CONDITION" });
  await rejects(store.create("index/one", bytes), { code: "NO_CONDITION" });
  strictEqual(fake.objects.size, 0);

  const single = await open({ singleWriter: true });
  await single.probe();
  strictEqual(await single.create("index/one", bytes), true);
  strictEqual(await single.create("index/one", pattern(3)), false);
  deepStrictEqual(await single.read("index/one"), bytes);
});

Deno.test("S3Store notices that its bucket has vanished", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  await store.create("index/one", bytes);
  fake.hasBucket = false;
  const code = "NoSuchBucket";
  await rejects(store.read("index/one"), { code });
  await rejects(store.size("index/one"), { code });
  await rejects(store.remove("index/one"), { code });
  await rejects(Array.fromAsync(store.list("")), { code });
});

Deno.test("S3Store follows no list that goes round", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  const page = (next: string) =>
    `<ListBucketResult><IsTruncated>true</IsTruncated>${next}</ListBucketResult>`;
  const token = "<NextContinuationToken>a</NextContinuationToken>";
  for (const body of [page(""), page(token)]) {
    fake.trouble = () => ({ status: 200, body });
    await rejects(Array.fromAsync(store.list("")), {
      message:
        "Cannot list the store: the server says that a list goes on, and not where",
    });
  }
});

Deno.test("S3Store lists no names of others, and believes no size that is none", async () => {
  await using scene = await fakeStore();
  const { fake, store } = scene;
  for (
    const key of ["p/index/one", "p/README.md", "p/tmp/x", "p/", "q/index/a"]
  ) {
    fake.objects.set(key, bytes);
  }
  deepStrictEqual(await Array.fromAsync(store.list("")), [[
    { name: "index/one", size: 500 },
  ]]);
  fake.trouble = () => (answer) => ({
    ...answer,
    body: String(answer.body).replaceAll("<Size>500", "<Size>-1"),
  });
  await rejects(Array.fromAsync(store.list("")), { code: "EPROTO" });
});

Deno.test("S3Store says why there is no way to a server", async () => {
  await using scene = await fakeStore();
  const { open, fake } = scene;
  const { endpoint } = fake;
  const closed = await open();
  const nowhere = await open({ endpoint: "http://no-such-host.invalid" });
  await fake[Symbol.asyncDispose]();
  await rejects(closed.read("index/one"), {
    message: `Cannot read index/one: the connection is refused (${
      new URL(endpoint).host
    })`,
    code: "ECONNREFUSED",
  });
  await rejects(nowhere.read("index/one"), {
    message:
      "Cannot read index/one: the host cannot be found (no-such-host.invalid)",
    code: "ENOTFOUND",
  });
});
