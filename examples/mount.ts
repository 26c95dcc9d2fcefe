// Mounts a snapshot, runs one command in it, and unmounts:
// deno run -A examples/mount.ts STORE SNAPSHOT COMMAND [ARGUMENT]...
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { mount } from "@snap/fuse";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { resolveSnapshot } from "@snap/snapshot/records";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";

const [place, name, command, ...args] = process.argv.slice(2);
const store = await openFileStore(place);
const snapshots = await openSnapshots(store, { hasher });
const record = await resolveSnapshot(snapshots, name);

const mountpoint = await mkdtemp(`${tmpdir()}/snap-example-`);
const mounted = await mount(store, record, { mountpoint, hasher });
try {
  const child = spawn(command, args, { cwd: mountpoint, stdio: "inherit" });
  const [code] = await once(child, "exit");
  process.exitCode = code ?? 1;
} finally {
  await mounted.unmount();
  await rmdir(mountpoint);
  await snapshots.close();
}
