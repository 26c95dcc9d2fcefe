import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testStore } from "../testing/mod.ts";
import { credentialSource, Keys } from "./credentials.ts";
import { locate, parseS3Url } from "./location.ts";
import { readProfile } from "./profiles.ts";
import { openS3Store, type S3StoreOptions } from "./mod.ts";
import { fakeStore } from "./testdata/fake_store.ts";

testStore("S3Store on a fake server", async () => {
  const scene = await fakeStore();
  return {
    store: scene.store,
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
});

testStore("S3Store with a single writer, with pages of 7", async () => {
  const scene = await fakeStore({ singleWriter: true });
  scene.fake.pageSize = 7;
  return {
    store: scene.store,
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
});

function place(
  url: string,
  options: S3StoreOptions = {},
  env: Record<string, string> = {},
  profile?: Record<string, string>,
): string {
  const map = profile && new Map(Object.entries(profile));
  const { base, region, prefix } = locate(parseS3Url(url), options, env, map);
  return `${base.href} ${region} ${prefix}`;
}

Deno.test("S3Store is reached as options, URL, environment and profile say, in this order", () => {
  strictEqual(
    place("s3://bucket/a/b"),
    "https://bucket.s3.us-east-1.amazonaws.com/ us-east-1 a/b/",
  );
  strictEqual(
    place("s3://with.dot"),
    "https://s3.us-east-1.amazonaws.com/with.dot/ us-east-1 ",
  );
  strictEqual(
    place("s3://b-1?region=cn-north-1"),
    "https://b-1.s3.cn-north-1.amazonaws.com.cn/ cn-north-1 ",
  );
  const layers = [
    { region: "p", endpoint_url: "https://p" },
    { AWS_DEFAULT_REGION: "d", AWS_ENDPOINT_URL: "https://d" },
    { AWS_REGION: "e", AWS_ENDPOINT_URL_S3: "https://e" },
    "?region=u&endpoint=https://u",
    { region: "o", endpoint: "https://o" },
  ] as const;
  const [profile, env, more, query, options] = layers;
  const url = "s3://bucket";
  const found = [
    place(url, {}, {}, profile),
    place(url, {}, env, profile),
    place(url, {}, { ...env, ...more }, profile),
    place(url + query, {}, { ...env, ...more }, profile),
    place(url + query, options, { ...env, ...more }, profile),
  ];
  deepStrictEqual(
    found,
    [..."pdeuo"].map((one) => `https://${one}/bucket/ ${one} `),
  );
});

Deno.test("S3Store has its bucket in the path or in the host", () => {
  const url = "s3://bucket?endpoint=https://host/root/";
  const inPath = "https://host/root/bucket/ us-east-1 ";
  const inHost = "https://bucket.host/root/ us-east-1 ";
  strictEqual(place(url), inPath);
  strictEqual(place(`${url}&path-style=false`), inHost);
  strictEqual(place(url, {}, { SNAP_S3_PATH_STYLE: "0" }), inHost);
  strictEqual(place(url, { pathStyle: false }), inHost);
  strictEqual(place(url, {}, {}, { "s3.addressing_style": "virtual" }), inHost);
  strictEqual(
    place("s3://bucket?path-style=yes"),
    "https://s3.us-east-1.amazonaws.com/bucket/ us-east-1 ",
  );
});

Deno.test("S3Store takes variables that are empty for none", () => {
  const env = {
    AWS_ENDPOINT_URL_S3: "",
    AWS_ENDPOINT_URL: "",
    AWS_REGION: "",
    AWS_DEFAULT_REGION: "",
    SNAP_S3_PATH_STYLE: "",
  };
  strictEqual(place("s3://bucket", {}, env), place("s3://bucket"));
});

Deno.test("S3Store has switches in its URL, which are on without a value", () => {
  const switches = (query: string) => {
    const { isAnonymous, isSingleWriter } = locate(
      parseS3Url(`s3://bucket${query}`),
      {},
      {},
      undefined,
    );
    return [isAnonymous, isSingleWriter];
  };
  deepStrictEqual(switches(""), [false, false]);
  deepStrictEqual(switches("?single-writer"), [false, true]);
  deepStrictEqual(switches("?single-writer=true&anonymous="), [true, true]);
  deepStrictEqual(switches("?anonymous&single-writer=no"), [true, false]);
});

Deno.test("S3Store refuses a URL that cannot be", async () => {
  const urls: readonly [string, RegExp][] = [
    [
      "s3:/bucket",
      /^Cannot open store "s3:\/bucket": it must read s3:\/\/BUCKET\/PREFIX$/,
    ],
    ["s3://", /the name of a bucket is/],
    ["s3://x", /the name of a bucket is/],
    ["s3://bucket/a/../b", /no part of its prefix can be/],
    ["s3://bucket/%zz", /its prefix has a % that no two hex digits follow/],
    [`s3://bucket/${"a".repeat(600)}`, /its prefix has at most 512 bytes/],
    ["s3://bucket?regoin=x", /its parameters are .*: found regoin/],
    ["s3://bucket?endpoint=host:9000", /^Cannot use endpoint "host:9000": it/],
    [
      "s3://bucket?endpoint=https://u:p@host",
      /^Cannot use endpoint "https:\/\/u@host": it/,
    ],
    [
      "s3://bucket?regoin=x&endpoint=https://u:p@host",
      /^Cannot open store "s3:\/\/bucket\?regoin=x&endpoint=https:\/\/u@host": /,
    ],
    [
      "s3://KEY:sec/ret@bucket/x",
      /^Cannot open store "s3:\/\/KEY@bucket\/x": keys have no place in it$/,
    ],
    [
      "s3://bucket?path-style=maybe",
      /^Cannot use path-style: .* found "maybe"$/,
    ],
  ];
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  for (const [url, message] of urls) {
    await rejects(openS3Store(url, { credentials, env: {} }), {
      code: "EINVAL",
      message,
    });
  }
});

const CONFIG = `
# A comment.
[default]
region = eu-north-1 ; another one
[profile  work]
region=eu-west-1
endpoint_url = https://s3.example
s3 =
  addressing_style = path
  max_concurrent_requests = 20
output = json
[profile sso]
sso_session = corp
`;
const CREDENTIALS = `
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = a/b+c==
[work]
aws_access_key_id = AKIAWORK
aws_secret_access_key = secret
aws_session_token = token
region = eu-west-3
`;

async function withProfiles(
  use: (env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "s3-profiles-"));
  const env = {
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
  };
  writeFileSync(env.AWS_CONFIG_FILE, CONFIG);
  writeFileSync(env.AWS_SHARED_CREDENTIALS_FILE, CREDENTIALS);
  try {
    await use(env);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Deno.test("S3Store reads the profiles of the AWS tools", async () => {
  await withProfiles(async (env) => {
    deepStrictEqual(Object.fromEntries((await readProfile("default", env))!), {
      region: "eu-north-1",
      aws_access_key_id: "AKIADEFAULT",
      aws_secret_access_key: "a/b+c==",
    });
    const work = await readProfile("work", env);
    strictEqual(work!.get("region"), "eu-west-3");
    strictEqual(work!.get("s3.addressing_style"), "path");
    strictEqual(work!.get("output"), "json");
    strictEqual(await readProfile("none", env), undefined);
    strictEqual(
      await readProfile("default", { HOME: "/nowhere" }),
      undefined,
    );
  });
});

Deno.test("S3Store takes keys from the environment, a profile that is asked for, or the default one", async () => {
  await withProfiles(async (files) => {
    const keys = {
      AWS_ACCESS_KEY_ID: "AKIAENV",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    const cases: readonly [string, Record<string, string>, string][] = [
      ["s3://bucket", keys, "AKIAENV"],
      ["s3://bucket", {}, "AKIADEFAULT"],
      ["s3://bucket", { AWS_PROFILE: "work" }, "AKIAWORK"],
      ["s3://bucket", { ...keys, AWS_PROFILE: "work" }, "AKIAENV"],
      ["s3://bucket?profile=work", keys, "AKIAWORK"],
    ];
    for (const [url, env, expected] of cases) {
      let seen = "";
      const store = await openS3Store(url, {
        env: { ...files, ...env },
        fetch: (_, init) => {
          seen = new Headers(init!.headers).get("authorization")!;
          return Promise.resolve(new Response(null, { status: 204 }));
        },
      });
      await store.remove("index/one");
      ok(seen.includes(`Credential=${expected}/`), seen);
    }
    await rejects(openS3Store("s3://bucket?profile=none", { env: files }), {
      message: "Cannot find keys for S3: no profile none is in ~/.aws",
    });
  });
});

Deno.test("S3Store asks the AWS SDK only where nothing else has keys", async () => {
  await withProfiles(async (env) => {
    const asked: string[] = [];
    const from = async (profileName: string, isProfileAsked = true) => {
      const profile = await readProfile(profileName, env);
      const source = credentialSource({
        env: {},
        profileName,
        isProfileAsked,
        profile,
        loadChain: (name) => {
          asked.push(name);
          const keys = { accessKeyId: "AKIASDK", secretAccessKey: "secret" };
          return Promise.resolve(() => Promise.resolve(keys));
        },
      });
      return (await source()).accessKeyId;
    };
    strictEqual(await from("work"), "AKIAWORK");
    deepStrictEqual(asked, []);
    strictEqual(await from("sso"), "AKIASDK");
    strictEqual(await from("other", false), "AKIASDK");
    deepStrictEqual(asked, ["sso", "other"]);
  });
});

Deno.test("Keys are fetched once, again before they end, and again after a failure", async () => {
  let date = 0, fetched = 0, fails = true;
  const keys = new Keys(() => {
    fetched++;
    if (fails) return Promise.reject(new Error("no"));
    return Promise.resolve({
      accessKeyId: `${fetched}`,
      secretAccessKey: "secret",
      expiration: new Date(date + 3_600_000),
    });
  }, () => date);
  await rejects(keys.get(), /no/);
  fails = false;
  await Promise.all([keys.get(), keys.get()]);
  strictEqual(fetched, 2);
  date = 3_200_000;
  strictEqual((await keys.get()).accessKeyId, "2");
  date = 3_400_000;
  strictEqual((await keys.get()).accessKeyId, "3");
});

Deno.test("S3Store signs nothing where anybody may read", async () => {
  let headers = new Headers();
  const store = await openS3Store("s3://bucket?anonymous=true", {
    env: {},
    fetch: (_, init) => {
      headers = new Headers(init!.headers);
      return Promise.resolve(new Response("abc", { headers: { etag: "x" } }));
    },
  });
  strictEqual((await store.read("config/1")).length, 3);
  strictEqual(headers.has("authorization"), false);
});
