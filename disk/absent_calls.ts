import { EINVAL, ENOSYS, ENOTSUP } from "@snap/posix/constants";

/** The calls that `node:fs` has nothing for. */
export class AbsentCalls {
  openAt2(): number {
    return -ENOSYS;
  }
  lseek(): number {
    return -EINVAL;
  }
  mknodAt(): number {
    return -ENOTSUP;
  }
  flistxattr(): number {
    return -ENOTSUP;
  }
  llistxattr(): number {
    return -ENOTSUP;
  }
  fgetxattr(): number {
    return -ENOTSUP;
  }
  lgetxattr(): number {
    return -ENOTSUP;
  }
  fsetxattr(): number {
    return -ENOTSUP;
  }
  lsetxattr(): number {
    return -ENOTSUP;
  }
  fremovexattr(): number {
    return -ENOTSUP;
  }
  lremovexattr(): number {
    return -ENOTSUP;
  }
  /** No type of a file system. */
  fsType(): number {
    return 0;
  }
}
