import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  ATTRIBUTES_CONTEXT,
  type HashContext,
  type Hasher,
  IdMismatchError,
  RECIPE_CONTEXT,
  TREE_CONTEXT,
} from "./hasher.ts";
import { idFromBytes, parseId } from "./id.ts";
import { jsHasher } from "./js_hasher.ts";
import { nativeHasher } from "./native.ts";
import { wasmHasher } from "./wasm_hasher.ts";

const HASHERS: readonly Hasher[] = [wasmHasher, jsHasher, nativeHasher()];

/** Known values: size of the content (byte i is i mod 251), hash, tree context. */
const VECTORS: readonly [number, string, string][] = [
  [
    0,
    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    "4bf17a38f9b0f202f8ad2eabbfeb7b804717bf1b3c66f401360049e7bddfa4f4",
  ],
  [
    1,
    "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    "61a17775897c2ad978e5c4c6cbf956d582cbee1c5f60aa1a7fec623811978bd9",
  ],
  [
    63,
    "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b",
    "25abb2aab22a2de2bea809a5b85a28d9b90ba0eec81999eaa6d97cc663b2c865",
  ],
  [
    64,
    "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98",
    "d07e714412d5527be72088c48be10e5eb1aeac67c35bfa670dacc7ba35299631",
  ],
  [
    65,
    "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee",
    "dd98226087718bfd5a766406277224aa39ef2046105014bf16ffce705a58822e",
  ],
  [
    1023,
    "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    "17d73e499e6844793fb736aad4a6bed5421617b6c837af76392625f61e212fd6",
  ],
  [
    1024,
    "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    "7b9bab5700010966fecdbbaeea52e2f722d92ae8b13f62a04a11a6ad910ee1b5",
  ],
  [
    1025,
    "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    "e9632e34acb20f9014b2d23af89251e9e4fad2b984ecff535bbab8f2dfe60e05",
  ],
  [
    2048,
    "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    "c119dc71148601a73bdf81044d7373eb7dadcf56ca4f6e1e48166b6a54958719",
  ],
  [
    2049,
    "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
    "74610d41d78c59ac629d9daf13449aadf17b148ade50c58d7dc77f4394a47e5f",
  ],
  [
    3073,
    "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3",
    "11995e1c745ecd7150eaa908dd1fde2216409de416b656de89a5affaae135e0e",
  ],
  [
    4096,
    "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969",
    "cf7a9b8b5e46791dfb48f17f5848dfdc1d3ea4ba705ca8c5aedf3523b5631624",
  ],
  [
    4097,
    "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995",
    "2e437bfea857660657cff774b5d98f6680933c327db726bab9f13fdabd2acd30",
  ],
  [
    8193,
    "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b",
    "d40d93f99c19305365add87102bbc57139703fa9978e26350ba6acce033b669e",
  ],
  [
    31744,
    "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
    "7de119da6543d049764a22a32ab5d1e26c185b77229a3d36f3f54421f5ee2cd3",
  ],
  [
    65535,
    "de7d0f4c044c56f56e0c5f7ab247be9491c4520e8688f0f0d25406f46fdfbd03",
    "e28e135b77feba8bd0af4710490230625d61eb44be0f398d91ac1fb7007a65e3",
  ],
  [
    65536,
    "68d647e619a930e7b1082f74f334b0c65a315725569bdc123f0ee11881717bfe",
    "fafc93ba0a5da3827455a0a54920f285aa2f41ca2b460d5b7443f7411ba2ae83",
  ],
  [
    65537,
    "7c99f9840a73dfcb6e5bfe4ff6d1558acab7e015640790c26411818bdbe17eca",
    "3c257a4f8691a74a1bc5fe274d5627195215f52baccd0281d9a95e41aec71ac1",
  ],
  [
    131072,
    "306baba93b1a393cbd35172837c98b0f59a41f64e1b2682ae102d8b2534b9e1c",
    "2f1626b26503efeeeddb7b0e76749ebd80a5b565e6fad1f38b9593b3b3ef5b21",
  ],
  [
    131073,
    "f837d4254d24ba3d50fe3743d46e4af6db5f5d6ab0469197d94e7ba1e906c4d8",
    "94210191659e4b0471fdb2c5d10a85a123ee591a0a1637d2a76469903baf1c17",
  ],
  [
    196608,
    "88939057eab3697bc0f667ad559433aad6e7a1bf5172aa28cc5420785b1e368c",
    "3a99916383579a8ff6d3046f98247527e6fc952b80c47bde0ad7fe0403e9f142",
  ],
  [
    196609,
    "24af087e4d878227c008c68e1813d2c10d621f9ffcca0160cf11b9bc5f19a532",
    "15e3e1be96eb23153b0b2c89760883aefc454d7a6a62ebf89303e5d575566614",
  ],
  [
    1048577,
    "2f053cd7472cf0cd2f9adaf45c1180255b91b9a865404a63671a0ee5f792ed33",
    "865c5babcd47096ce60c217227cec7e460fcceff7d54967f37b631eb139bfe64",
  ],
];

const CONTEXT_VECTORS: readonly [HashContext, number, string][] = [
  [
    "snap 1 attributes",
    0,
    "36979e26add9b9d5618c55148a75f1215008554df768563d5d63e6f16052b674",
  ],
  [
    "snap 1 attributes",
    1025,
    "399153f37384ea6931c47635068fd94d032844667cbafeda98ea791abafc3faf",
  ],
  [
    "snap 1 attributes",
    65537,
    "425402a07efbcaef79bff47c1e1be73743927ccf8c582b241f0d475f11a8aa7b",
  ],
  [
    "snap 1 recipe",
    0,
    "7f41d7e370c06e92e656fd76e5099ea807ab7f901ce316e8acd0f8b715700522",
  ],
  [
    "snap 1 recipe",
    1025,
    "3968cca2c9338ad434d586ab8d76e5cfc39afaeb37430412fad3a36f74a48e51",
  ],
  [
    "snap 1 recipe",
    65537,
    "5b36484492ed77b31b7db9a8057cd72aa13d356e2495ea90d56f52d2314535cf",
  ],
];

const content = Uint8Array.from({ length: 1_048_577 }, (_, i) => i % 251);

Deno.test("Hasher names say which code hashes", () => {
  deepStrictEqual(HASHERS.map(({ name }) => name), ["wasm", "js", "native"]);
});

for (const hasher of HASHERS) {
  Deno.test(`${hasher.name}: hashes known content to known ids`, () => {
    const out = new Uint8Array(32);
    for (const [size, id, treeId] of VECTORS) {
      const bytes = content.subarray(0, size);
      strictEqual(hasher.idOf(bytes), id, `${size}`);
      hasher.deriveInto(TREE_CONTEXT, bytes, out);
      strictEqual(idFromBytes(out), treeId, `tree of ${size}`);
    }
    const foo = new TextEncoder().encode("foo\n");
    strictEqual(
      hasher.idOf(foo),
      "49dc870df1de7fd60794cebce449f5ccdae575affaa67a24b62acb03e039db92",
    );
  });

  Deno.test(`${hasher.name}: each context has hashes of its own`, () => {
    const out = new Uint8Array(32);
    for (const [context, size, id] of CONTEXT_VECTORS) {
      const bytes = content.subarray(0, size);
      hasher.deriveInto(context, bytes, out);
      strictEqual(idFromBytes(out), id, `${context}, ${size}`);
      const stream = hasher.deriveStream(context);
      stream.update(bytes);
      strictEqual(stream.digest(), id, `${context}, ${size}, stream`);
    }
  });

  Deno.test(`${hasher.name}: refuses a context that is none of the three`, () => {
    const unknown = "snap 2 tree" as HashContext;
    const out = new Uint8Array(32);
    throws(() => hasher.deriveInto(unknown, content, out), RangeError);
    throws(() => hasher.deriveStream(unknown), {
      name: "RangeError",
      message:
        'Cannot hash under a context that is none of ["snap 1 tree","snap 1 attributes","snap 1 recipe"]: received "snap 2 tree"',
    });
  });

  Deno.test(`${hasher.name}: writes 32 bytes at the offset and no others`, () => {
    const bytes = content.subarray(0, 3000);
    const expected = new Uint8Array(32);
    hasher.hashInto(bytes, expected);
    const out = new Uint8Array(40).fill(0xaa);
    hasher.hashInto(bytes, out, 5);
    deepStrictEqual(out.slice(5, 37), expected);
    deepStrictEqual(
      [...out.slice(0, 5), ...out.slice(37)],
      Array(8).fill(0xaa),
    );
  });

  Deno.test(`${hasher.name}: refuses an output without room`, () => {
    const stream = hasher.stream();
    for (const [size, offset] of [[31, 0], [40, 9], [64, -1], [64, NaN]]) {
      const out = new Uint8Array(size);
      throws(() => hasher.hashInto(content, out, offset), RangeError);
      throws(
        () => hasher.deriveInto(TREE_CONTEXT, content, out, offset),
        RangeError,
      );
      throws(() => stream.digestInto(out, offset), RangeError);
      deepStrictEqual(out, new Uint8Array(size));
    }
  });

  Deno.test(`${hasher.name}: a stream may be digested, fed on and reset`, () => {
    const stream = hasher.stream();
    strictEqual(stream.digest(), hasher.idOf(new Uint8Array()));
    for (const size of [0, 10, 1024, 65_536, 131_072, 131_073, 500_000]) {
      stream.reset();
      stream.update(content.subarray(0, size));
      const half = hasher.idOf(content.subarray(0, size));
      strictEqual(stream.digest(), half);
      strictEqual(stream.digest(), half);
      stream.update(content.subarray(size, 2 * size));
      strictEqual(stream.digest(), hasher.idOf(content.subarray(0, 2 * size)));
    }
  });

  Deno.test(`${hasher.name}: streams and calls do not disturb each other`, () => {
    const streams = [
      hasher.stream(),
      hasher.deriveStream(TREE_CONTEXT),
      hasher.stream(),
    ];
    const out = new Uint8Array(32);
    for (let start = 0, step = 0; start < 300_000; start += 7001, step++) {
      for (const stream of streams) {
        stream.update(content.subarray(start, start + 7001));
      }
      hasher.deriveInto(RECIPE_CONTEXT, content.subarray(0, step * 5000), out);
      if (step % 9 === 0) streams[2].digestInto(out);
    }
    const whole = content.subarray(0, 43 * 7001);
    hasher.deriveInto(TREE_CONTEXT, whole, out);
    deepStrictEqual(
      streams.map((stream) => stream.digest()),
      [hasher.idOf(whole), idFromBytes(out), hasher.idOf(whole)],
    );
  });

  Deno.test(`${hasher.name}: a stream copies what it is given`, () => {
    const piece = content.slice(0, 1000);
    const stream = hasher.stream();
    stream.update(piece);
    piece.fill(0);
    strictEqual(stream.digest(), hasher.idOf(content.subarray(0, 1000)));
  });

  Deno.test(`${hasher.name}: hashes views on shared memory`, () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100_000), 7, 80_000);
    shared.set(content.subarray(0, 80_000));
    const out = new Uint8Array(new SharedArrayBuffer(32));
    hasher.hashInto(shared, out);
    strictEqual(idFromBytes(out), hasher.idOf(content.subarray(0, 80_000)));
    const stream = hasher.stream();
    stream.update(shared);
    strictEqual(stream.digest(), idFromBytes(out));
  });
}

Deno.test("contexts are what the format names", () => {
  deepStrictEqual([TREE_CONTEXT, ATTRIBUTES_CONTEXT, RECIPE_CONTEXT], [
    "snap 1 tree",
    "snap 1 attributes",
    "snap 1 recipe",
  ]);
});

Deno.test("IdMismatchError has both ids", () => {
  const [expected, actual] = [parseId("a".repeat(64)), parseId("b".repeat(64))];
  const error = new IdMismatchError(expected, actual);
  deepStrictEqual([error.expected, error.actual], [expected, actual]);
  strictEqual(error.name, "IdMismatchError");
  strictEqual(
    error.message,
    `Cannot trust bytes: they have id ${actual}, not ${expected}`,
  );
});
