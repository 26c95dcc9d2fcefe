// What makes the golden stores, and what they hold as text.
import { deepEqual } from "node:assert/strict";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { decodeHoles } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { formatTime } from "@snap/manifest/time";
import { formatEntry } from "@snap/manifest/text";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  S_IFIFO,
} from "@snap/posix/constants";
import { posix } from "@snap/posix";
import type { NamedRecord } from "@snap/snapshot/records";
import { save } from "@snap/save";
import type { StoreSettings } from "@snap/store/format";
import type { Snapshots } from "@snap/snapshot";
import { View, type ViewEntry } from "@snap/snapshot/view";
import type { WriteStore } from "@snap/store";
import { Prng } from "./_prng.ts";
import { noise, TemporaryFolder } from "./_snapshots.ts";

/** The golden stores, each named after its codec. */
export const GOLDEN_NAMES = ["none", "zstd"] as const;
/** Where they lie, those of each version in a folder of its name. */
const GOLDEN_FOLDER: string =
  new URL("testdata/golden", import.meta.url).pathname;
/** The file that lists the golden files of a version, as `b3sum` does. */
export const GOLDEN_SUMS = "b3sums";

/** The versions that golden stores are kept of, oldest first. */
export function goldenVersions(): string[] {
  return readdirSync(GOLDEN_FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory()).map(({ name }) => name)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** Where the golden stores of a version are. */
export function goldenFolder(version: string): string {
  return join(GOLDEN_FOLDER, version);
}

/** The tag that has named both records; its first letter is escaped in store names. */
export const GOLDEN_TAG = "Main";
/** The clock of the first save, in milliseconds since 1970. */
export const GOLDEN_TIME: number = Date.UTC(2026, 11, 1, 12, 0, 0, 123);

/** Small numbers, so that a few bytes need a recipe, many frames and two data packs. */
export function goldenSettings(codec: string): StoreSettings {
  return {
    chunk: {
      sizeMin: 512,
      sizeAverage: 1024,
      sizeMax: 4096,
      gearSeed: 0x9e3779b9,
    },
    bundleSizeMax: 8192,
    largeFrameTarget: 4096,
    packSizeTarget: 32 * 1024,
    codec,
  };
}

/** Where the zeros of the large file begin and end. */
export const ZEROS = { start: 16_001, end: 276_003 } as const;

/** The large file: noise, zeros, noise. */
function largeContent(): Uint8Array {
  const bytes = noise(300_000, 7);
  return bytes.fill(0, ZEROS.start, ZEROS.end);
}

/** The sparse file: a block, a hole, a block. */
const HOLE = { start: 4096, size: 196_608 } as const;

function sparseContent(): Uint8Array {
  const bytes = new Uint8Array(HOLE.start + HOLE.size + 100);
  bytes.set(noise(HOLE.start, 8));
  bytes.set(noise(100, 9), HOLE.start + HOLE.size);
  return bytes;
}

const utf8 = new TextEncoder();

/** The content of every file, by its path with one character for each byte. */
export const GOLDEN_CONTENTS: ReadonlyMap<string, Uint8Array> = new Map([
  ["caf\xe9", utf8.encode("a name in Latin-1\n")],
  ["dir/hard", utf8.encode("some text\n")],
  ["dir/leaf", utf8.encode("leaf\n")],
  ["large", largeContent()],
  ["none", new Uint8Array(0)],
  ["run", utf8.encode("#!/bin/sh\n")],
  ["sparse", sparseContent()],
  ["text", utf8.encode("some text\n")],
]);

/** The extended attributes of `text`: one in the page, one that is content of its own. */
export const GOLDEN_XATTRS: ReadonlyMap<string, Uint8Array> = new Map([
  ["user.large", noise(1500, 10)],
  ["user.mime_type", utf8.encode("text/plain")],
]);

/** Mode and modification time of every entry; of what lies deeper first. */
const ATTRIBUTES: readonly (readonly [string, number, number, number])[] = [
  ["dir/empty", 0o1777, 1_000_000_000, 0],
  ["dir/leaf", 0o600, 1_000_000_001, 999_999_999],
  ["caf\xe9", 0o644, -4, 250_000_000],
  ["dir", 0o750, 1_000_000_002, 1],
  ["fifo", 0o640, 1_000_000_003, 20],
  ["large", 0o444, 1_000_000_004, 300],
  ["link", -1, 1_000_000_005, 4000],
  ["none", 0o644, 1_000_000_006, 50_000],
  ["run", 0o755, 1_000_000_007, 600_000],
  ["sparse", 0o644, 1_000_000_008, 7_000_000],
  ["text", 0o664, 5_000_000_000, 80_000_000],
  ["", 0o755, 1_000_000_009, 900_000_000],
];

/** The path of an entry as the system wants it, with its NUL. */
function systemPath(root: string, path: string): Uint8Array {
  return Buffer.concat([
    Buffer.from(`${root}/`),
    Buffer.from(path, "latin1"),
    Buffer.from([0]),
  ]);
}

/** Says which call of the system failed. */
function check(result: number, what: string): void {
  if (result < 0) throw new Error(`Cannot ${what}: found ${result}`);
}

/** Makes the directory that the golden stores hold. */
export function makeGoldenTree(root: string): void {
  mkdirSync(`${root}/dir/empty`, { recursive: true });
  for (const path of GOLDEN_CONTENTS.keys()) {
    if (path !== "dir/hard") writeFile(root, path);
  }
  linkSync(`${root}/text`, `${root}/dir/hard`);
  symlinkSync("dir/leaf of a tree", `${root}/link`);
  const fifo = systemPath(root, "fifo");
  check(posix!.mknodAt(AT_FDCWD, fifo, S_IFIFO | 0o600, 0, 0), "make a fifo");
  setGoldenXattrs(root, "text");
  for (const [path, mode, sec, ns] of ATTRIBUTES) {
    const name = systemPath(root, path);
    if (mode >= 0) check(posix!.fchmodAt(AT_FDCWD, name, mode), "set a mode");
    setTime(name, sec, ns);
  }
}

/** Writes a file without `node:fs`, which may not take a name that is not UTF-8. */
function writeFile(root: string, path: string): void {
  const bytes = GOLDEN_CONTENTS.get(path)!;
  const flags = O_WRONLY | O_CREAT | O_EXCL;
  const fd = posix!.open(systemPath(root, path), flags, 0o600);
  check(fd, "make a file");
  const hole = path === "sparse" ? HOLE : { start: bytes.length, size: 0 };
  const end = hole.start + hole.size;
  check(posix!.pwrite(fd, bytes.subarray(0, hole.start), 0), "write a file");
  check(posix!.pwrite(fd, bytes.subarray(end), end), "write a file");
  check(posix!.close(fd), "close a file");
}

/** Sets the extended attributes, which not every file system keeps. */
export function setGoldenXattrs(root: string, path: string): void {
  for (const [name, value] of GOLDEN_XATTRS) {
    const bytes = utf8.encode(`${name}\0`);
    const result = posix!.lsetxattr(systemPath(root, path), bytes, value);
    check(result, `set ${name}`);
  }
}

/** A folder where extended attributes are kept, if there is one. */
export function folderWithXattrs(): TemporaryFolder | undefined {
  if (posix === undefined) return undefined;
  for (const below of [undefined, tmpdir()]) {
    const folder = new TemporaryFolder(below);
    try {
      writeFileSync(folder.join("text"), "");
      setGoldenXattrs(folder.path, "text");
      return folder;
    } catch {
      folder[Symbol.dispose]();
    }
  }
  return undefined;
}

/** Whether directories can be made here that have all that the golden one has. */
export function isFull(): boolean {
  using folder = folderWithXattrs();
  return folder !== undefined;
}

function setTime(name: Uint8Array, sec: number, ns: number): void {
  const flags = AT_SYMLINK_NOFOLLOW;
  check(posix!.utimensAt(AT_FDCWD, name, sec, ns, flags), "set a time");
}

/** Makes the difference between the first record and the second. */
export function touchGoldenTree(root: string): void {
  setTime(systemPath(root, "text"), 1_100_000_000, 5);
}

/** Saves the directory as the golden stores have it: what is written depends on nothing else. */
export async function saveGolden(
  snapshots: Snapshots<WriteStore>,
  root: string,
  prng: Prng,
  ms: number,
): Promise<NamedRecord> {
  const { record, errors } = await save(snapshots, root, {
    workers: 0,
    host: "golden",
    user: "nobody",
    message: "Kept for ever",
    program: "snap",
    random: (size) => prng.bytes(size),
    now: () => ms,
  });
  deepEqual(errors, []);
  return record;
}

/** Writes all that the records of a store say, without what differs between stores. */
export async function describeGolden(snapshots: Snapshots): Promise<string> {
  const lines: string[] = [];
  for (const record of (await snapshots.records()).reverse()) {
    const { record: _id, saveId: _saveId, writer: _writer, ...said } = record;
    lines.push(`record ${JSON.stringify(said)}`);
    const view = await View.open(snapshots, record);
    lines.push(...await describeEntry(view, view.root));
    for await (const batch of view.walk().batches()) {
      for (const entry of batch) {
        lines.push(...await describeEntry(view, entry));
      }
    }
  }
  return lines.join("\n") + "\n";
}

/** The line of an entry, and below it what its page says. */
async function describeEntry(view: View, entry: ViewEntry): Promise<string[]> {
  const line = formatEntry(entry, entry.path, {
    treeIds: true,
    attributes: true,
  });
  const { ctimeSec, ctimeNs, uid, gid, nlink, device, inodeLow, inodeHigh } =
    entry.attributes;
  const inode = inodeHigh * 2 ** 32 + inodeLow;
  const changed = formatTime(ctimeSec, ctimeNs);
  const lines = [
    line,
    `  changed ${changed} owner ${uid}:${gid} links ${nlink} device ${device} inode ${inode}`,
  ];
  if (entry.pageId !== undefined) lines.push(`  page ${entry.pageId}`);
  for (const xattr of entry.extras?.xattrs ?? []) {
    const kept = xattr.value === undefined
      ? `content ${hex(xattr.id!)}`
      : displayPath(xattr.value);
    lines.push(`  xattr ${displayPath(xattr.name)} ${xattr.size} ${kept}`);
  }
  const holes = entry.extras?.holes;
  if (holes !== undefined) {
    const pairs = decodeHoles(await view.readExtra(holes));
    lines.push(`  holes ${pairs.join(" ")}`);
  }
  return lines;
}

/** The lines of the first or second record, without what another disk has otherwise. */
export function portableLines(text: string, number: number): string[] {
  const isRoot = posix!.geteuid() === 0;
  const lines = text.split(/^record .*\n/m)[number + 1].trimEnd().split("\n");
  return lines.filter((line) => /^( {2}(xattr user|holes)|\S)/.test(line))
    .map((line) => {
      const fields = line.split(" ");
      if (!isRoot && fields[0] !== "") fields.splice(4, 2);
      return fields.join(" ");
    });
}

/** Lists the golden files as `b3sum` does: the id, two spaces, the path. */
export function goldenSums(folder: string): string[] {
  const sums: string[] = [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || entry.name === GOLDEN_SUMS) continue;
    const path = join(entry.parentPath, entry.name);
    const id = wasmHasher.idOf(readFileSync(path));
    sums.push(`${id}  ${relative(folder, path)}`);
  }
  return sums.sort((a, b) => a.slice(66) < b.slice(66) ? -1 : 1);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Gives the random bytes of a store. */
export function goldenPrng(name: (typeof GOLDEN_NAMES)[number]): Prng {
  return new Prng(1 + GOLDEN_NAMES.indexOf(name));
}
