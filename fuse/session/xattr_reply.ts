import { equalBytes } from "@snap/hash";
import { EntryKind, ExtrasReader, isFileKind } from "@snap/manifest/extras";
import { E2BIG, EINVAL, ENODATA, ERANGE } from "@snap/posix/constants";
import type { Request } from "../device/request.ts";
import type { NodeCursor } from "../nodes/node_cursor.ts";
import {
  GetxattrIn,
  GetxattrOut,
  Opcode,
  RequestHead,
} from "../device/protocol.ts";
import { PENDING, type Reply } from "../device/reply.ts";
import type { SessionContents, SessionNodes } from "./session_parts.ts";

/** Largest value and largest list of names that Linux hands out. */
const SIZE_MAX = 65536;

const NOTHING: Uint8Array = new Uint8Array(0);

const USER_PREFIX: Uint8Array = new TextEncoder().encode("user.");

/** Answers GETXATTR and LISTXATTR. */
export class XattrReply {
  readonly #nodes: SessionNodes;
  readonly #contents: SessionContents;
  readonly #reply: Reply;
  readonly #extras: ExtrasReader = new ExtrasReader();

  constructor(
    nodes: SessionNodes,
    contents: SessionContents,
    reply: Reply,
  ) {
    this.#nodes = nodes;
    this.#contents = contents;
    this.#reply = reply;
  }

  /** Answers GETXATTR and LISTXATTR: an error number, or `PENDING`. */
  answer(request: Request, node: NodeCursor): number {
    if (request.bodySize < GetxattrIn.size) return EINVAL;
    if (!this.#begin(node)) return PENDING;
    const sizeMax = request.u32(GetxattrIn.byteCount);
    if (request.opcode === Opcode.LISTXATTR) return this.#list(node, sizeMax);
    const nameEnd = request.nameEnd(GetxattrIn.size);
    const nameStart = RequestHead.size + GetxattrIn.size;
    if (nameEnd <= nameStart) return EINVAL;
    return this.#get(request.bytes, nameStart, nameEnd, sizeMax);
  }

  /** Writes the value of an attribute, or its size where there is room for no byte. */
  #get(
    message: Uint8Array,
    nameStart: number,
    nameEnd: number,
    sizeMax: number,
  ): number {
    const extras = this.#extras;
    const nameSize = nameEnd - nameStart;
    while (extras.next()) {
      if (extras.isHoles) return ENODATA;
      if (
        extras.nameEnd - extras.nameStart === nameSize &&
        equalBytes(
          extras.bytes,
          extras.nameStart,
          message,
          nameStart,
          nameSize,
        )
      ) return this.#writeValue(sizeMax);
    }
    return ENODATA;
  }

  /** Writes the names of all attributes, or the size of the list. */
  #list(node: NodeCursor, sizeMax: number): number {
    const { head } = this.#reply;
    const start = this.#reply.headSize;
    // The kernel allows these on files and directories only; a tool that is told of others fails.
    const hasUser = isFileKind(node.kind) || node.kind === EntryKind.directory;
    let size = 0;
    const extras = this.#extras;
    while (extras.next() && !extras.isHoles) {
      const { bytes, nameStart, nameEnd } = extras;
      const isUser = nameEnd - nameStart > USER_PREFIX.length &&
        equalBytes(bytes, nameStart, USER_PREFIX, 0, USER_PREFIX.length);
      if (isUser && !hasUser) continue;
      if (size + nameEnd - nameStart < Math.min(sizeMax, SIZE_MAX)) {
        for (let at = nameStart; at < nameEnd; at++) {
          head[start + size + at - nameStart] = bytes[at];
        }
        head[start + size + nameEnd - nameStart] = 0;
      }
      size += nameEnd - nameStart + 1;
    }
    if (sizeMax === 0) return this.#writeSize(size);
    if (size > sizeMax) return ERANGE;
    if (size > SIZE_MAX) return E2BIG;
    this.#reply.headSize = start + size;
    return 0;
  }

  /** Goes to the extras of a node. @returns Whether they are there, else they are on their way. */
  #begin(node: NodeCursor): boolean {
    let { page, row } = node;
    // Those of a directory stand in its own page only, as its row 0.
    if (node.kind === EntryKind.directory && row >= 0) {
      const directory = this.#nodes.open(node);
      if (directory === undefined) return false;
      page = directory.page;
      row = -1;
    }
    this.#extras.begin(page.extrasBytes(row + 1) ?? NOTHING);
    return true;
  }

  #writeValue(sizeMax: number): number {
    const { bytes, size, valueStart, isInline } = this.#extras;
    if (sizeMax === 0) return this.#writeSize(size);
    if (size > sizeMax) return ERANGE;
    if (size > SIZE_MAX) return E2BIG;
    const value = isInline
      ? bytes.subarray(valueStart, valueStart + size)
      : this.#contents.whole(bytes, valueStart, size);
    if (value === undefined) return PENDING;
    this.#reply.head.set(value, this.#reply.headSize);
    this.#reply.headSize += size;
    return 0;
  }

  #writeSize(size: number): number {
    const at = this.#reply.addZeros(GetxattrOut.size);
    this.#reply.view.setUint32(
      at + GetxattrOut.byteCount,
      Math.min(size, 0xffffffff),
      true,
    );
    return 0;
  }
}
