import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { makeDirectories } from "./make_directories.ts";
import { terminated } from "../read_whole_file.ts";
import type { FileIdentity } from "../file_identity.ts";
import { Target } from "./target.ts";
import { TargetDirectories } from "./target_directories.ts";

/** Options of opening a target. */
export interface TargetOptions {
  /** Makes the directory, and those above it, if absent. */
  readonly create?: boolean;
  /** Directories that are kept open at most, 64 if absent. */
  readonly openMax?: number;
  /** The store that is restored from: it is not listed, not entered and not removed. */
  readonly excludeStore?: FileIdentity;
  /** The back end; the best there is if absent. */
  readonly calls?: DiskCalls;
}

const OPEN_MAX = 64;
/** No other user looks before the attributes are set. */
const CREATE_MODE = 0o700;

/**
 * Opens a directory to be written into. Nothing outside it is touched, whatever the names that
 * are given and whatever links stand below it.
 *
 * @param root Its path; a symbolic link to a directory is followed.
 * @param options Whether it is made.
 * @throws {DiskError} If it cannot be opened or made.
 *
 * @example
 * ```ts
 * import { openTarget } from "@snap/disk/target";
 * import { mkdtempSync, readFileSync, rmSync } from "node:fs";
 * import assert from "node:assert/strict";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * const path = mkdtempSync("/tmp/target-");
 * const target = openTarget(path);
 * const letters = target.directory(target.root, encode("letters"), { create: true });
 * const file = target.createFile(letters, encode("a.txt"));
 * file.write(encode("hello"), 0);
 * file.setAttributes({ mode: 0o644, mtimeSec: 1_000_000_000, mtimeNs: 1 });
 * file.finish();
 * target.setDirectoryAttributes(letters, { mode: 0o755, mtimeSec: 1_000_000_000 });
 * target[Symbol.dispose]();
 * assert.equal(readFileSync(`${path}/letters/a.txt`, "utf8"), "hello");
 * rmSync(path, { recursive: true });
 * ```
 */
export function openTarget(
  root: string | Uint8Array,
  options: TargetOptions = {},
): Target {
  const calls = options.calls ?? diskCalls();
  const path = terminated(root);
  if (options.create === true) {
    makeDirectories(calls, path.subarray(0, -1), CREATE_MODE);
  }
  return new Target(
    calls,
    TargetDirectories.open(calls, path, {
      openMax: options.openMax ?? OPEN_MAX,
      excludeStore: options.excludeStore,
    }),
  );
}
