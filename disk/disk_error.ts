import { displayPath } from "@snap/manifest/path";
import { errnoMessage, errnos } from "@snap/posix/constants";

/**
 * A call on the disk that failed, for one path.
 *
 * Where a walk goes on, errors are values that the caller reads; elsewhere they are thrown.
 */
export class DiskError extends Error {
  /** Always `DiskError`. */
  override readonly name: string = "DiskError";
  /**
   * Name of the error number, as `EACCES`; or one of this package: `EDEPTH` (nested too deep),
   * `EUNSAFE` (a name that cannot be one), `ESTORE` (the store, which stays as it is), `EMOUNT`
   * (something is mounted there, and nothing behind it is touched), `EALTERED` (the file system
   * keeps something else), `ECOARSE` (it keeps no fractions of a second of any entry), `EFOLDED` (it takes the name for
   * that of another entry, as where upper and lower case are one).
   */
  readonly code: string;
  /** The action that failed, as `open directory`. */
  readonly action: string;
  /** The path as bytes, relative to the source or target where there is one. */
  readonly path: Uint8Array;

  /**
   * Makes the error of one path.
   *
   * @param action What was tried, as `open directory`.
   * @param path The path as bytes. It is copied.
   * @param code Name of the error number, as `EACCES`.
   * @param options The error behind this one.
   */
  constructor(
    action: string,
    path: Uint8Array,
    code: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot ${action} ${showPath(path)}: ${explain(code)} (${code})`,
      options,
    );
    this.code = code;
    this.action = action;
    this.path = path.slice();
  }
}

/** Codes that say nothing about a file: this process, or the machine, has no more to give. */
const EXHAUSTED: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
]);

/** A call on the disk that failed for want of descriptors or memory: no path is to blame. */
export class ExhaustedError extends Error {
  /** Always `ExhaustedError`. */
  override readonly name: string = "ExhaustedError";
  /** Name of the error number, as `EMFILE`. */
  readonly code: string;

  /**
   * Makes the error.
   *
   * @param cause The error of the path that was met first.
   */
  constructor(cause: DiskError) {
    super(cause.message, { cause });
    this.code = cause.code;
  }
}

/**
 * Makes the error of one path that is read, unless the path is not to blame.
 *
 * @param action What was tried.
 * @param path The path as bytes.
 * @param code Name of the error number.
 * @throws {ExhaustedError} If the process has no descriptors or memory left.
 */
export function sourceError(
  action: string,
  path: Uint8Array,
  code: string,
): DiskError {
  const error = new DiskError(action, path, code);
  if (EXHAUSTED.has(code)) throw new ExhaustedError(error);
  return error;
}

function showPath(path: Uint8Array): string {
  return path.length === 0 ? "." : displayPath(path);
}

function explain(code: string): string {
  if (code === "EDEPTH") return "directories nest too deep";
  if (code === "EUNSAFE") return "the name is not safe";
  if (code === "ESTORE") return "it is the store";
  if (code === "EALTERED") return "the file system keeps something else";
  if (code === "ECOARSE") {
    return "the file system keeps times less exact, of all entries";
  }
  if (code === "EFOLDED") {
    return "the file system takes its name for that of another";
  }
  if (code === "EMOUNT") return "something is mounted there";
  return code in errnos ? errnoMessage(errnos[code]) : "an unknown error";
}
