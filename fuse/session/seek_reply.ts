import { isFileKind } from "@snap/manifest/extras";
import { EINVAL, ENXIO } from "@snap/posix/constants";
import { type HoleLists, seekData, seekHole } from "./holes.ts";
import type { Request } from "../device/request.ts";
import type { NodeCursor } from "../nodes/node_cursor.ts";
import {
  LseekIn,
  LseekOut,
  SEEK_DATA,
  SEEK_HOLE,
  setNumber,
} from "../device/protocol.ts";
import { PENDING, type Reply } from "../device/reply.ts";

/** Answers LSEEK: an error number, or `PENDING`. */
export function answerSeek(
  request: Request,
  reply: Reply,
  node: NodeCursor,
  lists: HoleLists,
): number {
  if (request.bodySize < LseekIn.size) return EINVAL;
  const whence = request.u32(LseekIn.whence);
  if (
    !isFileKind(node.kind) || whence !== SEEK_DATA && whence !== SEEK_HOLE
  ) return EINVAL;
  const holes = lists.of(node);
  if (holes === undefined) return PENDING;
  const seek = whence === SEEK_DATA ? seekData : seekHole;
  const fileSize = node.tree.size(node.row);
  const found = seek(holes, fileSize, request.u64(LseekIn.offset));
  if (found < 0) return ENXIO;
  const at = reply.addZeros(LseekOut.size);
  setNumber(reply.view, at + LseekOut.offset, found);
  return 0;
}
