// Saves a directory and prints what could not be read: run as another user.
import { displayPath } from "@snap/manifest/path";
import { openFileStore } from "@snap/store/file";
import { open, readSnapshot } from "./_snapshots.ts";
import { save } from "@snap/save";

const [storePath, source, workers] = Deno.args;
await using snapshots = await open(await openFileStore(storePath));
const result = await save(snapshots, source, { workers: Number(workers) });
const listing = await readSnapshot(snapshots, result.record);
console.log(JSON.stringify({
  errors: result.errors.map(({ path, code }) => [displayPath(path), code]),
  unreadable: result.record.unreadable,
  entries: [...listing.keys()],
}));
