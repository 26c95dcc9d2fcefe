// Saves, verifies and restores over the packages as a program does that has them installed: runs on
// Deno and on Node, under whatever scope they were published. Prints what came of it.
import process from "node:process";

const { scope, store: path, source, target, workers } = JSON.parse(
  process.argv[2],
);
const load = (entry) => import(`${scope}/${entry}`);
const { wasmHasher } = await load("hash/wasm-hasher");
const { openFileStore } = await load("store/file");
const { encodeDocument } = await load("store/format");
const { DEFAULT_SETTINGS, formatSettings } = await load("snapshot");
const { openSnapshots } = await load("snapshot");
const { identify } = await load("save/identify");
const { save } = await load("save");
const { IgnoreRules } = await load("disk/ignore");
const { verify } = await load("snapshot/verify");
const { restore } = await load("restore");

const MS = Date.UTC(2026, 0, 1);
let drawn = 0;
/** The same bytes in each run. */
const random = (size) => new Uint8Array(size).map(() => ++drawn % 251);

const store = await openFileStore(path, { create: true });
await store.create(
  "config/1",
  encodeDocument({
    kind: "CONF",
    saveId: random(16),
    salt: random(32),
    body: {
      storeId: "00".repeat(16),
      createdAt: "2026-01-01T00:00:00.000000000Z",
      settings: formatSettings({ ...DEFAULT_SETTINGS, codec: "none" }),
    },
  }),
);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
const { id, record, errors, fidelity } = await save(
  snapshots,
  source,
  {
    workers,
    random,
    now: () => MS,
  },
);
const { id: identified } = await identify(source, { hasher: wasmHasher });
const less = await save(snapshots, source, {
  workers,
  random,
  now: () => MS + 1000,
  ignore: new IgnoreRules({ exclude: ["*3*", "/text"] }),
});
const verified = await verify(snapshots, { data: true });
const restored = await restore(snapshots, record, target, { workers });
await snapshots[Symbol.asyncDispose]();
console.log(JSON.stringify({
  id,
  identified,
  lessId: less.id,
  fidelity,
  damageCount: verified.damageCount,
  errors: [...errors, ...less.errors, ...restored.errors].map(({ message }) =>
    message
  ),
}));
