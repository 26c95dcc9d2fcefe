import { EntryKind } from "@snap/manifest/extras";
import { EINVAL } from "@snap/posix/constants";
import { type Attributes, direntType } from "./attributes.ts";
import { inodeHighOf, inodeLowOf } from "../nodes/inode_number.ts";
import { NodeCursor, type OpenDirectory } from "../nodes/node_cursor.ts";
import { Attr, Dirent, EntryOut } from "../device/protocol.ts";
import { PENDING, type Reply } from "../device/reply.ts";
import type { SessionNodes } from "./session_parts.ts";

const DOT: Uint8Array = Uint8Array.of(0x2e);
const DOT_DOT: Uint8Array = Uint8Array.of(0x2e, 0x2e);

/** Size of an entry with its padding. */
function direntSize(nameSize: number): number {
  return (Dirent.name + nameSize + 7) & ~7;
}

/**
 * Writes the entries of directories. The offset of an entry is the number of the
 * next: 0 is ".", 1 is "..", from 2 on come the rows.
 */
export class DirectoryReply {
  /** Node ids that were written with READDIRPLUS, for the kernel to remember. */
  readonly handedOut: Uint32Array;
  /** Number of them. */
  handedOutCount = 0;
  readonly #nodes: SessionNodes;
  readonly #attributes: Attributes;
  readonly #reply: Reply;
  readonly #child: NodeCursor = new NodeCursor();

  constructor(nodes: SessionNodes, attributes: Attributes, reply: Reply) {
    this.#nodes = nodes;
    this.#attributes = attributes;
    this.#reply = reply;
    this.handedOut = new Uint32Array(
      Math.ceil(reply.head.length / (EntryOut.size + direntSize(1))),
    );
  }

  /**
   * Writes as many entries as fit.
   *
   * @param size Most bytes to write.
   * @param entryOutSize Bytes of attributes before each entry: none, or those of READDIRPLUS.
   * @returns An error number, or `PENDING`.
   */
  write(
    node: NodeCursor,
    directory: OpenDirectory,
    offset: number,
    size: number,
    entryOutSize: number,
  ): number {
    this.handedOutCount = 0;
    const count = directory.tree.count + 2;
    if (offset >= count) return 0;
    const start = this.#reply.headSize;
    const limit = Math.min(start + size, this.#reply.head.length);
    let next = offset;
    for (; next < 2; next++) {
      if (!this.#writeDots(node, directory, next, limit, entryOutSize)) {
        return next === offset ? EINVAL : 0;
      }
    }
    const isThere = this.#writeRows(
      node.volume,
      directory,
      next - 2,
      limit,
      entryOutSize,
    );
    if (!isThere) return PENDING;
    return this.#reply.headSize === start ? EINVAL : 0; // None would mean the end.
  }

  /** Writes "." or "..", of which the kernel takes no attributes; `false` when there is no room. */
  #writeDots(
    node: NodeCursor,
    directory: OpenDirectory,
    position: number,
    limit: number,
    entryOutSize: number,
  ): boolean {
    const name = position === 0 ? DOT : DOT_DOT;
    const start = this.#reply.headSize;
    if (start + entryOutSize + direntSize(name.length) > limit) return false;
    const parent = this.#child;
    const isOther = position === 1 && directory.parentId !== directory.id &&
      this.#nodes.select(directory.parentId, 0, parent);
    const shown = isOther ? parent : node;
    const at = this.#reply.addZeros(entryOutSize) + entryOutSize;
    this.#reply.headSize = this.#writeDirent(
      at,
      inodeLowOf(shown),
      inodeHighOf(shown),
      position + 1,
      EntryKind.directory,
      name,
      0,
      name.length,
    );
    return true;
  }

  /** Writes rows; `false` when one of them needs bytes that are on their way. */
  #writeRows(
    volume: number,
    directory: OpenDirectory,
    firstRow: number,
    limit: number,
    entryOutSize: number,
  ): boolean {
    const { tree } = directory;
    const { view } = this.#reply;
    const child = this.#child;
    child.volume = volume;
    child.tree = tree;
    child.page = directory.page;
    let at = this.#reply.headSize;
    let isThere = true;
    for (let row = firstRow; row < tree.count; row++) {
      const nameStart = tree.nameStart(row);
      const nameSize = tree.nameEnd(row) - nameStart;
      if (at + entryOutSize + direntSize(nameSize) > limit) break;
      child.row = row;
      child.kind = tree.kind(row);
      child.id = directory.nodeId(row);
      let inodeLow: number;
      let inodeHigh: number;
      if (entryOutSize > 0) {
        isThere = this.#attributes.writeEntry(view, at, child) && isThere;
        inodeLow = view.getUint32(at + EntryOut.attr + Attr.inode, true);
        inodeHigh = view.getUint32(at + EntryOut.attr + Attr.inode + 4, true);
        this.handedOut[this.handedOutCount++] = child.id;
      } else {
        inodeLow = inodeLowOf(child);
        inodeHigh = inodeHighOf(child);
      }
      at = this.#writeDirent(
        at + entryOutSize,
        inodeLow,
        inodeHigh,
        row + 3,
        child.kind,
        tree.bytes,
        nameStart,
        nameSize,
      );
    }
    this.#reply.headSize = at;
    return isThere;
  }

  /** Writes a `struct fuse_dirent` with its name and padding, and returns where it ends. */
  #writeDirent(
    at: number,
    inodeLow: number,
    inodeHigh: number,
    offset: number,
    kind: EntryKind,
    names: Uint8Array,
    nameStart: number,
    nameSize: number,
  ): number {
    const { head, view } = this.#reply;
    const end = at + direntSize(nameSize);
    view.setUint32(end - 8, 0, true);
    view.setUint32(end - 4, 0, true);
    view.setUint32(at + Dirent.inode, inodeLow, true);
    view.setUint32(at + Dirent.inode + 4, inodeHigh, true);
    view.setUint32(at + Dirent.offset, offset, true);
    view.setUint32(at + Dirent.offset + 4, 0, true);
    view.setUint32(at + Dirent.nameSize, nameSize, true);
    view.setUint32(at + Dirent.type, direntType(kind), true);
    for (let i = 0; i < nameSize; i++) {
      head[at + Dirent.name + i] = names[nameStart + i];
    }
    return end;
  }
}
