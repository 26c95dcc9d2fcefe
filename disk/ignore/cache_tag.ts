import type { DiskCalls } from "../disk_calls.ts";
import { readNamedFile } from "../read_whole_file.ts";

/** Name of the file that marks a cache directory (Cache Directory Tagging Specification). */
export const CACHE_TAG_NAME: Uint8Array = new TextEncoder().encode(
  "CACHEDIR.TAG",
);

const SIGNATURE: Uint8Array = new TextEncoder().encode(
  "Signature: 8a477f597d28d172789f06886806bc55",
);

/** Whether the tag of an open directory has the signature that makes it one. */
export function holdsCacheTag(calls: DiskCalls, directory: number): boolean {
  const bytes = readNamedFile(
    calls,
    directory,
    CACHE_TAG_NAME,
    SIGNATURE.length,
  );
  if (typeof bytes === "number" || bytes.length < SIGNATURE.length) {
    return false;
  }
  for (let i = 0; i < SIGNATURE.length; i++) {
    if (bytes[i] !== SIGNATURE[i]) return false;
  }
  return true;
}
