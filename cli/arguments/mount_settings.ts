import type { Session } from "../session.ts";
import { parseSize } from "../terminal/units.ts";
import { UsageError } from "./usage_error.ts";

/** The most threads that may answer. */
const WORKERS_MAX = 64;
/** The least memory in which frames can be decoded, in bytes. */
const CACHE_SIZE_MIN = 1 << 20;
/** The most memory that can be asked for, in bytes. */
const CACHE_SIZE_MAX = 2 ** 32;

/** Options of a mount; absent ones are left to the mount. */
export interface MountSettings {
  /** Threads that answer. */
  readonly workers?: number;
  /** Memory for decoded frames in bytes. */
  readonly cacheSize?: number;
  /** Whether other users may look. */
  readonly allowOther: boolean;
  /** Whether owners have the numbers that were recorded. */
  readonly numericOwner: boolean;
}

/**
 * Reads the options of a mount.
 *
 * @throws {UsageError} If a value is none.
 */
export function mountSettings(session: Session): MountSettings {
  const { args } = session;
  const workers = args.number("workers", WORKERS_MAX);
  if (workers === 0) {
    throw new UsageError(
      `Cannot use --workers 0: a mount needs 1 to ${WORKERS_MAX}`,
    );
  }
  return {
    workers,
    cacheSize: cacheSizeOf(session),
    allowOther: args.has("allow-other"),
    numericOwner: args.has("numeric-owner"),
  };
}

function cacheSizeOf({ args }: Session): number | undefined {
  const text = args.text("cache");
  if (text === undefined) return undefined;
  const size = parseSize(text) ?? NaN;
  if (size >= CACHE_SIZE_MIN && size <= CACHE_SIZE_MAX) return size;
  throw new UsageError(
    `Cannot use --cache ${JSON.stringify(text)}: it takes a size from 1m to 4g`,
  );
}
