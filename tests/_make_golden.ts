// Makes the golden stores of a version that is about to be released. Run by hand:
//
//     deno run -A tests/_make_golden.ts [VERSION]
//
// Inodes and change times are those of the machine, so no run makes the same tree
// packs again.
import { equal } from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readPackages } from "../_tools/workspace.ts";
import { encodeDocument, formatSettings, timeText } from "@snap/store/format";
import type { Snapshots } from "@snap/snapshot";
import { tagSnapshot } from "@snap/snapshot/records";
import { LEASES_FEATURE } from "@snap/store";
import { type FileStore, openFileStore } from "@snap/store/file";
import {
  describeGolden,
  GOLDEN_NAMES,
  GOLDEN_SUMS,
  GOLDEN_TAG,
  GOLDEN_TIME,
  goldenFolder,
  goldenPrng,
  goldenSettings,
  goldenSums,
  makeGoldenTree,
  saveGolden,
  touchGoldenTree,
} from "./_golden.ts";
import type { Prng } from "./_prng.ts";
import { namesIn, open, TemporaryFolder } from "./_snapshots.ts";

const CODECS = { none: "none", zstd: "zstd:3" } as const;
const HOUR_MS = 3_600_000;

/** Makes a store whose config is the same in each run. */
async function makeStore(
  path: string,
  codec: string,
  prng: Prng,
): Promise<Snapshots<FileStore>> {
  const store = await openFileStore(path, { create: true });
  const config = encodeDocument({
    kind: "CONF",
    writeFeatures: LEASES_FEATURE,
    saveId: prng.bytes(16),
    salt: prng.bytes(32),
    body: {
      storeId: Buffer.from(prng.bytes(16)).toString("hex"),
      createdAt: timeText(GOLDEN_TIME),
      settings: formatSettings(goldenSettings(codec)),
    },
  });
  equal(await store.create("config/1", config), true);
  return await open(store);
}

/** Copies the files of a store, and nothing else of it. */
async function copyStore(store: FileStore, to: string): Promise<void> {
  for (const name of await namesIn(store)) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), await store.read(name));
  }
}

/**
 * Makes the golden stores, their manifest, and the list of all files.
 *
 * @param to The folder, which must not have them.
 * @param source Where the directory that is saved is made; it must not be there.
 */
export async function makeGolden(to: string, source: string): Promise<void> {
  for (const name of [...GOLDEN_NAMES, "manifest.txt"]) {
    if (!existsSync(join(to, name))) continue;
    throw new Error(
      `Cannot make golden files as they are never made twice: found ${name} in ${to}`,
    );
  }
  mkdirSync(source);
  try {
    makeGoldenTree(source);
    await saveAll(to, source);
  } finally {
    rmSync(source, { recursive: true });
  }
}

async function saveAll(to: string, source: string): Promise<void> {
  using folder = new TemporaryFolder();
  const stores = await Promise.all(GOLDEN_NAMES.map(async (name) => {
    const prng = goldenPrng(name);
    const path = folder.join(name);
    const snapshots = await makeStore(path, CODECS[name], prng);
    return { name, prng, snapshots };
  }));
  for (const ms of [GOLDEN_TIME, GOLDEN_TIME + HOUR_MS]) {
    for (const { snapshots, prng } of stores) {
      const record = await saveGolden(snapshots, source, prng, ms);
      await tagSnapshot(snapshots, GOLDEN_TAG, record, {
        saveId: Buffer.from(record.saveId, "hex"),
        now: () => ms,
      });
    }
    touchGoldenTree(source);
  }
  const texts: string[] = [];
  for (const { name, snapshots } of stores) {
    texts.push(await describeGolden(snapshots));
    await copyStore(snapshots.store, join(to, name));
    await snapshots[Symbol.asyncDispose]();
  }
  equal(texts[0], texts[1]);
  writeFileSync(join(to, "manifest.txt"), texts[0]);
  writeFileSync(join(to, GOLDEN_SUMS), `${goldenSums(to).join("\n")}\n`);
}

if (import.meta.main) {
  const version = Deno.args[0] ?? readPackages()[0].version;
  // Short, as the records keep it for ever.
  await makeGolden(goldenFolder(version), "/tmp/snap-golden");
}
