// Saves a directory, and says what has become of it since it was last saved:
// deno run -A examples/save_and_diff.ts DIRECTORY STORE
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { displayPath } from "@snap/manifest/path";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import { save } from "@snap/save";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";

const [directory, place] = process.argv.slice(2);
const store = await openFileStore(place, { create: true });
await initStore(store, formatSettings(DEFAULT_SETTINGS));
const snapshots = await openSnapshots(store, { hasher: wasmHasher });

const [before] = await snapshots.records();
const { record: after } = await save(snapshots, directory);
if (before !== undefined && after !== undefined) {
  await snapshots.refresh();
  const reader = await snapshots.reader();
  const changes = diffSnapshots(
    snapshotSide(reader, before, { attributes: false }),
    snapshotSide(reader, after, { attributes: false }),
  );
  for await (const { kind, path } of changes) {
    console.log(`${kind} ${displayPath(path)}`);
  }
}
await snapshots.close();
