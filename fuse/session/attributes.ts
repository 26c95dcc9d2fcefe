import { type AttributePage, PageOwners } from "@snap/manifest";
import { EntryKind, isDeviceKind, isFileKind } from "@snap/manifest/extras";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
} from "@snap/posix/constants";
import type { Owners } from "@snap/posix/owners";
import { dataSize, type HoleLists } from "./holes.ts";
import { inodeHighOf, inodeLowOf } from "../nodes/inode_number.ts";
import type { NodeCursor } from "../nodes/node_cursor.ts";
import { Attr, EntryOut, FOREVER_SEC, setNumber } from "../device/protocol.ts";

/**
 * The size that programs take as best for a read. A larger one would make buffered readers
 * fetch as much at each seek; sequential ones are served by the kernel's read-ahead.
 */
const BLOCK_SIZE = 4096;
const DIRECTORY_SIZE = 4096;

/** Types of the kinds of entries, as they stand in a mode. */
const TYPES: readonly number[] = [
  0,
  S_IFREG,
  S_IFREG,
  S_IFDIR,
  S_IFLNK,
  S_IFIFO,
  S_IFCHR,
  S_IFBLK,
];

/** Type of a kind of entry, as it stands in a directory entry. */
export function direntType(kind: EntryKind): number {
  return TYPES[kind] >>> 12;
}

/** A device number as the kernel packs it into 32 bits: 12 of the major, 20 of the minor. */
function packDevice(major: number, minor: number): number {
  return minor & 0xff | major << 8 | (minor & 0xfff00) << 12;
}

function setTimes(
  view: DataView,
  at: number,
  page: AttributePage,
  row: number,
): void {
  const seconds = page.mtimeSec(row);
  const nanoseconds = page.mtimeNs(row);
  setNumber(view, at + Attr.atime, seconds);
  setNumber(view, at + Attr.mtime, seconds);
  setNumber(view, at + Attr.ctime, page.ctimeSec(row));
  view.setUint32(at + Attr.atimeNs, nanoseconds, true);
  view.setUint32(at + Attr.mtimeNs, nanoseconds, true);
  view.setUint32(at + Attr.ctimeNs, page.ctimeNs(row), true);
}

/** Writes attributes of nodes, every byte of the structures. */
export class Attributes {
  readonly #owners: PageOwners;
  readonly #holes: HoleLists | undefined;
  readonly #onFault: (node: number, error: unknown) => void;

  /**
   * Writes nothing yet.
   *
   * @param parts Numbers of owners on this machine; lists of holes, absent where no file has any;
   * what is told of lists that cannot be read.
   */
  constructor(
    parts: {
      readonly owners: Owners;
      readonly holes: HoleLists | undefined;
      readonly onFault: (node: number, error: unknown) => void;
    },
  ) {
    this.#owners = new PageOwners(parts.owners);
    this.#holes = parts.holes;
    this.#onFault = parts.onFault;
  }

  /** Writes a `struct fuse_attr`; `false` while a list of holes is on its way. */
  write(view: DataView, at: number, node: NodeCursor): boolean {
    const { tree, page, row, kind } = node;
    const size = kind === EntryKind.directory ? DIRECTORY_SIZE : tree.size(row);
    let stored = kind === EntryKind.symlink ? 0 : size;
    if (
      isFileKind(kind) && this.#holes !== undefined && page.hasExtras(row + 1)
    ) stored = this.#stored(this.#holes, node, size);
    view.setUint32(at + Attr.inode, inodeLowOf(node), true);
    view.setUint32(at + Attr.inode + 4, inodeHighOf(node), true);
    setNumber(view, at + Attr.byteCount, size);
    setNumber(view, at + Attr.blocks, Math.ceil(stored / 512));
    setTimes(view, at, page, row + 1);
    view.setUint32(at + Attr.mode, TYPES[kind] | page.mode(row + 1), true);
    view.setUint32(at + Attr.nlink, page.nlink(row + 1) || 1, true);
    view.setUint32(at + Attr.uid, this.#owners.uid(page, row + 1), true);
    view.setUint32(at + Attr.gid, this.#owners.gid(page, row + 1), true);
    view.setUint32(
      at + Attr.rdev,
      isDeviceKind(kind)
        ? packDevice(tree.deviceMajor(row), tree.deviceMinor(row))
        : 0,
      true,
    );
    view.setUint32(at + Attr.blockSize, BLOCK_SIZE, true);
    view.setUint32(at + Attr.flags, 0, true);
    return stored >= 0;
  }

  /**
   * Writes a `struct fuse_entry_out` of a node that never changes; `false` as of {@linkcode write}.
   */
  writeEntry(view: DataView, at: number, node: NodeCursor): boolean {
    view.setUint32(at + EntryOut.node, node.id, true);
    view.setUint32(at + EntryOut.node + 4, 0, true);
    setNumber(view, at + EntryOut.generation, node.volume);
    setNumber(view, at + EntryOut.entryValid, FOREVER_SEC);
    setNumber(view, at + EntryOut.attrValid, FOREVER_SEC);
    setNumber(view, at + EntryOut.validNs, 0);
    return this.write(view, at + EntryOut.attr, node);
  }

  /** Bytes in no hole, -1 while the list is on its way. */
  #stored(holes: HoleLists, node: NodeCursor, size: number): number {
    try {
      const list = holes.of(node);
      return list === undefined ? -1 : dataSize(list, size);
    } catch (error) {
      this.#onFault(node.id, error);
      return size;
    }
  }
}
