// Trees with every kind of entry, and descriptions of trees to compare. Not part of the package.
import { FileReader } from "@snap/disk/file";
import { openSource, type SourceDirectory } from "@snap/disk/source";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { decodeExtras } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { posix } from "@snap/posix";
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
import { openFileStore } from "@snap/store/file";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
  type StoreSettings,
} from "@snap/store/format";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import type { NamedRecord } from "@snap/snapshot/records";
import { save } from "@snap/save";
import { openSnapshots, type Snapshots } from "@snap/snapshot";

/** Whether the tests run as root, with native calls. */
export const isRoot: boolean = posix?.geteuid() === 0;

/** A folder for one test, removed at its end. */
export class TestFolder implements Disposable {
  readonly path: string = fs.mkdtempSync(`${tmpdir()}/snap-restore-`);

  /** A path in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** A file in it. */
  file(name: string, content: string | Uint8Array): string {
    const path = this.at(name);
    fs.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    fs.writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true });
  }
}

/** Saves a tree into a store of files; the store is opened again for each call. */
export async function saveTree(
  source: string,
  store: string,
  settings: Partial<StoreSettings> = {},
): Promise<{ snapshots: Snapshots; record: NamedRecord }> {
  const isNew = !fs.existsSync(`${store}/config`);
  const opened = await openFileStore(store, { create: isNew });
  if (isNew) {
    await initStore(
      opened,
      formatSettings({ ...DEFAULT_SETTINGS, ...settings }),
    );
  }
  const snapshots = await openSnapshots(opened, { hasher: wasmHasher });
  const { record } = await save(snapshots, source, { readAll: true });
  await snapshots.refresh();
  return { snapshots, record: record };
}

/** Bytes that do not compress and do not repeat. */
export function noise(size: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let x = (seed << 1) | 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** Text as bytes, one for each character, and NUL. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(`${text}\0`, (letter) => letter.charCodeAt(0));
}

function check(result: number): void {
  if (result < 0) throw new Error(`Cannot make tree: found ${result}`);
}

/** Makes a tree with every kind of entry. Needs root and native calls. */
export function makeFullTree(folder: TestFolder, name: string): string {
  const calls = posix!;
  const root = folder.at(name);
  const file = (path: string, content: string | Uint8Array): string =>
    folder.file(`${name}/${path}`, content);
  file("empty", "");
  file("small", "small\n");
  file("script", "#!/bin/sh\n");
  file("same-1", "equal content");
  file("b/same-2", "equal content");
  file("b/c/300k", noise(300 * 1024, 3));
  file("b/c/3m", noise(3 * 1024 * 1024, 4));
  file("zeros", new Uint8Array(200_000));
  fs.mkdirSync(`${root}/nothing/in/it`, { recursive: true });
  makeSparse(file("sparse", "start"), 2_000_000);
  file("sparse-small", noise(70_000, 9));
  fs.truncateSync(`${root}/sparse-small`, 140_000);
  fs.linkSync(`${root}/small`, `${root}/b/c/linked`);
  fs.linkSync(`${root}/b/c/3m`, `${root}/z-large-linked`);
  fs.symlinkSync("b/c", `${root}/to-directory`);
  fs.symlinkSync("/nowhere/at/all", `${root}/dangling`);
  check(calls.linkAt(
    AT_FDCWD,
    bytesOf(`${root}/dangling`),
    AT_FDCWD,
    bytesOf(`${root}/b/dangling-too`),
    0,
  ));
  check(
    calls.mknodAt(AT_FDCWD, bytesOf(`${root}/fifo`), S_IFIFO | 0o640, 0, 0),
  );
  check(
    calls.mknodAt(AT_FDCWD, bytesOf(`${root}/null`), S_IFCHR | 0o666, 1, 3),
  );
  check(
    calls.mknodAt(AT_FDCWD, bytesOf(`${root}/loop`), S_IFBLK | 0o660, 7, 0),
  );
  check(calls.close(calls.open(bytesOf(`${root}/b/\xff\xfe`), 0o101, 0o600)));
  check(calls.symlinkAt(bytesOf("\xfd"), AT_FDCWD, bytesOf(`${root}/b/\x80l`)));
  setAttributes(root);
  return root;
}

function makeSparse(path: string, size: number): void {
  fs.truncateSync(path, size);
  const fd = fs.openSync(path, "r+");
  fs.writeSync(fd, new Uint8Array(5000).fill(7), 0, 5000, 1_000_000);
  fs.closeSync(fd);
}

function setAttributes(root: string): void {
  const calls = posix!;
  const xattr = (
    path: string,
    key: string,
    value: string | Uint8Array,
  ): void => {
    const bytes = typeof value === "string" ? bytesOf(value) : value;
    check(calls.lsetxattr(bytesOf(`${root}/${path}`), bytesOf(key), bytes));
  };
  xattr("small", "user.note", "hello");
  xattr("b/c/300k", "user.large", noise(3000, 5));
  xattr("b", "user.directory", "yes");
  xattr("empty", "user.empty", "x");
  xattr("dangling", "trusted.link", "t");
  fs.chownSync(`${root}/script`, 1234, 2345);
  fs.chmodSync(`${root}/script`, 0o6755);
  fs.chmodSync(`${root}/small`, 0o400);
  fs.chmodSync(`${root}/nothing`, 0o1777);
  fs.chmodSync(`${root}/b`, 0o2750);
  fs.chownSync(`${root}/b/c`, 12, 13);
  const times: [string, number, number][] = [
    ["b/c/3m", -5, 999_999_999],
    ["b/c/300k", 4_000_000_000, 1],
    ["dangling", 1_000_000_000, 123_456_789],
    ["fifo", 1, 2],
    ["null", 3, 4],
    ["b/c", 1_111_111_111, 111],
    ["b", 1_222_222_222, 222],
    ["nothing/in/it", 1_333_333_333, 333],
    [".", 1_444_444_444, 444],
  ];
  for (const [path, sec, ns] of times) {
    const name = bytesOf(`${root}/${path}`);
    check(calls.utimensAt(AT_FDCWD, name, sec, ns, AT_SYMLINK_NOFOLLOW));
  }
}

/** One line for each entry of a tree, with all that a restore brings back. */
export function describeTree(
  root: string,
  options: { readonly times?: "ms" | "none" } = {},
): string[] {
  using source = openSource(root);
  using reader = new FileReader(source.path);
  using directory = source.root();
  const lines: string[] = [];
  const groups = new Map<string, string>();
  const describe = (one: SourceDirectory): void => {
    for (let i = 0; i < one.count; i++) {
      const path = displayPath(one.pathOf(i));
      const inode = `${one.stats.inodeHigh(i)} ${one.stats.inodeLow(i)}`;
      const isDirectory = one.isDirectory(i);
      if (!groups.has(inode)) groups.set(inode, path);
      const first = isDirectory ? path : groups.get(inode)!;
      lines.push(
        `${path} ${statLine(one, i, options)} =${first} ${
          contentLine(reader, one, i)
        }`,
      );
      if (!isDirectory) continue;
      const child = one.child(i);
      if (child instanceof Error) throw child;
      using open = child;
      describe(open);
    }
  };
  describe(directory);
  const { self } = directory;
  lines.push(`. ${(self.mode(0) & 0o7777).toString(8)} ${self.mtimeSec(0)}`);
  return lines;
}

/** What tells whether anything touched an entry, by path. */
export function marksOf(root: string): Record<string, string> {
  using source = openSource(root);
  using directory = source.root();
  const marks: Record<string, string> = {};
  const visit = (one: SourceDirectory): void => {
    const { stats } = one;
    for (let i = 0; i < one.count; i++) {
      const time = `${stats.ctimeSec(i)}.${stats.ctimeNs(i)}`;
      marks[displayPath(one.pathOf(i))] = `${stats.inodeLow(i)} ${time}`;
      if (!one.isDirectory(i)) continue;
      const child = one.child(i);
      if (child instanceof Error) throw child;
      using open = child;
      visit(open);
    }
  };
  visit(directory);
  return marks;
}

function statLine(
  { stats }: SourceDirectory,
  i: number,
  options: { readonly times?: "ms" | "none" },
): string {
  const isDirectory = (stats.mode(i) & S_IFMT) === S_IFDIR;
  const ns = options.times === "ms"
    ? Math.floor(stats.mtimeNs(i) / 1e6)
    : stats.mtimeNs(i);
  return [
    stats.mode(i).toString(8),
    stats.uid(i),
    stats.gid(i),
    isDirectory ? 0 : stats.size(i),
    isDirectory ? 0 : stats.nlink(i),
    options.times === "none" ? "-" : `${stats.mtimeSec(i)}.${ns}`,
    `${stats.rdevMajor(i)}:${stats.rdevMinor(i)}`,
  ].join(" ");
}

function contentLine(
  reader: FileReader,
  one: SourceDirectory,
  i: number,
): string {
  const mode = one.stats.mode(i) & S_IFMT;
  const idOf = (bytes: Uint8Array) => {
    const id = new Uint8Array(32);
    wasmHasher.hashInto(bytes, id);
    return id;
  };
  if (mode !== S_IFREG) {
    const target = mode === S_IFLNK ? one.targetOf(i) : new Uint8Array(0);
    const extras = one.extrasOf(i, idOf);
    if (target instanceof Error) throw target;
    if (extras instanceof Error) throw extras;
    const found = extras === undefined || extras.length === 0
      ? ""
      : JSON.stringify(decodeExtras(extras));
    return `${displayPath(target)} ${found}`;
  }
  reader.open(one.path, one.name(i));
  const bytes = new Uint8Array(one.stats.size(i));
  reader.read(bytes, 0);
  const extras = reader.extras(one.stats, i, idOf);
  reader.close();
  const found = extras === undefined
    ? ""
    : JSON.stringify(decodeExtras(extras));
  return `${wasmHasher.idOf(bytes)} ${found}`;
}
