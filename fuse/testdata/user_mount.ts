// Mounts, lists, unmounts, and says what came of it; run as an ordinary user:
//   deno run -A user_mount.ts STORE ID MOUNTPOINT plain|other|busy|kill
import { closeSync, openSync, readdirSync } from "node:fs";
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { parseId } from "@snap/hash";
import { openFileStore } from "@snap/store/file";
import { mount } from "../mount/mount.ts";
import { findMount, readMountTable } from "../mount/mount_table.ts";

const [path, id, mountpoint, mode] = process.argv.slice(2);
const store = await openFileStore(path);
try {
  const mounted = await mount(store, parseId(id), {
    mountpoint,
    hasher: wasmHasher,
    allowOther: mode === "other",
    onLog: ({ message }) => console.log(message),
  });
  const found = findMount(readMountTable(), mountpoint);
  console.log(readdirSync(mountpoint).join(), found?.type, found?.source);
  if (mode === "kill") process.kill(process.pid, "SIGKILL");
  const fd = mode === "busy" ? openSync(`${mountpoint}/text`, "r") : undefined;
  const gone = mounted.unmount();
  while (findMount(readMountTable(), mountpoint)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (fd !== undefined) closeSync(fd);
  await gone;
  console.log("unmounted");
} catch (error) {
  console.log((error as { code?: string }).code, (error as Error).message);
}
