import { ENOSYS, EROFS, errnos } from "@snap/posix/constants";
import { SILENT } from "../device/reply.ts";
import { Opcode } from "../device/protocol.ts";

/** The answer depends on what is asked. */
export const ASK = -4;

const COUNT = 64;

/** Writing, in all its forms. */
const REFUSED = [
  Opcode.SETATTR,
  Opcode.SYMLINK,
  Opcode.MKNOD,
  Opcode.MKDIR,
  Opcode.UNLINK,
  Opcode.RMDIR,
  Opcode.RENAME,
  Opcode.LINK,
  Opcode.WRITE,
  Opcode.SETXATTR,
  Opcode.REMOVEXATTR,
  Opcode.CREATE,
  Opcode.FALLOCATE,
  Opcode.RENAME2,
  Opcode.COPY_FILE_RANGE,
  Opcode.TMPFILE,
  Opcode.COPY_FILE_RANGE_64,
];

const ASKED = [
  Opcode.LOOKUP,
  Opcode.FORGET,
  Opcode.GETATTR,
  Opcode.READLINK,
  Opcode.OPEN,
  Opcode.READ,
  Opcode.STATFS,
  Opcode.GETXATTR,
  Opcode.LISTXATTR,
  Opcode.INIT,
  Opcode.OPENDIR,
  Opcode.READDIR,
  Opcode.BATCH_FORGET,
  Opcode.READDIRPLUS,
  Opcode.LSEEK,
];

const ANSWERS: Int16Array = new Int16Array(COUNT).fill(ENOSYS);
for (const opcode of REFUSED) ANSWERS[opcode] = EROFS;
for (const opcode of ASKED) ANSWERS[opcode] = ASK;
ANSWERS[Opcode.RELEASE] = 0;
ANSWERS[Opcode.RELEASEDIR] = 0;
ANSWERS[Opcode.DESTROY] = 0;
ANSWERS[Opcode.IOCTL] = errnos.ENOTTY;
ANSWERS[Opcode.INTERRUPT] = SILENT; // The device loop, which has the parked requests, answers it.
ANSWERS[Opcode.NOTIFY_REPLY] = SILENT;

/**
 * The answer that an opcode always gets, or `ASK`.
 *
 * The kernel takes ENOSYS as "never ask again" for FLUSH, FSYNC, ACCESS, POLL, BMAP
 * and STATX: of the last it needs birth times only, which are not recorded.
 */
export function fixedAnswer(opcode: number): number {
  return opcode < COUNT ? ANSWERS[opcode] : ENOSYS;
}
