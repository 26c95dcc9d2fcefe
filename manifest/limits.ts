/**
 * The limits of trees and attribute pages.
 *
 * @module
 */

/** Largest size of an entry's name, in bytes. */
export const NAME_SIZE_MAX = 255;

/** Largest size of a symbolic link's target, in bytes. */
export const TARGET_SIZE_MAX = 4095;

/** Deepest nesting of directories. */
export const DEPTH_MAX = 1024;

/** Largest size of a file, in bytes: 2^53 − 1. */
export const FILE_SIZE_MAX: number = Number.MAX_SAFE_INTEGER;

/** Largest time on either side of 1970, in seconds: 2^53 − 1. */
export const TIME_SEC_MAX: number = Number.MAX_SAFE_INTEGER;

/** Largest mode: the 12 permission bits. */
export const MODE_MAX = 0o7777;

/** Largest device number of a page. */
export const DEVICE_MAX = 0xffff;

/** Largest size of an extended attribute's name, in bytes. */
export const XATTR_NAME_SIZE_MAX = 255;

/** Largest value or hole list kept in a page, in bytes; above it, it is content of its own. */
export const INLINE_SIZE_MAX = 1024;

/** Smallest hole that is recorded, in bytes. */
export const HOLE_SIZE_MIN = 65536;
