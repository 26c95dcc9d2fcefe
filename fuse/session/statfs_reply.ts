import { NAME_SIZE_MAX } from "@snap/manifest/extras";
import { setNumber, Statfs } from "../device/protocol.ts";
import type { Reply } from "../device/reply.ts";
import type { SessionOptions } from "./session_parts.ts";

const BLOCK_SIZE = 4096;

/** Answers STATFS: as large as what is in the mount, and full. */
export function answerStatfs(
  reply: Reply,
  { entryCount, byteCount }: SessionOptions["totals"],
): number {
  const { view } = reply;
  const at = reply.addZeros(Statfs.size);
  setNumber(view, at + Statfs.blocks, Math.ceil(byteCount / BLOCK_SIZE));
  setNumber(view, at + Statfs.files, entryCount);
  view.setUint32(at + Statfs.blockSize, BLOCK_SIZE, true);
  view.setUint32(at + Statfs.nameSizeMax, NAME_SIZE_MAX, true);
  view.setUint32(at + Statfs.fragmentSize, BLOCK_SIZE, true);
  return 0;
}
