// Saves a directory, verifies, restores, and prints what came of it: runs on Node, too.
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { restore } from "@snap/snapshot/restore";
import { save } from "@snap/snapshot/save";
import { openSnapshots } from "@snap/snapshot/snapshots";
import { verify } from "@snap/snapshot/verify";
import { openFileStore } from "@snap/store/file-store";

const [storePath, source, target, workersText] = process.argv.slice(2);
const workers = Number(workersText);
const store = await openFileStore(storePath);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });
const { id, record, totals } = await save(snapshots, source, { workers });
const { damageCount } = await verify(snapshots, { data: true });
const { errors } = await restore(snapshots, record!, target, { workers });
await snapshots[Symbol.asyncDispose]();
console.log(JSON.stringify({
  id,
  fileCount: totals.fileCount,
  damageCount,
  errors: errors.map(({ message }) => message),
}));
