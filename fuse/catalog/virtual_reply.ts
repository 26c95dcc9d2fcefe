import { S_IFDIR, S_IFLNK } from "@snap/posix/constants";
import { VirtualDirectory, type VirtualLink } from "./virtual_directory.ts";
import {
  Attr,
  AttrOut,
  Dirent,
  EntryOut,
  ROOT_ID,
  setNumber,
} from "../device/protocol.ts";
import type { Reply } from "../device/reply.ts";

/** A directory or link that no snapshot has. */
export type VirtualNode = VirtualDirectory | VirtualLink;

/** Seconds for which the kernel may believe what may change. */
const VALID_SEC = 1;
/** Upper half of the ids of virtual nodes, but for the root. */
const VIRTUAL = 1;
/** The inode number listed for a directory that was not looked up yet. */
const INODE_UNKNOWN = 0xffffffff;
const DIRECTORY_MODE = S_IFDIR | 0o555;
const LINK_MODE = S_IFLNK | 0o777;
const BLOCK_SIZE = 4096;
/** Names listed before the entries of every directory. */
const DOTS = [".", ".."] as const;

/** Owner of virtual nodes, and the time of links. */
export interface VirtualReplyOptions {
  readonly uid: number;
  readonly gid: number;
  /** In milliseconds since 1970. */
  readonly startMs: number;
}

/** Writes attributes and listings of virtual nodes. */
export class VirtualReply {
  readonly #reply: Reply;
  readonly #options: VirtualReplyOptions;

  constructor(reply: Reply, options: VirtualReplyOptions) {
    this.#reply = reply;
    this.#options = options;
  }

  /** Writes the answer to LOOKUP. */
  writeEntry(node: VirtualNode): void {
    const { view } = this.#reply;
    const at = this.#reply.addZeros(EntryOut.size);
    setNumber(view, at + EntryOut.node, numberOf(node));
    this.limit(at);
    setNumber(view, at + EntryOut.attrValid, VALID_SEC);
    this.#writeAttributes(at + EntryOut.attr, node);
  }

  /** Lets the kernel believe for a second only that the name of an entry stands for its node. */
  limit(entryAt: number): void {
    setNumber(this.#reply.view, entryAt + EntryOut.entryValid, VALID_SEC);
  }

  /** Writes the answer to GETATTR. */
  writeAttributes(node: VirtualNode): void {
    const at = this.#reply.addZeros(AttrOut.size);
    setNumber(this.#reply.view, at + AttrOut.valid, VALID_SEC);
    this.#writeAttributes(at + AttrOut.attr, node);
  }

  #writeAttributes(at: number, node: VirtualNode): void {
    const { view } = this.#reply;
    const { uid, gid, startMs } = this.#options;
    const isDirectory = node instanceof VirtualDirectory;
    const changedMs = isDirectory ? node.changedMs : startMs;
    const sec = Math.floor(changedMs / 1000);
    const ns = Math.floor(changedMs % 1000) * 1_000_000;
    setNumber(view, at + Attr.inode, numberOf(node));
    setNumber(view, at + Attr.byteCount, isDirectory ? 0 : node.target.length);
    for (const field of [Attr.atime, Attr.mtime, Attr.ctime]) {
      setNumber(view, at + field, sec);
    }
    for (const field of [Attr.atimeNs, Attr.mtimeNs, Attr.ctimeNs]) {
      view.setUint32(at + field, ns, true);
    }
    view.setUint32(
      at + Attr.mode,
      isDirectory ? DIRECTORY_MODE : LINK_MODE,
      true,
    );
    // One link says that the number of directories is not told.
    view.setUint32(at + Attr.nlink, 1, true);
    view.setUint32(at + Attr.uid, uid, true);
    view.setUint32(at + Attr.gid, gid, true);
    view.setUint32(at + Attr.blockSize, BLOCK_SIZE, true);
  }

  /**
   * Writes as many entries of a directory as there is room for.
   *
   * @param size Most bytes to write
   */
  writeList(
    directory: VirtualDirectory,
    start: number,
    { size, isPlus }: { size: number; isPlus: boolean },
  ): void {
    const reply = this.#reply;
    const { view } = reply;
    const end = Math.min(reply.headSize + size, reply.head.length);
    // A node number of 0 says that attributes are not told: listing looks nothing up.
    const before = isPlus ? EntryOut.size : 0;
    for (let place = start; place < directory.end + DOTS.length; place++) {
      const line = lineAt(directory, place);
      if (line === undefined) continue;
      const name = new TextEncoder().encode(line.name);
      const entrySize = before + (Dirent.name + name.length + 7 & ~7);
      if (reply.headSize + entrySize > end) break;
      const at = reply.addZeros(entrySize) + before;
      setNumber(view, at + Dirent.inode, line.inode);
      setNumber(view, at + Dirent.offset, place + 1);
      view.setUint32(at + Dirent.nameSize, name.length, true);
      view.setUint32(at + Dirent.type, line.mode >>> 12, true);
      reply.head.set(name, at + Dirent.name);
    }
  }
}

/** Node and inode number of a virtual node. */
function numberOf({ id }: VirtualNode): number {
  return id === ROOT_ID ? ROOT_ID : VIRTUAL * 2 ** 32 + id;
}

/** The line of a listing for a place, `undefined` where the entry is gone. */
function lineAt(
  directory: VirtualDirectory,
  place: number,
): { name: string; inode: number; mode: number } | undefined {
  if (place < DOTS.length) {
    const inode = numberOf(directory);
    return { name: DOTS[place], inode, mode: DIRECTORY_MODE };
  }
  const slot = directory.at(place - DOTS.length);
  if (slot === undefined) return undefined;
  const { name, entry } = slot;
  if ("link" in entry) {
    return { name, inode: numberOf(entry.link), mode: LINK_MODE };
  }
  const inode = "directory" in entry
    ? numberOf(entry.directory)
    : INODE_UNKNOWN;
  return { name, inode, mode: DIRECTORY_MODE };
}
