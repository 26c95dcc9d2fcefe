import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { findMount, parseMountTable, readMountTable } from "./mount_table.ts";

const TEXT = [
  "22 28 0:20 / /proc rw,nosuid shared:5 - proc proc rw",
  "40 28 0:50 / /mnt/a\\040b\\134c ro,nosuid,nodev - fuse.snap snap:0123456789ab ro,user_id=0",
  "41 28 0:51 / /mnt/\xc3\xa4\xff ro shared:1 master:2 - fuse.snap snap:all ro",
  "42 40 0:52 / /mnt/a\\040b\\134c rw - tmpfs none rw",
  "broken line",
  "",
].join("\n");

Deno.test("mount table: escapes, optional fields, names that are not UTF-8", () => {
  const entries = parseMountTable(TEXT);
  strictEqual(entries.length, 4);
  deepStrictEqual(entries[1], {
    number: 40,
    device: "0:50",
    mountpointBytes: "/mnt/a b\\c",
    mountpoint: "/mnt/a b\\c",
    type: "fuse.snap",
    source: "snap:0123456789ab",
    options: "ro,user_id=0",
  });
  strictEqual(entries[2].mountpointBytes, "/mnt/\xc3\xa4\xff");
  strictEqual(entries[2].mountpoint, "/mnt/ä\ufffd");
});

Deno.test("mount table: the last mount at a path is what is seen", () => {
  const entries = parseMountTable(TEXT);
  strictEqual(findMount(entries, "/mnt/a b\\c")?.type, "tmpfs");
  strictEqual(findMount(entries, "/mnt"), undefined);
});

Deno.test("mount table: of this process", () => {
  strictEqual(findMount(readMountTable(), "/proc")?.type, "proc");
});
