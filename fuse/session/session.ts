import { EntryKind, isFileKind, NAME_SIZE_MAX } from "@snap/manifest/extras";
import {
  EINVAL,
  EIO,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  EROFS,
  ESTALE,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "@snap/posix/constants";
import { Owners } from "@snap/posix/owners";
import { Attributes } from "./attributes.ts";
import { DirectoryReply } from "./directory_reply.ts";
import { ASK, fixedAnswer } from "./fixed_answers.ts";
import { HoleLists } from "./holes.ts";
import { Agreed, answerInit } from "../device/init.ts";
import { Request } from "../device/request.ts";
import { answerSeek } from "./seek_reply.ts";
import { answerStatfs } from "./statfs_reply.ts";
import { XattrReply } from "./xattr_reply.ts";
import { Counter } from "../counters.ts";
import { NodeCursor, type OpenDirectory } from "../nodes/node_cursor.ts";
import {
  AttrOut,
  BatchForgetIn,
  EntryOut,
  FOREVER_SEC,
  ForgetIn,
  Opcode,
  OpenFlag,
  OpenIn,
  OpenOut,
  ReadIn,
  RequestHead,
  ROOT_ID,
  setNumber,
} from "../device/protocol.ts";
import { FORWARD, PENDING, Reply, SILENT } from "../device/reply.ts";
import type {
  SessionNodes,
  SessionOptions,
  SessionParts,
} from "./session_parts.ts";

/** The outcome of a request. */
export const Outcome = {
  /** The request was answered, or the kernel expects no answer. */
  done: 0,
  /** Bytes are on their way; the request is handled again when they have come. */
  pending: 1,
  /** The request is about a virtual node: the main thread answers it. */
  forward: 2,
} as const;

/** The outcome of a request. */
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** The most that a kernel asks for at once: 256 pages of 64 KiB. */
const READ_SIZE_MAX = 16 * 1024 * 1024;
const ACCESS_MODES = O_RDONLY | O_WRONLY | O_RDWR;
const DOT = 0x2e;
const SLASH = 0x2f;

const OPCODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Opcode).map(([name, opcode]) => [opcode, name]),
);

/** Whether the kernel expects no answer, whatever happens. */
function isForget(opcode: number): boolean {
  return opcode === Opcode.FORGET || opcode === Opcode.BATCH_FORGET;
}

/**
 * Answers the requests of the kernel to a mount: bytes of a request in, one reply
 * out, through `send`. It does no I/O of its own, and nothing that a message says
 * makes it throw or read outside of the message.
 *
 * A request is handled in one go or not at all. When bytes are missing nothing was
 * sent and nothing is kept, so that the same message can be handled again.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #options: SessionOptions;
  readonly #nodes: SessionNodes;
  readonly #request: Request = new Request();
  readonly #reply: Reply = new Reply();
  readonly #node: NodeCursor = new NodeCursor();
  readonly #holes: HoleLists;
  readonly #attributes: Attributes;
  readonly #directory: DirectoryReply;
  readonly #xattrs: XattrReply;
  readonly #hasXattrs: boolean;
  readonly #hasHoles: boolean;

  constructor(parts: SessionParts, options: SessionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#nodes = parts.nodes;
    this.#hasXattrs = options.hasXattrs || options.isAll;
    this.#hasHoles = options.hasHoles || options.isAll;
    this.#holes = new HoleLists(parts.contents);
    this.#attributes = new Attributes({
      owners: new Owners(options.owners),
      holes: this.#hasHoles ? this.#holes : undefined,
      onFault: (node, error) => this.#onFault(node, error),
    });
    this.#directory = new DirectoryReply(
      parts.nodes,
      this.#attributes,
      this.#reply,
    );
    this.#xattrs = new XattrReply(parts.nodes, parts.contents, this.#reply);
  }

  /**
   * Handles a request.
   *
   * @param bytes The whole message; not kept.
   */
  handle(bytes: Uint8Array): Outcome {
    const request = this.#request;
    const { contents, counters } = this.#parts;
    if (!request.read(bytes)) return Outcome.done;
    this.#reply.begin(request.uniqueLow, request.uniqueHigh);
    this.#directory.handedOutCount = 0;
    let answer: number;
    try {
      answer = this.#answer();
    } catch (error) {
      this.#onFault(request.nodeLow, error);
      answer = isForget(request.opcode) ? SILENT : EIO;
    }
    if (answer >= 0) this.#send(answer);
    contents.release();
    if (answer === PENDING) return Outcome.pending;
    counters.request(request.opcode);
    return answer === FORWARD ? Outcome.forward : Outcome.done;
  }

  #onFault(node: number, error: unknown): void {
    const action = OPCODE_NAMES.get(this.#request.opcode)!;
    this.#parts.counters.add(Counter.faults, 1);
    this.#parts.onFault({ action, path: this.#nodes.pathOf(node), error });
  }

  /** Sends the reply. The kernel remembers nodes that it is told of, but not if the request was interrupted. */
  #send(errno: number): void {
    const { handedOut, handedOutCount } = this.#directory;
    const count = errno === 0 ? handedOutCount : 0;
    this.#reply.finish(errno);
    // Before it is sent, as another session may be told at once to forget.
    for (let i = 0; i < count; i++) this.#nodes.remember(handedOut[i]);
    if (this.#parts.send(this.#reply) >= 0) return;
    for (let i = 0; i < count; i++) this.#nodes.forget(handedOut[i], 1);
  }

  #answer(): number {
    const request = this.#request;
    const { opcode, nodeLow, nodeHigh } = request;
    const fixed = fixedAnswer(opcode);
    if (fixed !== ASK) return fixed;
    if (isForget(opcode)) return this.#forget();
    if (!request.isWhole) return EINVAL;
    const { isAll, totals } = this.#options;
    if (opcode === Opcode.STATFS) return answerStatfs(this.#reply, totals);
    if (opcode === Opcode.INIT) {
      const hasLists = this.#hasXattrs && this.#options.isShared;
      const wanted = { isAll, hasLists };
      return answerInit(request, this.#reply, wanted, this.#parts.agreed);
    }
    if (isAll && (nodeHigh !== 0 || nodeLow === ROOT_ID)) {
      return FORWARD;
    }
    if (!this.#nodes.select(nodeLow, nodeHigh, this.#node)) return ESTALE;
    return this.#answerNode(opcode);
  }

  #answerNode(opcode: number): number {
    switch (opcode) {
      case Opcode.LOOKUP:
        return this.#lookup();
      case Opcode.GETATTR:
        return this.#getattr();
      case Opcode.READ:
        return this.#read();
      case Opcode.READDIRPLUS:
        return this.#readdir(EntryOut.size);
      case Opcode.READDIR:
        return this.#readdir(0);
      case Opcode.READLINK:
        return this.#readlink();
      case Opcode.OPEN:
        return this.#open(Agreed.noOpen, OpenFlag.KEEP_CACHE);
      case Opcode.OPENDIR:
        return this.#open(
          Agreed.noOpendir,
          OpenFlag.KEEP_CACHE | OpenFlag.CACHE_DIR,
        );
      case Opcode.LSEEK:
        return this.#hasHoles
          ? answerSeek(this.#request, this.#reply, this.#node, this.#holes)
          : ENOSYS;
      default: // GETXATTR, LISTXATTR: with ENOSYS there are none, from then on.
        return this.#hasXattrs
          ? this.#xattrs.answer(this.#request, this.#node)
          : ENOSYS;
    }
  }

  #lookup(): number {
    const node = this.#node;
    const { bytes } = this.#request;
    const start = RequestHead.size;
    const end = this.#request.nameEnd(0);
    if (end <= start) return EINVAL;
    if (end - start > NAME_SIZE_MAX) return ENAMETOOLONG;
    const isDots = bytes[start] === DOT &&
      (end - start === 1 || end - start === 2 && bytes[start + 1] === DOT);
    // File handles are opened again by looking up "." in the node of anything.
    if (isDots && end - start === 1) return this.#writeEntry();
    if (node.kind !== EntryKind.directory) return ENOTDIR;
    const directory = this.#nodes.open(node);
    if (directory === undefined) return PENDING;
    if (isDots) return this.#lookupParent(directory);
    for (let at = start; at < end; at++) {
      if (bytes[at] === SLASH) return EINVAL;
    }
    const row = directory.tree.find(bytes, start, end);
    if (row < 0) return this.#writeAbsence();
    node.tree = directory.tree;
    node.page = directory.page;
    node.row = row;
    node.kind = node.tree.kind(row);
    node.id = directory.nodeId(row);
    return this.#writeEntry();
  }

  #lookupParent(directory: OpenDirectory): number {
    const { id, parentId } = directory;
    const isTop = parentId === id;
    if (isTop && this.#options.isAll) return ENOENT; // Its parent is virtual.
    if (!this.#nodes.select(parentId, 0, this.#node)) return ESTALE;
    return this.#writeEntry();
  }

  #writeEntry(): number {
    const at = this.#reply.addZeros(EntryOut.size);
    const { view } = this.#reply;
    if (!this.#attributes.writeEntry(view, at, this.#node)) return PENDING;
    this.#directory.handedOut[0] = this.#node.id;
    this.#directory.handedOutCount = 1;
    return 0;
  }

  /** Writes an entry without a node: the kernel need not ask for that name again. */
  #writeAbsence(): number {
    const at = this.#reply.addZeros(EntryOut.size);
    setNumber(this.#reply.view, at + EntryOut.entryValid, FOREVER_SEC);
    return 0;
  }

  #getattr(): number {
    const { view } = this.#reply;
    const at = this.#reply.addZeros(AttrOut.size);
    setNumber(view, at + AttrOut.valid, FOREVER_SEC);
    return this.#attributes.write(view, at + AttrOut.attr, this.#node)
      ? 0
      : PENDING;
  }

  #read(): number {
    const { tree, row, kind } = this.#node;
    const request = this.#request;
    if (request.bodySize < ReadIn.size) return EINVAL;
    if (!isFileKind(kind)) {
      return kind === EntryKind.directory ? EISDIR : EINVAL;
    }
    const fileSize = tree.size(row);
    const offset = request.u64(ReadIn.offset);
    const size = Math.min(
      request.u32(ReadIn.byteCount),
      fileSize - offset,
      READ_SIZE_MAX,
    );
    if (size <= 0) return 0;
    const { pieces } = this.#reply;
    const isThere = this.#parts.contents.collect(
      tree.bytes,
      tree.idStart(row),
      fileSize,
      offset,
      size,
      pieces,
    );
    if (!isThere) return PENDING;
    this.#parts.counters.add(Counter.bytesRead, size);
    return 0;
  }

  #readdir(entryOutSize: number): number {
    const request = this.#request;
    if (request.bodySize < ReadIn.size) return EINVAL;
    if (this.#node.kind !== EntryKind.directory) return ENOTDIR;
    const directory = this.#nodes.open(this.#node);
    if (directory === undefined) return PENDING;
    return this.#directory.write(
      this.#node,
      directory,
      request.u64(ReadIn.offset),
      request.u32(ReadIn.byteCount),
      entryOutSize,
    );
  }

  #readlink(): number {
    const { tree, row, kind } = this.#node;
    if (kind !== EntryKind.symlink) return EINVAL;
    const target = tree.target(row);
    this.#reply.head.set(target, this.#reply.headSize);
    this.#reply.headSize += target.length;
    return 0;
  }

  /** With ENOSYS the kernel opens without asking, from then on, and keeps what it has cached. */
  #open(agreed: number, flags: number): number {
    if (this.#request.bodySize < OpenIn.size) return EINVAL;
    const wanted = this.#request.u32(OpenIn.flags);
    if ((wanted & (ACCESS_MODES | O_TRUNC)) !== O_RDONLY) return EROFS;
    if (Atomics.load(this.#parts.agreed, 0) & agreed) return ENOSYS;
    const at = this.#reply.addZeros(OpenOut.size);
    this.#reply.view.setUint32(at + OpenOut.flags, flags, true);
    return 0;
  }

  #forget(): number {
    const request = this.#request;
    if (!request.isWhole) return SILENT;
    if (request.opcode === Opcode.FORGET) {
      if (request.bodySize >= ForgetIn.size) {
        const lookups = request.u64(ForgetIn.lookups);
        this.#forgetOne(request.nodeLow, request.nodeHigh, lookups);
      }
      return SILENT;
    }
    if (request.bodySize < BatchForgetIn.size) return SILENT;
    const { size, oneNode, oneLookups, oneSize } = BatchForgetIn;
    const room = Math.floor((request.bodySize - size) / oneSize);
    const count = Math.min(request.u32(BatchForgetIn.count), room);
    for (let i = 0, at = size; i < count; i++, at += oneSize) {
      this.#forgetOne(
        request.u32(at + oneNode),
        request.u32(at + oneNode + 4),
        request.u64(at + oneLookups),
      );
    }
    return SILENT;
  }

  #forgetOne(nodeLow: number, nodeHigh: number, lookups: number): void {
    if (this.#nodes.select(nodeLow, nodeHigh, this.#node)) {
      this.#nodes.forget(nodeLow, lookups);
    }
  }
}
