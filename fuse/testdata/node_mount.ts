// Mounts, compares with the source, unmounts, and ends in some way; runs on Node, too:
//   node_mount.ts STORE ID MOUNTPOINT SOURCE local|remote unmount|exit|throw|wait
import { spawn } from "node:child_process";
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { parseId } from "@snap/hash";
import { openFileStore } from "@snap/store/file";
import type { ReadStore } from "@snap/store";
import { mount } from "../mount/mount.ts";

const [path, id, mountpoint, source, where, end] = process.argv.slice(2);
const files = await openFileStore(path);
const remote: ReadStore = {
  read: (name, options) => files.read(name, options),
  size: (name, options) => files.size(name, options),
  list: (prefix, options) => files.list(prefix, options),
};
const store = where === "local" ? files : remote;
const mounted = await mount(store, parseId(id), {
  mountpoint,
  hasher: wasmHasher,
  onLog: ({ message }) => console.log(message),
});
// A program of its own: this thread has to fetch meanwhile.
const diff = spawn("diff", ["-r", source, mountpoint], { stdio: "inherit" });
await new Promise((resolve) => diff.on("close", resolve));
console.log("compared", diff.exitCode);
if (end === "unmount") {
  await mounted.unmount();
  console.log("unmounted", mounted.statistics().parked > 0);
} else if (end === "exit") process.exit(7);
else if (end === "throw") {
  setTimeout(() => {
    throw new Error("Thrown on purpose");
  });
}
