// What tests of saving and restoring share: folders, stores, and a reader that
// trusts nothing but ids.
import { deepStrictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hasher, idToBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { AttributePage, Tree } from "@snap/manifest";
import { EntryKind } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { NamedRecord, SnapshotRecord } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
  type StoreSettings,
} from "@snap/store/format";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "@snap/posix/constants";
import { posix } from "@snap/posix";
import { StatTable } from "@snap/posix/stat-table";
import type { ReadStore, WriteStore } from "@snap/store";
import { type FileStore, openFileStore } from "@snap/store/file";
import { MemoryStore } from "@snap/store/memory";

/** A folder that is gone at the end of its block. */
export class TemporaryFolder implements Disposable {
  readonly path: string;

  constructor(below: string = fastFolder()) {
    this.path = mkdtempSync(join(below, "snap-test-"));
  }

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** In memory where there is such a disk: many small files are made. */
function fastFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK | constants.X_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

/** Settings that make a few bytes go through everything: recipes, several frames, several packs. */
export const SMALL_SETTINGS: StoreSettings = {
  chunk: {
    sizeMin: 512,
    sizeAverage: 1024,
    sizeMax: 4096,
    gearSeed: 0x9e3779b9,
  },
  bundleSizeMax: 8192,
  largeFrameTarget: 4096,
  packSizeTarget: 64 * 1024,
  codec: "lz4",
};

/** Makes a store in a folder. */
export async function makeFileStore(
  path: string,
  settings: StoreSettings = DEFAULT_SETTINGS,
): Promise<FileStore> {
  const store = await openFileStore(path, { create: true });
  await initStore(store, formatSettings(settings));
  return store;
}

/** Opens a store with the hasher that needs nothing. */
export function open<Store extends ReadStore>(
  store: Store,
  hasher: Hasher = wasmHasher,
): Promise<Snapshots<Store>> {
  return openSnapshots(store, { hasher });
}

/** Makes a store and opens it. */
export async function makeSnapshots(
  path: string,
  settings?: StoreSettings,
): Promise<Snapshots<FileStore>> {
  return await open(await makeFileStore(path, settings));
}

/** Makes a store in memory and opens it. */
export async function makeMemorySnapshots(
  settings: StoreSettings = DEFAULT_SETTINGS,
): Promise<Snapshots<MemoryStore>> {
  const store = new MemoryStore();
  await initStore(store, formatSettings(settings));
  return await open(store);
}

/** What an entry is, with all that a snapshot is to bring back. */
export interface Entry {
  readonly kind: string;
  readonly mode: number;
  readonly owner: string;
  readonly mtime: string;
  /** SHA-256 of a file, target of a link, numbers of a device. */
  readonly content: string;
}

/** Entries by path; bytes that are not UTF-8 are kept. */
export type Listing = Map<string, Entry>;

/** Reads all entries of a snapshot through trees, pages and objects. */
export async function readSnapshot(
  snapshots: Snapshots,
  record: SnapshotRecord,
): Promise<Listing> {
  const listing: Listing = new Map();
  await snapshots.refresh();
  const reader = await snapshots.reader();
  await readTree(listing, reader, {
    path: "",
    tree: idToBytes(record.tree),
    page: idToBytes(record.page),
  });
  return listing;
}

interface Place {
  readonly path: string;
  readonly tree: Uint8Array;
  readonly page: Uint8Array;
}

async function readTree(
  listing: Listing,
  reader: StoreReader,
  place: Place,
): Promise<void> {
  const tree = Tree.decode(
    await reader.readObject(place.tree, ObjectKind.tree),
  );
  const page = AttributePage.decode(
    await reader.readObject(place.page, ObjectKind.attributes),
  );
  if (!page.belongsTo(tree, place.tree)) {
    throw new Error(`The page of ${place.path} belongs to another tree`);
  }
  if (place.path === "") {
    listing.set("", entryOf(page, 0, "directory", ""));
  }
  let directories = 0;
  for (let row = 0; row < tree.count; row++) {
    const path = childPath(place.path, tree.name(row));
    const kind = KIND_NAMES[tree.kind(row)];
    const content = await contentOf(reader, tree, row);
    listing.set(path, entryOf(page, row + 1, kind, content));
    if (tree.kind(row) !== EntryKind.directory) continue;
    await readTree(listing, reader, {
      path,
      tree: tree.idBytes(row),
      page: page.pageIdBytes(directories++),
    });
  }
}

const KIND_NAMES: Record<number, string> = Object.fromEntries(
  Object.entries(EntryKind).map(([name, kind]) => [kind, name]),
);

function childPath(path: string, name: Uint8Array): string {
  const text = Buffer.from(name).toString("latin1");
  return path === "" ? text : `${path}/${text}`;
}

function entryOf(
  page: AttributePage,
  row: number,
  kind: string,
  content: string,
): Entry {
  return {
    kind,
    mode: page.mode(row),
    owner: `${page.uid(row)}:${page.gid(row)}`,
    mtime: `${page.mtimeSec(row)}.${page.mtimeNs(row)}`,
    content,
  };
}

async function contentOf(
  reader: StoreReader,
  tree: Tree,
  row: number,
): Promise<string> {
  switch (tree.kind(row)) {
    case EntryKind.file:
    case EntryKind.executable: {
      const id = tree.idBytes(row);
      const size = tree.size(row);
      const bytes = size === 0
        ? new Uint8Array(0)
        : await reader.readObject(id, ObjectKind.content);
      if (bytes.length !== size) throw new Error(`A size lies: ${size}`);
      if (size > 0) await checkRange(reader, id, bytes);
      return digest(bytes);
    }
    case EntryKind.symlink:
      return Buffer.from(tree.target(row)).toString("latin1");
    case EntryKind.characterDevice:
    case EntryKind.blockDevice:
      return `${tree.deviceMajor(row)}:${tree.deviceMinor(row)}`;
    default:
      return "";
  }
}

/** The last bytes, as a mount would read them. */
async function checkRange(
  reader: StoreReader,
  id: Uint8Array,
  bytes: Uint8Array,
): Promise<void> {
  const content = await reader.openContent(id, bytes.length);
  const length = Math.min(10, bytes.length);
  const out = await content.read(bytes.length - length, length);
  if (Buffer.compare(out, bytes.subarray(bytes.length - length)) !== 0) {
    throw new Error("A range is not what the whole is");
  }
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads all entries of a directory of the disk. */
export function readDisk(path: string): Listing {
  const listing: Listing = new Map();
  readDirectory(listing, "", Buffer.from(path));
  return listing;
}

function readDirectory(listing: Listing, path: string, disk: Buffer): void {
  if (path === "") listing.set("", diskEntry(disk)!);
  const names = readdirSync(disk, { encoding: "buffer" });
  names.sort(Buffer.compare);
  for (const name of names) {
    const child = Buffer.concat([disk, Buffer.from("/"), name]);
    const entry = diskEntry(child);
    if (entry === undefined) continue;
    const key = childPath(path, name);
    listing.set(key, entry);
    if (entry.kind === "directory") readDirectory(listing, key, child);
  }
}

/** What there is at a path, unless it is a socket. `node:fs` knows milliseconds only. */
function diskEntry(path: Buffer): Entry | undefined {
  const stats = new StatTable(1);
  const name = Buffer.concat([path, Buffer.from([0])]);
  const result = posix!.statAt(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, stats, 0);
  if (result < 0) throw new Error(`Cannot stat ${path}: found ${result}`);
  const kind = KINDS.get(stats.mode(0) & S_IFMT);
  if (kind === undefined) return undefined;
  const isExecutable = kind === "file" && (stats.mode(0) & 0o100) !== 0;
  return {
    kind: isExecutable ? "executable" : kind,
    mode: stats.mode(0) & 0o7777,
    owner: `${stats.uid(0)}:${stats.gid(0)}`,
    mtime: `${stats.mtimeSec(0)}.${stats.mtimeNs(0)}`,
    content: diskContent(path, kind, stats),
  };
}

const KINDS: ReadonlyMap<number, string> = new Map([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFIFO, "fifo"],
  [S_IFCHR, "characterDevice"],
  [S_IFBLK, "blockDevice"],
]);

function diskContent(path: Buffer, kind: string, stats: StatTable): string {
  if (kind === "file") return digest(readFileSync(path));
  if (kind === "symlink") {
    const target = readlinkSync(path, { encoding: "buffer" });
    return Buffer.from(target).toString("latin1");
  }
  return kind.endsWith("Device")
    ? `${stats.rdevMajor(0)}:${stats.rdevMinor(0)}`
    : "";
}

/** Compares entries, and names those that differ. */
export function sameEntries(actual: Listing, expected: Listing): void {
  const problems: string[] = [];
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const found = JSON.stringify(actual.get(path));
    const wanted = JSON.stringify(expected.get(path));
    if (found !== wanted) problems.push(`${path}: ${found} is not ${wanted}`);
  }
  if (problems.length > 0) throw new Error(problems.slice(0, 5).join("\n"));
}

/** Reads every snapshot of a store in full; gives their number. */
export async function readEverything(snapshots: Snapshots): Promise<number> {
  const records = await snapshots.records();
  for (const record of records) await readSnapshot(snapshots, record);
  return records.length;
}

/** Names in a store, ascending, of those that begin with a prefix. */
export async function namesIn(
  store: ReadStore,
  prefix = "",
): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of store.list(prefix)) {
    for (const { name } of batch) names.push(name);
  }
  return names.sort();
}

/** Files that were left in `tmp/`. */
export function leftovers(store: FileStore | WriteStore): string[] {
  const config = store.localPath!("config/1");
  try {
    const names = readdirSync(join(config, "..", "..", "tmp"));
    // Room for the one who has to make room.
    return names.filter((name) => name !== "reserve");
  } catch {
    return [];
  }
}

/** Reproducible bytes: xorshift. Equal seeds give equal bytes. */
export function noise(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size + 3 & ~3);
  const words = new Uint32Array(bytes.buffer);
  let x = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return bytes.subarray(0, size);
}

/** What is open of a folder, where that can be told; other tests of this process open files, too. */
export function openFilesIn(path: string): string[] {
  if (!existsSync("/proc/self/fd")) return [];
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return []; // Closed meanwhile.
    }
  }).filter((file) => file.startsWith(path));
}

/** Sees that records are the same in two stores, and that all of the second is sound. */
export async function checkSame(
  a: Snapshots,
  b: Snapshots,
  ...records: readonly NamedRecord[]
): Promise<void> {
  await b.refresh();
  for (const record of records) {
    sameEntries(await readSnapshot(b, record), await readSnapshot(a, record));
  }
  deepStrictEqual((await verify(b, { data: true })).damages, []);
}
