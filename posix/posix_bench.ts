// Time of the calls that a save makes for each file: `deno bench -A posix/posix_bench.ts`.
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "./flags.ts";
import { posix, posixAbsentReason } from "./posix.ts";
import { StatTable } from "./stat_table.ts";

if (posix === undefined) {
  throw new Error(`Cannot measure calls as ${posixAbsentReason}`);
}
const calls = posix;

const encoder = new TextEncoder();
const dir = calls.open(encoder.encode("/etc\0"), O_RDONLY | O_DIRECTORY, 0);
const name = encoder.encode("passwd\0");
const fd = calls.openAt(dir, name, O_RDONLY | O_NOFOLLOW, 0);
const table = new StatTable(16);
const out = new Uint8Array(65536);
const tiny = out.subarray(0, 1);
const list = new Uint8Array(1024);

Deno.bench("openAt, close", () => {
  calls.close(calls.openAt(dir, name, O_RDONLY | O_NOFOLLOW, 0));
});
Deno.bench(
  "openAt that fails",
  () => void calls.openAt(AT_FDCWD, name, O_RDONLY, 0),
);
Deno.bench("pread of 1 byte", () => void calls.pread(fd, tiny, 0));
Deno.bench("pread of 1 KiB", () => void calls.pread(fd, list, 0));
Deno.bench(
  "statAt",
  () => void calls.statAt(dir, name, AT_SYMLINK_NOFOLLOW, table, 3),
);
Deno.bench("stat", () => void calls.stat(fd, table, 3));
Deno.bench("flistxattr", () => void calls.flistxattr(fd, list));
Deno.bench("one small file: openAt, stat, pread, flistxattr, close", () => {
  const fd = calls.openAt(dir, name, O_RDONLY | O_NOFOLLOW, 0);
  calls.stat(fd, table, 0);
  calls.pread(fd, out, 0);
  calls.flistxattr(fd, list);
  calls.close(fd);
});
