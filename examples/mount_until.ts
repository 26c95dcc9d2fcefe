// Mounts a snapshot until Ctrl-C or SIGTERM comes:
// deno run -A examples/mount_until.ts STORE SNAPSHOT MOUNTPOINT
import { once } from "node:events";
import process from "node:process";
import { mount } from "@snap/fuse";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { resolveSnapshot } from "@snap/snapshot/records";
import { openFileStore } from "@snap/store/file";

const [place, name, mountpoint] = process.argv.slice(2);
const store = await openFileStore(place);
const snapshots = await openSnapshots(store, { hasher });
const record = await resolveSnapshot(snapshots, name);
await snapshots.close();

const mounted = await mount(store, record, { mountpoint, hasher });
console.log(`${record.tree} is at ${mountpoint}`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await mounted.unmount();
