// A tree with every kind of entry, and all that may happen to it after a restore. Not part of the package.
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { displayPath } from "@snap/manifest/path";
import { posix } from "@snap/posix";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  S_IFCHR,
  S_IFIFO,
} from "@snap/posix/constants";
import * as fs from "node:fs";
import { bytesOf, noise } from "./_test_trees.ts";
import { identify } from "@snap/save/identify";
import type { NamedRecord } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";

function check(result: number): void {
  if (result < 0) throw new Error(`Cannot change tree: found ${result}`);
}

function xattr(path: string, name: string, value: string | Uint8Array): void {
  const bytes = typeof value === "string" ? bytesOf(value) : value;
  check(posix!.lsetxattr(bytesOf(path), bytesOf(name), bytes));
}

/** An access control list that gives the user 1600 all rights, as the kernel keeps it. */
function acl(): Uint8Array {
  const rows = [
    [0x01, 7, 0xffffffff],
    [0x02, 7, 1600],
    [0x04, 5, 0xffffffff],
    [0x10, 7, 0xffffffff],
    [0x20, 5, 0xffffffff],
  ];
  const bytes = new DataView(new ArrayBuffer(4 + 8 * rows.length));
  bytes.setUint32(0, 2, true);
  rows.forEach(([tag, rights, id], i) => {
    bytes.setUint16(4 + 8 * i, tag, true);
    bytes.setUint16(6 + 8 * i, rights, true);
    bytes.setUint32(8 + 8 * i, id, true);
  });
  return new Uint8Array(bytes.buffer);
}

/** Gives a directory an access control list that all that is made in it inherits. */
export function setDefaultAcl(path: string): void {
  xattr(path, "system.posix_acl_default", acl());
}

/** Sets the time of an entry, a link's own. */
export function touch(path: string, seconds: number): void {
  const flags = AT_SYMLINK_NOFOLLOW;
  check(posix!.utimensAt(AT_FDCWD, bytesOf(path), seconds, 7, flags));
}

/** Does something to an entry that leaves its time and that of its directory. */
function quietly(path: string, act: (path: string) => void): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  const before = fs.lstatSync(parent).mtimeMs / 1000;
  const own = fs.lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  act(path);
  if (own !== undefined && fs.lstatSync(path, { throwIfNoEntry: false })) {
    touch(path, Math.round(own / 1000));
  }
  touch(parent, Math.round(before));
}

/** Bytes with zeros in the middle, which lie in a hole or not. */
function writeHoled(path: string, kind: "hole" | "zeros"): void {
  const fd = fs.openSync(path, "w");
  const bytes = noise(300_000, 5);
  bytes.fill(0, 65_536, 65_536 * 3);
  if (kind === "zeros") fs.writeSync(fd, bytes, 0, bytes.length, 0);
  else {
    fs.writeSync(fd, bytes, 0, 65_536, 0);
    fs.writeSync(fd, bytes, 65_536 * 3, 300_000 - 65_536 * 3, 65_536 * 3);
  }
  fs.closeSync(fd);
}

/** Makes the tree. Needs root and native calls. */
export function makeVariedTree(root: string): void {
  const at = (path: string) => `${root}/${path}`;
  for (const path of ["a/b/c", "acl/sub", "empty", "links"]) {
    fs.mkdirSync(at(path), { recursive: true });
  }
  fs.writeFileSync(at("a/one"), "one");
  fs.writeFileSync(at("a/two"), "two");
  fs.writeFileSync(at("a/b/large"), noise(1_300_000, 3));
  fs.writeFileSync(at("a/b/twin-1"), "twin");
  fs.writeFileSync(at("a/b/twin-2"), "twin");
  fs.writeFileSync(at("a/b/c/nothing"), "");
  fs.writeFileSync(at("acl/secret"), "secret");
  fs.writeFileSync(at("acl/sub/secret"), "secret", { mode: 0o640 });
  fs.writeFileSync(at("noted"), "noted");
  writeHoled(at("holed"), "hole");
  writeHoled(at("filled"), "zeros");
  fs.symlinkSync("a/one", at("link"));
  fs.symlinkSync("nowhere", at("noted-link"));
  fs.writeFileSync(at("links/1"), "linked");
  fs.linkSync(at("links/1"), at("links/2"));
  fs.linkSync(at("links/1"), at("a/3"));
  fs.writeFileSync(at("links/4"), "linked");
  fs.linkSync(at("links/4"), at("links/5"));
  for (const name of ["fifo", "noted-fifo", "other-fifo"]) {
    check(
      posix!.mknodAt(AT_FDCWD, bytesOf(at(name)), S_IFIFO | 0o640, 0, 0),
    );
  }
  check(posix!.mknodAt(AT_FDCWD, bytesOf(at("null")), S_IFCHR | 0o666, 1, 3));
  xattr(at("noted"), "user.note", "noted");
  xattr(at("noted"), "user.large", noise(3000, 4));
  xattr(at("a/b"), "user.note", "noted");
  xattr(at("noted-link"), "trusted.note", "noted");
  xattr(at("noted-fifo"), "trusted.note", "noted");
  // The list came after what is in it, so that nothing there has any.
  setDefaultAcl(at("acl"));
  const paths = [...fs.readdirSync(root, { recursive: true }), "."];
  paths.sort().reverse().forEach((path) => touch(at(String(path)), 1_000_000));
}

function relink(path: string, other: string): void {
  quietly(path, () => {
    fs.rmSync(path);
    fs.linkSync(other, path);
  });
}

type Mutation = (at: (path: string) => string) => void;

/** All that may happen to a tree that was restored, by what it is. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "content of the same size and time": (at) =>
    quietly(at("a/one"), (path) => fs.writeFileSync(path, "ONE")),
  "a longer file": (at) => fs.appendFileSync(at("a/two"), "more"),
  "a byte of large content": (at) =>
    quietly(at("a/b/large"), (path) => {
      const fd = fs.openSync(path, "r+");
      fs.writeSync(fd, Uint8Array.of(1, 2, 3), 0, 3, 1_200_000);
      fs.closeSync(fd);
    }),
  "a file that is cut": (at) =>
    quietly(at("a/b/large"), (path) => fs.truncateSync(path, 5)),
  "a file that is gone": (at) =>
    quietly(at("noted"), (path) => fs.rmSync(path)),
  "what is gone below a default access control list": (at) => {
    fs.rmSync(at("acl/secret"));
    fs.rmSync(at("acl/sub"), { recursive: true });
  },
  "a directory that is gone": (at) => fs.rmSync(at("a"), { recursive: true }),
  "an extra file": (at) =>
    quietly(at("a/b/c/extra"), (path) => fs.writeFileSync(path, "extra")),
  "an extra tree": (at) => fs.mkdirSync(at("empty/x/y/z"), { recursive: true }),
  "an extra link": (at) =>
    quietly(at("a/extra"), (path) => fs.symlinkSync("/", path)),
  "an extra name of a file": (at) =>
    quietly(at("links/extra"), (path) => fs.linkSync(at("links/1"), path)),
  "an extra fifo": (at) =>
    quietly(at("empty/fifo"), (path) => {
      check(posix!.mknodAt(AT_FDCWD, bytesOf(path), S_IFIFO | 0o600, 0, 0));
    }),
  "the mode of a file": (at) => fs.chmodSync(at("a/two"), 0o600),
  "a set-id bit of a file": (at) => fs.chmodSync(at("a/one"), 0o4755),
  "the mode of a directory": (at) => fs.chmodSync(at("a/b/c"), 0o700),
  "the mode of the target": (at) => fs.chmodSync(at("."), 0o711),
  "the mode of a fifo": (at) => fs.chmodSync(at("fifo"), 0o600),
  "the mode of a device": (at) => fs.chmodSync(at("null"), 0o600),
  "the owner of a file": (at) => fs.chownSync(at("a/b/c/nothing"), 12, 13),
  "the owner of a link": (at) => fs.lchownSync(at("link"), 12, 13),
  "the owner of a directory": (at) => fs.chownSync(at("empty"), 12, 13),
  "the time of a file": (at) => touch(at("a/one"), 5),
  "the time of a directory": (at) => touch(at("a/b"), 5),
  "the time of a link": (at) => touch(at("link"), 5),
  "the time of a fifo": (at) => touch(at("fifo"), 5),
  "the time of the target": (at) => touch(at("."), 5),
  "the time of one of several names": (at) => touch(at("links/2"), 5),
  "an extra attribute of a file": (at) => xattr(at("a/one"), "user.x", "1"),
  "an extra attribute of a directory": (at) =>
    xattr(at("empty"), "user.x", "1"),
  "an extra attribute of the target": (at) => xattr(at("."), "user.x", "1"),
  "an extra attribute of a link": (at) => xattr(at("link"), "trusted.x", "1"),
  "an extra attribute of a fifo": (at) => xattr(at("fifo"), "trusted.x", "1"),
  "an extra attribute of a device": (at) => xattr(at("null"), "trusted.x", "1"),
  "an access control list of a file": (at) =>
    xattr(at("acl/secret"), "system.posix_acl_access", acl()),
  "a default access control list of a directory": (at) =>
    setDefaultAcl(at("a")),
  "another attribute of a file": (at) => xattr(at("noted"), "user.note", "N"),
  "another large attribute": (at) =>
    xattr(at("noted"), "user.large", noise(3000, 9)),
  "another attribute of a directory": (at) =>
    xattr(at("a/b"), "user.note", "N"),
  "an attribute of a file that is gone": (at) =>
    check(posix!.lremovexattr(bytesOf(at("noted")), bytesOf("user.note"))),
  "an attribute of a directory that is gone": (at) =>
    check(posix!.lremovexattr(bytesOf(at("a/b")), bytesOf("user.note"))),
  "an attribute of a link that is gone": (at) =>
    check(
      posix!.lremovexattr(bytesOf(at("noted-link")), bytesOf("trusted.note")),
    ),
  "an attribute of a fifo that is gone": (at) =>
    check(
      posix!.lremovexattr(bytesOf(at("noted-fifo")), bytesOf("trusted.note")),
    ),
  "a default access control list that is gone": (at) =>
    check(
      posix!.lremovexattr(
        bytesOf(at("acl")),
        bytesOf("system.posix_acl_default"),
      ),
    ),
  "a file where a directory was": (at) => {
    fs.rmSync(at("a/b"), { recursive: true });
    fs.writeFileSync(at("a/b"), "");
  },
  "a full directory where a file was": (at) => {
    fs.rmSync(at("a/one"));
    fs.mkdirSync(at("a/one/x/y"), { recursive: true });
  },
  "a directory where a link was": (at) =>
    quietly(at("link"), (path) => {
      fs.rmSync(path);
      fs.mkdirSync(path);
    }),
  "a link where a directory was": (at) =>
    quietly(at("empty"), (path) => {
      fs.rmdirSync(path);
      fs.symlinkSync("a", path);
    }),
  "a link where a file was": (at) =>
    quietly(at("a/two"), (path) => {
      fs.rmSync(path);
      fs.symlinkSync("one", path);
    }),
  "a link to elsewhere": (at) =>
    quietly(at("link"), (path) => {
      fs.rmSync(path);
      fs.symlinkSync("a/two", path);
    }),
  "a file where a fifo was": (at) =>
    quietly(at("fifo"), (path) => {
      fs.rmSync(path);
      fs.writeFileSync(path, "");
    }),
  "another device": (at) =>
    quietly(at("null"), (path) => {
      fs.rmSync(path);
      check(posix!.mknodAt(AT_FDCWD, bytesOf(path), S_IFCHR | 0o666, 1, 5));
    }),
  "a directory of another name": (at) => fs.renameSync(at("a"), at("A")),
  "two equal files that became one": (at) =>
    relink(at("a/b/twin-2"), at("a/b/twin-1")),
  "two files that became one": (at) => relink(at("a/two"), at("a/one")),
  "two fifos that became one": (at) => relink(at("other-fifo"), at("fifo")),
  "two links that became one": (at) => relink(at("noted-link"), at("link")),
  "two groups of names that became one": (at) => {
    relink(at("links/4"), at("links/1"));
    relink(at("links/5"), at("links/1"));
  },
  "a name that went to another group": (at) =>
    relink(at("links/2"), at("links/4")),
  "a name that became a file of its own": (at) =>
    quietly(at("links/2"), (path) => {
      fs.rmSync(path);
      fs.writeFileSync(path, "linked");
    }),
  "a first name that became a file of its own": (at) =>
    quietly(at("a/3"), (path) => {
      fs.rmSync(path);
      fs.writeFileSync(path, "linked");
    }),
  "a first name that is gone": (at) =>
    quietly(at("a/3"), (path) => {
      fs.rmSync(path);
    }),
  "a hole that was filled": (at) =>
    quietly(at("holed"), (path) => writeHoled(path, "zeros")),
  "zeros that became a hole": (at) =>
    quietly(at("filled"), (path) => writeHoled(path, "hole")),
};

/**
 * What a directory has other than a snapshot, as `diff -a` shows it.
 *
 * @returns A letter and a path each.
 */
export async function differences(
  snapshots: Snapshots,
  record: NamedRecord,
  directory: string,
): Promise<string[]> {
  const found: string[] = [];
  const identified = await identify(directory, {
    hasher: wasmHasher,
    keepTrees: true,
    onSocket: (path) => found.push(`added ${displayPath(path)}`),
  });
  if (identified.errorCount > 0) throw identified.errors[0];
  const { id: tree, page } = identified;
  const changes = diffSnapshots(
    snapshotSide(await snapshots.reader(), {
      tree: record.tree,
      page: record.page,
    }),
    snapshotSide(identified, { tree, page }),
  );
  for await (const { kind, path } of changes) {
    found.push(`${kind} ${displayPath(path)}`);
  }
  return found;
}
