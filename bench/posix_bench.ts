// Time of the calls that a save makes for each file:
//   deno run -A bench/posix_bench.ts [--small]
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "@snap/posix/constants";
import { posix, posixAbsentReason } from "@snap/posix";
import { StatTable } from "@snap/posix/stat-table";

if (posix === undefined) {
  throw new Error(`Cannot measure calls as ${posixAbsentReason}`);
}
const calls = posix;
const count = Deno.args.includes("--small") ? 100 : 200_000;

const encoder = new TextEncoder();
const dir = calls.open(encoder.encode("/etc\0"), O_RDONLY | O_DIRECTORY, 0);
const name = encoder.encode("passwd\0");
const file = calls.openAt(dir, name, O_RDONLY | O_NOFOLLOW, 0);
const table = new StatTable(16);
const out = new Uint8Array(65536);
const tiny = out.subarray(0, 1);
const list = new Uint8Array(1024);

const benches: Record<string, () => void> = {
  "openAt, close": () =>
    calls.close(calls.openAt(dir, name, O_RDONLY | O_NOFOLLOW, 0)),
  "openAt that fails": () => calls.openAt(AT_FDCWD, name, O_RDONLY, 0),
  "pread of 1 byte": () => calls.pread(file, tiny, 0),
  "pread of 1 KiB": () => calls.pread(file, list, 0),
  "statAt": () => calls.statAt(dir, name, AT_SYMLINK_NOFOLLOW, table, 3),
  "stat": () => calls.stat(file, table, 3),
  "flistxattr": () => calls.flistxattr(file, list),
  "openAt, stat, pread, flistxattr, close": () => {
    const fd = calls.openAt(dir, name, O_RDONLY | O_NOFOLLOW, 0);
    calls.stat(fd, table, 0);
    calls.pread(fd, out, 0);
    calls.flistxattr(fd, list);
    calls.close(fd);
  },
};

for (const [title, call] of Object.entries(benches)) {
  for (let i = 0; i < count / 10; i++) call();
  const start = performance.now();
  for (let i = 0; i < count; i++) call();
  const us = (performance.now() - start) / count * 1000;
  console.log(`${us.toFixed(2).padStart(8)} us  ${title}`);
}
calls.close(file);
calls.close(dir);
