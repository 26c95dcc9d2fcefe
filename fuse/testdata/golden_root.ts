import { EntryKind } from "@snap/manifest/extras";
import type { FakeEntry } from "./fake_mount.ts";

const text = new TextEncoder();

/** `cap_net_bind_service=ep` as the kernel keeps it. */
const CAPABILITY = Uint8Array.from(
  [1, 0, 0, 2, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
);

/** An access list: version 2, then owner, group and others. */
const ACL = Uint8Array.from(
  "02000000 01000600ffffffff 04000400ffffffff 20000400ffffffff"
    .replaceAll(" ", "").match(/../g)!,
  (byte) => parseInt(byte, 16),
);

/** The snapshot that the golden exchanges ask. Its entries are nodes 2 to 10, that of `docs` is 11. */
export const GOLDEN_ROOT: FakeEntry = {
  name: "",
  kind: EntryKind.directory,
  mode: 0o755,
  inode: [101, 0],
  nlink: 3,
  entries: [
    {
      name: "capable",
      kind: EntryKind.executable,
      mode: 0o4755,
      inode: [102, 0],
      owner: [0, 0],
      content: text.encode("#!"),
      xattrs: { "security.capability": CAPABILITY },
    },
    {
      name: "docs",
      kind: EntryKind.directory,
      mode: 0o1777,
      inode: [103, 0],
      nlink: 2,
      entries: [{ name: "a", kind: EntryKind.file, inode: [104, 0] }],
    },
    {
      name: "hello",
      kind: EntryKind.file,
      mode: 0o640,
      inode: [5, 256],
      nlink: 2,
      content: text.encode("Hello, FUSE"),
      xattrs: {
        "system.posix_acl_access": ACL,
        "user.large": new Uint8Array(2000).fill(0x4c),
        "user.mime": text.encode("text/plain"),
      },
    },
    {
      name: "link",
      kind: EntryKind.symlink,
      mode: 0o777,
      inode: [106, 0],
      target: "docs/a",
      xattrs: { "trusted.t": text.encode("T"), "user.u": text.encode("U") },
    },
    {
      name: "null",
      kind: EntryKind.characterDevice,
      mode: 0o666,
      inode: [107, 0],
      owner: [0, 0],
      device: [1, 3],
    },
    {
      name: "old",
      kind: EntryKind.file,
      inode: [108, 0],
      nlink: 0,
      mtime: [-142387201, 250000000],
      ctime: [7258118400, 999999999],
    },
    { name: "pipe", kind: EntryKind.fifo, inode: [109, 0] },
    {
      name: "sdx",
      kind: EntryKind.blockDevice,
      mode: 0o660,
      inode: [110, 0],
      owner: [0, 6],
      device: [259, 0x12345],
    },
    {
      name: "sparse",
      kind: EntryKind.file,
      inode: [111, 0],
      content: 5 * 2 ** 30 + 1,
      holes: [65536, 2 ** 32, 2 ** 32 + 262144, 2 ** 30 - 262143],
    },
  ],
};
