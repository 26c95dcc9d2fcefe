import { checkName } from "@snap/manifest/path";
import { DiskError } from "./disk_error.ts";
import { terminated } from "./read_whole_file.ts";
import { joinName } from "./bytes.ts";

/**
 * A name followed by NUL, once it proved to be one that cannot lead out of its directory.
 *
 * @throws {DiskError} `EUNSAFE` if it is empty, too long, `.` or `..`, or has a slash or NUL.
 */
export function checkedName(
  action: string,
  directory: { readonly path: Uint8Array },
  name: Uint8Array,
): Uint8Array {
  if (checkName(name, 0, name.length) === undefined) return terminated(name);
  throw new DiskError(
    action,
    joinName(directory.path, name, 0, name.length),
    "EUNSAFE",
  );
}
