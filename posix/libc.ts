/** The functions of the C library that are used, with numbers for every integer. */
export interface Libc {
  /** Error number of the call before. */
  errno(): number;
  addressOf(view: Uint8Array): bigint;
  open(path: Uint8Array, flags: number, mode: number): number;
  openat(dir: number, name: Uint8Array, flags: number, mode: number): number;
  syscall(
    number: number,
    dir: number,
    name: Uint8Array,
    how: Uint8Array,
    size: number,
  ): number;
  close(fd: number): number;
  read(fd: number, out: Uint8Array, size: number): number;
  pread(fd: number, out: Uint8Array, size: number, offset: number): number;
  write(fd: number, bytes: Uint8Array, size: number): number;
  pwrite(fd: number, bytes: Uint8Array, size: number, offset: number): number;
  writev(fd: number, vector: Uint8Array, count: number): number;
  fsync(fd: number): number;
  fdatasync(fd: number): number;
  ftruncate(fd: number, size: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  fallocate(fd: number, mode: number, offset: number, size: number): number;
  posix_fadvise(
    fd: number,
    offset: number,
    size: number,
    advice: number,
  ): number;
  statx(
    dir: number,
    name: Uint8Array,
    flags: number,
    mask: number,
    out: Uint8Array,
  ): number;
  getdents64(fd: number, out: Uint8Array, size: number): number;
  readlinkat(
    dir: number,
    name: Uint8Array,
    out: Uint8Array,
    size: number,
  ): number;
  mkdirat(dir: number, name: Uint8Array, mode: number): number;
  mknodat(dir: number, name: Uint8Array, mode: number, device: bigint): number;
  symlinkat(target: Uint8Array, dir: number, name: Uint8Array): number;
  linkat(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
    flags: number,
  ): number;
  unlinkat(dir: number, name: Uint8Array, flags: number): number;
  renameat(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
  ): number;
  renameat2(
    oldDir: number,
    oldName: Uint8Array,
    newDir: number,
    newName: Uint8Array,
    flags: number,
  ): number;
  syncfs(fd: number): number;
  fchmod(fd: number, mode: number): number;
  fchmodat(dir: number, name: Uint8Array, mode: number, flags: number): number;
  fchown(fd: number, uid: number, gid: number): number;
  fchownat(
    dir: number,
    name: Uint8Array,
    uid: number,
    gid: number,
    flags: number,
  ): number;
  utimensat(
    dir: number,
    name: Uint8Array,
    times: Uint8Array,
    flags: number,
  ): number;
  futimens(fd: number, times: Uint8Array): number;
  flistxattr(fd: number, out: Uint8Array, size: number): number;
  llistxattr(path: Uint8Array, out: Uint8Array, size: number): number;
  fgetxattr(
    fd: number,
    name: Uint8Array,
    out: Uint8Array,
    size: number,
  ): number;
  lgetxattr(
    path: Uint8Array,
    name: Uint8Array,
    out: Uint8Array,
    size: number,
  ): number;
  fsetxattr(
    fd: number,
    name: Uint8Array,
    value: Uint8Array,
    size: number,
    flags: number,
  ): number;
  lsetxattr(
    path: Uint8Array,
    name: Uint8Array,
    value: Uint8Array,
    size: number,
    flags: number,
  ): number;
  fremovexattr(fd: number, name: Uint8Array): number;
  lremovexattr(path: Uint8Array, name: Uint8Array): number;
  fstatfs(fd: number, out: Uint8Array): number;
  statfs(path: Uint8Array, out: Uint8Array): number;
  umask(mask: number): number;
  geteuid(): number;
  getegid(): number;
  poll(set: Uint8Array, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  fcntl(fd: number, command: number, value: number): number;
  mount(
    source: Uint8Array,
    target: Uint8Array,
    type: Uint8Array,
    flags: number,
    data: Uint8Array,
  ): number;
  umount2(target: Uint8Array, flags: number): number;
  socketpair(
    domain: number,
    type: number,
    protocol: number,
    out: Uint8Array,
  ): number;
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  inotify_init1(flags: number): number;
  inotify_add_watch(fd: number, path: Uint8Array, mask: number): number;
  inotify_rm_watch(fd: number, watch: number): number;
}

/** Parameters of each function, in C: b bytes, i int, u unsigned int, s size_t, l a signed long. */
export const SIGNATURES: Record<
  Exclude<keyof Libc, "errno" | "addressOf">,
  string
> = {
  open: "biu",
  openat: "ibiu",
  syscall: "libbs",
  close: "i",
  read: "ibs",
  pread: "ibsl",
  write: "ibs",
  pwrite: "ibsl",
  writev: "ibi",
  fsync: "i",
  fdatasync: "i",
  ftruncate: "il",
  lseek: "ili",
  fallocate: "iill",
  posix_fadvise: "illi",
  statx: "ibiub",
  getdents64: "ibs",
  readlinkat: "ibbs",
  mkdirat: "ibu",
  mknodat: "ibus",
  symlinkat: "bib",
  linkat: "ibibi",
  unlinkat: "ibi",
  renameat: "ibib",
  renameat2: "ibibu",
  syncfs: "i",
  fchmod: "iu",
  fchmodat: "ibui",
  fchown: "iuu",
  fchownat: "ibuui",
  utimensat: "ibbi",
  futimens: "ib",
  flistxattr: "ibs",
  llistxattr: "bbs",
  fgetxattr: "ibbs",
  lgetxattr: "bbbs",
  fsetxattr: "ibbsi",
  lsetxattr: "bbbsi",
  fremovexattr: "ib",
  lremovexattr: "bb",
  fstatfs: "ib",
  statfs: "bb",
  umask: "u",
  geteuid: "",
  getegid: "",
  poll: "bsi",
  eventfd: "ui",
  fcntl: "iii",
  mount: "bbbsb",
  umount2: "bi",
  socketpair: "iiib",
  recvmsg: "ibi",
  inotify_init1: "i",
  inotify_add_watch: "ibu",
  inotify_rm_watch: "ii",
};
