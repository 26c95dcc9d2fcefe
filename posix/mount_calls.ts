import type { Libc } from "./libc.ts";
import { EINTR, EINVAL, ENODATA } from "./errors.ts";
import { O_CLOEXEC } from "./flags.ts";
import type { Posix } from "./calls.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
/** Flag of recvmsg(2): descriptors that come are closed in programs started from here. */
const MSG_CMSG_CLOEXEC = 0x40000000;

/** Calls that mount, and that get the descriptor of a mount. */
export function mountCalls(
  libc: Libc,
): Pick<
  Posix,
  "fsTypeOf" | "mount" | "umount2" | "socketPair" | "receiveFd"
> {
  const { errno } = libc;
  const check = (result: number) => result < 0 ? -errno() : result;
  const ends = (text: Uint8Array) => text[text.length - 1] === 0;
  const statfs = new Uint32Array(64);
  const statfsBytes = new Uint8Array(statfs.buffer);
  return {
    fsTypeOf(path) {
      if (!ends(path)) return -EINVAL;
      return libc.statfs(path, statfsBytes) < 0 ? -errno() : statfs[0];
    },
    mount(source, target, type, flags, data) {
      if (![source, target, type, data].every(ends)) return -EINVAL;
      return check(libc.mount(source, target, type, flags, data));
    },
    umount2(target, flags) {
      return ends(target) ? check(libc.umount2(target, flags)) : -EINVAL;
    },
    socketPair(out) {
      if (out.length < 2) return -EINVAL;
      const bytes = new Uint8Array(out.buffer, out.byteOffset, 8);
      // SOCK_CLOEXEC is the flag of open.
      return check(
        libc.socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, bytes),
      );
    },
    receiveFd: (socket) => receiveFd(libc, socket),
  };
}

/** Offsets of the parts of a message in one piece of memory. */
const VECTOR_AT = 64, DATA_AT = 80, CONTROL_AT = 88, CONTROL_SIZE = 64;

function receiveFd(libc: Libc, socket: number): number {
  const bytes = new Uint8Array(CONTROL_AT + CONTROL_SIZE);
  const u64 = new BigUint64Array(bytes.buffer);
  const i32 = new Int32Array(bytes.buffer);
  const start = libc.addressOf(bytes);
  // struct msghdr: name, its size; struct iovec, their number; control, its size; flags.
  u64[2] = start + BigInt(VECTOR_AT);
  u64[3] = 1n;
  u64[4] = start + BigInt(CONTROL_AT);
  u64[5] = BigInt(CONTROL_SIZE);
  u64[VECTOR_AT / 8] = start + BigInt(DATA_AT);
  u64[VECTOR_AT / 8 + 1] = 1n;
  for (;;) {
    const size = libc.recvmsg(socket, bytes, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const failed = size < 0 ? libc.errno() : 0;
    if (failed === EINTR) continue;
    if (failed !== 0) return -failed;
    // struct cmsghdr: size u64, level i32, type i32, then the descriptor.
    const control = CONTROL_AT / 4;
    const isFd = size > 0 && u64[5] >= 20n && i32[control + 2] === SOL_SOCKET &&
      i32[control + 3] === SCM_RIGHTS;
    return isFd ? i32[control + 4] : -ENODATA;
  }
}
