import { splitPath } from "@snap/manifest/path";
import { PATH_SIZE_MAX } from "../limits.ts";
import { fromBase64 } from "../pages/from_base64.ts";
import { ToolError } from "../tool_error.ts";
import type { PathArgs } from "./schemas.ts";

/**
 * Reads the path of an entry of a snapshot.
 *
 * @returns Its bytes, without slashes at its ends and without `.`; empty for the root.
 * @throws {ToolError} If it is no path, or leads up.
 */
export function pathArgument({ path, pathBytes }: PathArgs): Uint8Array {
  if (path !== undefined && pathBytes !== undefined) {
    throw new ToolError("Cannot use path and pathBytes at once: one is enough");
  }
  const bytes = pathBytes === undefined
    ? new TextEncoder().encode(path ?? "")
    : decode(pathBytes);
  if (path?.isWellFormed() === false) {
    throw new ToolError(
      "Cannot use path: a surrogate stands alone in it",
      "pathBytes takes what is not UTF-8",
    );
  }
  if (bytes.length > PATH_SIZE_MAX) {
    throw new ToolError(
      `Cannot use path: it has more than ${PATH_SIZE_MAX} bytes`,
    );
  }
  if (bytes.includes(0)) throw new ToolError("Cannot use path: it has a NUL");
  return joinNames(splitPath(bytes).filter((name) => !isDots(name, 1)));
}

function joinNames(names: readonly Uint8Array[]): Uint8Array {
  if (names.some((name) => isDots(name, 2))) {
    throw new ToolError(
      "Cannot use path: it has .. in it",
      "a path begins at the root of the snapshot",
    );
  }
  const size = names.reduce((sum, name) => sum + name.length + 1, 0);
  const path = new Uint8Array(size).fill(0x2f);
  let at = 0;
  for (const name of names) {
    path.set(name, at);
    at += name.length + 1;
  }
  return path.subarray(0, Math.max(0, size - 1));
}

function isDots(name: Uint8Array, count: number): boolean {
  return name.length === count && name.every((byte) => byte === 0x2e);
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new ToolError("Cannot use pathBytes: it is no base64", undefined, {
      cause,
    });
  }
}
