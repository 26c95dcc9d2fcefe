// Keeps the newest snapshots of a store, and removes what only others needed:
// deno run -A examples/thin.ts STORE COUNT
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { forget, parseRules, planRetention } from "@snap/maintenance/forget";
import { prune } from "@snap/maintenance/prune";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";

const [place, count] = process.argv.slice(2);
const store = await openFileStore(place);
const snapshots = await openSnapshots(store, { hasher: wasmHasher });

const rules = parseRules({ "keep-last": Number(count) });
const groups = await planRetention(snapshots, rules);
const judged = groups.flatMap(({ records }) => records);
for (const { record, reasons } of judged) {
  console.log(`${record.tree}: ${reasons.join(", ") || "goes"}`);
}
const gone = judged.filter(({ reasons }) => reasons.length === 0);
await forget(snapshots, gone.map(({ record }) => record), {
  whenNamed: "keep",
});

const report = await prune(snapshots);
console.error(`${report.removedPackCount} packs removed`);
await snapshots.close();
