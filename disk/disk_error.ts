import { displayPath } from "@snap/manifest/path";
import { errnoMessage, errnos } from "@snap/posix/errors";

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
   * `EUNSAFE` (a name that cannot be one).
   */
  readonly code: string;
  /** What was tried, as `open directory`. */
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
      `Cannot ${action} ${showPath(path)} as ${explain(code)}: found ${code}`,
      options,
    );
    this.code = code;
    this.action = action;
    this.path = path.slice();
  }
}

function showPath(path: Uint8Array): string {
  return path.length === 0 ? "." : displayPath(path);
}

function explain(code: string): string {
  if (code === "EDEPTH") return "directories nest too deep";
  if (code === "EUNSAFE") return "the name is not safe";
  return code in errnos ? errnoMessage(errnos[code]) : "of an unknown error";
}
