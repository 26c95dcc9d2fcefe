import {
  deepStrictEqual,
  match,
  notStrictEqual,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { encodeDocument } from "./document.ts";
import {
  DocumentSyntaxError,
  NotAStoreError,
  UnsupportedVersionError,
} from "../errors.ts";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { LEASES_FEATURE } from "../header.ts";
import { initStore, readConfig } from "./store_config.ts";
import { FaultStore } from "../testing/fault_store.ts";

const saveId = new Uint8Array(16);
const storeId = "0123456789abcdef".repeat(2);
const createdAt = "2026-11-20T05:46:18.000000000Z";

Deno.test("initStore gives a store an identity, a time and its settings", async () => {
  const settings = { chunk: { sizeMin: 8192 }, codec: "lz4" };
  const config = await initStore(new MemoryStore(), settings);
  deepStrictEqual(config.settings, settings);
  strictEqual(config.number, 1);
  strictEqual(config.writeFeatures, LEASES_FEATURE);
  match(config.storeId, /^[0-9a-f]{32}$/);
  match(config.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  notStrictEqual(
    config.storeId,
    (await initStore(new MemoryStore())).storeId,
  );
});

Deno.test("initStore refuses wrong settings before anything is written", async () => {
  const wrong: [unknown, typeof Error][] = [
    [{ codec: "zstd3" }, RangeError],
    [{ codec: "zstd:20" }, RangeError],
    [{ codec: 3 }, TypeError],
    [{ packSizeTarget: "64m" }, TypeError],
    [{ packSizeTarget: 1 }, RangeError],
    [{ chunk: 65536 }, TypeError],
    [{ chunk: [] }, TypeError],
    [{ chunk: null, codec: "lz4:1" }, RangeError],
    [{ chunk: { sizeMax: 1000 } }, RangeError],
    [{ chunk: { size: 4096 } }, TypeError],
    [{ codecs: "lz4" }, TypeError],
    [null, TypeError],
    ["lz4", TypeError],
    [["lz4"], TypeError],
  ];
  const store = new MemoryStore();
  for (const [settings, type] of wrong) {
    await rejects(
      initStore(store, settings as { codec: string }),
      type,
      JSON.stringify(settings),
    );
    await rejects(store.read("config/1"), { name: "NotFoundError" });
  }
  const saveId = "0".repeat(16) as unknown as Uint8Array;
  await rejects(initStore(store, {}, { saveId }), TypeError);
  deepStrictEqual((await initStore(store)).settings, {});
});

Deno.test("initStore leaves racing inits with one config", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "store-test-" });
  try {
    const configs = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const store = await openFileStore(`${folder}/a/store`, {
          create: true,
        });
        return await initStore(store, { packSizeTarget: 4096 + i });
      }),
    );
    for (const config of configs) deepStrictEqual(config, configs[0]);
    deepStrictEqual(
      await readConfig(await openFileStore(`${folder}/a/store`)),
      configs[0],
    );
    deepStrictEqual(
      [...Deno.readDirSync(`${folder}/a/store/tmp`)].map(({ name }) => name),
      [
        "reserve",
      ],
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("readConfig takes the newest config", async () => {
  const store = new MemoryStore();
  for (let number = 1; number <= 4; number++) {
    const body = { storeId, createdAt, settings: { number } };
    await store.create(
      `config/${number}`,
      encodeDocument({ kind: "CONF", saveId, body }),
    );
    deepStrictEqual((await readConfig(store)).settings, { number });
  }
  strictEqual((await readConfig(store)).number, 4);
});

Deno.test("readConfig tells a place that is no store from one that fails", async () => {
  await rejects(
    readConfig(new MemoryStore(), { location: "s3://a/b" }),
    (error) => {
      return error instanceof NotAStoreError && error.location === "s3://a/b" &&
        error.message ===
          "Cannot open s3://a/b as a store: it has no config/1";
    },
  );
  const failing = new FaultStore(new MemoryStore(), {
    at: [{ call: 1, fault: "error" }],
  });
  await rejects(readConfig(failing), { name: "StoreError", code: "EIO" });
});

Deno.test("readConfig refuses a config that is damaged or too new", async () => {
  const bodies: Record<string, unknown>[] = [
    { createdAt, settings: {} },
    { storeId: "0".repeat(31), createdAt, settings: {} },
    { storeId, settings: {} },
    { storeId, createdAt },
    { storeId, createdAt, settings: [] },
  ];
  for (const body of bodies) {
    await rejects(
      readConfig(await storeOf({ body })),
      DocumentSyntaxError,
      JSON.stringify(body),
    );
  }
  const body = { storeId, createdAt, settings: {} };
  await rejects(
    readConfig(await storeOf({ body, readFeatures: 1 })),
    UnsupportedVersionError,
  );
  strictEqual(
    (await readConfig(await storeOf({ body, writeFeatures: 1 }))).writeFeatures,
    1,
  );
});

Deno.test("initStore does not paper over a config that is damaged", async () => {
  const store = new MemoryStore();
  await store.create("config/1", new Uint8Array(10));
  await rejects(initStore(store, {}), DocumentSyntaxError);
});

async function storeOf(
  config: {
    body: Record<string, unknown>;
    readFeatures?: number;
    writeFeatures?: number;
  },
): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.create(
    "config/1",
    encodeDocument({ kind: "CONF", saveId, ...config }),
  );
  return store;
}
