/**
 * Numbers of the system: flags, errors, modes. They load nothing else.
 *
 * @module
 */
export { errnoMessage, errnoName, errnos, PosixError } from "./errors.ts";
export * from "./flags.ts";
export * from "./mode.ts";
/** @internal */
export {
  E2BIG,
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EINTR,
  EINVAL,
  EIO,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENODATA,
  ENODEV,
  ENOENT,
  ENOSPC,
  ENOSYS,
  ENOTCONN,
  ENOTDIR,
  ENOTSUP,
  ENXIO,
  EPERM,
  ERANGE,
  EROFS,
  ESTALE,
  EXDEV,
} from "./errors.ts";
