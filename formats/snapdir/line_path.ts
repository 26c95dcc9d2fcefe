import { displayPath } from "@snap/manifest/path";
import { ExportError } from "../errors.ts";

/** Most bytes that the system takes as one path. */
const PATH_SIZE_MAX = 4095;
const LINE_FEED = 0x0a;
const SLASH = 0x2f;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The path of the root: all others begin with it. */
export const ROOT_PATH: Uint8Array = Uint8Array.of(0x2e, SLASH);

/**
 * Makes the path of an entry as it stands in a line, without a slash at its end.
 *
 * @param directory The path of its directory, with a slash at its end.
 * @throws {ExportError} If the name cannot stand in a line.
 */
export function entryPath(
  directory: Uint8Array,
  name: Uint8Array,
): Uint8Array {
  const path = new Uint8Array(directory.length + name.length);
  path.set(directory);
  path.set(name, directory.length);
  if (name.includes(LINE_FEED)) throw nameError(path, "has a line break");
  try {
    decoder.decode(name);
  } catch {
    throw nameError(path, "is not UTF-8");
  }
  if (path.length > PATH_SIZE_MAX) {
    throw nameError(path, `makes a path of more than ${PATH_SIZE_MAX} bytes`);
  }
  return path;
}

/** Puts a slash behind the path of an entry. */
export function directoryPath(path: Uint8Array): Uint8Array {
  const withSlash = new Uint8Array(path.length + 1);
  withSlash.set(path);
  withSlash[path.length] = SLASH;
  return withSlash;
}

function nameError(path: Uint8Array, fault: string): ExportError {
  return new ExportError(
    `Cannot make a snapdir manifest with ${
      displayPath(path.subarray(2))
    }: its name ${fault}`,
    "snapdir cannot hold it: it has to be renamed, or left out of the snapshot",
  );
}
