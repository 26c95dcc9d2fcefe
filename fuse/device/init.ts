import { errnos } from "@snap/posix/constants";
import type { Request } from "./request.ts";
import {
  InitFlag,
  InitIn,
  InitOut,
  MAJOR,
  MINOR,
  MINOR_MIN,
} from "./protocol.ts";
import type { Reply } from "./reply.ts";

/** Bits of what INIT agreed on. */
export const Agreed = {
  /** OPEN may be answered with ENOSYS, and is then never asked again. */
  noOpen: 1,
  /** The same of OPENDIR. */
  noOpendir: 2,
} as const;

/** The kernel writes nothing, and takes no less. It sets the least size of a buffer for requests: 8 KiB. */
const WRITE_MAX = 4096;
/** Pages of one READ, 512 KiB: what is read ahead comes in two, which two workers answer at once. */
const PAGES_MAX = 128;
/** With the 12 that the kernel has by itself, as many slow reads would hold up all others. */
const BACKGROUND_MAX = 512;
const CONGESTION_THRESHOLD = 384;

const WANTED = InitFlag.ASYNC_READ | InitFlag.EXPORT_SUPPORT |
  InitFlag.DO_READDIRPLUS | InitFlag.READDIRPLUS_AUTO |
  InitFlag.NO_OPEN_SUPPORT | InitFlag.PARALLEL_DIROPS |
  InitFlag.ABORT_ERROR | InitFlag.MAX_PAGES | InitFlag.CACHE_SYMLINKS |
  InitFlag.INIT_EXT;
/** A mount of one snapshot never changes. */
const WANTED_OF_ONE = WANTED | InitFlag.NO_OPENDIR_SUPPORT |
  InitFlag.EXPLICIT_INVAL_DATA;
/** Cached listings of directories that do change are compared with their time. */
const WANTED_OF_ALL = WANTED | InitFlag.AUTO_INVAL_DATA;

/**
 * Agrees on the version and on what both sides can do.
 *
 * Of what is not wanted: ASYNC_DIO makes readers that cannot be interrupted,
 * REQUEST_TIMEOUT ends the whole connection where one request is slow, and BIG_WRITES
 * and HANDLE_KILLPRIV_V2 are of use to writers only. POSIX_ACL makes the kernel check
 * modes and lists, so it is wanted where it checks modes anyway. There nothing goes
 * without it: a mode lets in users that only the list keeps out.
 */
export function answerInit(
  request: Request,
  reply: Reply,
  { isAll, hasLists }: { readonly isAll: boolean; readonly hasLists: boolean },
  agreed: Int32Array,
): number {
  if (request.bodySize < 8) return errnos.EPROTO;
  const major = request.u32(InitIn.major);
  const minor = request.u32(InitIn.minor);
  if (major > MAJOR) {
    const at = reply.addZeros(InitOut.size);
    reply.view.setUint32(at + InitOut.major, MAJOR, true);
    reply.view.setUint32(at + InitOut.minor, MINOR, true);
    return 0; // The kernel asks again, with this version.
  }
  if (major < MAJOR || minor < MINOR_MIN || request.bodySize < InitIn.size) {
    return errnos.EPROTO;
  }
  const flags = request.u32(InitIn.flags) &
    ((isAll ? WANTED_OF_ALL : WANTED_OF_ONE) |
      (hasLists ? InitFlag.POSIX_ACL : 0));
  if (hasLists && !(flags & InitFlag.POSIX_ACL)) return errnos.EPROTO;
  const { view } = reply;
  const at = reply.addZeros(minor < 23 ? InitOut.sizeBefore23 : InitOut.size);
  view.setUint32(at + InitOut.major, MAJOR, true);
  view.setUint32(at + InitOut.minor, Math.min(minor, MINOR), true);
  view.setUint32(
    at + InitOut.readaheadMax,
    request.u32(InitIn.readaheadMax),
    true,
  );
  view.setUint32(at + InitOut.flags, flags, true);
  view.setUint16(at + InitOut.backgroundMax, BACKGROUND_MAX, true);
  view.setUint16(at + InitOut.congestionThreshold, CONGESTION_THRESHOLD, true);
  view.setUint32(at + InitOut.writeMax, WRITE_MAX, true);
  if (minor >= 23) {
    view.setUint32(at + InitOut.timeGranularity, 1, true);
    view.setUint16(at + InitOut.pagesMax, PAGES_MAX, true);
  }
  Atomics.store(
    agreed,
    0,
    (flags & InitFlag.NO_OPEN_SUPPORT ? Agreed.noOpen : 0) |
      (flags & InitFlag.NO_OPENDIR_SUPPORT ? Agreed.noOpendir : 0),
  );
  return 0;
}
